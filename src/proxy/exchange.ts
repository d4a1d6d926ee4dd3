/** One request under way: undici's events on one side, Node's response on the other. */
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { errors } from "undici";
import type { Dispatcher } from "undici";
import type { DownloadTurns } from "./download-turns.ts";
import { failureReason, isClosedUnder } from "./failure.ts";
import type { FailureReason } from "./failure.ts";
import type { Origin, OriginGroup } from "./group.ts";
import { clientResponseHeaders, clientTrailers, hasPlainFraming } from "./headers.ts";
import type { ForwardHooks, ForwardRequest, ForwardResult, NodeRequest, NodeResponse } from "./types.ts";

/**
 * The same for all requests: undici would take the visitor's host, look whether it is an address, and make a new
 * connection to a TLS origin when it is another one than before. What is asked for is up to the pool's connector.
 */
const ANY_SERVERNAME = "origin";

/** RFC 9112 section 4: HTAB, SP, VCHAR, obs-text. */
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]+$/;

const NONE: Origin[] = [];

/** Longest body that leaves as one text with its head; copying a longer one costs more than the second piece. */
const MAX_JOINED_BYTES = 16 * 1024;

/** RFC 9110 section 9.2.1. */
const SAFE_METHODS = new Set<string>(["GET", "HEAD", "OPTIONS"]);

/** `servername` is missing in undici's types. */
interface NamedRequest extends Dispatcher.DispatchOptions {
  readonly servername: string;
}

interface ExchangeOptions {
  readonly hooks: ForwardHooks;
  readonly turns: DownloadTurns;
  readonly queueTimeoutMs: number;
}

