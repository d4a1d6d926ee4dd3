/** Sends one request to its origin and streams the answer back, on Node's own request and response. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { errors, Pool } from "undici";
import type { Dispatcher } from "undici";
import { clientResponseHeaders, clientTrailers, hasPlainFraming } from "./headers.ts";
import { DEFAULT_UPSTREAM_LIMITS } from "./limits.ts";
import type { UpstreamLimits } from "./limits.ts";

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

export interface ForwardRequest {
  /** Absolute URL of the origin, without a path. */
  readonly origin: string;
  readonly method: string;
  /** Path and query, sent byte for byte. */
  readonly target: string;
  /** Flat header list for the origin (see `originRequestHeaders`). */
  readonly headers: readonly string[];
}

/** How a forwarded request ended. */
export type ForwardResult =
  | { readonly kind: "done"; readonly status: number }
  /** The client left first; the origin's request was aborted. */
  | { readonly kind: "client-gone" }
  /** The origin failed before any response header was sent: the caller still has to answer. */
  | {
      readonly kind: "unanswered";
      readonly reason: "connect" | "timeout" | "protocol";
      readonly error: Error;
    }
  /** The origin failed in the middle of its response: the client's stream was cut. */
  | { readonly kind: "cut"; readonly status: number; readonly error: Error };

export interface ForwardHooks {
  /**
   * Called once with the origin's final status and header list (flat, hop-by-hop removed).
   * Returns the list the client is to get. When it returns a promise, the body waits for it.
   */
  onResponse(status: number, headers: string[]): string[] | Promise<string[]>;
}

export interface Forwarder {
  /** Never rejects. Resolves when the response is finished, cut, or still to be given. */
  forward(
    node: { readonly req: NodeRequest; readonly res: NodeResponse },
    request: ForwardRequest,
    hooks: ForwardHooks,
  ): Promise<ForwardResult>;
  /** Closes the connections of origins that are no longer in use. */
  keepOnly(origins: ReadonlySet<string>): void;
  /** Ends all connections, those in use after their requests. */
  close(): Promise<void>;
}

/** @param limits time-outs and pool size; each member defaults to `DEFAULT_UPSTREAM_LIMITS` */
export function createForwarder(limits: Partial<UpstreamLimits> = {}): Forwarder {
  const effective = { ...DEFAULT_UPSTREAM_LIMITS, ...limits };
  const pools = new Map<string, Pool>();
  const poolOf = (origin: string): Pool => {
    let pool = pools.get(origin);
    if (pool === undefined) {
      pool = createPool(origin, effective);
      pools.set(origin, pool);
    }
    return pool;
  };
  return {
    forward: (node, request, hooks) =>
      new Promise((resolve) => {
        const exchange = new Exchange(node.res, hooks, resolve);
        try {
          poolOf(request.origin).dispatch(
            {
              path: request.target,
              method: request.method,
              headers: request.headers as string[],
              body: hasBody(node.req) ? node.req : null,
            },
            exchange,
          );
        } catch (error) {
          exchange.onResponseError(undefined, error as Error);
        }
      }),
    keepOnly(origins) {
      for (const [origin, pool] of pools) {
        if (origins.has(origin)) continue;
        pools.delete(origin);
        void pool.close();
      }
    },
    async close() {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.close()));
    },
  };
}

function createPool(origin: string, limits: UpstreamLimits): Pool {
  return new Pool(origin, {
    connections: limits.connections,
    pipelining: 1,
    allowH2: false,
    connect: { timeout: limits.connectTimeoutMs },
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
  });
}

/** Whether the request carries a body, whatever its method (RFC 9112 section 6.3; HTTP/2 says so by END_STREAM). */
function hasBody(req: NodeRequest): boolean {
  if ("stream" in req) return !req.stream.endAfterHeaders;
  const length = req.headers["content-length"];
  return req.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** RFC 9112 section 4: HTAB, SP, VCHAR, obs-text. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]+$/;

