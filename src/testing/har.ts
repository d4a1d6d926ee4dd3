/** Recorded traffic (HAR 1.2) as a journey: the same requests with the same pauses, expecting the same answers. */
import type { Journey, Step } from "./scenario.ts";

export interface Recording {
  readonly journey: Journey;
  /** Requests that were left out: to other hosts than the first, or without an answer. */
  readonly skipped: number;
}

/** Requests replayed at most. */
const MAX_ENTRIES = 10_000;

/** Pauses shorter than this do not matter to any rule. */
const MIN_PAUSE_MS = 10;

/** Fields that belong to the connection or to the recorded visitor's cookies. */
const LEFT_OUT =
  /^(?:cookie|host|connection|content-length|transfer-encoding|accept-encoding|upgrade|keep-alive|:.*)$/i;

interface HarEntry {
  readonly startedDateTime?: unknown;
  readonly request?: {
    readonly method?: unknown;
    readonly url?: unknown;
    readonly headers?: readonly { readonly name: string; readonly value: string }[];
    readonly postData?: { readonly text?: unknown };
  };
  readonly response?: { readonly status?: unknown };
}

/**
 * @param value what `JSON.parse` gave
 * @throws {TypeError} for anything but a HAR document with at least one usable entry
 */
export function parseHar(value: unknown, name: string): Recording {
  const entries = (value as { readonly log?: { readonly entries?: unknown } } | null)?.log?.entries;
  if (!Array.isArray(entries)) throw new TypeError("expected a HAR document with `log.entries`");
  if (entries.length > MAX_ENTRIES)
    throw new TypeError(`expected at most ${MAX_ENTRIES} entries, found ${entries.length}`);
  const usable = (entries as readonly HarEntry[])
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

function readEntry({ startedDateTime, request, response }: HarEntry): UsableEntry | undefined {
  const { method, url, headers = [], postData } = request ?? {};
  const status = response?.status;
  if (typeof method !== "string" || typeof url !== "string" || !URL.canParse(url)) return undefined;
  if (typeof status !== "number" || status < 200 || status > 599) return undefined;
  const { host, pathname, search } = new URL(url);
  const kept = headers.filter(({ name }) => !LEFT_OUT.test(name)).map(({ name, value }) => [name, value]);
  return {
    at: Date.parse(String(startedDateTime)) || 0,
    host,
    step: {
      kind: "request",
      visitor: "visitor",
      method: method.toUpperCase(),
      path: pathname + search,
      headers: Object.fromEntries(kept) as Record<string, string>,
      body: postData?.text,
      answer: status,
      expected: { status },
    },
  };
}
