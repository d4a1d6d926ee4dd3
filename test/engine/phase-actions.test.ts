/** Every action of every phase, from the table of phases itself: what it does, to which requests, and what it does on trial. */
import { describe, expect, test } from "vitest";
import { actionsOf, PHASE_TABLE, PHASES } from "../../src/ruleset/index.ts";
import type { Phase, Rule, RuleAction, Ruleset, RulesetKind } from "../../src/ruleset/index.ts";
import {
  account,
  createVisitor,
  headerOf,
  hexId,
  redirectList,
  rule,
  ruleset,
  startEngine,
  zone,
} from "../support/engine.ts";
import type { VisitResult } from "../support/engine.ts";

const PATH = 'http.request.uri.path eq "/x"';
const START = "https://shop.example/start";
const RATELIMIT = {
  characteristics: ["cf.colo.id"],
  period: 60,
  requests_per_period: 1,
  mitigation_timeout: 0,
};
const CUSTOM_ID = "2".repeat(32);

interface Case {
  readonly phase: Phase;
  readonly kind: RulesetKind;
  readonly action: RuleAction;
}

const CASES: readonly Case[] = PHASES.flatMap((phase) =>
  PHASE_TABLE[phase].kinds.flatMap((kind) =>
    actionsOf(phase, kind).map((action) => ({ phase, kind, action })),
  ),
);

/** What makes an action do something: parameters, or the condition that its phase asks for. */
function membersOf({ phase, action }: Case): Partial<Rule> {
  const members = phase === "http_ratelimit" && action !== "execute" ? { ratelimit: RATELIMIT } : {};
  const headers = { "x-stepgate": { operation: "set", value: "1" } };
  switch (`${phase} ${action}`) {
    case "http_request_firewall_custom skip":
      return { action_parameters: { ruleset: "current" } };
    case "http_request_dynamic_redirect redirect":
      return { action_parameters: { from_value: { target_url: { value: START }, status_code: 302 } } };
    case "http_request_redirect redirect":
      return {
        expression: `http.request.full_uri in $moved and ${PATH}`,
        action_parameters: { from_list: { name: "moved", key: "http.request.full_uri" } },
      };
    case "http_request_late_transform rewrite":
    case "http_response_headers_transform rewrite":
      return { action_parameters: { headers } };
    default:
      return action === "execute" ? { action_parameters: { id: CUSTOM_ID } } : members;
  }
}

/** Starts an engine with the one rule, at its level, and a rule behind it that a skip leaves out. */
function start(subject: Case, members: Partial<Rule> = {}, level: Partial<Ruleset> = {}) {
  const { phase, kind, action } = subject;
  const own = rule(PATH, { ref: "own", action, ...membersOf(subject), ...members });
  const rules = action === "skip" ? [own, rule(PATH, { ref: "behind" })] : [own];
  const inner = rule(PATH, {
    ref: "inner",
    ...(phase === "http_ratelimit" ? { ratelimit: RATELIMIT } : {}),
  });
  const custom = (content: readonly Rule[]): Ruleset =>
    ruleset(content, { phase, kind: "custom", id: CUSTOM_ID, ...(action === "execute" ? {} : level) });
  const caller = rule("true", { ref: "caller", action: "execute", action_parameters: { id: CUSTOM_ID } });
  const rulesets = {
    zone: [],
    root: [
      ruleset(rules, { phase, kind, id: hexId(), ...level }),
      ...(action === "execute" ? [custom([inner])] : []),
    ],
    custom: [ruleset([caller], { phase, kind: "root", id: hexId() }), custom(rules)],
    managed: [],
  }[kind];
  const lists = [
    redirectList("moved", [{ source_url: "shop.example/x", target_url: START, status_code: 302 }]),
  ];
  return startEngine(
    [zone({ rulesets: kind === "zone" ? [ruleset(rules, { phase, ...level })] : [] })],
    undefined,
    { accounts: [account({ rulesets, lists })] },
  );
}

type Engine = ReturnType<typeof start>;

