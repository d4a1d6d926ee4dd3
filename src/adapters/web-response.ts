/** Web responses with edited heads; bodies are passed on as the streams they are. Runtime-neutral. */
import type { Answer } from "../engine/index.ts";

/** Statuses whose responses have no body (Fetch standard, "null body status"). */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

export function toResponse({ status, headers, body }: Answer, method: string): Response {
  return new Response(method === "HEAD" || NULL_BODY.has(status) ? null : body, {
    status,
    headers: toHeaders(headers),
  });
}

export function toHeaders(flat: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index < flat.length; index += 2)
    headers.append(flat[index] as string, flat[index + 1] as string);
  return headers;
}

/** Flat list of headers; every `Set-Cookie` is an entry of its own. */
export function toFlat(headers: Headers): string[] {
  return [...headers].flat();
}

/** A head that cannot be built anew: network errors, and switched protocols. */
export function isUntouchable({ status, type }: Response): boolean {
  return status < 200 || type === "error" || type === "opaque" || type === "opaqueredirect";
}

export function withHeaders(response: Response, headers: readonly string[]): Response {
  return new Response(NULL_BODY.has(response.status) ? null : response.body, {
    status: response.status,
    statusText: response.statusText,
    headers: toHeaders(headers),
  });
}
