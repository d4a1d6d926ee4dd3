export { areBornTogether, mintSid, selectChain, SID_RANDOM_BYTES } from "./chain.ts";
export { decodePayload, encodePayload, MAX_PAYLOAD_BYTES } from "./codec.ts";
export { opNumberOf } from "./entry.ts";
export { toFields } from "./fields.ts";
export { createViewHints, decideRole, viewOf } from "./lead.ts";
export type { LeadOptions, WriteRole } from "./lead.ts";
export { checkLimits, DEFAULT_LIMITS, MAX_DELETED_COOKIES, MAX_ENTRIES, MAX_READ_COOKIES } from "./limits.ts";
export { RecentMap } from "./recent-map.ts";
export { append, EMPTY_SEQUENCE, merge, prune } from "./sequence.ts";
export { INVALID_REASONS } from "./types.ts";
export type {
  InvalidReason,
  ReadCookie,
  Sequence,
  SequenceCookies,
  SequenceEntry,
  SequenceFields,
  SequenceLimits,
  SequencePayload,
  SequenceState,
} from "./types.ts";
export {
  checkSessionLimits,
  collapse,
  DEFAULT_SESSION_LIMITS,
  EMPTY_HISTORY,
  recordEntry,
  StateUnavailableError,
  toHistory,
} from "./store.ts";
export type { SequenceStore, Session, SessionHistory, SessionLimits, StateUnavailableCode } from "./store.ts";
export {
  addSeqRule,
  deleteSeqRule,
  patchSeqRule,
  replaceSeqRules,
  seqRulesWithPositions,
} from "./mitigation-edit.ts";
export type { SeqRuleEditing, SeqRulesEdit } from "./mitigation-edit.ts";
export { checkSeqRule, MAX_SEQ_RULES } from "./mitigation-input.ts";
export type {
  CheckedSeqRule,
  SeqRuleContext,
  SeqRuleDraft,
  SeqRulePlace,
  SeqRuleProblem,
} from "./mitigation-input.ts";
export { microsecondTimestamp } from "./mitigation-timestamp.ts";
export { compileSeqRules, evaluateSeqRules, SEQ_RULE_KINDS } from "./mitigation.ts";
export type {
  CompiledSeqRules,
  FiredSeqRule,
  SeqRule,
  SeqRuleDecision,
  SeqRuleInput,
  SeqRuleOptions,
} from "./mitigation.ts";
