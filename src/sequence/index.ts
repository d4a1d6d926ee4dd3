export { mintSid, selectChain, SID_RANDOM_BYTES } from "./chain.ts";
export type { Chain } from "./chain.ts";
export { decodePayload, encodePayload, MAX_PAYLOAD_BYTES } from "./codec.ts";
export { toFields } from "./fields.ts";
export { createViewHints, decideRole, viewOf } from "./lead.ts";
export type { LeadOptions, ViewHints, WriteRole } from "./lead.ts";
export {
  checkLimits,
  DEFAULT_LIMITS,
  GENESIS_WINDOW_MS,
  MAX_DELETED_COOKIES,
  MAX_ENTRIES,
  MAX_READ_COOKIES,
} from "./limits.ts";
export { append, EMPTY_SEQUENCE, merge, prune } from "./sequence.ts";
export { INVALID_REASONS } from "./types.ts";
export type {
  InvalidReason,
  Sequence,
  SequenceCookies,
  SequenceEntry,
  SequenceFields,
  SequenceLimits,
  SequencePayload,
  SequenceState,
} from "./types.ts";
