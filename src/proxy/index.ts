export { createForwarder } from "./forward.ts";
export type {
  Forwarder,
  ForwardHooks,
  ForwardRequest,
  ForwardResult,
  NodeRequest,
  NodeResponse,
} from "./forward.ts";
export { originRequestHeaders } from "./headers.ts";
export { forwardUpgrade } from "./upgrade.ts";
export type { ForwardedFacts } from "./headers.ts";
export { DEFAULT_UPSTREAM_LIMITS } from "./limits.ts";
export type { UpstreamLimits } from "./limits.ts";
