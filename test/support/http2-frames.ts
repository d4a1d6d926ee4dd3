/** HTTP/2 by the byte (RFC 9113, RFC 7541), for what no client would send. */
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { testCertificate } from "./gateway.ts";

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 1;
export const END_HEADERS = 4;

/** Section 3.4. */
export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEAD_BYTES = 9;

/** Section 4.1. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header block of literals without indexing and without Huffman coding; fields of up to 126 bytes. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.from([0]), ...literal(name), ...literal(value)]),
  );
}

/** Section 5.2 of RFC 7541. */
function literal(value: string): Buffer[] {
  return [Buffer.from([value.length]), Buffer.from(value, "latin1")];
}

/** A connection to the gateway on which preface and settings are sent. */
export async function openFrames(port: number): Promise<TLSSocket> {
  const { ca } = await testCertificate();
  const socket = connect({ host: "127.0.0.1", port, servername: "shop.example", ca, ALPNProtocols: ["h2"] });
  socket.on("error", () => socket.destroy());
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
  return socket;
}

/** The frames in what a server sent. */
export function framesOf(bytes: Buffer): { type: number; stream: number; payload: Buffer }[] {
  const frames = [];
  for (let at = 0; at + HEAD_BYTES <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    const payload = bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
    frames.push({ type: bytes[at + 3] ?? 0, stream: bytes.readUInt32BE(at + 5), payload });
    at += HEAD_BYTES + length;
  }
  return frames;
}
