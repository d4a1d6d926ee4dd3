/** Where requests go: an address, how its certificate is checked, and the connections to it. */
import { isIP } from "node:net";
import { buildConnector, Pool } from "undici";
import type { UpstreamLimits } from "./limits.ts";

/** One server that answers for a zone. */
export interface OriginSpec {
  /** `http://host:port`, `https://host:port`, or `unix:/path/to.sock` (HTTP/1.1 without TLS). */
  readonly url: string;
  /** Share of the requests among the origins of a zone; 1 when absent. */
  readonly weight?: number;
  /** PEM certificates that the origin's is checked against, in the place of the system's. */
  readonly ca?: string;
  /** Name that is asked for (SNI) and has to stand in the certificate; the host of the URL when absent. */
  readonly servername?: string;
}

/** An origin taken apart. */
export interface OriginAddress {
  /** Scheme, host and port; of a socket, something for the libraries that want a URL. */
  readonly base: URL;
  readonly socketPath: string | undefined;
  /** Empty for an address, which has no SNI (RFC 6066 section 3): the certificate has to name the address. */
  readonly servername: string;
  readonly ca: string | undefined;
}

/** @throws {TypeError} for a text that is no URL */
export function toOriginAddress({ url, ca, servername }: OriginSpec): OriginAddress {
  if (url.startsWith("unix:")) {
    return {
      base: new URL("http://localhost"),
      socketPath: url.slice("unix:".length),
      servername: "",
      ca: undefined,
    };
  }
  const base = new URL(url);
  const host = hostOf(base);
  return { base, socketPath: undefined, servername: servername ?? (isIP(host) === 0 ? host : ""), ca };
}

/**
 * Bytes that may wait to be forwarded before reading from an origin stops. Node reads 64 KB at once all the same; beyond
 * this a second read would wait, too, and undici would copy both together.
 */
const READ_AHEAD = { highWaterMark: 16_384 };

/** Host of a URL without the brackets of an IPv6 address. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}

export function createPool(
  { base, socketPath, servername, ca }: OriginAddress,
  limits: UpstreamLimits,
): Pool {
  const connect = buildConnector({
    timeout: limits.connectTimeoutMs,
    allowH2: false,
    ...READ_AHEAD,
    ...(ca === undefined ? {} : { ca }),
    ...(socketPath === undefined ? {} : { socketPath }),
  });
  return new Pool(base.origin, {
    connections: limits.connections,
    pipelining: 1,
    allowH2: false,
    // undici would ask for the visitor's host, for which an origin inside need not have a certificate.
    connect:
      base.protocol === "https:"
        ? (options, callback) => connect({ ...options, servername, host: hostOf(base) }, callback)
        : connect,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
  });
}
