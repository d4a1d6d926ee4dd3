/** The documented example rules (pages "Sequence rules" and "Sequence Mitigation custom rules") in all four phases that have the fields. */
import { describe, expect, test } from "vitest";
import type { Phase, Rule, Ruleset } from "../../src/ruleset/index.ts";
import {
  account,
  createVisitor,
  headerOf,
  hexId,
  NOON,
  redirectList,
  rule,
  ruleset,
  startEngine,
  zone,
} from "../support/engine.ts";

/** A visit: targets with the milliseconds before the guarded request at which they were called. */
type Steps = readonly (readonly [target: string, beforeMs: number])[];

interface Example {
  readonly name: string;
  readonly guarded: { readonly method?: string; readonly target: string };
  readonly op: string;
  /** What a valid sequence fulfils. */
  readonly condition: string;
  readonly valid: readonly Steps[];
  readonly invalid: readonly Steps[];
}

const A = "/a";
const B = { method: "POST", target: "/b" };
const EXAMPLES: readonly Example[] = [
  {
    name: "a before b, anywhere in the previous ten",
    guarded: B,
    op: "bbbbbbbb",
    condition: 'any(cf.sequence.previous_ops[*] == "aaaaaaaa")',
    valid: [
      [[A, 10]],
      [
        [A, 900],
        ["/c/1", 500],
        ["/c/2", 100],
      ],
    ],
    invalid: [[], [["/c/1", 10]]],
  },
  {
    name: "b at least one second after a",
    guarded: B,
    op: "bbbbbbbb",
    condition: 'cf.sequence.msec_since_op["aaaaaaaa"] ge 1000',
    valid: [[[A, 1_000]], [[A, 5_000]]],
    invalid: [
      [],
      [[A, 999]],
      [
        [A, 5_000],
        [A, 10],
      ],
      [["/c/1", 5_000]],
    ],
  },
  {
    name: "more than two seconds after a",
    guarded: B,
    op: "bbbbbbbb",
    condition: 'cf.sequence.msec_since_op["aaaaaaaa"] ge 2000',
    valid: [[[A, 2_000]]],
    invalid: [[], [[A, 1_999]]],
  },
  {
    name: "a, then b, then c in that exact order",
    guarded: { target: "/c/1" },
    op: "cccccccc",
    condition: 'cf.sequence.previous_ops[0] == "bbbbbbbb" and cf.sequence.previous_ops[1] == "aaaaaaaa"',
    valid: [
      [
        [A, 20],
        ["/b", 10],
      ],
    ],
    invalid: [
      [],
      [["/b", 10]],
      [
        ["/b", 20],
        [A, 10],
      ],
      [
        [A, 30],
        ["/b", 20],
        [A, 10],
      ],
    ],
  },
  {
    name: "either a or c before b",
    guarded: B,
    op: "bbbbbbbb",
    condition:
      '(any(cf.sequence.previous_ops[*] == "aaaaaaaa") or any(cf.sequence.previous_ops[*] == "cccccccc"))',
    valid: [[[A, 10]], [["/c/1", 10]]],
    invalid: [[]],
  },
];

interface Carrier {
  readonly phase: Phase;
  readonly start: (expression: string) => ReturnType<typeof startEngine>;
  /** Whether the rule fired, by what the visitor or the origin sees. */
  readonly hasFired: (seen: Awaited<ReturnType<ReturnType<typeof createVisitor>["visit"]>>) => boolean;
}

const inZone = (rules: readonly Rule[], members: Partial<Ruleset> = {}) =>
  startEngine([zone({ rulesets: [ruleset(rules, members)] })]);

const CARRIERS: readonly Carrier[] = [
  {
    phase: "http_request_firewall_custom",
    start: (expression) => inZone([rule(expression)]),
    hasFired: ({ status }) => status === 403,
  },
  {
    phase: "http_ratelimit",
    // The example is the counting expression: the first request that counts is limited at the second.
    start: (expression) =>
      inZone(
        [
          rule(expression, {
            ratelimit: {
              characteristics: ["cf.colo.id"],
              period: 3600,
              requests_per_period: 1,
              mitigation_timeout: 0,
            },
          }),
        ],
        { phase: "http_ratelimit" },
      ),
    hasFired: ({ headers }) => headerOf(headers, "ratelimit") !== undefined,
  },
  {
    phase: "http_request_redirect",
    start(expression) {
      const moved = redirectList("moved", [
        { source_url: "shop.example/b", target_url: "https://shop.example/start" },
        {
          source_url: "shop.example/c",
          target_url: "https://shop.example/start",
          subpath_matching: true,
          preserve_path_suffix: false,
        },
      ]);
      const entry = rule(`http.request.full_uri in $moved and ${expression}`, {
        action: "redirect",
        action_parameters: { from_list: { name: "moved", key: "http.request.full_uri" } },
      });
      const root = ruleset([entry], { kind: "root", phase: "http_request_redirect", id: hexId() });
      return startEngine([zone()], undefined, { accounts: [account({ rulesets: [root], lists: [moved] })] });
    },
    hasFired: ({ status, headers }) =>
      status === 301 && headerOf(headers, "location") === "https://shop.example/start",
  },
  {
    phase: "http_request_late_transform",
    start: (expression) =>
      inZone(
        [
          rule(expression, {
            action: "rewrite",
            action_parameters: { headers: { "x-sequence": { operation: "set", value: "1" } } },
          }),
        ],
        { phase: "http_request_late_transform" },
      ),
    hasFired: ({ sent }) => headerOf(sent, "x-sequence") === "1",
  },
];

/** Whether the rule fires for the guarded request after the steps. */
async function fires(
  carrier: Carrier,
  expression: string,
  { guarded }: Example,
  steps: Steps,
): Promise<boolean> {
  const { engine, source } = carrier.start(expression);
  const guarding = source.current();
  // The steps are taken before the rule is there: it is about the guarded request alone.
  source.set(
    guarding.zones.map((one) => ({ ...one, rulesets: [] })),
    [],
  );
  const { visit } = createVisitor(engine);
  for (const [target, beforeMs] of steps) {
    await visit({ method: target === "/b" ? "POST" : "GET", target, at: NOON + 10_000 - beforeMs });
  }
  source.set(guarding.zones, guarding.accounts);
  return carrier.hasFired(await visit({ ...guarded, at: NOON + 10_000 }));
}

for (const carrier of CARRIERS) {
  describe(`phase ${carrier.phase}`, () => {
    test.each(EXAMPLES.map((example) => [example.name, example] as const))("%s", async (_name, example) => {
      const isOp = `cf.sequence.current_op eq "${example.op}"`;
      const validForm = `${isOp} and ${example.condition}`;
      const invalidForm = `${isOp} and not (${example.condition})`;
      for (const steps of example.valid) {
        expect([steps, await fires(carrier, validForm, example, steps)]).toEqual([steps, true]);
        expect([steps, await fires(carrier, invalidForm, example, steps)]).toEqual([steps, false]);
      }
      for (const steps of example.invalid) {
        expect([steps, await fires(carrier, validForm, example, steps)]).toEqual([steps, false]);
        expect([steps, await fires(carrier, invalidForm, example, steps)]).toEqual([steps, true]);
      }
    });
  });
}
