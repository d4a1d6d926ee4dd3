/** A request on its way to an origin, and how it ended. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { FailureReason } from "./failure.ts";

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

export interface ForwardRequest {
  /** URL of the origin as in `OriginSpec`, or the name of a group that `defineGroups` was given. */
  readonly origin: string;
  readonly method: string;
  /** Path and query, sent byte for byte. */
  readonly target: string;
  /** Flat header list for the origin (see `originRequestHeaders`). */
  readonly headers: readonly string[];
}

/** How a forwarded request ended. */
export type ForwardResult =
  | { readonly kind: "done"; readonly status: number }
  /** The client left first; the origin's request was aborted. */
  | { readonly kind: "client-gone" }
  /** It failed before any response header was sent: the caller still has to answer. */
  | {
      readonly kind: "unanswered";
      /** `queue`: no connection became free in time, so nothing was sent. `hook`: the caller's own hook threw. */
      readonly reason: FailureReason | "queue" | "hook";
      readonly error: Error;
    }
  /** The origin failed in the middle of its response: the client's stream was cut. */
  | { readonly kind: "cut"; readonly status: number; readonly error: Error };

export interface ForwardHooks {
  /**
   * Called once with the origin's final status and header list (flat, hop-by-hop removed).
   * Returns the list the client is to get. When it returns a promise, the body waits for it.
   */
  onResponse(status: number, headers: string[]): string[] | Promise<string[]>;
}
