/** What every adapter is configured with. */
import type { CookieScope, SecurityEvent } from "../engine/index.ts";
import type { ControlPlaneOptions } from "./control-plane.ts";
import type { OperationSet } from "./define-operations.ts";
import type { RuleInput } from "./rule-input.ts";
import type { ZoneDocument } from "./zone-document.ts";

/** A JWK set of symmetric keys of 32 bytes, as in `keys.json`. */
export interface KeySetInput {
  /** JWKs of 32 bytes; the newest that is in force (`nbf`) seals, all of them open. */
  readonly keys: readonly object[];
}

/** What is no rule's doing, for logs. */
export interface AdapterProblem {
  /** One line that says what happened. */
  readonly reason: string;
  /** 16 hex characters, `undefined` for what concerns no single request. */
  readonly rayId?: string;
  /** What was thrown, if anything was. */
  readonly error?: Error;
}

/** A request to an operation, with what went before it: all that counting sequences takes. */
export interface JudgedOperation {
  /** 16 hex characters. */
  readonly rayId: string;
  /** When it arrived, epoch milliseconds. */
  readonly at: number;
  /** As in the request line. */
  readonly method: string;
  /** Canonical. */
  readonly host: string;
  /** Canonical, without the query. */
  readonly path: string;
  /** IPv4 or IPv6 address that rules see as `ip.src`. */
  readonly clientAddress: string;
  /** Short id. */
  readonly operation: string;
  /** Short ids of the operations before it, newest first, repeats kept: `cf.sequence.previous_ops`. */
  readonly previousOps: readonly string[];
  /** Whether a rule answered it. */
  readonly isEnded: boolean;
}

/**
 * Where operations and rules come from: exactly one of `operations` (with `rules`), `zone` and `controlPlane`.
 */
export interface StepgateOptions {
  /** Operations declared in code, from `defineOperations`. Every host name the application is asked for counts. */
  readonly operations?: OperationSet;
  /** Rules in code, in the order in which they are asked. */
  readonly rules?: readonly RuleInput[];
  /** An exported zone. */
  readonly zone?: ZoneDocument;
  /** A running control plane that is asked again and again. */
  readonly controlPlane?: ControlPlaneOptions;
  /**
   * Name of the zone for operations in code, `app` unless given. With one name and the same keys, cookies are shared
   * with other processes and with a gateway that has a zone of this name. A host name in form.
   */
  readonly name?: string;
  /**
   * For `zone` and `controlPlane`: host name that every request counts as a request to. Without it the request
   * names the host, and one that the zone does not have is answered 421.
   */
  readonly host?: string;
  /** Attributes of the cookies, for operations in code. */
  readonly cookies?: Partial<CookieScope>;
  /** How much of a visitor's past is remembered, for operations in code. */
  readonly sequence?: {
    /** Operations remembered per visitor, 1 to 64; 10 unless given. */
    readonly maxEntries?: number;
    /** Seconds an operation is remembered, up to 7,200; 3,600 unless given. */
    readonly maxAgeSeconds?: number;
    /** Responses per page view that may rewrite the whole state: 2 for one process, 1 for several. */
    readonly leads?: number;
  };
  /** The clock, epoch milliseconds; the system's unless given. */
  readonly now?: () => number;
  /**
   * Told of every request to an operation once rules were asked, on its way: it has to be fast. What it throws is told
   * to `onProblem`. The middleware itself counts nothing.
   */
  readonly onOperation?: (request: JudgedOperation) => void;
  /** Told of every rule that fired. */
  readonly onEvent?: (event: SecurityEvent) => void;
  /** Told of defects and of a control plane that does not answer. */
  readonly onProblem?: (problem: AdapterProblem) => void;
}

/** Sequence limits with their defaults. */
export type SequenceOptions = Required<NonNullable<StepgateOptions["sequence"]>>;

export function sequenceOptions({ sequence = {} }: StepgateOptions): SequenceOptions {
  const { maxEntries = 10, maxAgeSeconds = 3600, leads = 2 } = sequence;
  return { maxEntries, maxAgeSeconds, leads };
}
