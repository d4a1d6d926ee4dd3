/** Time-outs and pool sizes towards origins. Each can be set per forwarder; these are the defaults. */
export interface UpstreamLimits {
  /** Connections to one origin: more than streams of visitors and slow readers hold, few enough to bound memory. */
  readonly connections: number;
  /** Milliseconds until a connection must stand. */
  readonly connectTimeoutMs: number;
  /**
   * Milliseconds a request waits until one of the connections is free, or a new one stands: above the time for
   * connecting, of which there can be two in a row.
   */
  readonly queueTimeoutMs: number;
  /** Milliseconds an idle connection is kept; below the 5 s after which Node origins close theirs. */
  readonly keepAliveTimeoutMs: number;
  /** Milliseconds from the request being sent to the complete response headers. */
  readonly headersTimeoutMs: number;
  /** Milliseconds between two pieces of the response body; 0 (the default) lets event streams stay silent. */
  readonly bodyTimeoutMs: number;
}

export const DEFAULT_UPSTREAM_LIMITS: UpstreamLimits = {
  connections: 1_024,
  connectTimeoutMs: 5_000,
  queueTimeoutMs: 15_000,
  keepAliveTimeoutMs: 4_000,
  headersTimeoutMs: 60_000,
  bodyTimeoutMs: 0,
};
