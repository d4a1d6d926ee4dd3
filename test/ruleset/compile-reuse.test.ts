import { expect, test } from "vitest";
import { compileRules } from "../../src/ruleset/index.ts";

const PHASE = "http_request_firewall_custom";
const rule = (expression: string) => ({ expression, enabled: true });

test("an edit compiles what changed and nothing else", () => {
  const expressions = ["ssl", 'http.host eq "a"', 'http.host eq "b"'];
  const before = compileRules(expressions.map(rule), { phase: PHASE });
  const after = compileRules([rule("not ssl"), ...expressions.slice(1).map(rule)], {
    phase: PHASE,
    previous: before,
  });
  const matchers = (compiled: typeof before) => compiled.rules.map(({ matches }) => matches);
  expect(matchers(after).slice(1)).toEqual(matchers(before).slice(1));
  expect(matchers(after)[1]).toBe(matchers(before)[1]);
  expect(matchers(after)[0]).not.toBe(matchers(before)[0]);
  // What is gone is not kept for ever.
  expect([...after.partsOf.keys()]).not.toContain("ssl");
});

test("a mistake is found also beside an earlier result", () => {
  const before = compileRules([rule("ssl")], { phase: PHASE });
  expect(() => compileRules([rule("ssl"), rule("nonsense")], { phase: PHASE, previous: before })).toThrow(
    "rule 2",
  );
});
