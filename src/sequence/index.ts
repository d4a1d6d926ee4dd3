export type { Sequence, SequenceEntry, SequenceFields, SequenceLimits } from "./types.ts";
