/** The zone's sequence rules for one request: before all rulesets, like API Shield's own early phase. */
import { evaluateSeqRules } from "../sequence/index.ts";
import { blockAnswer } from "./answer.ts";
import type { Passage } from "./passage.ts";
import type { Outcome } from "./types.ts";

/** @returns the answer when a rule blocks the request */
export function mitigate(passage: Passage): Outcome | undefined {
  const { fields, located } = passage;
  const { mitigation } = located.zone;
  if (mitigation === undefined || !mitigation.byOperation.has(fields.currentOp)) return undefined;
  const { action, fired } = evaluateSeqRules(mitigation, {
    currentOp: fields.currentOp,
    lookback: fields.lookback,
    hasIdentity: fields.sequenceId !== "",
    nowMs: located.request.receivedAt,
  });
  for (const hit of fired) passage.fireSequenceRule(hit);
  if (action === "continue") return undefined;
  return { kind: "answer", answer: passage.finish(blockAnswer(located.request)) };
}
