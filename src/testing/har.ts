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
  const { entries, total } = readHarEntries(value);
  if (total > MAX_ENTRIES) throw new TypeError(`expected at most ${MAX_ENTRIES} entries, found ${total}`);
  const usable = entries.filter(({ method }) => !NOT_SENT.has(method));
  const [first] = usable;
  if (first === undefined) throw new TypeError("expected at least one request that was answered");
  const own = usable.filter(({ url }) => url.host === first.url.host);
  const steps: Step[] = [];
  for (const [index, entry] of own.entries()) {
    const waitMs = Math.round(entry.at - (own[index - 1]?.at ?? entry.at));
    if (waitMs >= MIN_PAUSE_MS) steps.push({ kind: "wait", waitMs });
    steps.push(toStep(entry));
  }
  return { journey: { name, steps }, skipped: total - own.length };
}

/** A request that a server answered. */
export interface AnsweredEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Upper case. */
  readonly method: string;
  readonly url: URL;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string | undefined;
  readonly status: number;
}

/**
 * @param value what `JSON.parse` gave
 * @returns entries with an answer of a server in the order of their times, and how many entries there are
 * @throws {TypeError} for anything but a HAR document
 */
export function readHarEntries(value: unknown): {
  readonly entries: readonly AnsweredEntry[];
  readonly total: number;
} {
  const { entries } = membersOf(membersOf(value)["log"]);
  if (!Array.isArray(entries)) throw new TypeError("expected a HAR document with `log.entries`");
  const answered = (entries as readonly unknown[])
    .map(readEntry)
    .filter((entry) => entry !== undefined)
    .toSorted((left, right) => left.at - right.at);
  return { entries: answered, total: entries.length };
}

function readEntry(value: unknown): AnsweredEntry | undefined {
  const { startedDateTime, request, response, _fromCache: fromCache } = membersOf(value);
  const { method, url, headers, postData } = membersOf(request);
  const { status } = membersOf(response);
  if (typeof method !== "string" || typeof url !== "string" || !URL.canParse(url)) return undefined;
  // Chrome's memory and disk: the server never saw the request.
  if (typeof fromCache === "string") return undefined;
  if (typeof status !== "number" || status < 200 || status > 599) return undefined;
  const { text } = membersOf(postData);
  return {
    at: Date.parse(String(startedDateTime)) || 0,
    method: method.toUpperCase(),
    url: new URL(url),
    headers: fieldsOf(headers),
    body: typeof text === "string" ? text : undefined,
    status,
  };
}

function toStep({ method, url, headers, body, status }: AnsweredEntry): Step {
  return {
    kind: "request",
    visitor: "visitor",
    method,
    path: url.pathname + url.search,
    headers: Object.fromEntries([...headers].filter(([name]) => !LEFT_OUT.test(name))),
    body: WITHOUT_BODY.has(method) ? undefined : body,
    answer: expectedStatus(status),
    expected: { status: expectedStatus(status) },
  };
}

/** A 304 answered a browser with a copy of its own; a visitor without one gets the whole. */
const expectedStatus = (status: number): number => (status === 304 ? 200 : status);

/** A field that was sent several times is one line, as RFC 9110 section 5.3 allows. */
function fieldsOf(headers: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const header of Array.isArray(headers) ? (headers as readonly unknown[]) : []) {
    const { name, value } = membersOf(header);
    if (typeof name !== "string" || typeof value !== "string") continue;
    const key = name.toLowerCase();
    const before = fields.get(key);
    // Cookies in several fields, as HTTP/2 has them, are one field by section 8.2.3 of RFC 9113.
    const separator = key === "cookie" ? "; " : ", ";
    fields.set(key, before === undefined ? value : before + separator + value);
  }
  return fields;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
