/** What a rule would have done, before it is in force. Our own. */
import type { z } from "zod";
import { NO_SAMPLES } from "../../analytics/index.ts";
import { compileMitigation } from "../../engine/index.ts";
import type { Zone } from "../../engine/index.ts";
import { parseFilter } from "../../expression/index.ts";
import { createListCompiler } from "../../phases/index.ts";
import { schemeFor } from "../../ruleset/index.ts";
import { checkSeqRule } from "../../sequence/index.ts";
import type { SeqRule, SeqRuleDraft } from "../../sequence/index.ts";
import type { ZoneRow } from "../../store/index.ts";
import { knownOperations, readerOf, share, windowOf } from "../analytics.ts";
import type { KnownOperations } from "../analytics.ts";
import { ok } from "../envelope.ts";
import { apiError } from "../errors.ts";
import { permission, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { checkRules } from "../rulesets.ts";
import { simulateBody, simulationShape } from "../schemas/analytics.ts";
import { seqRuleProblems } from "../seqrule-problems.ts";
import { recordedEffectOfExpression, recordedEffectOfSeqRule } from "../simulation-recorded.ts";
import type { RecordedEffect } from "../simulation-recorded.ts";
import { expressionTest, sampleEffect, seqRuleTest } from "../simulation-sample.ts";
import type { SampleTest } from "../simulation-sample.ts";
import { zoneOf } from "../zone-access.ts";

const PHASE = "http_request_firewall_custom";

type SimulateCall = Pick<Call, "store" | "deps" | "at"> & {
  readonly params: { readonly zone_id: string };
  readonly body: z.output<typeof simulateBody>;
};

export const simulateRoutes: readonly Route[] = [
  route("POST", {
    path: "/zones/{zone_id}/stepgate/simulate",
    summary: "Try an expression or a sequence rule on the requests of the last 24 hours",
    // Examples show what security events show.
    access: permission("zone", "Read", "Zone WAF"),
    body: simulateBody,
    result: simulationShape,
    run: async (call) => {
      const zone = zoneOf(call.store, call.params.zone_id);
      const operations = knownOperations(call.store, zone.id);
      const trial = trialOf(call, zone, operations);
      const reader = readerOf(call.deps);
      const summary = await reader.summary(zone.id);
      const isOn = zone.settings.analytics?.sampleDecisions === true;
      const samples = isOn ? await reader.samples(zone.id) : NO_SAMPLES;
      return ok({
        ...windowOf(call.at),
        recorded: toWireEffect(trial.recorded(summary), operations),
        sample: sampleEffect(samples, trial.test, isOn),
      });
    },
  }),
];

/** A proposed rule that was found good. */
interface Trial {
  readonly recorded: (summary: Awaited<ReturnType<ReturnType<typeof readerOf>["summary"]>>) => RecordedEffect;
  readonly test: SampleTest;
}

/** @throws {ApiError} for what would be no rule either */
function trialOf(call: SimulateCall, zone: ZoneRow, operations: KnownOperations): Trial {
  const { expression, seqrule } = call.body;
  if ((expression === undefined) === (seqrule === undefined)) {
    throw apiError("invalid_value", "expected either `expression` or `seqrule`", {
      source: { pointer: expression === undefined ? "" : "/seqrule" },
    });
  }
  return expression === undefined
    ? seqRuleTrial(call, zone, operations)
    : expressionTrial(call, zone, { expression, operations });
}

function expressionTrial(
  { store }: SimulateCall,
  zone: ZoneRow,
  { expression, operations }: { readonly expression: string; readonly operations: KnownOperations },
): Trial {
  const { id, accountId } = zone;
  checkRules(
    [{ expression, action: "block" }],
    {
      view: store,
      place: { level: "zone", id, accountId, scope: `zone:${id}` },
      phase: PHASE,
      kind: "zone",
    },
    () => "",
  );
  const filter = parseFilter(expression, schemeFor(PHASE));
  const account = store.current().accounts?.find((each) => each.id === accountId);
  const lists = createListCompiler()(account?.lists ?? []).lookupFor(PHASE);
  return {
    recorded: (summary) => recordedEffectOfExpression(summary, operations, { filter, lists }),
    test: expressionTest(filter, { lists, zoneName: zone.name }),
  };
}

function seqRuleTrial({ body, store }: SimulateCall, zone: ZoneRow, operations: KnownOperations): Trial {
  const proposed = { title: "proposed", action: "block", ...body.seqrule };
  const hosts = new Map(operations.all.map(({ id, host }) => [id, host]));
  const checked = checkSeqRule(proposed, { hosts }, "/seqrule");
  if (checked.kind === "problems") throw seqRuleProblems(checked.problems);
  const { fields } = checked.draft;
  const [first, then] = fields.sequence;
  const sequence = [operations.find(first, "").shortId, operations.find(then, "").shortId] as const;
  const configured = store.current().zones.find((each) => each.id === zone.id);
  const rules = compileMitigation({ ...toZone(zone, configured), seqRules: [toRule(fields)] });
  return {
    recorded: (summary) => recordedEffectOfSeqRule(summary, { kind: fields.kind, sequence }),
    test: rules === undefined ? { hits: () => false, unknownFields: [] } : seqRuleTest(rules),
  };
}

/** A zone that is not served yet is in no snapshot, but has settings. */
function toZone(row: ZoneRow, configured: Zone | undefined): Zone {
  const { id, accountId, name, hosts, origin, settings } = row;
  return configured ?? { id, accountId, name, hosts, origin, settings, operations: [], rulesets: [] };
}

function toRule(fields: SeqRuleDraft["fields"]): SeqRule {
  return { ...fields, id: "", priority: 0, created_at: "", last_updated: "" };
}

function toWireEffect(effect: RecordedEffect, operations: KnownOperations) {
  const { method, requests, hits, atLeast, atMost, isExact, byOperation, notes } = effect;
  return {
    method,
    requests,
    hits,
    hits_at_least: atLeast,
    hits_at_most: atMost,
    hit_rate: requests === 0 ? 0 : share(hits / requests),
    is_exact: isExact,
    by_operation: byOperation.map(({ operation, ...figures }) =>
      Object.assign(operations.show(operation), figures),
    ),
    notes,
  };
}
