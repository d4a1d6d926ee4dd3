/** Learns the endpoints of an application from the requests that no saved operation matches. */
import { readState, toState } from "./discovery-state.ts";
import type { DiscoveryState } from "./discovery-state.ts";
import { foldHosts } from "./host-folding.ts";
import { DISCOVERY_MIN_REQUESTS } from "./limits.ts";
import { foldPaths, listEndpoints } from "./path-folding.ts";
import { createForest } from "./path-forest.ts";
import { toSegments } from "./path-tree.ts";

/** Methods that operations have and applications are called with; preflights are no calls. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

const MAX_HOST_LENGTH = 255;

/** What scanners leave behind at applications that answer 200 to every path; as an operation it would match anything. */
const ONLY_VARIABLES = /^(?:\/\{var\d+\})+$/;

export interface DiscoveryOptions {
  /** Least requests of an endpoint within ten days; 500 by default. */
  readonly minRequests?: number;
}

export interface ObservedRequest {
  readonly method: string;
  /** Canonical host, without port. */
  readonly host: string;
  /** Canonical path, without query. */
  readonly path: string;
  /** Status of the response; only 200 to 299 teach anything. */
  readonly status: number;
}

export interface DiscoveredEndpoint {
  readonly method: string;
  /** Host, or a host template such as `{hostVar1}.example.com`. */
  readonly host: string;
  /** Path template, `/users/{var1}`. */
  readonly endpoint: string;
  /** About as many as in the last ten days; never more than there were. */
  readonly requests: number;
  /** Last request, epoch milliseconds. */
  readonly lastAt: number;
}

export interface Discovery {
  /** Learns from one request to no saved operation; for one to a saved one there is nothing to learn. */
  observe(request: ObservedRequest, nowMs: number): void;
  /** What was learned, most requested first. A few dozen milliseconds at most. */
  endpoints(): readonly DiscoveredEndpoint[];
  /** For storing, and for other nodes. */
  state(): DiscoveryState;
  /**
   * Adds what was stored, or what another node learned.
   *
   * @param state JSON of unknown origin
   * @returns whether it was a state; if not, nothing was added
   */
  addState(state: unknown): boolean;
  /** Nodes in use: at most 30,000, about 300 bytes each. */
  readonly nodes: number;
}

/**
 * Memory is bounded whatever is requested: identifiers are folded as they come, and where words crowd they are
 * folded, or dropped as noise, as soon as there is not enough room to wait for more of them.
 */
export function createDiscovery(options: DiscoveryOptions = {}): Discovery {
  const { minRequests = DISCOVERY_MIN_REQUESTS } = options;
  const forest = createForest();
  return {
    get nodes() {
      return forest.nodes;
    },
    observe({ method, host, path, status }, nowMs) {
      if (status < 200 || status > 299 || !METHODS.has(method)) return;
      const segments = host === "" || host.length > MAX_HOST_LENGTH ? undefined : toSegments(path);
      if (segments !== undefined) forest.add(host, segments, method, nowMs);
    },
    endpoints() {
      return [...foldHosts(forest.hosts)]
        .flatMap(([host, tree]) =>
          listEndpoints(foldPaths(tree), minRequests)
            .filter(({ endpoint }) => !ONLY_VARIABLES.test(endpoint))
            .map(({ method, endpoint, traffic }) => ({
              method,
              host,
              endpoint,
              requests: traffic.requests,
              lastAt: traffic.lastAt,
            })),
        )
        .toSorted((a, b) => b.requests - a.requests || compare(a, b));
    },
    state: () => toState(forest.hosts),
    addState(state) {
      const added = readState(state);
      if (added === undefined) return false;
      forest.merge(added);
      return true;
    },
  };
}

function compare(a: DiscoveredEndpoint, b: DiscoveredEndpoint): number {
  const [left = "", right = ""] = [a, b].map(({ host, endpoint, method }) => `${host} ${endpoint} ${method}`);
  return left < right ? -1 : 1;
}
