/** Saved endpoints ("operations") as the rest of Stepgate knows them. */

/** Methods an operation may have (spec: API Shield Endpoint Management). */
export const OPERATION_METHODS = [
  "GET",
  "POST",
  "HEAD",
  "OPTIONS",
  "PUT",
  "DELETE",
  "CONNECT",
  "PATCH",
  "TRACE",
] as const;

export type OperationMethod = (typeof OPERATION_METHODS)[number];

/** What makes a request to an operation count as "done". */
export type RecordPolicy = "forwarded" | "success";

/** What to do with a speculative (prefetch, prerender) request to an operation. */
export type PrefetchPolicy = "record" | "ignore" | "refuse";

/** A saved endpoint: method, host and path template, with its identity. */
export interface Operation {
  /** UUID, 36 characters, lower case. */
  readonly id: string;
  /** The first 8 hex characters of `id`; unique within a zone; what expressions quote. */
  readonly shortId: string;
  readonly method: OperationMethod;
  /** Canonical host, lower case; a label may be a `{hostVarN}` variable. */
  readonly host: string;
  /** Normalised path template, `/users/{var1}`. */
  readonly endpoint: string;
  /** Last change, epoch milliseconds. */
  readonly lastUpdatedAt: number;
  readonly record: RecordPolicy;
  readonly prefetch: PrefetchPolicy;
}
