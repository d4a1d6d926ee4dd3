/** What handlers of a web `Request` answer, framework or not. */
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { breaking, note, slowly } from "./kit.ts";
import type { Case } from "./kit.ts";
import { streamOf as streamOnWeb } from "../web-stream.ts";

export type WebHandler = (request: Request) => Response | Promise<Response>;

export interface WebCase extends Case {
  readonly handle: WebHandler;
}

/** Notes that nobody wants the rest. */
export const streamOf = (pieces: AsyncGenerator<string>): ReadableStream<Uint8Array> =>
  streamOnWeb(pieces, () => note("cancelled"));

function cookies(): Headers {
  const headers = new Headers({ "x-a": "1" });
  headers.append("set-cookie", "a=1; Path=/");
  headers.append("set-cookie", "b=2; Path=/");
  headers.append("x-a", "2");
  return headers;
}

/** One object for everybody, as applications keep it for what never changes. */
const SHARED = new Response(null, { status: 204, headers: { "x-shared": "1" } });

export const WEB_CASES: Readonly<Record<string, WebCase>> = {
  text: { handle: () => new Response("hello") },
  json: { handle: () => Response.json({ a: 1 }, { status: 201 }) },
  "status-text": { handle: () => new Response("a", { status: 299, statusText: "As Ever" }) },
  "several-cookies": { handle: () => new Response("a", { headers: cookies() }) },
  "no-content": { handle: () => new Response(null, { status: 204 }) },
  "a-shared-response": { handle: () => SHARED },
  "not-modified": {
    handle: () => new Response(null, { status: 304, headers: { etag: '"1"' } }),
    fields: 'If-None-Match: "1"\r\n',
  },
  "redirect-of-the-web": { handle: () => Response.redirect("http://shop.example/elsewhere", 303) },
  "redirect-with-a-cookie": {
    handle: () => new Response(null, { status: 302, headers: { location: "/", "set-cookie": "a=1" } }),
  },
  "own-length": { handle: () => new Response("abc", { headers: { "content-length": "3" } }) },
  bytes: { handle: () => new Response(new Uint8Array([0, 1, 254, 255])) },
  blob: { handle: () => new Response(new Blob(["abc"], { type: "text/x-blob" })) },
  form: { handle: () => new Response(new URLSearchParams({ a: "1" })) },
  "empty-text": { handle: () => new Response("") },
  "pieces-as-they-come": {
    handle: () => new Response(streamOf(slowly("one ", "two ", "three"))),
    // A body that nobody pulls waits for ever at its gate.
    hasHead: false,
  },
  "events-of-a-server": {
    handle: () =>
      new Response(streamOf(slowly("data: a\n\n", "data: b\n\n")), {
        headers: { "content-type": "text/event-stream" },
      }),
    hasHead: false,
  },
  "compression-on-the-way": {
    handle: () =>
      new Response(Readable.toWeb(Readable.from("abc".repeat(1000)).pipe(createGzip())) as never, {
        headers: { "content-encoding": "gzip" },
      }),
    hasHead: false,
  },
  "more-than-a-socket-takes": {
    handle: () =>
      new Response(streamOf(slowly(...Array.from({ length: 40 }, (_, i) => `${i}`.repeat(9000))))),
    hasHead: false,
  },
  "a-range": {
    handle: () =>
      new Response("cdef", {
        status: 206,
        headers: { "content-range": "bytes 2-5/9", "accept-ranges": "bytes" },
      }),
    fields: "Range: bytes=2-5\r\n",
  },
  "an-answer-of-another-server": {
    // Headers of fetched responses cannot be changed.
    handle: () => fetch("data:text/plain,fetched"),
    isReframed: true,
  },
  "an-upload": {
    handle: async (request) => new Response((await request.text()).toUpperCase()),
    method: "POST",
    fields: "Content-Type: text/plain\r\n",
    body: "hello",
    hasHead: false,
  },
  "an-upload-in-chunks": {
    handle: (request) => new Response(request.body),
    method: "POST",
    fields: "Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n",
    body: "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    hasHead: false,
  },
  "a-continue": {
    handle: async (request) => new Response(await request.text()),
    method: "POST",
    fields: "Expect: 100-continue\r\nContent-Type: text/plain\r\n",
    body: "hello",
    hasHead: false,
  },
  "answered-before-the-upload": {
    handle: () => new Response("too large", { status: 413 }),
    method: "POST",
    fields: "Content-Type: text/plain\r\n",
    body: "x".repeat(1000),
    hasHead: false,
  },
  "a-stream-that-breaks": { handle: () => new Response(streamOf(breaking())), hasHead: false },
  "a-client-that-leaves": {
    async handle(request) {
      request.signal.addEventListener("abort", () => note("aborted"));
      return new Response(streamOf(slowly("one ", "two ", "x".repeat(1e6), "y".repeat(1e6))));
    },
    leaves: true,
    hasHead: false,
  },
  "a-late-answer": {
    async handle() {
      await new Promise((resolve) => setImmediate(resolve));
      return new Response("late");
    },
  },
  "a-used-body": {
    async handle() {
      const response = new Response("once");
      const copy = response.clone();
      return new Response(`${await response.text()} ${await copy.text()}`, { status: 202 });
    },
  },
};
