/**
 * The data plane: asks the engine about each request and forwards what may pass.
 *
 * It takes Node's request and response as they are. A web framework around them would build a web request that
 * nobody reads and end the response a second time, which costs as much as all the forwarding (see test/bench).
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createEngine, refusalAnswer } from "../engine/index.ts";
import type { Answer, Outcome, Visit } from "../engine/index.ts";
import { createForwarder, originRequestHeaders } from "../proxy/index.ts";
import type { ForwardRequest, ForwardResult, GroupSpec } from "../proxy/index.ts";
import { answerMalformed } from "./malformed.ts";
import { NodeEngineRequest, sendAnswer, sendRawAnswer } from "./carrier.ts";
import type { ConnectionHandlers } from "./listen.ts";
import { nextRayId } from "./ray-id.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { Guard } from "./guard.ts";
import { isBehindDoubt, isGone, judge, report } from "./judge.ts";
import type { Plane } from "./judge.ts";
import { observe } from "./observe.ts";
import type { Observation } from "./observe.ts";
import { DEFAULT_HEADER_POLICY, overriddenMethod } from "./strict.ts";
import { createProxyTrust } from "./trust.ts";

export interface Gateway extends ConnectionHandlers {
  hasHost(host: string): boolean;
  /** Requests under way. */
  readonly underWay: number;
  /** Replaces `GatewayOptions.origins`; requests under way finish where they are. */
  setOrigins(origins: ReadonlyMap<string, GroupSpec>): void;
  /** Stops following the configuration and closes the connections to the origins. */
  close(): Promise<void>;
}

export function createGateway(options: GatewayOptions): Gateway {
  const engine = createEngine({
    source: options.source,
    trackerFor: options.trackerFor,
    tokenVerifierFor: options.tokenVerifierFor,
    ownCookies: options.ownCookies,
    ...(options.rateLimits === undefined ? {} : { rateLimits: options.rateLimits }),
    ...(options.clearance === undefined ? {} : { clearance: options.clearance }),
    trafficFor: options.trafficFor,
    random: (lengthBytes) => randomBytes(lengthBytes),
    onEvent: options.onEvent,
  });
  const forwarder = createForwarder(options.upstream);
  const unsubscribe = options.source.subscribe(() => forwarder.keepOnly(engine.origins()));
  const { trustedProxies = [] } = options;
  let groups = options.origins ?? new Map<string, GroupSpec>();
  forwarder.defineGroups(groups);
  const guard = new Guard(options.limits);
  const plane: Plane = {
    engine,
    forwarder,
    guard,
    options,
    originOf: (visit) => (groups.has(visit.zoneId) ? visit.zoneId : visit.origin),
    headers: { ...DEFAULT_HEADER_POLICY, ...options.headers },
    distrusted: new WeakSet(),
    trust: trustedProxies.length === 0 ? undefined : createProxyTrust(trustedProxies),
  };
  return {
    request(req, res) {
      // A stream may be reset by the packet that opens it: seen when the packet is read to its end.
      if (req.httpVersionMajor === 2) setImmediate(handle, req, res, plane);
      else handle(req, res, plane);
    },
    upgrade: (req, socket, head) => void handleUpgrade(req, { socket, head }, plane),
    malformed: (error, socket) => answerMalformed(error, socket, options),
    get underWay() {
      return guard.size;
    },
    hasHost: (host) => engine.hasHost(host),
    hasRoomFor: (address) => guard.hasRoomFor(address),
    setOrigins(next) {
      groups = next;
      forwarder.defineGroups(next);
    },
    async close() {
      unsubscribe();
      guard.close();
      engine.close();
      await forwarder.close();
    },
  };
}

function toEngineRequest(req: IncomingMessage, { options, headers, trust }: Plane): NodeEngineRequest {
  const method = headers.methodOverride === "honour" ? (overriddenMethod(req) ?? undefined) : undefined;
  return new NodeEngineRequest(req, { receivedAt: options.now(), rayId: nextRayId(), trust, method });
}

/** INVARIANT: every request gets exactly one answer, or its connection is cut. */
function handle(req: IncomingMessage, res: ServerResponse, plane: Plane): void {
  if (isBehindDoubt(req, plane) || isGone(req)) return;
  const request = toEngineRequest(req, plane);
  const observation = observe(req, plane.options);
  const outcome = judge(req, request, plane);
  plane.guard.track(req, res, request.clientAddress);
  const exchange = { req, res, request, observation };
  // What a request costs most of its time is waiting; one that need not wait goes on in the same turn. An answer never
  // does: that the request is complete, which keeps its connection, shows when the parser has gone on.
  if (outcome instanceof Promise || outcome.kind === "answer")
    void Promise.resolve(outcome).then((late) => carryOut(late, exchange, plane));
  else void carryOut(outcome, exchange, plane);
}

