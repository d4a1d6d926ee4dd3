import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addRule, createRuleset, editRule, removeRule, replaceRules } from "../../src/ruleset/index.ts";
import type { EditContext, EditResult, RuleDraft, RulePosition, Ruleset } from "../../src/ruleset/index.ts";

const HEAD = {
  name: "default",
  description: "",
  kind: "zone",
  phase: "http_request_firewall_custom",
} as const;

function contextAt(minute: number, ids = counter()): EditContext {
  return { newId: ids, at: `2026-11-21T00:${String(minute).padStart(2, "0")}:00.000Z` };
}

function counter(): () => string {
  let last = 0;
  return () => (last += 1).toString(16).padStart(32, "0");
}

function rulesetOf(result: EditResult): Ruleset {
  if (result.kind !== "ruleset") throw new Error(JSON.stringify(result));
  return result.ruleset;
}

const draft = (expression: string, extra: Partial<RuleDraft> = {}): RuleDraft => ({
  action: "log",
  expression,
  ...extra,
});

const create = (drafts: readonly RuleDraft[], context = contextAt(0)): Ruleset =>
  rulesetOf(createRuleset(HEAD, drafts, context));

const idsOf = ({ rules }: Ruleset): readonly string[] => rules.map(({ id }) => id);
const expressionsOf = ({ rules }: Ruleset): readonly string[] => rules.map(({ expression }) => expression);

describe("creating", () => {
  test("fills in what the author left out", () => {
    const { version, rules } = create([draft("ssl")]);
    expect(version).toBe("1");
    expect(rules[0]).toMatchObject({ version: "1", description: "", enabled: true, ref: rules[0]?.id });
  });

  test("keeps members it does not know, but not versions and times that are its own to give", () => {
    const echoed = {
      ...draft("ssl"),
      version: "9",
      last_updated: "1999",
      vendor_extension: [1],
    } as RuleDraft;
    expect(create([echoed]).rules[0]).toMatchObject({
      version: "1",
      last_updated: "2026-11-21T00:00:00.000Z",
      vendor_extension: [1],
    });
  });
});

describe("replacing all rules", () => {
  const context = contextAt(0);
  const before = create([draft("a"), draft("b", { ref: "second" }), draft("c"), draft("c")], context);

  test("with what a GET gave changes nothing: the second plan of Terraform is empty", () => {
    expect(rulesetOf(replaceRules(before, { rules: before.rules }, contextAt(1)))).toBe(before);
  });

  test("with the same definitions without ids changes nothing either", () => {
    const drafts = [draft("a"), draft("b", { ref: "second" }), draft("c"), draft("c")];
    expect(rulesetOf(replaceRules(before, { rules: drafts }, contextAt(1)))).toBe(before);
  });

  test("keeps the others when one is left out (terraform-provider-cloudflare#5921)", () => {
    const after = rulesetOf(
      replaceRules(before, { rules: [draft("b", { ref: "second" }), draft("c"), draft("c")] }, contextAt(1)),
    );
    expect(idsOf(after)).toEqual(idsOf(before).slice(1));
    expect(after.version).toBe("2");
    expect(after.rules.map(({ version }) => version)).toEqual(["1", "1", "1"]);
  });

  test("bumps the version of the rule that changed and of no other, found by ref or by id", () => {
    const [a, , c] = before.rules;
    const drafts = [
      { ...draft("a2"), id: a?.id ?? "" },
      draft("b2", { ref: "second" }),
      draft("c"),
      draft("c"),
    ];
    const after = rulesetOf(replaceRules(before, { rules: drafts }, contextAt(1)));
    expect(idsOf(after)).toEqual(idsOf(before));
    expect(after.rules.map(({ version }) => version)).toEqual(["2", "2", "1", "1"]);
    expect(after.rules[2]).toBe(c);
    expect(after.rules[0]?.ref).toBe(a?.ref);
  });

  test("in another order changes the ruleset's version and no rule's", () => {
    const after = rulesetOf(replaceRules(before, { rules: before.rules.toReversed() }, contextAt(1)));
    expect(idsOf(after)).toEqual(idsOf(before).toReversed());
    expect(after.version).toBe("2");
    expect(after.rules.every(({ version }) => version === "1")).toBe(true);
  });

  test("does not mind the order of members in an object", () => {
    const response = { status_code: 403, content_type: "text/plain", content: "no" };
    const turned = { content: "no", content_type: "text/plain", status_code: 403 };
    const one = create([draft("a", { action: "block", action_parameters: { response } })]);
    const drafts = [{ expression: "a", action_parameters: { response: turned }, action: "block" as const }];
    expect(rulesetOf(replaceRules(one, { rules: drafts }, contextAt(1)))).toBe(one);
  });

  test("of the description alone leaves the rules", () => {
    const after = rulesetOf(replaceRules(before, { description: "new" }, contextAt(1)));
    expect(after.rules).toBe(before.rules);
    expect([after.description, after.version]).toEqual(["new", "2"]);
  });

  test.each([
    ["an id twice", [draft("a", { id: "a".repeat(32) }), draft("b", { id: "a".repeat(32) })], "/rules/1/id"],
    ["a ref twice", [draft("a", { ref: "x" }), draft("b", { ref: "x" })], "/rules/1/ref"],
    [
      "a ref that is the id of another",
      [draft("a", { id: "b".repeat(32) }), draft("b", { ref: "b".repeat(32) })],
      "/rules/1/ref",
    ],
  ])("with %s is refused with a pointer", (_, drafts, pointer) => {
    const result = replaceRules(before, { rules: drafts }, contextAt(1));
    expect(result.kind === "issues" && result.issues.map((issue) => issue.pointer)).toEqual([pointer]);
  });
});

