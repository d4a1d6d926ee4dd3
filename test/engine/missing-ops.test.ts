/** What an event says about the steps that were missing. */
import { describe, expect, test } from "vitest";
import { parseFilter, requirementsOf } from "../../src/expression/index.ts";
import { schemeFor } from "../../src/ruleset/index.ts";
import { createVisitor, NOON, rule, ruleset, startEngine, zone } from "../support/engine.ts";

const SCHEME = schemeFor("http_request_firewall_custom");
const PREVIOUS = "cf.sequence.previous_ops";
const SINCE = "cf.sequence.msec_since_op";

describe("what an expression asks of a sequence", () => {
  test.each<[string, readonly object[]]>([
    [`not any(${PREVIOUS}[*] == "a")`, [{ field: PREVIOUS, member: "a" }]],
    [`not (any(${PREVIOUS}[*] == "a") or any(${PREVIOUS}[*] == "b"))`, [{ member: "a" }, { member: "b" }]],
    [`not any(${PREVIOUS}[*] in {"a" "b"})`, [{ member: "a" }, { member: "b" }]],
    [`all(${PREVIOUS}[*] != "a")`, [{ member: "a" }]],
    [`not has_value(${PREVIOUS}, "a")`, [{ member: "a" }]],
    [`not has_key(${SINCE}, "a")`, [{ field: SINCE, member: "a" }]],
    [`not ${PREVIOUS}[0] == "a"`, [{ member: "a", position: 0 }]],
    [`${PREVIOUS}[1] != "a"`, [{ member: "a", position: 1 }]],
    [`not ${SINCE}["a"] ge 1000`, [{ member: "a", atLeast: 1000 }]],
    [`not ${SINCE}["a"] gt 1000`, [{ member: "a", atLeast: 1001 }]],
    [`${SINCE}["a"] lt 1000`, [{ member: "a", atLeast: 1000 }]],
    [`${SINCE}["a"] gt 5000`, [{ member: "a", atMost: 5000 }]],
    [`not ${SINCE}["a"] le 5000`, [{ member: "a", atMost: 5000 }]],
    [`not not any(${PREVIOUS}[*] == "a")`, []],
    [`any(${PREVIOUS}[*] == "a")`, []],
    [`any(${PREVIOUS}[*] != "a")`, []],
    [`not all(${PREVIOUS}[*] != "a")`, []],
    [`len(${PREVIOUS}) ge 3`, []],
    ['http.request.method eq "POST"', []],
    ["true", []],
  ])("%s", (source, expected) => {
    expect(requirementsOf(parseFilter(source, SCHEME))).toMatchObject(expected);
    expect(requirementsOf(parseFilter(source, SCHEME))).toHaveLength(expected.length);
  });
});

describe("the missing steps of an event", () => {
  const IS_B = 'cf.sequence.current_op eq "bbbbbbbb"';
  /** Blocks of a POST to B that comes 400 ms after the given targets. */
  const missingAfter = async (condition: string, targets: readonly string[]) => {
    const { engine, events } = startEngine([
      zone({ rulesets: [ruleset([rule(`${IS_B} and ${condition}`)])] }),
    ]);
    const { visit } = createVisitor(engine);
    for (const [index, target] of targets.entries()) await visit({ target, at: NOON + index });
    const { status } = await visit({ method: "POST", target: "/b", at: NOON + 400 });
    return status === 403 ? events.at(-1)?.missing : "not blocked";
  };
  const NOT_AFTER_A = `not any(${PREVIOUS}[*] == "aaaaaaaa")`;

  test.each<[string, string, readonly string[], unknown]>([
    ["A was never called", NOT_AFTER_A, [], [{ op: "aaaaaaaa" }]],
    ["another step was", NOT_AFTER_A, ["/c/1"], [{ op: "aaaaaaaa" }]],
    ["A was called", NOT_AFTER_A, ["/a"], "not blocked"],
    [
      "A too lately",
      `not ${SINCE}["aaaaaaaa"] ge 1000`,
      ["/a"],
      [{ op: "aaaaaaaa", ageMs: 400, atLeastMs: 1000 }],
    ],
    [
      "A not at all, for a rule about time",
      `not ${SINCE}["aaaaaaaa"] ge 1000`,
      [],
      [{ op: "aaaaaaaa", atLeastMs: 1000 }],
    ],
    [
      "one of two",
      `not (any(${PREVIOUS}[*] == "aaaaaaaa") and any(${PREVIOUS}[*] == "cccccccc"))`,
      ["/a"],
      [{ op: "cccccccc" }],
    ],
    [
      "the right steps in the wrong order",
      `not (${PREVIOUS}[0] == "aaaaaaaa" and ${PREVIOUS}[1] == "cccccccc")`,
      ["/a", "/c/1"],
      [
        { op: "aaaaaaaa", ageMs: 400, position: 0 },
        { op: "cccccccc", ageMs: 399, position: 1 },
      ],
    ],
    ["nothing: the rule is about something that was there", `any(${PREVIOUS}[*] == "aaaaaaaa")`, ["/a"], []],
  ])("%s", async (_name, condition, targets, expected) => {
    expect(await missingAfter(condition, targets)).toEqual(expected);
  });
});
