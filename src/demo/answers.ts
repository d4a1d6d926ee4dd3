/** How the bank answers: JSON, problems (RFC 9457), and headers that every answer of the bank carries. */

/**
 * Marks an answer as the bank's own. The page reads it: an answer without it was given by something that stands
 * in front of the bank, whatever its status and its body look like.
 */
const BANK_HEADER = "harbour-bank";

const COMMON_HEADERS = {
  [BANK_HEADER]: "1",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
} as const;

/** One thing that is wrong with a request body. */
export interface Violation {
  /** JSON pointer into the request body. */
  readonly pointer: string;
  readonly detail: string;
}

export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly Violation[];
}

export function jsonAnswer(status: number, value: unknown): Response {
  return answer(status, JSON.stringify(value), {
    "content-type": "application/json",
    "cache-control": "no-store",
  });
}

export function problemAnswer(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  return answer(problem.status, JSON.stringify({ type: "about:blank", ...problem }), {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...headers,
  });
}

/** Any answer of the bank, with its length: a body of known length spares everyone in between the chunks. */
export function answer(
  status: number,
  body: string | Uint8Array<ArrayBuffer> | null,
  headers: Readonly<Record<string, string>>,
): Response {
  const length = body === null ? {} : { "content-length": String(Buffer.byteLength(body)) };
  return new Response(body, { status, headers: { ...COMMON_HEADERS, ...length, ...headers } });
}