describe("positions", () => {
  const before = create([draft("a"), draft("b"), draft("c")]);
  const [a = "", b = "", c = ""] = idsOf(before);

  test.each<[string, RulePosition | undefined, readonly string[]]>([
    ["nowhere", undefined, ["a", "b", "c", "x"]],
    ["first", { before: "" }, ["x", "a", "b", "c"]],
    ["last", { after: "" }, ["a", "b", "c", "x"]],
    ["before one", { before: b }, ["a", "x", "b", "c"]],
    ["after one", { after: b }, ["a", "b", "x", "c"]],
    ["at 1", { index: 1 }, ["x", "a", "b", "c"]],
    ["at the end", { index: 4 }, ["a", "b", "c", "x"]],
  ])("adding %s", (_, position, expected) => {
    expect(expressionsOf(rulesetOf(addRule(before, draft("x"), position, contextAt(1))))).toEqual(expected);
  });

  test.each<[string, string, RulePosition, readonly string[]]>([
    ["to the front", c, { before: "" }, ["c", "a", "b"]],
    ["to the end", a, { after: "" }, ["b", "c", "a"]],
    ["before another", c, { before: b }, ["a", "c", "b"]],
    ["after another", a, { after: b }, ["b", "a", "c"]],
    ["to a place", a, { index: 3 }, ["b", "c", "a"]],
  ])("moving %s", (_, id, position, expected) => {
    const after = rulesetOf(editRule(before, id, { draft: undefined, position }, contextAt(1)));
    expect(expressionsOf(after)).toEqual(expected);
    expect(after.version).toBe("2");
    expect(new Set(after.rules)).toEqual(new Set(before.rules));
  });

  test("moving to where it is changes nothing", () => {
    expect(rulesetOf(editRule(before, b, { draft: undefined, position: { index: 2 } }, contextAt(1)))).toBe(
      before,
    );
    expect(rulesetOf(editRule(before, b, { draft: undefined, position: { after: a } }, contextAt(1)))).toBe(
      before,
    );
  });

  test.each<[string, RulePosition, string]>([
    ["an unknown neighbour", { before: "f".repeat(32) }, "/position/before"],
    ["itself as neighbour", { after: b }, "/position/after"],
    ["a place beyond the end", { index: 4 }, "/position/index"],
  ])("moving to %s is refused", (_, position, pointer) => {
    const result = editRule(before, b, { draft: undefined, position }, contextAt(1));
    expect(result.kind === "issues" && result.issues[0]?.pointer).toBe(pointer);
  });

  test("editing keeps the place, and moves in the same step when asked to", () => {
    const stays = rulesetOf(editRule(before, b, { draft: draft("B"), position: undefined }, contextAt(1)));
    expect(expressionsOf(stays)).toEqual(["a", "B", "c"]);
    const moves = rulesetOf(editRule(before, b, { draft: draft("B"), position: { index: 1 } }, contextAt(1)));
    expect(expressionsOf(moves)).toEqual(["B", "a", "c"]);
    expect(moves.rules[0]).toMatchObject({ id: b, version: "2", last_updated: "2026-11-21T00:01:00.000Z" });
  });

  test("unknown rules are not found", () => {
    const missing = "f".repeat(32);
    expect(editRule(before, missing, { draft: draft("x"), position: undefined }, contextAt(1)).kind).toBe(
      "no_rule",
    );
    expect(removeRule(before, missing, contextAt(1)).kind).toBe("no_rule");
  });

  test("a ref or id that another rule has cannot be taken", () => {
    for (const extra of [{ ref: a }, { id: a }]) {
      expect(addRule(before, draft("x", extra), undefined, contextAt(1)).kind).toBe("issues");
    }
    expect(
      editRule(before, b, { draft: draft("x", { ref: a }), position: undefined }, contextAt(1)).kind,
    ).toBe("issues");
  });
});

/** A rule as the model sees it. */
interface ModelRule {
  readonly id: string;
  readonly ref: string;
  readonly expression: string;
  readonly version: number;
}

type Step =
  | { readonly kind: "add"; readonly expression: string; readonly at: number | undefined }
  | { readonly kind: "edit"; readonly which: number; readonly expression: string }
  | {
      readonly kind: "move";
      readonly which: number;
      readonly to: number;
      readonly way: "index" | "before" | "after";
    }
  | { readonly kind: "remove"; readonly which: number }
  | {
      readonly kind: "replace";
      readonly keep: readonly number[];
      readonly add: readonly string[];
      readonly by: "id" | "ref";
    };