/** One request under way. A class because undici calls its members by name on the hot path. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #res: ServerResponse;
  readonly #hooks: ForwardHooks;
  readonly #resolve: (result: ForwardResult) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #settled = false;
  /** Body bytes still to come as `Content-Length` announced them; undefined when it did not. */
  #expectedBytes: number | undefined;
  /** The last piece of a body of known length, kept so that it leaves together with the end of the response. */
  #lastChunk: Buffer | undefined;
  #headIsPending = false;
  #endIsPending = false;
  readonly #onClose = (): void => {
    if (this.#settled) return;
    this.#settle({ kind: "client-gone" });
    // Without this a paused origin never sees its response read, and the connection is lost to the pool.
    this.#controller?.abort(new errors.RequestAbortedError("the client closed the connection"));
  };
  readonly #onDrain = (): void => this.#controller?.resume();

  constructor(res: NodeResponse, hooks: ForwardHooks, resolve: (result: ForwardResult) => void) {
    // HTTP/2's response has the members used here under the same names; their types share no common base.
    this.#res = res as ServerResponse;
    this.#hooks = hooks;
    this.#resolve = resolve;
    res.once("close", this.#onClose);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new errors.RequestAbortedError("the client closed the connection"));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    parsed: IncomingHttpHeaders,
    reason?: string,
  ): void {
    if (status < 200) {
      this.#passInformational(status, parsed);
      return;
    }
    const raw = Array.isArray(controller.rawHeaders) ? controller.rawHeaders : [];
    if (!hasPlainFraming(raw)) {
      // Aborting closes the connection: what follows on it belongs to nobody.
      controller.abort(new errors.HTTPParserError("expected no `Transfer-Encoding` but `chunked`"));
      return;
    }
    this.#status = status;
    const length = Number(parsed["content-length"]);
    this.#expectedBytes = Number.isSafeInteger(length) ? length : undefined;
    const headers = clientResponseHeaders(raw);
    const edited = this.#hooks.onResponse(status, headers);
    if (edited instanceof Promise) {
      this.#headIsPending = true;
      controller.pause();
      void this.#writeHeadWhenReady(controller, reason, edited);
    } else {
      this.#writeHead(status, reason, edited);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    if (this.#expectedBytes !== undefined) {
      this.#expectedBytes -= chunk.length;
      if (this.#expectedBytes === 0) {
        this.#lastChunk = chunk;
        return;
      }
    }
    if (this.#res.write(chunk)) return;
    controller.pause();
    this.#res.once("drain", this.#onDrain);
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders = {}): void {
    if (this.#settled) return;
    if (this.#headIsPending) {
      // A response without a body ends although it is paused; its end has to wait for its beginning.
      this.#endIsPending = true;
      return;
    }
    this.#end(trailers);
  }

  #end(trailers: IncomingHttpHeaders): void {
    // Trailers of a response of known length have nowhere to stand in HTTP/1.1 (RFC 9112 section 7.1.2).
    const kept = this.#expectedBytes === undefined ? clientTrailers(trailers) : undefined;
    if (kept !== undefined) this.#res.addTrailers(kept);
    if (this.#lastChunk === undefined) this.#res.end();
    else this.#res.end(this.#lastChunk);
    this.#settle({ kind: "done", status: this.#status });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#settled) return;
    if (this.#status !== 0 && this.#res.headersSent) {
      this.#settle({ kind: "cut", status: this.#status, error });
      this.#res.destroy(error);
    } else {
      this.#settle({ kind: "unanswered", reason: failureReason(error), error });
    }
  }

  /** 103 passes on (RFC 8297); 102 and the rest say nothing to the client. */
  #passInformational(status: number, headers: IncomingHttpHeaders): void {
    const { link } = headers;
    if (status !== 103 || link === undefined || this.#settled || this.#res.headersSent) return;
    this.#res.writeEarlyHints({ link });
  }

  async #writeHeadWhenReady(
    controller: Dispatcher.DispatchController,
    reason: string | undefined,
    edited: Promise<string[]>,
  ): Promise<void> {
    try {
      this.#writeHead(this.#status, reason, await edited);
      this.#headIsPending = false;
      if (this.#endIsPending) this.#end({});
      else controller.resume();
    } catch (error) {
      controller.abort(error as Error);
    }
  }

  #writeHead(status: number, reason: string | undefined, headers: string[]): void {
    const res = this.#res;
    if (this.#settled || res.headersSent) return;
    // HTTP/2 has no reason phrase (RFC 9113 section 8.3.1).
    if (reason !== undefined && REASON_PHRASE.test(reason) && !("stream" in res))
      res.writeHead(status, reason, headers);
    else res.writeHead(status, headers);
    if (this.#expectedBytes !== undefined) return;
    // An event stream has to open before its first event; a body that is already here goes out with the head.
    setImmediate(() => {
      if (!this.#settled && !res.writableEnded) res.flushHeaders();
    });
  }

  #settle(result: ForwardResult): void {
    this.#settled = true;
    this.#res.off("close", this.#onClose);
    this.#resolve(result);
  }
}

function failureReason(error: Error): "connect" | "timeout" | "protocol" {
  if (error instanceof errors.ConnectTimeoutError) return "connect";
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError)
    return "timeout";
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return ["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"].includes(code)
    ? "connect"
    : "protocol";
}
