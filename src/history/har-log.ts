/** Recorded traffic (HAR 1.2) as logged requests. */
import { readHarEntries } from "../testing/index.ts";
import type { LoggedRequest } from "./types.ts";

/**
 * @param value what `JSON.parse` gave
 * @throws {TypeError} for anything but a HAR document
 */
export function requestsOfHar(value: unknown): {
  readonly requests: readonly LoggedRequest[];
  /** Entries without an answer, or that are none. */
  readonly skipped: number;
} {
  const { entries, total } = readHarEntries(value);
  const requests = entries.map(({ at, method, url, status, headers }): LoggedRequest => ({
    at,
    method,
    target: url.pathname + url.search,
    status,
    host: url.host,
    header: (name) => headers.get(name),
  }));
  return { requests, skipped: total - requests.length };
}
