import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  MAX_SEQ_RULES,
  addSeqRule,
  deleteSeqRule,
  microsecondTimestamp,
  patchSeqRule,
  replaceSeqRules,
  seqRulesWithPositions,
} from "../../src/sequence/index.ts";
import type { SeqRule, SeqRulesEdit } from "../../src/sequence/index.ts";

const BALANCE = "0d9bf70c-92e1-4bb3-9411-34a3bcc59003";
const TRANSFER = "b704ab4d-5be0-46e0-9875-b2b3d1ab42f9";
const OTHER_HOST = "11111111-1111-4111-8111-111111111111";

const hosts = new Map([
  [BALANCE, "api.example.com"],
  [TRANSFER, "api.example.com"],
  [OTHER_HOST, "www.example.com"],
]);

let drawn = 0;
const editing = (nowMs = 1_690_200_411_796.286) => ({
  hosts,
  nowMs,
  drawId: () => `00000000-0000-4000-8000-${String((drawn += 1)).padStart(12, "0")}`,
});

const body = (parts: object = {}): object => ({
  title: "string",
  kind: "block",
  action: "block",
  sequence: [BALANCE, TRANSFER],
  ...parts,
});

function rulesOf(edit: SeqRulesEdit): readonly SeqRule[] {
  if (edit.kind === "edited" || edit.kind === "replaced") return edit.rules;
  throw new Error(`expected an edit, found ${JSON.stringify(edit)}`);
}

function problemsOf(edit: SeqRulesEdit): readonly string[] {
  return edit.kind === "problems" ? edit.problems.map(({ pointer, message }) => `${pointer} ${message}`) : [];
}

/** Adds rules one after the other; the title says which is which. */
function addAll(...bodies: readonly object[]): readonly SeqRule[] {
  return bodies.reduce<readonly SeqRule[]>(
    (rules, next) => rulesOf(addSeqRule(rules, body(next), editing())),
    [],
  );
}

const titles = (rules: readonly SeqRule[]): string => rules.map(({ title }) => title).join(" ");

