/** What a gateway is given, and what it tells. */
import type {
  ConfigSource,
  EngineOptions,
  OwnCookies,
  RefusalReason,
  SecurityEvent,
  TrackerFactory,
} from "../engine/index.ts";
import type { GroupSpec, UpstreamLimits } from "../proxy/index.ts";
import type { GuardLimits } from "./guard.ts";
import type { HeaderPolicy } from "./strict.ts";

export interface GatewayOptions {
  readonly source: ConfigSource;
  readonly trackerFor: TrackerFactory;
  /** Verifies session tokens; required, as a zone whose sessions are named by tokens cannot do without. */
  readonly tokenVerifierFor: NonNullable<EngineOptions["tokenVerifierFor"]>;
  readonly ownCookies: OwnCookies;
  /** Where rate limits count; see `EngineOptions`. */
  readonly rateLimits?: EngineOptions["rateLimits"];
  /** Challenges and clearances; see `EngineOptions`. */
  readonly clearance?: EngineOptions["clearance"];
  /** Who counts requests; see `EngineOptions`. */
  readonly trafficFor?: EngineOptions["trafficFor"] | undefined;
  /** The clock, epoch milliseconds. */
  readonly now: () => number;
  readonly onEvent: (event: SecurityEvent) => void;
  /** Told what is no rule's doing: refusals, failing origins, defects. */
  readonly onProblem: (problem: GatewayProblem) => void;
  readonly upstream?: Partial<UpstreamLimits>;
  /** Addresses and CIDR ranges of proxies in front whose word about the client is taken; nobody's by default. */
  readonly trustedProxies?: readonly string[];
  readonly headers?: Partial<HeaderPolicy>;
  /** Whether requests to the origin carry `Via`. `true` by default. */
  readonly via?: boolean;
  /** Zones with more to say about their origins than one URL, by zone id. */
  readonly origins?: ReadonlyMap<string, GroupSpec>;
  readonly limits?: Partial<GuardLimits>;
  /** Told of each request when its answer is complete, cut or given up. */
  readonly onFinished?: (request: FinishedRequest) => void;
}

export interface FinishedRequest {
  /** The zone, for a request that was forwarded. */
  readonly zoneId: string | undefined;
  readonly method: string;
  /** What the visitor got; 499 when the visitor left first. */
  readonly status: number;
  /** `answered`: by us, in the origin's place. */
  readonly outcome: "forwarded" | "answered" | "failed" | "left";
  readonly durationMs: number;
  /** Milliseconds until the origin's response headers were there. */
  readonly upstreamMs: number | undefined;
}

export interface GatewayProblem {
  readonly rayId: string;
  readonly reason: RefusalReason | "origin_cut";
  readonly method: string;
  readonly authority: string | undefined;
  readonly error?: Error;
}
