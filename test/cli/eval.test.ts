/** `stepgate eval`, as a process and in its parts. */
import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { answerLine, refuseLine } from "../../src/cli/eval-case.ts";
import { readLines, type Line } from "../../src/cli/eval-lines.ts";
import { answerPerson, type PersonAnswer, type PersonOptions } from "../../src/cli/eval-person.ts";
import { EVERY_FIELD, schemeFor } from "../../src/ruleset/index.ts";
import { isValueVector, VECTORS } from "../expression/support.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

interface Finished {
  readonly code: number | null;
  readonly output: string;
  readonly errorOutput: string;
}

/** Runs the command as a person would. */
function run(args: readonly string[], input: string | Buffer = ""): Promise<Finished> {
  const child = spawn(process.execPath, ["src/main.ts", "eval", ...args], { cwd: ROOT });
  const output: Buffer[] = [];
  const errorOutput: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => errorOutput.push(chunk));
  child.stdin.on("error", () => {
    // The command may end before it has read everything: an option was wrong.
  });
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({
        code,
        output: Buffer.concat(output).toString(),
        errorOutput: Buffer.concat(errorOutput).toString(),
      });
    });
  });
}

function toLines(output: string): readonly unknown[] {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
}

describe("the command", () => {
  test("answers every case of the conformance set, in order", async () => {
    const input = VECTORS.map((vector) =>
      JSON.stringify({
        id: vector.id,
        expr: vector.expr,
        ctx: vector.ctx,
        ...(isValueVector(vector) ? { mode: "value" } : {}),
      }),
    ).join("\n");
    const { code, output, errorOutput } = await run([], input);
    const answers = toLines(output) as readonly {
      readonly id: string;
      readonly error?: { readonly category: string };
    }[];
    expect({ code, errorOutput }).toEqual({ code: 0, errorOutput: "" });
    expect(answers.map(({ id }) => id)).toEqual(VECTORS.map(({ id }) => id));
    const expected = VECTORS.map((vector) =>
      typeof vector.expect === "object"
        ? { id: vector.id, category: vector.expect.error }
        : isValueVector(vector)
          ? { id: vector.id, value: vector.value }
          : { id: vector.id, result: vector.expect },
    );
    expect(
      answers.map((answer) =>
        answer.error === undefined ? answer : { id: answer.id, category: answer.error.category },
      ),
    ).toEqual(expected);
  });

  test("a bad line gets an error of its own, and the next is answered", async () => {
    const bad = [
      "garbage",
      "[]",
      "null",
      "{}",
      '{"id":7}',
      '{"id":8,"expr":"ssl","ctx":[]}',
      '{"id":9,"expr":"ssl","mode":"x"}',
    ];
    const good = '{"id":"last","expr":"ssl","ctx":{"ssl":true}}';
    const { code, output } = await run([], [...bad, "", "  ", good].join("\r\n"));
    const answers = toLines(output) as readonly { readonly id: unknown; readonly error?: unknown }[];
    expect(code).toBe(0);
    expect(answers.map(({ id }) => id)).toEqual([null, null, null, null, 7, 8, 9, "last"]);
    expect(answers.slice(0, -1).map(({ error }) => error)).toEqual(
      bad.map(
        (_, index) =>
          expect.objectContaining({ category: "input", code: "invalid_case", line: index + 1 }) as unknown,
      ),
    );
    expect(answers.at(-1)).toEqual({ id: "last", result: true });
  });

  // A process each is slow: what the options do is tried in the parts below.
  test.each([
    [["ssl", "--field=ssl=true", "--list", "a=b"], 0, "true\n", ""],
    [["--value", "http.host"], 1, "missing\n", ""],
    [["ssl", "--phase", "nope"], 2, "", "expected a phase (http_request_dynamic_redirect,"],
    [["ssl", "ssl"], 2, "", "expected one expression: quote it"],
    [["--bogus", "ssl"], 2, "", "--bogus"],
  ])("%j: exit code %i", async (args, code, output, message) => {
    const finished = await run(args);
    expect({ code: finished.code, output: finished.output }).toEqual({ code, output });
    expect(finished.errorOutput).toContain(message);
  });

  test("a reader that has seen enough ends the command without an error", async () => {
    const line = '{"id":"a","expr":"ssl","ctx":{"ssl":true}}';
    const child = spawn("sh", ["-c", '"$0" src/main.ts eval | head -n 1', process.execPath], { cwd: ROOT });
    const errorOutput: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => errorOutput.push(chunk));
    child.stdin.on("error", () => {
      // Nobody reads any more: what the test is about.
    });
    child.stdin.end(`${line}\n`.repeat(50_000));
    await new Promise((resolve) => child.once("close", resolve));
    expect(Buffer.concat(errorOutput).toString()).toBe("");
  });

  test("help tells the exit codes", async () => {
    const { code, output, errorOutput } = await run(["--help"]);
    expect(code).toBe(0);
    expect(output + errorOutput).toContain("exit code 0");
  });
});

