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

/**
 * @param headers flat list in place of the response's
 * @returns the same response where that can be: its runtime may know the length of the body, which a new one with the
 *   body's stream does not
 */
export function withHeaders(response: Response, headers: readonly string[]): Response {
  // A response without a body may be one object for many visitors: it must not get the cookie of one of them.
  if (response.body !== null && replaceHeaders(response.headers, headers)) return response;
  return new Response(NULL_BODY.has(response.status) ? null : response.body, {
    status: response.status,
    statusText: response.statusText,
    headers: toHeaders(headers),
  });
}

/** @returns whether it could be done; headers of fetched responses and of `Response.redirect` are immutable */
export function replaceHeaders(headers: Headers, flat: readonly string[]): boolean {
  const names = Array.from(headers.keys());
  try {
    for (const name of names) headers.delete(name);
    for (let index = 0; index < flat.length; index += 2)
      headers.append(flat[index] as string, flat[index + 1] as string);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
