/** Who is told of a request when it is over: metrics, and a span where the operator's process has an OpenTelemetry SDK. */
import {
  context,
  propagation,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { Context, Span } from "@opentelemetry/api";
import type { IncomingMessage } from "node:http";
import type { Visit } from "../engine/index.ts";
import type { ForwardHooks, ForwardResult } from "../proxy/index.ts";
import type { FinishedRequest, GatewayOptions } from "./gateway-options.ts";
import { isKnownMethod } from "./strict.ts";

/** As nginx writes it in its log. */
const CLIENT_GONE_STATUS = 499;

/** Without an SDK the trace context of a request passes as the headers it is. */
const TRACE_FIELDS = new Set(["traceparent", "tracestate"]);

/** @returns `undefined` when nobody wants to know */
export function observe(req: IncomingMessage, { onFinished }: GatewayOptions): Observation | undefined {
  const span = startSpan(req);
  return onFinished === undefined && span === undefined ? undefined : new Observation(req, onFinished, span);
}

/** The span of a request, in the trace that its headers name; `undefined` without an SDK. */
function startSpan(req: IncomingMessage): { readonly span: Span; readonly within: Context } | undefined {
  const provider = trace.getTracerProvider();
  if (!(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer("stepgate") === undefined)
    return undefined;
  const parent = propagation.extract(ROOT_CONTEXT, req.headers);
  // The name for what is no method, by OpenTelemetry's conventions: clients must not invent names of spans.
  const method = isKnownMethod(req.method) ? (req.method ?? "") : "_OTHER";
  const attributes = {
    "http.request.method": method,
    // Without its query, which may hold secrets.
    "url.path": (req.url ?? "").split("?", 1)[0] ?? "",
    "network.protocol.version": req.httpVersion,
  };
  const span = trace
    .getTracer("stepgate")
    .startSpan(`${method} gateway`, { kind: SpanKind.SERVER, attributes }, parent);
  return { span, within: trace.setSpan(parent, span) };
}

export class Observation {
  readonly #method: string;
  readonly #startedAtMs = performance.now();
  readonly #onFinished: GatewayOptions["onFinished"];
  readonly #tracing: ReturnType<typeof startSpan>;
  #upstreamMs: number | undefined;

  constructor(
    req: IncomingMessage,
    onFinished: GatewayOptions["onFinished"],
    tracing: ReturnType<typeof startSpan>,
  ) {
    this.#method = req.method ?? "";
    this.#onFinished = onFinished;
    this.#tracing = tracing;
  }

  /** The hooks of a visit, which also tell when the origin answered. */
  hooks(visit: Visit): ForwardHooks {
    return {
      onResponse: (status, headers) => {
        this.#upstreamMs = performance.now() - this.#startedAtMs;
        return visit.onResponse(status, headers);
      },
    };
  }

  /** The header list for the origin, its trace context naming our span as the parent. */
  withTrace(headers: readonly string[]): readonly string[] {
    if (this.#tracing === undefined) return headers;
    const carrier: Record<string, string> = {};
    propagation.inject(this.#tracing.within, carrier);
    const injected = Object.entries(carrier).flat();
    if (injected.length === 0) return headers;
    const kept = headers.filter((_, index) => !TRACE_FIELDS.has((headers[index & ~1] ?? "").toLowerCase()));
    return [...kept, ...injected];
  }

  answered(status: number): void {
    this.#finish({ zoneId: undefined, status, outcome: "answered" });
  }

  /** @param answered status of the answer that we gave where the origin gave none */
  forwarded(zoneId: string, result: ForwardResult, answered: number | undefined): void {
    if (result.kind === "client-gone") this.#finish({ zoneId, status: CLIENT_GONE_STATUS, outcome: "left" });
    else if (result.kind === "unanswered")
      this.#finish({ zoneId, status: answered ?? 502, outcome: "failed" });
    else
      this.#finish({
        zoneId,
        status: result.status,
        outcome: result.kind === "cut" ? "failed" : "forwarded",
      });
  }

  #finish(facts: Pick<FinishedRequest, "zoneId" | "status" | "outcome">): void {
    this.#onFinished?.({
      ...facts,
      method: this.#method,
      durationMs: performance.now() - this.#startedAtMs,
      upstreamMs: this.#upstreamMs,
    });
    if (this.#tracing === undefined) return;
    const { span } = this.#tracing;
    span.setAttribute("http.response.status_code", facts.status);
    if (facts.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    context.with(this.#tracing.within, () => span.end());
  }
}
