export { createGateway } from "./gateway.ts";
export type { Gateway, GatewayOptions, GatewayProblem } from "./gateway.ts";
export { DEFAULT_LISTENER_LIMITS, listenHttp, listenHttps } from "./listen.ts";
export type {
  ConnectionHandlers,
  ListenAddress,
  Listener,
  ListenerLimits,
  RequestHandler,
} from "./listen.ts";
export { redirectToHttps } from "./redirect.ts";
