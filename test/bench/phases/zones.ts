/** Zones of the phases' bench: the same operations and cookies, with rules in every phase or in none. */
import type { Account, Zone } from "../../../src/engine/index.ts";
import { PHASES } from "../../../src/ruleset/index.ts";
import type { Phase, Rule } from "../../../src/ruleset/index.ts";
import { account, hexId, operation, redirectList, rule, ruleset, zone } from "../../support/engine.ts";
import { BENCH_HOST, TRACKED_PATH } from "../gateway/kinds.ts";

const RULES_PER_PHASE = 20;
const OPERATIONS = 50;

const shortId = (index: number): string => (0xa0000000 + index).toString(16);
const isOp = (index: number): string => `cf.sequence.current_op eq "${shortId(index)}"`;
const wasBefore = (index: number): string => `any(cf.sequence.previous_ops[*] == "${shortId(index)}")`;

/** What a rule asks that is about one of the other operations. */
const aboutOp = (index: number): string => `${isOp(index + 1)} and not ${wasBefore(index + 2)}`;

/** What a rule asks that is about something else than operations; none of these holds for the bench's requests. */
const OTHERS: readonly string[] = [
  'http.request.uri.path eq "/admin" and not ip.src in {192.0.2.0/24}',
  'starts_with(http.request.uri.path, "/internal/")',
  'http.request.method in {"PUT" "DELETE"} and http.request.uri.path contains "/users/"',
  'http.user_agent contains "sqlmap"',
  'http.request.uri.query contains "<script"',
  'ends_with(http.request.uri.path, ".php")',
  "ip.src in {198.51.100.0/24 203.0.113.0/24}",
  'http.host eq "old.example"',
];

const withoutSequence = (index: number): string => {
  const other = OTHERS[index % OTHERS.length] as string;
  return index < OTHERS.length ? other : `http.request.uri.path eq "/old/${index}"`;
};

/** Most rules of an application are about its operations, some about anything. */
const typical = (index: number): string => (index < 14 ? aboutOp(index) : withoutSequence(index - 14));

const setHeader = (name: string, value: object): Partial<Rule> => ({
  action: "rewrite",
  action_parameters: { headers: { [name]: { operation: "set", ...value } } },
});

/** One rule of each phase's twenty; those that concern the bench's own request say so. */
const RULES: Readonly<Record<Phase, (index: number) => Rule>> = {
  http_request_dynamic_redirect: (index) =>
    rule(withoutSequence(index), {
      action: "redirect",
      action_parameters: { from_value: { target_url: { value: `https://${BENCH_HOST}/new` } } },
    }),
  http_request_firewall_custom: (index) => rule(typical(index)),
  http_ratelimit: (index) => {
    // Two of them count the bench's requests: by address, and by sequence.
    const counting = [isOp(0), `http.request.uri.path eq "${TRACKED_PATH}"`][index];
    const characteristics = [index === 0 ? "ip.src" : "cf.sequence.id", "cf.colo.id"];
    return rule(counting ?? typical(index), {
      ratelimit: { characteristics, period: 60, requests_per_period: 1_000_000_000, mitigation_timeout: 0 },
    });
  },
  http_request_redirect: (index) =>
    rule(`http.request.full_uri in $moved and ${aboutOp(index)}`, {
      action: "redirect",
      action_parameters: { from_list: { name: "moved", key: "http.request.full_uri" } },
    }),
  http_request_late_transform: (index) =>
    index === 0
      ? rule(isOp(0), setHeader("x-operation", { expression: "cf.sequence.current_op" }))
      : rule(typical(index), setHeader(`x-header-${index}`, { value: "1" })),
  http_response_headers_transform: (index) =>
    index === 0
      ? rule("http.response.code lt 400", setHeader("x-frame-options", { value: "DENY" }))
      : rule(
          index % 2 === 0 ? `http.response.code eq ${500 + index}` : withoutSequence(index),
          setHeader(`x-header-${index}`, { value: "1" }),
        ),
};

export interface BenchConfiguration {
  readonly zones: readonly Zone[];
  readonly accounts: readonly Account[];
}

export function benchConfiguration(origin: string, hasRules: boolean): BenchConfiguration {
  const rulesets = PHASES.map((phase) =>
    ruleset(
      Array.from({ length: RULES_PER_PHASE }, (_, index) => RULES[phase](index)),
      { phase, id: hexId(), kind: phase === "http_request_redirect" ? "root" : "zone" },
    ),
  );
  const moved = redirectList(
    "moved",
    Array.from({ length: 1_000 }, (_, index) => ({
      source_url: `${BENCH_HOST}/old/${index}`,
      target_url: `https://${BENCH_HOST}/new/${index}`,
    })),
  );
  const benchZone = zone({
    hosts: [BENCH_HOST],
    origin,
    operations: Array.from({ length: OPERATIONS }, (_, index) => ({
      ...operation(shortId(index), "GET", index === 0 ? TRACKED_PATH : `/api/v1/step${index}/{var1}`),
      host: BENCH_HOST,
    })),
    rulesets: hasRules ? rulesets.filter(({ kind }) => kind === "zone") : [],
  });
  const roots = hasRules ? rulesets.filter(({ kind }) => kind === "root") : [];
  return { zones: [benchZone], accounts: [account({ rulesets: roots, lists: [moved] })] };
}
