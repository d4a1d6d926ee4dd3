/** What the bench and its peers agree on. */

export const KINDS = [
  "origin",
  "stepgate-plain",
  "stepgate-full",
  "stepgate-analytics",
  "stepgate-full-2-workers",
  "fast-proxy",
  "http-proxy-3",
  "fastify-http-proxy",
  "h3-proxyRequest",
] as const;

export type PeerKind = (typeof KINDS)[number];

export const BENCH_HOST = "bench.example";
export const BODY_BYTES = 1024;
/** The path of all requests; an operation in the full configuration. */
export const TRACKED_PATH = "/api/v1/transfer";
/** More than the buffers between an origin and a client who does not read. */
export const LARGE_PATH = "/large";
/** The zone that attackers ask for it: that the origin of the visitors has much to do is not the gateway's doing. */
export const LARGE_HOST = "large.example";
export const LARGE_BODY_BYTES = 16 << 20;
