/** The trace of an evaluation. */
import { describe, expect, test } from "vitest";
import {
  explainFilter,
  explainValue,
  parseFilter,
  parseValue,
  type Trace,
} from "../../src/expression/index.ts";
import { SCHEME, toJson, toLists, valuesOf, type Json } from "./support.ts";

function explain(source: string, ctx: Readonly<Record<string, Json>> = {}): Trace {
  return explainFilter(parseFilter(source, SCHEME), { lists: toLists(ctx) })(valuesOf(ctx));
}

/** One line per part: depth, text, what it gave, why. */
function outline(trace: Trace, depth = 0): readonly string[] {
  const gave = trace.outcome === "value" ? JSON.stringify(toJson(trace.value)) : trace.outcome;
  const reason = trace.reason === undefined ? "" : ` (${trace.reason})`;
  return [
    `${"  ".repeat(depth)}${trace.text} → ${gave}${reason}`,
    ...trace.parts.flatMap((part) => outline(part, depth + 1)),
  ];
}

describe("every part gives its value, or says why it has none", () => {
  test("and stops at the first false term", () => {
    const trace = explain('ssl and http.host eq "a" and not ssl', { ssl: true, "http.host": "b" });
    expect(outline(trace)).toEqual([
      'ssl and http.host eq "a" and not ssl → false',
      "  ssl → true",
      "    ssl → true",
      '  http.host eq "a" → false',
      '    http.host → "b"',
      "  not ssl → skipped (an earlier term of `and` is false)",
    ]);
  });

  test("or stops at the first true term, xor needs all", () => {
    expect(outline(explain("ssl or cf.client.bot", { ssl: true }))).toContain(
      "  cf.client.bot → skipped (an earlier term of `or` is true)",
    );
    expect(explain("ssl xor cf.client.bot", { ssl: true }).parts.map(({ outcome }) => outcome)).toEqual([
      "value",
      "value",
    ]);
  });

  test("missing fields, keys, indexes and results", () => {
    const ctx = { "cf.sequence.msec_since_op": { a: 5 }, "cf.sequence.previous_ops": ["x"] };
    const source =
      'cf.sequence.msec_since_op["b"] ge 1 or cf.sequence.previous_ops[3] eq "x" or http.request.headers["a"][0] eq "x" or len(http.host) eq 1 or http.request.body.multipart.names[0][1] eq "x"';
    expect(outline(explain(source, ctx)).filter((line) => line.includes("missing"))).toEqual([
      '    cf.sequence.msec_since_op["b"] → missing (there is no key `b`)',
      "    cf.sequence.previous_ops[3] → missing (the array is shorter)",
      '    http.request.headers["a"][0] → missing (what it is read from is missing)',
      "      http.request.headers → missing (the request has no such value)",
      "    len(http.host) → missing (the function has no result for these arguments)",
      "      http.host → missing (the request has no such value)",
      "    http.request.body.multipart.names[0][1] → missing (what it is read from is missing)",
      "      http.request.body.multipart.names → missing (the request has no such value)",
    ]);
  });

  test("quantifiers show the members, calls their arguments, element-wise logic its results", () => {
    const ctx = { "cf.sequence.previous_ops": ["b", "a"], "http.request.headers.names": ["h", "i", "j"] };
    const source =
      'any((cf.sequence.previous_ops[*] == "a") and not (starts_with(http.request.headers.names[*], "h")))';
    expect(outline(explain('any(cf.sequence.previous_ops[*] == "a")', ctx))).toEqual([
      'any(cf.sequence.previous_ops[*] == "a") → true',
      '  cf.sequence.previous_ops[*] == "a" → [false,true]',
      '    cf.sequence.previous_ops[*] → ["b","a"]',
      '      cf.sequence.previous_ops → ["b","a"]',
    ]);
    expect(outline(explain(source, ctx))).toEqual([
      `${source} → true`,
      `  ${source.slice(4, -1)} → [false,true]`,
      '    (cf.sequence.previous_ops[*] == "a") → [false,true]',
      '      cf.sequence.previous_ops[*] == "a" → [false,true]',
      '        cf.sequence.previous_ops[*] → ["b","a"]',
      '          cf.sequence.previous_ops → ["b","a"]',
      '    not (starts_with(http.request.headers.names[*], "h")) → [false,true,true]',
      '      (starts_with(http.request.headers.names[*], "h")) → [true,false,false]',
      '        starts_with(http.request.headers.names[*], "h") → [true,false,false]',
      '          starts_with(http.request.headers.names[*], "h") → [true,false,false]',
      '            http.request.headers.names[*] → ["h","i","j"]',
      '              http.request.headers.names → ["h","i","j"]',
      '            "h" → "h"',
    ]);
  });

  test("arguments that are comparisons, and a list", () => {
    const ctx = { "http.host": "a", $hosts: ["a"] };
    expect(outline(explain('to_string(http.host in $hosts) eq "true"', ctx))).toEqual([
      'to_string(http.host in $hosts) eq "true" → true',
      '  to_string(http.host in $hosts) → "true"',
      "    http.host in $hosts → true",
      '      http.host → "a"',
    ]);
  });

  test("the types of parts, constants, and value expressions", () => {
    expect(explain("true")).toMatchObject({ kind: "constant", type: "Bool", value: true, parts: [] });
    expect(explain("ssl", { ssl: true }).parts[0]).toMatchObject({ kind: "field", type: "Bool" });
    expect(explain('any(cf.sequence.previous_ops[*] == "a")').parts[0]?.parts[0]).toMatchObject({
      kind: "index",
      type: "Array<Bytes>",
      outcome: "missing",
    });
    const value = parseValue("lower(http.request.headers[*][*])[1]", SCHEME);
    const trace = explainValue(value)(valuesOf({ "http.request.headers": { a: ["X", "Y"] } }));
    expect(outline(trace)).toEqual([
      'lower(http.request.headers[*][*])[1] → "y"',
      '  lower(http.request.headers[*][*]) → ["x","y"]',
      '    http.request.headers[*][*] → ["X","Y"]',
      '      http.request.headers → {"a":["X","Y"]}',
    ]);
  });
});
