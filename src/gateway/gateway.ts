/** The data plane: an h3 application that asks the engine and forwards what may pass. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { H3, toNodeHandler } from "h3";
import { createEngine, refusalAnswer } from "../engine/index.ts";
import type {
  ConfigSource,
  Engine,
  OwnCookies,
  RefusalReason,
  SecurityEvent,
  TrackerFactory,
  Visit,
} from "../engine/index.ts";
import { createForwarder, originRequestHeaders } from "../proxy/index.ts";
import type { Forwarder, ForwardResult, UpstreamLimits } from "../proxy/index.ts";
import { NodeEngineRequest, sendAnswer } from "./carrier.ts";
import type { RequestHandler } from "./listen.ts";

export interface GatewayOptions {
  readonly source: ConfigSource;
  readonly trackerFor: TrackerFactory;
  readonly ownCookies: OwnCookies;
  /** The clock, epoch milliseconds. */
  readonly now: () => number;
  readonly onEvent: (event: SecurityEvent) => void;
  /** Told what is no rule's doing: refusals, failing origins, defects. */
  readonly onProblem: (problem: GatewayProblem) => void;
  readonly upstream?: Partial<UpstreamLimits>;
}

export interface GatewayProblem {
  readonly rayId: string;
  readonly reason: RefusalReason | "origin_cut";
  readonly method: string;
  readonly authority: string | undefined;
  readonly error?: Error;
}

export interface Gateway {
  readonly handler: RequestHandler;
  hasHost(host: string): boolean;
  /** Stops following the configuration and closes the connections to the origins. */
  close(): Promise<void>;
}

/** h3 takes this from a handler that has answered on Node's response itself. */
const HANDLED = Symbol.for("h3.handled");

const RAY_ID_BYTES = 8;

export function createGateway(options: GatewayOptions): Gateway {
  const engine = createEngine({
    source: options.source,
    trackerFor: options.trackerFor,
    ownCookies: options.ownCookies,
    random: (lengthBytes) => randomBytes(lengthBytes),
    onEvent: options.onEvent,
  });
  const forwarder = createForwarder(options.upstream);
  const unsubscribe = options.source.subscribe(() => forwarder.keepOnly(engine.origins()));
  // Targets that a URL parser refuses are ours to judge: the same string is matched and forwarded.
  const app = new H3({ allowMalformedURL: true, silent: true });
  app.use(async (event) => {
    const node = event.runtime?.node;
    if (node?.res === undefined) throw new TypeError("the gateway runs on Node's servers only");
    await handle(node.req as IncomingMessage, node.res as ServerResponse, { engine, forwarder, options });
    return HANDLED;
  });
  return {
    handler: toNodeHandler(app),
    hasHost: (host) => engine.hasHost(host),
    async close() {
      unsubscribe();
      engine.close();
      await forwarder.close();
    },
  };
}

interface Plane {
  readonly engine: Engine;
  readonly forwarder: Forwarder;
  readonly options: GatewayOptions;
}

/** INVARIANT: every request gets exactly one answer, or its connection is cut. Never rejects. */
async function handle(req: IncomingMessage, res: ServerResponse, plane: Plane): Promise<void> {
  const request = new NodeEngineRequest(req, plane.options.now(), randomBytes(RAY_ID_BYTES).toString("hex"));
  const fail = (reason: RefusalReason, error?: Error): void => {
    report(plane, request, reason, error);
    sendAnswer(req, res, refusalAnswer(request, reason));
  };
  try {
    const outcome = await plane.engine.decide(request);
    if (outcome.kind === "answer") {
      if (outcome.refusal !== undefined) report(plane, request, outcome.refusal);
      sendAnswer(req, res, outcome.answer);
      return;
    }
    const result = await forwardVisit(req, res, { request, visit: outcome.visit, plane });
    if (result.kind === "unanswered") fail(REFUSAL_OF[result.reason], result.error);
    else if (result.kind === "cut") report(plane, request, "origin_cut", result.error);
  } catch (error) {
    // Failing closed: what could not be judged does not reach the origin.
    fail("internal", error as Error);
  }
}

const REFUSAL_OF = {
  connect: "origin_unreachable",
  timeout: "origin_timeout",
  protocol: "origin_protocol",
} as const;

function forwardVisit(
  req: IncomingMessage,
  res: ServerResponse,
  { request, visit, plane }: { request: NodeEngineRequest; visit: Visit; plane: Plane },
): Promise<ForwardResult> {
  const headers = originRequestHeaders(request.rawHeaders, {
    host: request.authority ?? visit.host,
    clientAddress: request.clientAddress,
    scheme: request.scheme,
    cookie: visit.cookie,
    rayId: request.rayId,
  });
  return plane.forwarder.forward(
    { req, res },
    { origin: visit.origin, method: request.method, target: visit.target, headers },
    { onResponse: (status, original) => visit.onResponse(status, original) },
  );
}

function report(
  { options }: Plane,
  request: NodeEngineRequest,
  reason: GatewayProblem["reason"],
  error?: Error,
): void {
  options.onProblem({
    rayId: request.rayId,
    reason,
    method: request.method,
    authority: request.authority,
    ...(error === undefined ? {} : { error }),
  });
}