/** A request that was taken on. */
interface Admitted {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly request: NodeEngineRequest;
  readonly observation: Observation | undefined;
}

/** Never rejects. */
async function carryOut(
  outcome: Outcome,
  { req, res, request, observation }: Admitted,
  plane: Plane,
): Promise<void> {
  if (outcome.kind === "answer") {
    sendAnswer(req, res, outcome.answer);
    observation?.answered(outcome.answer.status);
    return;
  }
  // The client has waited with its body for this; one that is refused never sends it.
  if (req.headers.expect !== undefined) res.writeContinue();
  const { visit } = outcome;
  const result: ForwardResult = isGone(req)
    ? { kind: "client-gone" }
    : await plane.forwarder.forward(
        { req, res },
        toForwardRequest(req, { request, visit, observation }, plane),
        observation?.hooks(visit) ?? visit,
      );
  const failure = failureAnswer(result, { request, visit }, plane);
  if (failure !== undefined) sendAnswer(req, res, failure);
  observation?.forwarded(visit.zoneId, result, failure?.status);
}

async function handleUpgrade(
  req: IncomingMessage,
  client: { readonly socket: Socket; readonly head: Buffer },
  plane: Plane,
): Promise<void> {
  if (isBehindDoubt(req, plane)) return;
  const request = toEngineRequest(req, plane);
  client.socket.on("error", () => client.socket.destroy());
  if (req.headers.upgrade?.toLowerCase() !== "websocket") {
    sendRawAnswer(client.socket, refusalAnswer(request, "not_implemented"));
    return;
  }
  const observation = observe(req, plane.options);
  const outcome = await judge(req, request, plane);
  if (outcome.kind === "answer") {
    sendRawAnswer(client.socket, outcome.answer);
    observation?.answered(outcome.answer.status);
    return;
  }
  const { visit } = outcome;
  const result = await plane.forwarder.upgrade(
    client,
    toForwardRequest(req, { request, visit, observation }, plane),
    observation?.hooks(visit) ?? visit,
  );
  const failure = failureAnswer(result, { request, visit }, plane);
  if (failure !== undefined) sendRawAnswer(client.socket, failure);
  observation?.forwarded(visit.zoneId, result, failure?.status);
}

/** A request that may pass. */
interface Judged {
  readonly request: NodeEngineRequest;
  readonly visit: Visit;
  readonly observation?: Observation | undefined;
}

/**
 * Reports how forwarding failed; the answer to give when the origin has not given any. A defect in finishing it, or in
 * a listener of events, keeps nobody from that answer.
 */
function failureAnswer(result: ForwardResult, { request, visit }: Judged, plane: Plane): Answer | undefined {
  let answer: Answer | undefined;
  try {
    if (result.kind === "cut") report(plane, request, "origin_cut", result.error);
    if (result.kind === "client-gone") visit.onClientGone();
    if (result.kind !== "unanswered") return undefined;
    const reason = REFUSAL_OF[result.reason];
    report(plane, request, reason, result.error);
    answer = refusalAnswer(request, reason);
    return visit.onUnanswered(answer);
  } catch (defect) {
    report(plane, request, "internal", defect as Error);
    return answer;
  }
}

const REFUSAL_OF = {
  connect: "origin_unreachable",
  queue: "overloaded",
  timeout: "origin_timeout",
  protocol: "origin_protocol",
  hook: "internal",
} as const;

function toForwardRequest(
  req: IncomingMessage,
  { request, visit, observation }: Judged,
  { headers: policy, options, originOf }: Plane,
): ForwardRequest {
  const maxForwards = request.method === "OPTIONS" ? request.header("max-forwards") : undefined;
  const headers = originRequestHeaders(request.rawHeaders, {
    host: request.authority ?? visit.host,
    clientAddress: request.clientAddress,
    forwardedFor: request.forwardedFor,
    keepClientClaims: request.peerIsTrusted,
    keepMethodOverride: policy.methodOverride !== "strip",
    dropUnderscores: policy.underscores === "drop",
    scheme: request.scheme,
    cookie: visit.cookie,
    rayId: request.rayId,
    via: options.via === false ? undefined : viaOf(req),
    maxForwards: maxForwards === undefined ? undefined : Math.max(0, Number(maxForwards) - 1) || 0,
  });
  const edited = visit.requestHeaders(headers);
  return {
    origin: originOf(visit),
    // Of the request line: what an override made of it is for the origin to make of it again.
    method: req.method ?? "",
    target: visit.target,
    headers: observation?.withTrace(edited) ?? edited,
  };
}

/** By the minor version of HTTP/1. */
const VIA = ["1.0 stepgate", "1.1 stepgate"];

function viaOf({ httpVersionMajor, httpVersionMinor }: IncomingMessage): string | undefined {
  return httpVersionMajor === 2 ? "2 stepgate" : VIA[httpVersionMinor];
}
