/**
 * `node attacker.ts KIND PORT CA_FILE`: one kind of attack on a server of TLS until the parent lets go. Says when it
 * begins, when all its connections stand and, asked, how many do.
 */
import { readFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:tls";
import { ATTACKS } from "./attacks.ts";

/** Connections of one address, as the gateway allows. */
const PER_ADDRESS = 900;
/** Connections being opened at once. */
const LANES = 500;
const REOPEN_AFTER_MS = 100;

const [, , kind = "", port = "", caFile = ""] = process.argv;
const attack = ATTACKS[kind];
if (attack === undefined)
  throw new Error(`unknown attack \`${kind}\`: expected one of ${Object.keys(ATTACKS).join(", ")}`);
const { connections, protocol, act } = attack;
const ca = readFileSync(caFile, "utf8");
/** Connections that are open, those of them that had their handshake, and all handshakes so far. */
let standing = 0;
let secured = 0;
let opened = 0;

/** Visitors come from another address of loopback. */
function dial(place: number): Socket {
  return connectTcp({
    host: "127.0.0.1",
    port: Number(port),
    localAddress: `127.0.1.${1 + (protocol === "raw" ? place % 12 : Math.floor(place / PER_ADDRESS))}`,
  });
}

/** Opens one connection, and another in its place when it is ended. Resolves when it is there, with or without its handshake, or has failed. */
function open(place: number): Promise<void> {
  return new Promise((resolve) => {
    const raw = dial(place);
    raw.once("connect", () => {
      standing += 1;
      raw.once("close", () => (standing -= 1));
      setImmediate(resolve);
    });
    const socket = connect({ socket: raw, servername: "localhost", ca, ALPNProtocols: [protocol] });
    socket.on("error", () => socket.destroy());
    socket.on("data", () => undefined);
    socket.once("secureConnect", () => {
      opened += 1;
      secured += 1;
      socket.once("close", () => (secured -= 1));
      act(socket);
    });
    socket.once("close", () => {
      resolve();
      setTimeout(() => void open(place), REOPEN_AFTER_MS);
    });
  });
}

/** The first message of a handshake, to be sent again and again: the answer costs the server a signature each time. */
function recordHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (hello) => {
        socket.destroy();
        server.close();
        resolve(hello);
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const client = connect({ port: (server.address() as AddressInfo).port, servername: "localhost" });
      client.on("error", () => undefined);
    });
  });
}

function greet(place: number, hello: Buffer): void {
  const socket = dial(place);
  socket.on("error", () => socket.destroy());
  socket.write(hello);
  socket.once("data", () => {
    opened += 1;
    socket.resetAndDestroy();
  });
  socket.once("close", () => setImmediate(() => greet(place, hello)));
}

process.once("disconnect", () => process.exit(0));
// The parent may be gone before its channel is seen to be.
process.on("error", () => process.exit(0));
process.on("message", () => process.send?.({ standing, secured, opened }));
process.send?.("begins");
// A few need no time, and those that pour do not hear themselves any more.
if (connections < LANES) process.send?.("stands");
if (protocol === "raw") {
  const hello = await recordHello();
  for (let place = 0; place < connections; place++) greet(place, hello);
} else {
  let next = 0;
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      while (next < connections) await open(next++);
    }),
  );
  process.send?.("stands");
}