/** The request that the rule acts on: for limits the one after the limit. */
async function visit({ engine }: Engine, { phase }: Case, target = "/x"): Promise<VisitResult> {
  const visitor = createVisitor(engine);
  if (phase === "http_ratelimit") await visitor.visit({ target });
  return visitor.visit({ target });
}

/** What a visitor or the origin notices. */
function noticed({ status, headers, sent }: VisitResult): string {
  const mitigated = headerOf(headers, "stepgate-mitigated");
  if (mitigated !== undefined) return `${status} ${mitigated}`;
  if (headerOf(headers, "location") !== undefined) return `${status} ${headerOf(headers, "location")}`;
  const marks = [headerOf(sent, "x-stepgate") && "request", headerOf(headers, "x-stepgate") && "response"];
  return [String(status), ...marks.filter((mark) => mark !== undefined)].join(" ");
}

const PASSED = "200";
/** By phase, then action. A row that is missing is an action that nobody has a case for. */
const WANTED: Readonly<Record<Phase, Readonly<Partial<Record<RuleAction, string>>>>> = {
  http_request_dynamic_redirect: { redirect: `302 ${START}` },
  http_request_firewall_custom: {
    block: "403",
    log: PASSED,
    skip: PASSED,
    execute: "403",
    challenge: "403 challenge",
    js_challenge: "403 challenge",
    managed_challenge: "403 challenge",
  },
  http_ratelimit: {
    block: "429",
    log: PASSED,
    execute: "429",
    challenge: "403 challenge",
    js_challenge: "403 challenge",
    managed_challenge: "403 challenge",
  },
  http_request_redirect: { redirect: `302 ${START}` },
  http_request_late_transform: { rewrite: "200 request" },
  http_response_headers_transform: { rewrite: "200 response" },
};

/** Actions that change what the visitor gets; on trial they do not. */
const isTerminating = (action: RuleAction): boolean => !["log", "skip", "rewrite"].includes(action);

test("there are cases for all actions of all phases, and for no others", () => {
  for (const phase of PHASES)
    expect([phase, Object.keys(WANTED[phase]).toSorted()]).toEqual([
      phase,
      Object.keys(PHASE_TABLE[phase].actions).toSorted(),
    ]);
  expect(CASES.length).toBeGreaterThan(30);
});

describe.each(CASES)("$phase: $action in a ruleset of kind $kind", (subject) => {
  const { phase, action } = subject;
  const wanted = WANTED[phase][action];

  test("acts on what the expression says, and leaves one event that names it", async () => {
    const running = start(subject);
    expect(noticed(await visit(running, subject))).toBe(wanted);
    expect(running.events).toMatchObject([
      {
        ruleRef: action === "execute" ? "inner" : "own",
        phase,
        action: action === "execute" ? "block" : action,
        outcome: "applied",
        path: "/x",
      },
    ]);
  });

  test("leaves everything else alone", async () => {
    const running = start(subject);
    expect(noticed(await visit(running, subject, "/y"))).toBe(PASSED);
    expect(running.events).toEqual([]);
  });

  test("does nothing when it is off", async () => {
    const running = start(subject, { enabled: false });
    expect(noticed(await visit(running, subject))).toBe(action === "skip" ? "403" : PASSED);
    expect(running.events.map(({ ruleRef }) => ruleRef)).toEqual(action === "skip" ? ["behind"] : []);
  });

  test("on trial matches the same and ends nothing", async () => {
    const running = start(subject, {}, { simulate: true });
    expect(noticed(await visit(running, subject))).toBe(isTerminating(action) ? PASSED : wanted);
    expect(running.events.map(({ ruleRef, outcome }) => [ruleRef, outcome])).toEqual([
      [action === "execute" ? "inner" : "own", isTerminating(action) ? "simulated" : "applied"],
    ]);
  });

  test("is not asked while the zone is paused", async () => {
    const running = start(subject);
    const [one = zone()] = running.source.current().zones;
    running.source.set([{ ...one, paused: true }]);
    expect(noticed(await visit(running, subject))).toBe(PASSED);
    expect(running.events).toEqual([]);
  });
});
