/** Recorded traffic (HAR 1.2) as a journey: the same requests with the same pauses, expecting the same answers. */
import type { Journey, Step } from "./scenario.ts";

export interface Recording {
  readonly journey: Journey;
  /** Requests that were left out: to other hosts than the first, answered from a cache of the browser, or not at all. */
  readonly skipped: number;
}

/** Requests replayed at most. */
const MAX_ENTRIES = 10_000;

/** Pauses shorter than this do not matter to any rule. */
const MIN_PAUSE_MS = 10;

/**
 * Fields that belong to the connection or to the recorded visitor's cookies, pseudo fields of HTTP/2 (`:authority`),
 * and those by which a browser asks for less than the whole answer: its cache is not replayed.
 */
const LEFT_OUT =
  /^(?:cookie|host|connection|content-length|transfer-encoding|accept-encoding|upgrade|keep-alive|te|trailer|expect|proxy-.*|if-.*|:.*)$/i;

/** Requests that `fetch` does not send. */
const NOT_SENT: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

const WITHOUT_BODY: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/**
 * @param value what `JSON.parse` gave
 * @throws {TypeError} for anything but a HAR document with at least one usable entry
 */
export function parseHar(value: unknown, name: string): Recording {
  const entries = (value as { readonly log?: { readonly entries?: unknown } } | null)?.log?.entries;
  if (!Array.isArray(entries)) throw new TypeError("expected a HAR document with `log.entries`");
  if (entries.length > MAX_ENTRIES)
    throw new TypeError(`expected at most ${MAX_ENTRIES} entries, found ${entries.length}`);
  const usable = (entries as readonly unknown[])
    .map(readEntry)
    .filter((entry) => entry !== undefined)
    .toSorted((left, right) => left.at - right.at);
  const [first] = usable;
  if (first === undefined) throw new TypeError("expected at least one request that was answered");
  const own = usable.filter(({ host }) => host === first.host);
  const steps: Step[] = [];
  for (const [index, { at, step }] of own.entries()) {
    const waitMs = Math.round(at - (own[index - 1]?.at ?? at));
    if (waitMs >= MIN_PAUSE_MS) steps.push({ kind: "wait", waitMs });
    steps.push(step);
  }
  return { journey: { name, steps }, skipped: entries.length - own.length };
}

interface UsableEntry {
  readonly at: number;
  readonly host: string;
  readonly step: Step;
}

function readEntry(value: unknown): UsableEntry | undefined {
  const { startedDateTime, request, response, _fromCache: fromCache } = membersOf(value);
  const { method: given, url, headers, postData } = membersOf(request);
  const { status } = membersOf(response);
  if (typeof given !== "string" || typeof url !== "string" || !URL.canParse(url)) return undefined;
  const method = given.toUpperCase();
  // Chrome's memory and disk: the server never saw the request.
  if (NOT_SENT.has(method) || typeof fromCache === "string") return undefined;
  if (typeof status !== "number" || status < 200 || status > 599) return undefined;
  const { host, pathname, search } = new URL(url);
  const { text } = membersOf(postData);
  return {
    at: Date.parse(String(startedDateTime)) || 0,
    host,
    step: {
      kind: "request",
      visitor: "visitor",
      method,
      path: pathname + search,
      headers: fieldsOf(headers),
      body: typeof text === "string" && !WITHOUT_BODY.has(method) ? text : undefined,
      answer: expectedStatus(status),
      expected: { status: expectedStatus(status) },
    },
  };
}

/** A 304 answered a browser with a copy of its own; a visitor without one gets the whole. */
const expectedStatus = (status: number): number => (status === 304 ? 200 : status);

/** A field that was sent several times is one line, as RFC 9110 section 5.3 allows. */
function fieldsOf(headers: unknown): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const header of Array.isArray(headers) ? (headers as readonly unknown[]) : []) {
    const { name, value } = membersOf(header);
    if (typeof name !== "string" || typeof value !== "string" || LEFT_OUT.test(name)) continue;
    const key = name.toLowerCase();
    fields[key] = Object.hasOwn(fields, key) ? `${fields[key]}, ${value}` : value;
  }
  return fields;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
