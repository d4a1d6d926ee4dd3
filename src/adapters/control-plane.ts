/**
 * A zone's configuration from a running control plane, read again when it may have changed. There is no timer: the
 * first request after the interval starts the look, and is answered with what is known.
 */
import { PHASES } from "../ruleset/index.ts";
import type { ZoneDocument } from "./zone-document.ts";

export interface ControlPlaneOptions {
  /** `https://127.0.0.1:9443/client/v4`. */
  readonly url: string;
  /** Id of the zone, 32 hex characters. */
  readonly zoneId: string;
  /** API token with read access to the zone, its operations, rulesets and the sequence cookies. */
  readonly token: string;
  /** Milliseconds between two looks; 5,000 unless given. */
  readonly intervalMs?: number;
  /** Milliseconds for one look; 10,000 unless given. */
  readonly timeoutMs?: number;
  /** What to do with requests before the first successful look: 503 (`refuse`, the default) or no rules (`pass`). */
  readonly whenUnavailable?: "refuse" | "pass";
  /** In place of the runtime's own, for certificates of a private authority. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** Pages of operations read at most; a zone has at most 10,000. */
const MAX_PAGES = 250;
const PER_PAGE = 50;

/**
 * Reads a zone once.
 *
 * @throws {Error} when the control plane cannot be reached, refuses, or answers something else
 */
export async function readControlPlane(options: ControlPlaneOptions): Promise<ZoneDocument> {
  const { zoneId, timeoutMs = 10_000 } = options;
  const read = reader(options, AbortSignal.timeout(timeoutMs));
  const base = `/zones/${zoneId}`;
  const [zone, enabled, operations, ...entrypoints] = await Promise.all([
    read(base),
    read(`${base}/fraud_detection/sequence_cookies`),
    readOperations(read, `${base}/api_gateway/operations`),
    ...PHASES.map((phase) => read(`${base}/rulesets/phases/${phase}/entrypoint`)),
  ]);
  const head = zone as { readonly id: string; readonly name: string; readonly paused?: boolean } | undefined;
  if (head === undefined)
    throw new Error(`the control plane has no zone \`${zoneId}\`, or the token may not read it`);
  return {
    zone: { id: head.id, name: head.name, paused: head.paused === true },
    sequence_cookies: { enabled: (enabled as { readonly enabled?: boolean } | undefined)?.enabled === true },
    operations: operations as ZoneDocument["operations"],
    rulesets: entrypoints.filter((ruleset) => ruleset !== undefined) as unknown as ZoneDocument["rulesets"],
  };
}

type Read = (path: string) => Promise<unknown>;

/** @returns how to read the `result` of a path; `undefined` where there is none (404) */
function reader({ url, token, fetch: ask = fetch }: ControlPlaneOptions, signal: AbortSignal): Read {
  const base = url.replace(/\/+$/, "");
  return async (path) => {
    const response = await ask(base + path, {
      headers: { authorization: `Bearer ${token}`, accept: "application/json" },
      signal,
      redirect: "error",
    });
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the control plane answered ${response.status} to GET ${path}`);
    }
    const envelope = (await response.json()) as { readonly result?: unknown };
    return envelope.result;
  };
}

/** As the official client does: page after page until one is empty. */
async function readOperations(read: Read, path: string): Promise<readonly unknown[]> {
  const operations: unknown[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const result = await read(`${path}?page=${page}&per_page=${PER_PAGE}`);
    if (!Array.isArray(result)) break;
    operations.push(...(result as readonly unknown[]));
    if (result.length < PER_PAGE) break;
  }
  return operations;
}
