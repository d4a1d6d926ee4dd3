/** What handlers of Node's request and response do with it, framework or not. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import express from "express";
import { appError, atGate, breaking, note, slowly } from "./kit.ts";
import type { Case } from "./kit.ts";

export type NodeHandler = (req: IncomingMessage, res: ServerResponse) => unknown;

export interface NodeCase extends Case {
  readonly handle: NodeHandler;
}

type Static = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;
const files = express.static(fileURLToPath(new URL("../../../", import.meta.url))) as unknown as Static;

/** Sends a file of the project with all that `send` knows of ranges and validators. */
const sendFile: NodeHandler = (req, res) => {
  req.url = "/package-lock.json";
  files(req, res, (error?: unknown) => {
    const { status = 404, headers = {} } = (error ?? {}) as {
      status?: number;
      headers?: OutgoingHttpHeaders;
    };
    res.writeHead(status, headers).end("no file");
  });
};

async function writeAll(res: ServerResponse, pieces: AsyncIterable<string>): Promise<void> {
  for await (const piece of pieces) res.write(piece);
  res.end();
}

/** Notes the code of what is thrown, as an error handler would see it. */
function noting(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    note(String((error as NodeJS.ErrnoException).code));
  }
}

/** The methods as functions of their own, for what replaces them. */
interface Methods {
  writeHead: (this: ServerResponse, status: number, ...rest: readonly unknown[]) => ServerResponse;
  write: (this: ServerResponse, chunk: string | Buffer) => boolean;
  end: (this: ServerResponse, chunk?: string) => ServerResponse;
}

const methodsOf = (res: ServerResponse): Methods => res as unknown as Methods;

/** What `on-headers` does, on which compression and sessions are built: a hook of one's own around `writeHead`. */
function onWriteHead(res: ServerResponse, listener: () => void): void {
  const methods = methodsOf(res);
  const { writeHead } = methods;
  let isTold = false;
  methods.writeHead = (status, ...rest) => {
    const headers = rest.find((item) => typeof item === "object") as OutgoingHttpHeaders | undefined;
    for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value!);
    if (!isTold) {
      isTold = true;
      listener();
    }
    return writeHead.call(res, status);
  };
}

/**
 * What `compression` does: the head is changed when it is written, the body goes through zlib.
 *
 * @returns sends what zlib holds back
 */
function compress(res: ServerResponse): () => void {
  const gzip = createGzip();
  const methods = methodsOf(res);
  const { write, end } = methods;
  onWriteHead(res, () => {
    res.setHeader("Content-Encoding", "gzip");
    res.setHeader("Vary", "Accept-Encoding");
    res.removeHeader("Content-Length");
  });
  gzip.on("data", (chunk: Buffer) => write.call(res, chunk));
  gzip.on("end", () => end.call(res));
  methods.write = (chunk) => {
    if (!res.headersSent) res.writeHead(res.statusCode);
    return gzip.write(chunk);
  };
  methods.end = (chunk) => {
    if (!res.headersSent) res.writeHead(res.statusCode);
    gzip.end(chunk);
    return res;
  };
  return () => gzip.flush();
}