describe("for a person", () => {
  const OPTIONS: PersonOptions = {
    scheme: EVERY_FIELD,
    mode: "filter",
    fields: [],
    lists: [],
    missingNotEqual: false,
    explain: false,
    format: false,
    colours: false,
  };

  const answer = (expression: string, options: Partial<PersonOptions> = {}): PersonAnswer =>
    answerPerson(expression, { ...OPTIONS, ...options });

  test.each([
    ["ip.src in {10.0.0.0/8}", ["ip.src=10.1.1.1"]],
    ["cf.threat_score eq 9223372036854775807", ["cf.threat_score=9223372036854775807"]],
    ['any(cf.sequence.previous_ops[*] == "b")', ["cf.sequence.previous_ops=a, b"]],
    ['any(cf.sequence.previous_ops[*] == "a,b")', ['cf.sequence.previous_ops=["a,b"]']],
    ["len(cf.sequence.previous_ops) eq 0", ["cf.sequence.previous_ops="]],
    ['cf.sequence.msec_since_op["a"] ge 5', ['cf.sequence.msec_since_op={"a":5}']],
    ['http.host eq "a=b"', ["http.host=a=b"]],
    ['http.host eq "5"', ["http.host=5"]],
    ['http.host eq "é"', ["http.host=é"]],
  ])("%s with %j", (expression, fields) => {
    expect(answer(expression, { fields })).toEqual({ output: "true\n", errorOutput: "", exitCode: 0 });
  });

  test.each([
    [["ip.src=1.2.3"], 'expected a value of type `Ip` for field `ip.src`, found `"1.2.3"`'],
    [["cf.threat_score=x"], "expected a value of type `Int` as JSON for field `cf.threat_score`, found `x`"],
    [["cf.threat_score=1.5"], "expected a value of type `Int`"],
    [["cf.threat_score=9223372036854775808"], "expected a value of type `Int`"],
    [["ssl=1"], "expected a value of type `Bool`"],
    [['cf.sequence.msec_since_op=["a"]'], "expected a value of type `Map<Int>`"],
    [["cf.sequence.previous_ops=[1]"], "expected a value of type `Bytes`"],
    [["=x"], "expected `--field name=value`, found `=x`"],
    [["ssl"], "expected `--field name=value`, found `ssl`"],
    [["sls=true"], "expected the name of a field, found `sls`, did you mean `ssl`?"],
    [["quite.different=1"], "expected the name of a field, found `quite.different`"],
  ])("refuses %j", (fields, message) => {
    const { errorOutput, exitCode } = answer("true", { fields });
    expect(errorOutput).toContain(message);
    expect(exitCode).toBe(2);
  });

  test("lists are found by name, of any type", () => {
    expect(
      answer("ip.src in $net", { fields: ["ip.src=10.1.1.1"], lists: ["net=10.0.0.0/8,::1"] }).exitCode,
    ).toBe(0);
    expect(answer("ip.src in $net", { fields: ["ip.src=::2"], lists: ["$net=::1..::3"] }).exitCode).toBe(0);
    expect(answer("cf.threat_score in $n", { fields: ["cf.threat_score=5"], lists: ["n=5"] }).exitCode).toBe(
      0,
    );
    expect(answer("cf.threat_score in $n", { fields: ["cf.threat_score=5"] }).exitCode).toBe(1);
    expect(answer("ip.src in $net", { lists: ["net=x"] }).errorOutput).toContain(
      "expected an address or CIDR",
    );
    expect(answer("ip.src in $net", { lists: ["net="] }).exitCode).toBe(1);
  });

  test("explains as an outline", () => {
    const { output } = answer('ssl and not any(cf.sequence.previous_ops[*] == "a") and http.host eq "b"', {
      explain: true,
      fields: ["ssl=true", "cf.sequence.previous_ops=a"],
    });
    expect(output).toBe(
      [
        'ssl and not any(cf.sequence.previous_ops[*] == "a") and http.host eq "b" → false',
        "  ssl → true",
        "    ssl → true",
        '  not any(cf.sequence.previous_ops[*] == "a") → false',
        '    any(cf.sequence.previous_ops[*] == "a") → true',
        '      cf.sequence.previous_ops[*] == "a" → [true]',
        '        cf.sequence.previous_ops[*] → ["a"]',
        '          cf.sequence.previous_ops → ["a"]',
        '  http.host eq "b" → not evaluated (an earlier term of `and` is false)',
        "false",
        "",
      ].join("\n"),
    );
    expect(answer("len(http.host)", { explain: true, mode: "value" }).output).toContain(
      "→ missing (the function",
    );
  });

  test("colours on a terminal: the answer, and the carets", () => {
    expect(answer("true", { colours: true }).output).toBe("\u001B[32mtrue\u001B[39m\n");
    expect(answer("false", { colours: true }).output).toBe("\u001B[31mfalse\u001B[39m\n");
    const { errorOutput } = answer("ssl and nope", { colours: true });
    expect(errorOutput).toContain("\u001B[1mFilter parsing error (1:9):\u001B[22m");
    expect(errorOutput).toContain("        \u001B[31m^^^^ unknown identifier");
  });

  test("prints the normal form, and lets `!=` hold for missing values, when asked to", () => {
    expect(answer("ssl&&!ssl", { format: true }).output).toBe("ssl and not ssl\n");
    expect(answer(" lower( http.host )", { format: true, mode: "value" }).output).toBe("lower(http.host)\n");
    expect(answer('http.host ne "a"').exitCode).toBe(1);
    expect(answer('http.host ne "a"', { missingNotEqual: true }).exitCode).toBe(0);
  });

  test("a phase's own fields only", () => {
    expect(answer("http.response.code eq 200", { scheme: schemeFor("http_ratelimit") }).exitCode).toBe(2);
  });
});

