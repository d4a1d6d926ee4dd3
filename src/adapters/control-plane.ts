/**
 * A zone's configuration from a running control plane, read again when it may have changed. There is no timer: the
 * first request after the interval starts the look, and is answered with what is known.
 */
import type { ZoneDocument } from "./zone-document.ts";

/** Which control plane to ask, and how often. */
export interface ControlPlaneOptions {
  /** `https://127.0.0.1:9443/client/v4`. */
  readonly url: string;
  /** Id of the zone, 32 hex characters. */
  readonly zoneId: string;
  /** API token with read access to every part of the zone. */
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

const DEFAULT_TIMEOUT_MS = 10_000;

/** Longest document read: a zone with as many operations and rules as it may have. */
const MAX_DOCUMENT_BYTES = 64 << 20;

/** What one look found. */
export type Look =
  | {
      readonly kind: "document";
      readonly document: ZoneDocument;
      readonly etag: string | undefined;
      readonly text: string;
    }
  | { readonly kind: "unchanged" };

/**
 * Reads a zone once (`GET /zones/{zone_id}/stepgate/export`).
 *
 * @param etag of the look before, `undefined` at the first
 * @throws {Error} when the control plane cannot be reached, refuses, or answers something else
 */
export async function readControlPlane(
  options: ControlPlaneOptions,
  etag: string | undefined,
): Promise<Look> {
  const { url, zoneId, token, timeoutMs = DEFAULT_TIMEOUT_MS, fetch: ask = fetch } = options;
  const response = await ask(`${url.replace(/\/+$/, "")}/zones/${zoneId}/stepgate/export`, {
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/json",
      ...(etag === undefined ? {} : { "if-none-match": etag }),
    },
    signal: AbortSignal.timeout(timeoutMs),
    // The token is for this address only.
    redirect: "error",
  });
  if (!response.ok) {
    await response.body?.cancel();
    if (etag !== undefined && response.status === 304) return { kind: "unchanged" };
    throw new Error(`the control plane answered ${response.status}: check address, zone id and token`);
  }
  const text = await response.text();
  if (text.length > MAX_DOCUMENT_BYTES) {
    throw new Error(`expected a document of at most ${MAX_DOCUMENT_BYTES} bytes, found ${text.length}`);
  }
  const { result } = JSON.parse(text) as { readonly result: ZoneDocument };
  const document = { ...result, zone: { ...result.zone, id: zoneId } };
  return { kind: "document", document, etag: response.headers.get("etag") ?? undefined, text };
}
