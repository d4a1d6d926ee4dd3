import { describe, expect, test } from "vitest";

import { compileSeqRules, evaluateSeqRules } from "../../src/sequence/index.ts";
import type { SeqRule, SeqRuleOptions, Sequence } from "../../src/sequence/index.ts";

const NOW = 1_790_000_000_000;

/** One letter stands for an operation. */
const idOf = (letter: string): string => `${shortOf(letter)}-0000-4000-8000-000000000000`;
const shortOf = (letter: string): string => letter.codePointAt(0)?.toString(16).padStart(8, "0") ?? "";

function rule(pair: string, parts: Partial<SeqRule> = {}): SeqRule {
  const [first = "", second = ""] = pair;
  return {
    id: `rule-${pair}`,
    title: pair,
    kind: "allow",
    action: "block",
    sequence: [idOf(first), idOf(second)],
    priority: 0,
    created_at: "",
    last_updated: "",
    ...parts,
  };
}

/** Letters oldest first, one second apart; the last of them one second before now. */
function history(letters: string): Sequence {
  const entries = letters
    .split("")
    .toReversed()
    .map((letter, index) => ({
      op: shortOf(letter),
      at: NOW - 1000 * (index + 1),
    }));
  return { entries };
}

/** A called so long ago. */
function calledAgo(ageMs: number): Sequence {
  return { entries: [{ op: shortOf("A"), at: NOW - ageMs }] };
}

interface Visit {
  readonly lookback?: Sequence | undefined;
  readonly hasIdentity?: boolean;
}

function judge(
  rules: readonly SeqRule[],
  current: string,
  visit: Visit,
  options: Partial<SeqRuleOptions> = {},
) {
  const compiled = compileSeqRules(rules, { allowFiresWithoutIdentity: false, ...options });
  const decision = evaluateSeqRules(compiled, {
    currentOp: current === "" ? "" : shortOf(current),
    lookback: "lookback" in visit ? visit.lookback : history(""),
    hasIdentity: visit.hasIdentity ?? true,
    nowMs: NOW,
  });
  return {
    action: decision.action,
    fired: decision.fired.map(({ rule: { title }, reason }) => `${title} ${reason}`),
  };
}

const blockedBy = (...fired: string[]) => ({
  action: "block",
  fired: fired.map((title) => `${title} sequence`),
});
const passed = { action: "continue", fired: [] };

describe("the funds transfer of the documentation", () => {
  // U: accounts of the user, B: balance of an account, T: transfer.
  const rules = [rule("UB"), rule("BT")];
  test.each([
    ["U", "", passed],
    ["B", "U", passed],
    ["B", "UB", passed],
    ["T", "UBB", passed],
    ["B", "", blockedBy("UB")],
    ["T", "U", blockedBy("BT")],
    ["T", "", blockedBy("BT")],
    ["X", "", passed],
    ["", "", passed],
  ])("a request to %j after %j", (current, before, expected) => {
    expect(judge(rules, current, { lookback: history(before) })).toEqual(expected);
  });

  test("negative model: profiles before a transfer", () => {
    const negative = [rule("PT", { kind: "block" })];
    expect(judge(negative, "T", { lookback: history("UPB") })).toEqual(blockedBy("PT"));
    expect(judge(negative, "T", { lookback: history("UB") })).toEqual(passed);
  });
});

describe("the look-back", () => {
  const allow = [rule("AB")];
  const blockRule = [rule("AB", { kind: "block" })];

  test("reaches over the request itself and the nine before it", () => {
    expect(judge(blockRule, "B", { lookback: history(`A${"XY".repeat(4)}`) })).toEqual(blockedBy("AB"));
    expect(judge(blockRule, "B", { lookback: history(`A${"XY".repeat(4)}X`) })).toEqual(passed);
  });

  test("counts consecutive repeats as one", () => {
    expect(judge(blockRule, "B", { lookback: history(`A${"X".repeat(40)}`) })).toEqual(blockedBy("AB"));
    expect(judge(blockRule, "B", { lookback: history(`A${"XX".repeat(3)}YYX`) })).toEqual(blockedBy("AB"));
  });

  test("counts repeats of the current operation as one with it", () => {
    const before = `A${"XY".repeat(4)}`;
    expect(judge(blockRule, "B", { lookback: history(`${before}BBB`) })).toEqual(blockedBy("AB"));
  });

  test("ends ten minutes ago", () => {
    expect(judge(allow, "B", { lookback: calledAgo(600_000) })).toEqual(passed);
    expect(judge(allow, "B", { lookback: calledAgo(600_001) })).toEqual(blockedBy("AB"));
    expect(judge(allow, "B", { lookback: calledAgo(-5000) })).toEqual(passed);
  });

  test("can be configured", () => {
    const before = history(`A${"XY".repeat(8)}`);
    expect(judge(blockRule, "B", { lookback: before }, { maxRequests: 18 })).toEqual(blockedBy("AB"));
    expect(judge(blockRule, "B", { lookback: history("AX") }, { maxAgeMs: 1500 })).toEqual(passed);
  });
});

describe("several rules", () => {
  test("the first that blocks ends it, those that log before it do not", () => {
    const rules = [rule("AT", { action: "log" }), rule("BT"), rule("CT"), rule("DT", { action: "log" })];
    expect(judge(rules, "T", {})).toEqual({ action: "block", fired: ["AT sequence", "BT sequence"] });
    expect(judge(rules, "T", { lookback: history("BC") })).toEqual({
      action: "continue",
      fired: ["AT sequence", "DT sequence"],
    });
  });

  test("a request meets only the rules about its own operation", () => {
    const rules = Array.from({ length: 1000 }, (_, index) =>
      rule(`A${String.fromCodePoint(0x4e00 + index)}`),
    );
    const compiled = compileSeqRules(rules, { allowFiresWithoutIdentity: false });
    expect(compiled.byOperation.size).toBe(1000);
    expect(judge(rules, "\u4e05", {}).fired).toEqual(["A\u4e05 sequence"]);
  });
});

describe("a request without identity", () => {
  const none = { hasIdentity: false };
  test("allow rules fire only where they are told to", () => {
    expect(judge([rule("AB")], "B", none, { allowFiresWithoutIdentity: false })).toEqual(passed);
    expect(judge([rule("AB")], "B", none, { allowFiresWithoutIdentity: true })).toEqual(blockedBy("AB"));
  });

  test("block rules cannot fire: nothing is known of it", () => {
    expect(judge([rule("AB", { kind: "block" })], "B", none, { allowFiresWithoutIdentity: true })).toEqual(
      passed,
    );
  });
});

describe("state that cannot be had", () => {
  const unknown = { lookback: undefined };
  test("each rule says what that means; by default nothing", () => {
    expect(judge([rule("AB")], "B", unknown)).toEqual(passed);
    expect(judge([rule("AB", { on_state_error: "allow" })], "B", unknown)).toEqual(passed);
    expect(judge([rule("AB", { on_state_error: "block" })], "B", unknown)).toEqual({
      action: "block",
      fired: ["AB state_error"],
    });
  });

  test("a rule that only logs blocks nothing then either", () => {
    expect(judge([rule("AB", { on_state_error: "block", action: "log" })], "B", unknown)).toEqual({
      action: "continue",
      fired: ["AB state_error"],
    });
  });
});
