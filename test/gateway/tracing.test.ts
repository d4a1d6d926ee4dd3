/** Trace context (W3C) and spans, with OpenTelemetry's own SDK and without one. */
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  openHttp2,
  requestHttp1,
  requestHttp2,
  startGateway,
  startOrigin,
  zoneAt,
} from "../support/gateway.ts";
import type { TestGateway, TestOrigin } from "../support/gateway.ts";
import { rule, ruleset } from "../support/engine.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE_ID}-${PARENT_ID}-01`;

let origin: TestOrigin;
let gateway: TestGateway;
beforeEach(async () => {
  origin = await startOrigin((req, res) => {
    if (req.url?.startsWith("/broken") === true) req.socket.destroy();
    else res.writeHead(req.url?.startsWith("/failing") === true ? 503 : 200).end();
  });
  const forbidden = rule('http.request.uri.path eq "/forbidden"');
  gateway = await startGateway({ zones: [zoneAt(origin, { rulesets: [ruleset([forbidden])] })] });
});
afterEach(async () => {
  await gateway.close();
  await origin.close();
  trace.disable();
  propagation.disable();
  context.disable();
});

const ask = (path: string, headers = {}) => requestHttp1(gateway.port, { path, headers });

describe("without an SDK", () => {
  test("the trace context goes on as it came, and nothing is added", async () => {
    await ask("/x", { traceparent: TRACEPARENT, tracestate: "vendor=1", baggage: "user=7" });
    await ask("/x");
    expect(origin.seen[0]?.headers).toMatchObject({
      traceparent: TRACEPARENT,
      tracestate: "vendor=1",
      baggage: "user=7",
    });
    expect(Object.keys(origin.seen[1]?.headers ?? {})).not.toContain("traceparent");
  });
});

describe("with an SDK", () => {
  let exporter: InMemorySpanExporter;
  beforeEach(() => {
    exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    trace.setGlobalTracerProvider(provider);
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  });

  /** Of the one request, when it is over. */
  const spanOf = async (): Promise<ReadableSpan> => {
    await expect.poll(() => exporter.getFinishedSpans()).toHaveLength(1);
    return exporter.getFinishedSpans()[0] as ReadableSpan;
  };

  test("a request is a span in the trace it came with, and the parent of what the origin does", async () => {
    await ask("/x?account=7", { traceparent: TRACEPARENT, tracestate: "vendor=1" });
    const span = await spanOf();
    expect(span).toMatchObject({ name: "GET gateway", kind: SpanKind.SERVER });
    expect(span.spanContext().traceId).toBe(TRACE_ID);
    expect(span.parentSpanContext?.spanId).toBe(PARENT_ID);
    expect(span.attributes).toEqual({
      "http.request.method": "GET",
      "url.path": "/x",
      "network.protocol.version": "1.1",
      "http.response.status_code": 200,
    });
    const { headers } = origin.seen[0] ?? {};
    expect(headers).toMatchObject({
      traceparent: `00-${TRACE_ID}-${span.spanContext().spanId}-01`,
      tracestate: "vendor=1",
    });
  });

  test("a request without a trace begins one; a trace context that is none counts for nothing", async () => {
    await ask("/x", { traceparent: "00-00000000000000000000000000000000-0000000000000000-01" });
    const span = await spanOf();
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.spanContext().traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
    expect(origin.seen[0]?.headers["traceparent"]).toBe(
      `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`,
    );
  });

  test.each([
    ["/forbidden", 403, SpanStatusCode.UNSET],
    ["/failing", 503, SpanStatusCode.ERROR],
    ["/broken", 502, SpanStatusCode.ERROR],
  ])("%s ends its span with %i", async (path, status, code) => {
    await ask(path);
    const span = await spanOf();
    expect(span.attributes["http.response.status_code"]).toBe(status);
    expect(span.status.code).toBe(code);
    expect(span.ended).toBe(true);
  });

  test("no secret of a request is in its span", async () => {
    await ask("/a?token=s3cret-query", {
      authorization: "Bearer s3cret-bearer",
      cookie: "session=s3cret-cookie; __Host-sq.AAAAA=s3cret-sequence",
      "x-api-key": "s3cret-key",
    });
    const { name, attributes, events, links, status } = await spanOf();
    expect(JSON.stringify({ name, attributes, events, links, status })).not.toContain("s3cret");
  });

  test("methods that HTTP/2 lets a client invent do not become names of spans", async () => {
    const session = await openHttp2(gateway.port);
    const invented = Array.from({ length: 20 }, (_, index) => `INVENTED${index}`);
    await Promise.allSettled(invented.map((method) => requestHttp2(session, { method, path: "/x" })));
    session.close();
    await expect.poll(() => exporter.getFinishedSpans()).toHaveLength(20);
    const spans = exporter.getFinishedSpans();
    expect(new Set(spans.map(({ name }) => name))).toEqual(new Set(["_OTHER gateway"]));
    expect(new Set(spans.map(({ attributes }) => attributes["http.request.method"]))).toEqual(
      new Set(["_OTHER"]),
    );
  });
});
