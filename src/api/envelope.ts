/** The envelope that every answer is in. */
import type { ApiError } from "./errors.ts";

/** Something said beside the result. */
export interface Message {
  readonly code: number;
  readonly message: string;
  readonly type?: null;
}

/** Paging facts; which members there are depends on the kind of list. */
export interface ResultInfo {
  readonly page?: number;
  readonly per_page?: number;
  readonly count?: number;
  readonly total_count?: number;
  readonly total_pages?: number;
  /** Where the next page starts: the official client reads this one for rulesets… */
  readonly cursor?: string;
  /** …and these for list items. */
  readonly cursors?: { readonly after?: string; readonly before?: string };
}

/** What a handler answers. */
export type Reply =
  | {
      readonly kind: "result";
      readonly result: unknown;
      readonly resultInfo?: ResultInfo;
      readonly messages?: readonly Message[];
      readonly etag?: string;
    }
  /** The original answers some deletions without a result member. */
  | { readonly kind: "bare"; readonly messages?: readonly Message[] }
  /** …and some of the older settings as they are, without an envelope. */
  | { readonly kind: "plain"; readonly body: unknown }
  | { readonly kind: "no_content" }
  /** Server-sent events, for as long as the client listens. */
  | { readonly kind: "event_stream"; readonly body: ReadableStream<Uint8Array> };

export const ok = (
  result: unknown,
  extra: Omit<Reply & { kind: "result" }, "kind" | "result"> = {},
): Reply => ({
  kind: "result",
  result,
  ...extra,
});

export const NO_CONTENT: Reply = { kind: "no_content" };
export const bare = (messages: readonly Message[]): Reply => ({ kind: "bare", messages });

const BASE_HEADERS = {
  "content-type": "application/json; charset=utf-8",
  // Answers hold rules, token ids and audit entries: nothing between us and the client keeps them.
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
} as const;

export function toResponse(reply: Reply): Response {
  if (reply.kind === "no_content") {
    return new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
  }
  if (reply.kind === "event_stream") {
    const headers = { ...BASE_HEADERS, "content-type": "text/event-stream; charset=utf-8" };
    return new Response(reply.body, { headers });
  }
  if (reply.kind === "bare") return json(200, { success: true, errors: [], messages: reply.messages ?? [] });
  if (reply.kind === "plain") return json(200, reply.body);
  const { result, resultInfo, messages = [], etag } = reply;
  return json(
    200,
    {
      result,
      success: true,
      errors: [],
      messages,
      ...(resultInfo === undefined ? {} : { result_info: resultInfo }),
    },
    etag === undefined ? {} : { etag },
  );
}

export function errorResponse(error: ApiError): Response {
  return json(
    error.status,
    { result: null, success: false, errors: error.items, messages: [] },
    error.headers,
  );
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...BASE_HEADERS, ...headers } });
}
