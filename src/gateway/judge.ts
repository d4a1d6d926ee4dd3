/** What is to be done with a request that has come in, before anything of it is sent on. */
import type { IncomingMessage } from "node:http";
import type { Http2Stream } from "node:http2";
import type { Socket } from "node:net";
import { refusalAnswer } from "../engine/index.ts";
import type { Engine, Outcome, RefusalReason, Visit } from "../engine/index.ts";
import type { Forwarder } from "../proxy/index.ts";
import type { NodeEngineRequest } from "./carrier.ts";
import type { GatewayOptions, GatewayProblem } from "./gateway-options.ts";
import type { Guard } from "./guard.ts";
import { ownOptionsAnswer } from "./own-options.ts";
import { strictRefusal } from "./strict.ts";
import type { HeaderPolicy, StrictRefusal } from "./strict.ts";
import type { ProxyTrust } from "./trust.ts";

/** What a gateway works with. */
export interface Plane {
  readonly engine: Engine;
  readonly forwarder: Forwarder;
  readonly guard: Guard;
  readonly options: GatewayOptions;
  /** What the forwarder knows the zone's origins by. */
  readonly originOf: (visit: Visit) => string;
  readonly headers: HeaderPolicy;
  /** Connections on which a request came whose end others would see elsewhere. */
  readonly distrusted: WeakSet<Socket>;
  readonly trust: ProxyTrust | undefined;
}

const STRICT_REFUSALS = {
  version: "bad_request",
  transfer_encoding: "bad_request",
  method: "not_implemented",
  expectation: "expectation_failed",
  header_count: "headers_too_large",
  header_name: "bad_request",
  method_override: "bad_request",
  loop: "loop_detected",
} as const satisfies Record<StrictRefusal, RefusalReason>;

/** Refusals of messages whose end is in doubt. */
const UNDELIMITED: ReadonlySet<StrictRefusal> = new Set(["version", "transfer_encoding"]);

/**
 * Whether a request stands behind one whose end is in doubt: it may be that one's body. Node's parser hands it over
 * although the answer before it ends the connection.
 */
export function isBehindDoubt(req: IncomingMessage, { distrusted }: Plane): boolean {
  return req.httpVersionMajor < 2 && distrusted.has(req.socket);
}

/** Whether nobody waits for an answer any more: a stream that was reset in the same packet as it was opened, for one. */
export function isGone(req: IncomingMessage): boolean {
  return "stream" in req ? (req.stream as Http2Stream).closed : req.socket.destroyed;
}

/** What is to be done with a request; a defect of ours never lets it through. */
export function judge(
  req: IncomingMessage,
  request: NodeEngineRequest,
  plane: Plane,
): Outcome | Promise<Outcome> {
  // Turning away costs next to nothing, and the client may come back: the rest gets its answers in time.
  if (!plane.guard.admits(request.clientAddress))
    return noted(refusal(request, "overloaded"), request, plane);
  const strict = strictRefusal(req, plane.headers);
  if (strict !== undefined) {
    if (UNDELIMITED.has(strict)) plane.distrusted.add(req.socket);
    return noted(refusal(request, STRICT_REFUSALS[strict]), request, plane);
  }
  const own = ownOptionsAnswer(request, plane.engine);
  if (own !== undefined) return { kind: "answer", answer: own };
  const defect = (error: unknown): Outcome => {
    report(plane, request, "internal", error as Error);
    return { kind: "answer", answer: refusalAnswer(request, "internal") };
  };
  try {
    const outcome = plane.engine.decide(request);
    return outcome instanceof Promise
      ? outcome.then((late) => noted(late, request, plane)).catch(defect)
      : noted(outcome, request, plane);
  } catch (error) {
    return defect(error);
  }
}

/** Reports a refusal. */
function noted(outcome: Outcome, request: NodeEngineRequest, plane: Plane): Outcome {
  if (outcome.kind === "answer" && outcome.refusal !== undefined) report(plane, request, outcome.refusal);
  return outcome;
}

function refusal(request: NodeEngineRequest, reason: RefusalReason): Outcome {
  return { kind: "answer", answer: refusalAnswer(request, reason), refusal: reason };
}

export function report(
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