describe("cases", () => {
  const options = { scheme: EVERY_FIELD, missingNotEqual: false, explain: false };
  const answerTo = (given: unknown, more = {}) =>
    answerLine(JSON.stringify(given), 3, { ...options, ...more });

  test.each([
    [
      { id: 1, expr: "ssl", ctx: { ssl: true } },
      { id: 1, result: true },
    ],
    [
      { id: 1, expr: "ssl" },
      { id: 1, result: false },
    ],
    [{ expr: "ssl" }, { id: null, result: false }],
    [
      { id: { a: [1] }, expr: "ssl", ctx: { ssl: null } },
      { id: { a: [1] }, result: false },
    ],
    [
      { id: 1, expr: "http.host", mode: "value", ctx: { "http.host": { $hex: "ff" } } },
      { id: 1, value: { $hex: "ff" } },
    ],
    [
      {
        id: 1,
        expr: "cf.threat_score",
        mode: "value",
        ctx: { "cf.threat_score": { $int: "9223372036854775807" } },
      },
      { id: 1, value: { $int: "9223372036854775807" } },
    ],
    [
      { id: 1, expr: "http.request.headers", mode: "value", ctx: { "http.request.headers": { a: ["b"] } } },
      { id: 1, value: { a: ["b"] } },
    ],
    [
      { id: 1, expr: "ip.src", mode: "value", ctx: { "ip.src": "::FFFF:1.2.3.4" } },
      { id: 1, value: "::ffff:1.2.3.4" },
    ],
    [
      { id: 1, expr: "ssl", ctx: { ssl: true, "some.other": 5 } },
      { id: 1, result: true },
    ],
  ])("%j", (given, expected) => {
    expect(answerTo(given)).toEqual(expected);
  });

  test("integers beyond the safe ones are exact as plain JSON numbers too", () => {
    const line =
      '{"id":9007199254740993,"expr":"cf.threat_score eq 9007199254740993","ctx":{"cf.threat_score":9007199254740993}}';
    expect(answerLine(line, 1, options)).toEqual({ id: "9007199254740993", result: true });
  });

  test.each([
    [{ id: 1, expr: 5 }, "expected a string `expr`"],
    [{ id: 1, expr: "ssl", ctx: 5 }, "expected an object `ctx`"],
    [{ id: 1, expr: "ssl", mode: "both" }, "expected `mode`"],
    [
      { id: 1, expr: "ssl", ctx: { ssl: "true" } },
      'expected a value of type `Bool` for field `ssl`, found `"true"`',
    ],
    [{ id: 1, expr: "ssl", ctx: { "http.host": { $hex: "f" } } }, "expected a value of type `Bytes`"],
    [{ id: 1, expr: "ssl", ctx: { "cf.threat_score": { $int: "x" } } }, "expected a value of type `Int`"],
    [
      { id: 1, expr: "ssl", ctx: { "http.request.headers": [] } },
      "expected a value of type `Map<Array<Bytes>>`",
    ],
    [{ id: 1, expr: "ip.src in $a", ctx: { $a: "x" } }, "expected an array of members"],
    [{ id: 1, expr: "ip.src in $a", ctx: { $a: [5] } }, "expected an address or CIDR"],
    [{ id: 1, expr: "http.host in $a", ctx: { $a: [5] } }, "expected a value of type `Bytes` for list `$a`"],
  ])("%j is refused", (given, message) => {
    expect(answerTo(given)).toEqual({
      id: 1,
      error: {
        category: "input",
        code: "invalid_case",
        message: expect.stringContaining(message) as unknown,
        line: 3,
        column: 1,
        length: 0,
      },
    });
  });

  test("errors of expressions have their place", () => {
    expect(answerTo({ id: 1, expr: "ssl and nope" })).toEqual({
      id: 1,
      error: expect.objectContaining({
        category: "unknown_field",
        code: "unknown_field",
        line: 1,
        column: 9,
        length: 4,
      }) as unknown,
    });
  });

  test("a trace on request", () => {
    const traced = answerTo({ id: 1, expr: "not ssl", ctx: { ssl: true } }, { explain: true });
    expect(traced).toMatchObject({
      result: false,
      trace: { text: "not ssl", outcome: "value", value: false, parts: [{ text: "ssl", value: true }] },
    });
    expect(answerTo({ id: 1, expr: "lower(http.host)", mode: "value" }, { explain: true })).toMatchObject({
      value: null,
      trace: { outcome: "missing", reason: "the function has no result for these arguments" },
    });
  });

  test("JSON that nests too deeply is one bad line", () => {
    const deep = `{"id":1,"expr":"ssl","ctx":${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}}`;
    expect(answerLine(deep, 5, options)).toMatchObject({ id: null, error: { category: "input", line: 5 } });
  });

  test("names of JavaScript's own are names", () => {
    const line =
      '{"id":1,"expr":"http.host in $__proto__","ctx":{"__proto__":{"ssl":true},"http.host":"a","$__proto__":["a"]}}';
    expect(answerLine(line, 1, options)).toEqual({ id: 1, result: true });
    expect(answerLine('{"__proto__":{"expr":"ssl"}}', 1, options)).toMatchObject({
      error: { category: "input" },
    });
  });

  test("a line that was too long says how long it may be", () => {
    expect(refuseLine(4, 100)).toMatchObject({
      id: null,
      error: { message: "expected a line of at most 100 bytes", line: 4 },
    });
  });
});