const expression = fc.constantFrom("a", "b", "c", "d", "e");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), expression, at: fc.option(fc.nat(9), { nil: undefined }) }),
  fc.record({ kind: fc.constant("edit" as const), which: fc.nat(9), expression }),
  fc.record({
    kind: fc.constant("move" as const),
    which: fc.nat(9),
    to: fc.nat(9),
    way: fc.constantFrom("index" as const, "before" as const, "after" as const),
  }),
  fc.record({ kind: fc.constant("remove" as const), which: fc.nat(9) }),
  fc.record({
    kind: fc.constant("replace" as const),
    keep: fc.uniqueArray(fc.nat(9), { maxLength: 6 }),
    add: fc.array(expression, { maxLength: 2 }),
    by: fc.constantFrom("id" as const, "ref" as const),
  }),
);

/** The model: plain lists, and a version that grows when the list of (id, content) differs. */
class Model {
  rules: ModelRule[] = [];
  version = 1;

  change(rules: ModelRule[]): void {
    const isSame = JSON.stringify(rules) === JSON.stringify(this.rules);
    this.rules = rules;
    if (!isSame) this.version += 1;
  }
}

function applyStep(model: Model, ruleset: Ruleset, next: Step, context: EditContext): Ruleset {
  const pick = (which: number): ModelRule | undefined => model.rules[which % Math.max(model.rules.length, 1)];
  switch (next.kind) {
    case "add": {
      const at = next.at === undefined ? model.rules.length : next.at % (model.rules.length + 1);
      const position = next.at === undefined ? undefined : { index: at + 1 };
      const after = rulesetOf(addRule(ruleset, draft(next.expression), position, context));
      const id = after.rules.find((rule) => !ruleset.rules.includes(rule))?.id ?? "";
      model.change(model.rules.toSpliced(at, 0, { id, ref: id, expression: next.expression, version: 1 }));
      return after;
    }
    case "edit": {
      const rule = pick(next.which);
      if (rule === undefined) return ruleset;
      const isSame = rule.expression === next.expression;
      const edited = { ...rule, expression: next.expression, version: rule.version + (isSame ? 0 : 1) };
      model.change(model.rules.map((each) => (each === rule ? edited : each)));
      return rulesetOf(
        editRule(ruleset, rule.id, { draft: draft(next.expression), position: undefined }, context),
      );
    }
    case "move": {
      const rule = pick(next.which);
      if (rule === undefined) return ruleset;
      const others = model.rules.filter((each) => each !== rule);
      const to = next.to % (others.length + 1);
      model.change(others.toSpliced(to, 0, rule));
      const position =
        next.way === "index"
          ? { index: to + 1 }
          : next.way === "before"
            ? to === others.length
              ? { after: "" }
              : { before: others[to]?.id ?? "" }
            : to === 0
              ? { before: "" }
              : { after: others[to - 1]?.id ?? "" };
      return rulesetOf(editRule(ruleset, rule.id, { draft: undefined, position }, context));
    }
    case "remove": {
      const rule = pick(next.which);
      if (rule === undefined) return ruleset;
      model.change(model.rules.filter((each) => each !== rule));
      return rulesetOf(removeRule(ruleset, rule.id, context));
    }
    case "replace": {
      const kept = next.keep.flatMap((which) => model.rules[which] ?? []);
      const drafts = [
        ...kept.map((rule) => draft(rule.expression, next.by === "id" ? { id: rule.id } : { ref: rule.ref })),
        ...next.add.map((each, index) => draft(each, { ref: `new-${context.at}-${index}` })),
      ];
      const after = rulesetOf(replaceRules(ruleset, { rules: drafts }, context));
      model.change([
        ...kept,
        ...after.rules
          .slice(kept.length)
          .map(({ id, ref, expression: text }) => ({ id, ref, expression: text, version: 1 })),
      ]);
      return after;
    }
  }
}

test("any sequence of edits keeps order, ids, refs and versions as a simple model says", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ids = counter();
      const model = new Model();
      let ruleset = create([], contextAt(0, ids));
      for (const [index, next] of steps.entries()) {
        const before = ruleset;
        ruleset = applyStep(model, ruleset, next, contextAt((index + 1) % 60, ids));
        expect(
          ruleset.rules.map(({ id, ref, expression: text, version }) => [id, ref, text, Number(version)]),
        ).toEqual(model.rules.map(({ id, ref, expression: text, version }) => [id, ref, text, version]));
        expect(Number(ruleset.version)).toBe(model.version);
        expect(new Set(idsOf(ruleset)).size).toBe(ruleset.rules.length);
        // What did not change is the same object: nothing is compiled or written twice.
        const known = new Map(before.rules.map((rule) => [`${rule.id} ${rule.version}`, rule]));
        for (const rule of ruleset.rules) {
          expect(known.get(`${rule.id} ${rule.version}`) ?? rule).toBe(rule);
        }
      }
    }),
    { numRuns: Number(process.env["STEPGATE_TEST_RUNS"] ?? 1000) },
  );
});