/** One request under way. A class because undici calls its members by name on the hot path. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #req: NodeRequest;
  readonly #res: ServerResponse;
  readonly #hooks: ForwardHooks;
  readonly #turns: DownloadTurns;
  readonly #queueTimeoutMs: number;
  readonly #resolve: (result: ForwardResult) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #settled = false;
  /** Body bytes still to come as `Content-Length` announced them; undefined when it did not. */
  #expectedBytes: number | undefined;
  /** The last piece of a body of known length, kept so that it leaves together with the end of the response. */
  #lastChunk: Buffer | undefined;
  /** A piece that waits for its turn. */
  #heldChunk: Buffer | undefined;
  #headIsPending = false;
  #endIsPending = false;
  readonly #onClose = (): void => {
    if (this.#settled) return;
    this.#settle({ kind: "client-gone" });
    // Without this a paused origin never sees its response read, and the connection is lost to the pool.
    this.#controller?.abort(new errors.RequestAbortedError("the client closed the connection"));
  };
  readonly #onDrain = (): void => this.#controller?.resume();

  #group: OriginGroup | undefined;
  #request: NamedRequest | undefined;
  #origin: Origin | undefined;
  /** Runs while no connection is free. */
  #queueTimer: NodeJS.Timeout | undefined;
  #tried: Origin[] = NONE;
  #wasSentAgain = false;

  constructor(
    { req, res }: { readonly req: NodeRequest; readonly res: NodeResponse },
    { hooks, turns, queueTimeoutMs }: ExchangeOptions,
    resolve: (result: ForwardResult) => void,
  ) {
    this.#req = req;
    // HTTP/2's response has the members used here under the same names; their types share no common base.
    this.#res = res as ServerResponse;
    this.#hooks = hooks;
    this.#turns = turns;
    this.#queueTimeoutMs = queueTimeoutMs;
    this.#resolve = resolve;
    // It closes once; `once` would make two objects to be sure of it.
    res.on("close", this.#onClose);
  }

  /** @param body the request itself for one that streams */
  start(
    group: OriginGroup,
    { target, method, headers }: ForwardRequest,
    body: NodeRequest | Buffer | null,
  ): void {
    if (this.#settled) return;
    this.#group = group;
    this.#request = {
      path: target,
      method,
      headers: headers as string[],
      body,
      servername: ANY_SERVERNAME,
    };
    this.#sendTo(group.pick());
  }

  #sendTo(origin: Origin | undefined): void {
    if (origin === undefined || this.#request === undefined) throw new Error("the zone has no origin");
    this.#origin = origin;
    this.#controller = undefined;
    origin.pool.dispatch(this.#request, this);
    // Nearly always a connection is free, and it is on its way by now.
    if (this.#isQueued) this.#queueTimer ??= setTimeout(() => this.#onQueueTimeout(), this.#queueTimeoutMs);
  }

  get #isQueued(): boolean {
    return this.#controller === undefined && !this.#settled;
  }

  #onQueueTimeout(): void {
    if (!this.#isQueued) return;
    const error = new Error(`no connection to the origin was free for ${this.#queueTimeoutMs} ms`);
    this.#settle({ kind: "unanswered", reason: "queue", error });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    clearTimeout(this.#queueTimer);
    this.#queueTimer = undefined;
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
    if (parsed["transfer-encoding"] !== undefined && !hasPlainFraming(raw)) {
      // Aborting closes the connection: what follows on it belongs to nobody.
      controller.abort(new errors.HTTPParserError("expected no `Transfer-Encoding` but `chunked`"));
      return;
    }
    this.#status = status;
    this.#origin?.succeeded();
    const length = Number(parsed["content-length"]);
    this.#expectedBytes = Number.isSafeInteger(length) ? length : undefined;
    const edited = this.#editHeaders(controller, clientResponseHeaders(raw));
    if (edited instanceof Promise) {
      this.#headIsPending = true;
      controller.pause();
      void this.#writeHeadWhenReady(controller, reason, edited);
    } else if (edited !== undefined) {
      this.#writeHead(status, reason, edited);
    }
  }

  #editHeaders(
    controller: Dispatcher.DispatchController,
    headers: string[],
  ): string[] | Promise<string[]> | undefined {
    try {
      return this.#hooks.onResponse(this.#status, headers);
    } catch (error) {
      this.#failOfHook(controller, error as Error);
      return undefined;
    }
  }

  /** Not the origin's fault, whose response nobody gets now. */
  #failOfHook(controller: Dispatcher.DispatchController, error: Error): void {
    if (!this.#settled) this.#settle({ kind: "unanswered", reason: "hook", error });
    controller.abort(error);
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
    // An origin that closes its connection has the rest handed over at once.
    if (this.#heldChunk !== undefined) {
      this.#passHeld();
      this.#res.write(chunk);
    } else if (this.#turns.admits(this)) {
      if (!this.#res.write(chunk)) this.#pause(controller);
    } else {
      this.#heldChunk = chunk;
      controller.pause();
    }
  }

  #pause(controller: Dispatcher.DispatchController): void {
    controller.pause();
    this.#res.once("drain", this.#onDrain);
  }

  /** Called when it is its turn to send on what it holds. */
  goOn(): void {
    if (this.#settled || this.#heldChunk === undefined) return;
    if (this.#passHeld()) this.#controller?.resume();
    else this.#res.once("drain", this.#onDrain);
  }

  /** @returns whether the client takes more */
  #passHeld(): boolean {
    const chunk = this.#heldChunk;
    this.#heldChunk = undefined;
    return chunk === undefined || this.#res.write(chunk);
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
    this.#passHeld();
    // Trailers of a response of known length have nowhere to stand in HTTP/1.1 (RFC 9112 section 7.1.2).
    const kept = this.#expectedBytes === undefined ? clientTrailers(trailers) : undefined;
    if (kept !== undefined) this.#res.addTrailers(kept);
    this.#endWith(this.#lastChunk);
    this.#settle({ kind: "done", status: this.#status });
  }

  /** Node writes a head and a text in one piece, but a head and bytes in two, which costs more than the text does. */
  #endWith(chunk: Buffer | undefined): void {
    if (chunk === undefined) this.#res.end();
    else if (chunk.length > MAX_JOINED_BYTES || "stream" in this.#res) this.#res.end(chunk);
    else this.#res.end(chunk.toString("latin1"), "latin1");
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#settled) return;
    if (this.#status !== 0 && this.#res.headersSent) {
      this.#settle({ kind: "cut", status: this.#status, error });
      this.#res.destroy(error);
      return;
    }
    const reason = failureReason(error);
    if (this.#status === 0 && this.#sendAgain(reason, error)) return;
    this.#settle({ kind: "unanswered", reason, error });
  }

  /**
   * Sends the request once more where that is safe: to another origin when there was no connection, so that nothing
   * was sent; and once to any when a kept connection was closed under a request that changes nothing (RFC 9110
   * section 9.2.2), as happens when an origin's idle time-out and the request cross.
   */
  #sendAgain(reason: FailureReason, error: Error): boolean {
    const next = reason === "connect" ? this.#another() : this.#sameOnce(error);
    if (next === undefined) return false;
    try {
      this.#sendTo(next);
      return true;
    } catch {
      return false;
    }
  }

  #another(): Origin | undefined {
    if (this.#origin === undefined) return undefined;
    this.#origin.failed(performance.now());
    this.#tried = [...this.#tried, this.#origin];
    const isUnread = this.#request?.body !== this.#req || !(this.#req.readableDidRead || this.#req.destroyed);
    return isUnread ? this.#group?.pick(this.#tried) : undefined;
  }

  #sameOnce(error: Error): Origin | undefined {
    const isRepeatable = this.#request?.body === null && SAFE_METHODS.has(this.#request.method);
    if (this.#wasSentAgain || !isRepeatable || !isClosedUnder(error)) return undefined;
    this.#wasSentAgain = true;
    return this.#group?.pick();
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
    let headers: string[];
    try {
      headers = await edited;
    } catch (error) {
      this.#failOfHook(controller, error as Error);
      return;
    }
    try {
      this.#writeHead(this.#status, reason, headers);
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
    clearTimeout(this.#queueTimer);
    this.#resolve(result);
  }
}