async function* streamOf(chunks: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    yield await Promise.resolve(Buffer.from(chunk, "latin1"));
  }
}

async function linesOf(chunks: readonly string[], maxLineBytes = 10): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for await (const line of readLines(streamOf(chunks), maxLineBytes)) {
    lines.push(...line);
  }
  return lines;
}

describe("lines", () => {
  test.each([
    [["a\nb"], ["a", "b"]],
    [
      ["a\n", "b\n"],
      ["a", "b"],
    ],
    [
      ["a", "b", "\n", "c"],
      ["ab", "c"],
    ],
    [["\n\n"], ["", ""]],
    [[], []],
    [["\xc3", "\xa9\n"], ["é"]],
    [["\xff\n"], ["\ufffd"]],
    [["0123456789\n"], ["0123456789"]],
    [["0123456789a\nb\n"], [undefined, "b"]],
    [
      ["0123456789", "a", "bcd", "\nb"],
      [undefined, "b"],
    ],
    [["b\n0123456789ab"], ["b", undefined]],
  ])("%j", async (chunks, texts) => {
    const lines = await linesOf(chunks);
    expect(lines.map(({ text }) => text)).toEqual(texts);
    expect(lines.map(({ number }) => number)).toEqual(texts.map((_, index) => index + 1));
  });

  test("a line without end is not kept in memory", async () => {
    const chunk = "a".repeat(1 << 16);
    const before = process.memoryUsage().rss;
    // 500 MB, of which some 100 wait for the garbage collector.
    const lines = await linesOf(
      Array.from({ length: 8000 }, () => chunk),
      1000,
    );
    expect(lines).toEqual([{ number: 1, text: undefined }]);
    expect(process.memoryUsage().rss - before).toBeLessThan(250 << 20);
  });
});
