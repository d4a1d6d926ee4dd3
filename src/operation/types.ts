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

/**
 * Methods an operation may have.
 *
 * @useDeclaredType
 */
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
  /** Exact method. */
  readonly method: OperationMethod;
  /** Canonical host, lower case; a label may be a `{hostVarN}` variable. */
  readonly host: string;
  /** Normalised path template, `/users/{var1}`. */
  readonly endpoint: string;
  /** Last change, epoch milliseconds. */
  readonly lastUpdatedAt: number;
  /** What makes a request to it count as done. */
  readonly record: RecordPolicy;
  /** What to do with a request that a browser makes ahead of time. */
  readonly prefetch: PrefetchPolicy;
}