export const NODE_CASES: Readonly<Record<string, NodeCase>> = {
  "flat-list-of-fields": {
    handle: (_req, res) => res.writeHead(200, ["X-A", "1", "X-A", "2", "X-B", "3"]).end("a"),
  },
  "list-of-pairs": {
    handle: (_req, res) =>
      res.writeHead(201, "Made", [["X-A", "1"] as never, ["Set-Cookie", ["a=1", "b=2"]] as never]).end("a"),
  },
  "odd-list-of-fields": {
    handle(_req, res) {
      noting(() => res.writeHead(200, ["X-A", "1", "X-B"]));
      if (!res.headersSent) res.writeHead(500).end("odd");
    },
  },
  "set-before-and-replaced": {
    handle(_req, res) {
      res.setHeader("X-A", "old");
      res.setHeader("Set-Cookie", ["a=1", "b=2"]);
      res.appendHeader("Set-Cookie", "c=3");
      res.writeHead(200, { "x-a": "new", "X-Many": ["1", "2"], "X-Number": 3 }).end("a");
    },
  },
  "set-before-and-a-list": {
    handle(_req, res) {
      res.setHeader("X-A", "old");
      res.setHeader("Set-Cookie", "a=1");
      res.writeHead(200, ["X-A", "1", "X-A", "2", "Set-Cookie", "b=2", "Set-Cookie", "c=3"]).end("a");
    },
  },
  "maps-and-headers": {
    handle(_req, res) {
      res.setHeaders(new Headers({ "x-a": "1" }));
      res.setHeaders(new Map([["X-B", "2"]]));
      res.end("a");
    },
    isHttp1: true,
  },
  "end-alone": { handle: (_req, res) => res.end("whole") },
  "status-message": {
    handle(_req, res) {
      res.statusCode = 299;
      res.statusMessage = "As Ever";
      res.end("a");
    },
    isHttp1: true,
  },
  "reason-in-write-head": { handle: (_req, res) => res.writeHead(418, "Short And Stout").end("a") },
  "no-content": { handle: (_req, res) => res.writeHead(204).end() },
  "not-modified": {
    handle(_req, res) {
      res.setHeader("ETag", '"1"');
      res.writeHead(304).end();
    },
    fields: 'If-None-Match: "1"\r\n',
  },
  redirect: { handle: (_req, res) => res.writeHead(302, { Location: "/elsewhere" }).end() },
  "head-flushed-first": {
    handle(_req, res) {
      res.flushHeaders();
      void writeAll(res, slowly("one ", "two"));
    },
  },
  "own-length": { handle: (_req, res) => res.writeHead(200, { "Content-Length": 3 }).end("abc") },
  trailers: {
    handle(_req, res) {
      res.writeHead(200, { Trailer: "X-Sum" });
      res.write("abc");
      res.addTrailers({ "X-Sum": "6" });
      res.end();
    },
    // Node throws at trailers of an answer to HEAD, which has no body that they could follow.
    hasHead: false,
  },
  "early-hints": {
    handle(_req, res) {
      res.writeEarlyHints({ link: "</a.css>; rel=preload", "x-trace": "1" });
      res.end("after hints");
    },
  },
  "early-hints-waited-for": {
    handle: (_req, res) =>
      res.writeEarlyHints({ link: "</a.css>; rel=preload" }, () => res.end("after hints")),
    isHttp1: true,
  },
  "two-interim-answers": {
    handle(_req, res) {
      res.writeProcessing();
      res.writeEarlyHints({ link: "</a.css>; rel=preload" });
      res.writeHead(200).end("after both");
    },
    isHttp1: true,
  },
  "interim-of-ones-own": {
    handle(_req, res) {
      res.writeInformation(110, { "x-note": "1" });
      res.end("after it");
    },
  },
  "a-continue": {
    handle(req, res) {
      res.writeHead(200, { "Content-Type": "text/plain" });
      req.pipe(res);
    },
    method: "POST",
    fields: "Expect: 100-continue\r\nContent-Type: text/plain\r\n",
    body: "hello",
    hasHead: false,
    isHttp1: true,
  },
  "an-upload-in-chunks": {
    async handle(req, res) {
      let text = "";
      for await (const chunk of req) text += String(chunk);
      res.end(`${text} ${req.trailers["x-sum"]}`);
    },
    method: "POST",
    fields: "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nContent-Type: text/plain\r\n",
    body: "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n",
    hasHead: false,
    isHttp1: true,
  },
  "answered-before-the-upload": {
    handle: (_req, res) => res.writeHead(413).end("too large"),
    method: "POST",
    fields: "Content-Type: text/plain\r\n",
    body: "x".repeat(1000),
    hasHead: false,
  },
  "pieces-as-they-come": {
    async handle(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      await writeAll(res, slowly("one ", "two ", "three"));
    },
    // Node holds the head of an answer to HEAD back until its end.
    hasHead: false,
  },
  "events-of-a-server": {
    async handle(_req, res) {
      res.writeHead(200, { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" });
      await writeAll(res, slowly(": hello\n\n", "id: 1\ndata: a\n\n", "id: 2\ndata: b\n\n"));
    },
    // Node holds the head of an answer to HEAD back until its end.
    hasHead: false,
  },
  "corked-pieces": {
    handle(_req, res) {
      res.cork();
      res.write("one ");
      res.write("two ");
      res.uncork();
      res.end("three");
    },
  },
  "zlib-on-the-way": {
    async handle(_req, res) {
      res.writeHead(200, { "Content-Encoding": "gzip" });
      await pipeline(Readable.from("abc".repeat(1000)), createGzip(), res);
    },
  },
  "compression-flushed": {
    async handle(_req, res) {
      const flush = compress(res);
      res.setHeader("Content-Type", "text/plain");
      res.write("one ".repeat(100));
      flush();
      await atGate();
      res.end("two");
    },
    hasHead: false,
  },
  "compression-of-a-whole": {
    handle(_req, res) {
      compress(res);
      res.writeHead(203, { "Content-Length": 300, "Set-Cookie": ["a=1", "b=2"] });
      res.end("abc".repeat(100));
    },
  },
  "more-than-a-socket-takes": {
    async handle(_req, res) {
      res.writeHead(200, { "Content-Type": "text/plain" });
      await pipeline(Readable.from(Array.from({ length: 40 }, (_, index) => `${index}`.repeat(9000))), res);
      note(`finished ${res.writableFinished}`);
    },
  },
  "a-file": { handle: sendFile },
  "a-range": { handle: sendFile, fields: "Range: bytes=2-9\r\n" },
  "a-range-beyond-the-end": { handle: sendFile, fields: "Range: bytes=99999999-\r\n" },
  "a-file-not-modified": {
    handle: sendFile,
    fields: `If-Modified-Since: ${new Date(Date.now() + 1e6).toUTCString()}\r\n`,
  },
  "length-kept-strictly": {
    handle(_req, res) {
      res.strictContentLength = true;
      res.writeHead(200, { "Content-Length": 2 });
      noting(() => res.end("abc"));
      res.destroy();
    },
    isSealed: false,
    hasHead: false,
    isHttp1: true,
  },
  "connection-closed-by-the-application": {
    handle(_req, res) {
      res.setHeader("Connection", "close");
      res.end("bye");
    },
    fields: "Connection: keep-alive\r\n",
    isHttp1: true,
  },
  "fields-of-node-taken-away": {
    handle(_req, res) {
      res.sendDate = false;
      res.removeHeader("Transfer-Encoding");
      res.removeHeader("Connection");
      res.write("raw ");
      res.end("body");
    },
    isHttp1: true,
  },
  "a-second-head": {
    handle(_req, res) {
      res.writeHead(200, { "X-A": "1" });
      noting(() => res.writeHead(500));
      noting(() => res.setHeader("X-B", "2"));
      res.end("first");
    },
  },
  "a-value-that-cannot-be": {
    handle(_req, res) {
      noting(() => res.writeHead(200, { "X-A": "line\nbreak" }));
      noting(() => res.writeHead(200, { "X A": "1" }));
      noting(() => res.writeHead(200, "line\nbreak"));
      if (!res.headersSent) res.writeHead(500, "Failed", { "X-B": "2" }).end("failed");
    },
    isHttp1: true,
  },
  "a-status-that-cannot-be": {
    handle(_req, res) {
      noting(() => res.writeHead(20));
      noting(() => res.writeHead(Number.NaN));
      noting(() => res.writeHead(1000));
      res.writeHead(500).end("failed");
    },
    isHttp1: true,
  },
  "written-after-its-end": {
    handle(_req, res) {
      res.on("error", (error: NodeJS.ErrnoException) => note(String(error.code)));
      res.end("whole");
      res.write("more");
    },
    isHttp1: true,
  },
  "what-is-seen-afterwards": {
    handle(_req, res) {
      res.setHeader("X-Number", 1);
      res.setHeader("X-List", ["a", "b"]);
      note(`${res.headersSent} ${res.statusCode}`);
      const returned = res.writeHead(201, { "X-Given": "1" });
      note(`${res.headersSent} ${res.statusCode} ${returned === res}`);
      note(String(res.getHeader("x-given")));
      note(String(res.getHeader("x-list")));
      for (const event of ["finish", "close"]) res.on(event, () => note(event));
      res.end("a");
    },
  },
  "broken-before-the-head": {
    handle: (_req, res) => void res.destroy(appError()),
    isSealed: false,
  },
  "broken-on-the-way": {
    async handle(_req, res) {
      res.writeHead(200);
      res.write("one ");
      await atGate();
      res.destroy();
    },
    hasHead: false,
  },
  "a-pipeline-that-fails": {
    async handle(_req, res) {
      res.setHeader("Content-Type", "text/plain");
      await pipeline(Readable.from(breaking()), res).catch((error: Error) => note(error.message));
    },
    hasHead: false,
  },
  "a-client-that-leaves": {
    async handle(_req, res) {
      res.on("close", () => note(`closed, finished ${res.writableFinished}`));
      await pipeline(Readable.from(slowly("one ", "two ", "x".repeat(1e6))), res).catch(
        (error: NodeJS.ErrnoException) => note(String(error.code)),
      );
    },
    leaves: true,
    hasHead: false,
  },
};
