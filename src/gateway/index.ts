export { createGateway } from "./gateway.ts";
export type { Gateway } from "./gateway.ts";
export type { FinishedRequest, GatewayOptions, GatewayProblem } from "./gateway-options.ts";
export { DEFAULT_GUARD_LIMITS } from "./guard.ts";
export type { GuardLimits } from "./guard.ts";
export { DEFAULT_HEADER_POLICY } from "./strict.ts";
export type { HeaderPolicy } from "./strict.ts";
export { DEFAULT_LISTENER_LIMITS, listenHttp, listenHttps } from "./listen.ts";
export type {
  ConnectionHandlers,
  ListenAddress,
  Listener,
  ListenerLimits,
  RequestHandler,
} from "./listen.ts";
export { redirectToHttps } from "./redirect.ts";