describe("adding", () => {
  test("the rule of the documentation, with id and times", () => {
    const edit = addSeqRule([], body({ priority: 0 }), editing());
    expect(edit).toMatchObject({
      kind: "edited",
      rule: {
        title: "string",
        kind: "block",
        action: "block",
        sequence: [BALANCE, TRANSFER],
        priority: 0,
        created_at: "2023-07-24T12:06:51.796286Z",
        last_updated: "2023-07-24T12:06:51.796286Z",
      },
    });
  });

  test("by priority: higher first, ties in the order of insertion", () => {
    const rules = addAll(
      { title: "a", priority: 5 },
      { title: "b", priority: 10 },
      { title: "c", priority: 5 },
      { title: "d", priority: -1 },
      { title: "e", priority: 10 },
    );
    expect(titles(rules)).toBe("b e a c d");
  });

  test("by position: rules at or after it move back", () => {
    const rules = addAll(
      { title: "a" },
      { title: "b" },
      { title: "c", position: { index: 1 } },
      { title: "d", position: { index: 3 } },
      { title: "e", position: { index: 99 } },
    );
    expect(titles(rules)).toBe("c a d b e");
    expect(seqRulesWithPositions(rules).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
  });

  test("with neither: last, also behind rules of negative priority", () => {
    expect(titles(addAll({ title: "a", priority: -5 }, { title: "b", priority: 7 }, { title: "c" }))).toBe(
      "b a c",
    );
  });

  test("upper-case ids mean the same operations", () => {
    const [rule] = addAll({ sequence: [BALANCE.toUpperCase(), TRANSFER] });
    expect(rule?.sequence).toEqual([BALANCE, TRANSFER]);
  });

  test("at most as many as a zone may have", () => {
    const rules = Array.from({ length: MAX_SEQ_RULES }, () => ({ ...(addAll({})[0] as SeqRule) }));
    expect(addSeqRule(rules, body(), editing()).kind).toBe("problems");
  });
});

describe("what is refused, with a pointer to it", () => {
  test.each<[object, string]>([
    [
      { title: "" },
      "/title '' is not a valid value for title because it must be a text of 1 to 50 characters",
    ],
    [{ title: "x".repeat(51) }, "/title "],
    [{ title: 5 }, "/title '5' is not a valid value for title because"],
    [{ title: undefined }, "/title "],
    [{ kind: "deny" }, "/kind 'deny' is not a valid value for kind because it must be one of allow, block"],
    [
      { action: "challenge" },
      "/action 'challenge' is not a valid value for action because it must be one of block, log",
    ],
    [{ on_state_error: "maybe" }, "/on_state_error "],
    [{ sequence: [BALANCE] }, "/sequence "],
    [{ sequence: [BALANCE, TRANSFER, BALANCE] }, "/sequence "],
    [{ sequence: "x" }, "/sequence "],
    [
      { sequence: [BALANCE, "nope"] },
      "/sequence/1 'nope' is not a valid value for sequence because the zone has no operation with this id",
    ],
    [{ sequence: [7, TRANSFER] }, "/sequence/0 '7' is not a valid value for sequence because"],
    [
      { sequence: [BALANCE, BALANCE] },
      `/sequence/1 '${BALANCE}' is not a valid value for sequence because the two operations must differ`,
    ],
    [
      { sequence: [BALANCE, OTHER_HOST] },
      `/sequence/1 '${OTHER_HOST}' is not a valid value for sequence because both operations must have the same host`,
    ],
    [{ priority: 1.5 }, "/priority "],
    [{ priority: "1" }, "/priority "],
    [{ priority: 2 ** 31 }, "/priority "],
    [{ position: 1 }, "/position "],
    [{ position: { index: 0 } }, "/position "],
    [{ position: {} }, "/position "],
    [{ priority: 1, position: { index: 1 } }, "/position "],
  ])("%j", (parts, expected) => {
    const problems = problemsOf(addSeqRule([], body(parts), editing()));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  test("everything at once, not only the first fault", () => {
    const edit = addSeqRule([], { title: "", kind: "x", action: "y", sequence: [] }, editing());
    expect(problemsOf(edit).map((problem) => problem.split(" ")[0])).toEqual([
      "/title",
      "/kind",
      "/action",
      "/sequence",
    ]);
  });

  test("text of the client cannot forge a line of a log", () => {
    const [problem = ""] = problemsOf(addSeqRule([], body({ kind: "a\nb\u2028c" }), editing()));
    expect(problem).toContain("'a\\u000ab\\u2028c'");
    expect(problem).not.toMatch(/[\n\u2028]/);
  });

  test.each([null, undefined, 5, "x", []])("a body that is %j", (value) => {
    expect(problemsOf(addSeqRule([], value, editing()))[0]).toContain("is not a valid value for rule");
  });

  test("members of every object are no members of the body", () => {
    const hostile = JSON.parse('{"__proto__": {"title": "x"}}') as unknown;
    expect(problemsOf(addSeqRule([], hostile, editing()))).toHaveLength(4);
  });
});

describe("replacing all", () => {
  test("an empty list removes all", () => {
    expect(rulesOf(replaceSeqRules(addAll({}), { rules: [] }, editing()))).toEqual([]);
  });

  test("in the order of the list, or by priorities", () => {
    const inOrder = { rules: [body({ title: "a" }), body({ title: "b" })] };
    expect(titles(rulesOf(replaceSeqRules([], inOrder, editing())))).toBe("a b");
    const byPriority = {
      rules: [body({ title: "a", priority: 1 }), body({ title: "b", priority: 2 }), body({ title: "c" })],
    };
    expect(titles(rulesOf(replaceSeqRules([], byPriority, editing())))).toBe("b a c");
  });

  test("a rule that names its id keeps id and times, as far as it stays the same", () => {
    const before = addAll({ title: "a" }, { title: "b" });
    const later = editing(1_700_000_000_000);
    const sent = {
      rules: [body({ title: "changed", id: before[1]?.id }), body({ title: "a", id: before[0]?.id })],
    };
    const after = rulesOf(replaceSeqRules(before, sent, later));
    expect(after[1]).toBe(before[0]);
    expect(after[0]).toMatchObject({ id: before[1]?.id, created_at: before[1]?.created_at });
    expect(after[0]?.last_updated).toBe(microsecondTimestamp(1_700_000_000_000));
  });

  test("says where in the list the fault is, and changes nothing", () => {
    const before = addAll({});
    const sent = {
      rules: [
        body(),
        body({ sequence: [BALANCE, "x"] }),
        body({ position: { index: 1 } }),
        body({ id: "x" }),
      ],
    };
    const problems = problemsOf(replaceSeqRules(before, sent, editing()));
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "/rules/1/sequence/1",
      "/rules/2/position",
      "/rules/3/id",
    ]);
  });

  test("a rule may not stand in the list twice", () => {
    const before = addAll({});
    const sent = { rules: [body({ id: before[0]?.id }), body({ id: before[0]?.id })] };
    expect(problemsOf(replaceSeqRules(before, sent, editing()))[0]).toMatch(/^\/rules\/1\/id .*once/);
  });

  test.each([null, {}, { rules: {} }, [], "x"])("refuses the body %j", (value) => {
    expect(problemsOf(replaceSeqRules([], value, editing()))[0]).toMatch(/^\/rules /);
  });
});

describe("editing one", () => {
  test("what the body leaves out stays, and the place too", () => {
    const before = addAll({ title: "a" }, { title: "b", on_state_error: "block" }, { title: "c" });
    const edit = patchSeqRule(before, before[1]?.id ?? "", { action: "log" }, editing(1_700_000_000_000));
    expect(titles(rulesOf(edit))).toBe("a b c");
    expect(rulesOf(edit)[1]).toEqual({
      ...before[1],
      action: "log",
      last_updated: microsecondTimestamp(1_700_000_000_000),
    });
  });

  test("a body that changes nothing leaves the times alone", () => {
    const before = addAll({ title: "a" });
    expect(
      rulesOf(patchSeqRule(before, before[0]?.id ?? "", { title: "a" }, editing(1_700_000_000_000))),
    ).toBe(before);
  });

  test.each([
    [{ position: { index: 1 } }, "c a b"],
    [{ position: { index: 2 } }, "a c b"],
    [{ position: { index: 9 } }, "a b c"],
    [{ priority: 5 }, "c a b"],
    [{ priority: 0 }, "a b c"],
    [{ priority: -5 }, "a b c"],
  ])("%j moves the last of three: %s", (patch, expected) => {
    const before = addAll({ title: "a" }, { title: "b" }, { title: "c" });
    expect(titles(rulesOf(patchSeqRule(before, before[2]?.id ?? "", patch, editing())))).toBe(expected);
  });

  test("faults are refused like those of a new rule", () => {
    const before = addAll({});
    const id = before[0]?.id ?? "";
    expect(problemsOf(patchSeqRule(before, id, { kind: "x" }, editing()))[0]).toMatch(/^\/kind /);
    expect(problemsOf(patchSeqRule(before, id, null, editing()))).toHaveLength(1);
    expect(patchSeqRule(before, "nope", {}, editing())).toEqual({ kind: "missing" });
  });
});

test("deleting one", () => {
  const before = addAll({ title: "a" }, { title: "b" });
  expect(titles(rulesOf(deleteSeqRule(before, before[0]?.id ?? "")))).toBe("b");
  expect(deleteSeqRule(before, "nope")).toEqual({ kind: "missing" });
});

test("property: whatever is edited, no rule has a higher priority than the one before it", () => {
  const place = fc.oneof(
    fc.constant({}),
    fc.record({ priority: fc.integer({ min: -3, max: 3 }) }),
    fc.record({ position: fc.record({ index: fc.integer({ min: 1, max: 8 }) }) }),
  );
  const step = fc.record({ what: fc.constantFrom("add", "patch", "delete"), which: fc.nat(7), place });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      let rules: readonly SeqRule[] = [];
      for (const [index, { what, which, place: where }] of steps.entries()) {
        const id = rules[which % Math.max(rules.length, 1)]?.id ?? "";
        const edit =
          what === "add" || id === ""
            ? addSeqRule(rules, body({ title: `t${index}`, ...where }), editing())
            : what === "patch"
              ? patchSeqRule(rules, id, where, editing())
              : deleteSeqRule(rules, id);
        const before = rules;
        rules = rulesOf(edit);
        const priorities = rules.map(({ priority }) => priority);
        expect(priorities).toEqual(priorities.toSorted((left, right) => right - left));
        // Rules that were not edited keep their order.
        const untouched = before.filter((rule) => rule.id !== id && rules.includes(rule));
        expect(rules.filter((rule) => untouched.includes(rule))).toEqual(untouched);
      }
    }),
  );
});

describe("times with microseconds", () => {
  test.each([
    [0, "1970-01-01T00:00:00.000000Z"],
    [1_690_200_411_796.286, "2023-07-24T12:06:51.796286Z"],
    [951_782_400_000, "2000-02-29T00:00:00.000000Z"],
    [4_107_542_399_999.999, "2100-02-28T23:59:59.999999Z"],
    [253_402_300_799_999, "9999-12-31T23:59:59.999000Z"],
  ])("%d", (epochMs, text) => {
    expect(microsecondTimestamp(epochMs)).toBe(text);
  });

  test("property: as the platform writes them, with three more digits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (epochMs) => {
        expect(microsecondTimestamp(epochMs)).toBe(new Date(epochMs).toISOString().replace("Z", "000Z"));
      }),
      { numRuns: 2000 },
    );
  });
});
