/** Node's request and response as the engine's request and answer. */
import { STATUS_CODES } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Answer, ConnectionFacts, EngineRequest } from "../engine/index.ts";

/** The request of one Node server, HTTP/1.1 or HTTP/2; the members used here have the same names in both. */
export class NodeEngineRequest implements EngineRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly target: string;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  readonly receivedAt: number;
  readonly rayId: string;
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage, receivedAt: number, rayId: string) {
    this.#req = req;
    this.method = req.method ?? "";
    this.target = req.url ?? "";
    this.scheme = (req.socket as TLSSocket).encrypted ? "https" : "http";
    this.httpVersion = req.httpVersion;
    this.rawHeaders = req.rawHeaders;
    this.receivedAt = receivedAt;
    this.rayId = rayId;
  }

  header(name: string): string | undefined {
    const value = this.#req.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** Exactly one host, whatever the protocol calls it; two different ones are none (RFC 9112 section 3.2). */
  get authority(): string | undefined {
    const pseudo = this.#req.headers[":authority"] as string | undefined;
    let named: string | undefined;
    for (let index = 0; index < this.rawHeaders.length; index += 2) {
      const name = this.rawHeaders[index] as string;
      if (name.length !== 4 || name.toLowerCase() !== "host") continue;
      if (named !== undefined) return undefined;
      named = this.rawHeaders[index + 1];
    }
    if (pseudo !== undefined && named !== undefined && pseudo !== named) return undefined;
    return pseudo ?? named;
  }

  get clientAddress(): string {
    return plainAddress(this.#req.socket.remoteAddress) ?? "0.0.0.0";
  }

  get connection(): ConnectionFacts {
    const socket = this.#req.socket as TLSSocket;
    const protocol = socket.encrypted ? socket.getProtocol() : null;
    const facts: { -readonly [Member in keyof ConnectionFacts]?: ConnectionFacts[Member] | undefined } = {
      clientPort: socket.remotePort,
      serverAddress: plainAddress(socket.localAddress),
      serverPort: socket.localPort,
      tlsVersion: protocol ?? undefined,
      tlsCipher: protocol === null ? undefined : socket.getCipher().name,
    };
    return facts as ConnectionFacts;
  }
}

/** An IPv4 client on a dual-stack listener is an IPv4 client. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") === true && address.includes(".") ? address.slice(7) : address;
}

/** Statuses of a request that others could have read differently: nothing behind it on its connection is trusted. */
const DISTRUSTED = new Set([400, 417, 501]);

/** Gives an answer of our own. Unread request bodies end the connection rather than being read to their end. */
export function sendAnswer(req: IncomingMessage, res: ServerResponse, answer: Answer): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const headers = [...answer.headers, "content-length", String(Buffer.byteLength(answer.body))];
  if (req.httpVersionMajor < 2 && (!req.complete || DISTRUSTED.has(answer.status)))
    headers.push("connection", "close");
  res.writeHead(answer.status, headers);
  res.end(req.method === "HEAD" ? undefined : answer.body);
}

/** Gives an answer of our own on a socket whose request asked to switch protocols, and ends it. */
export function sendRawAnswer(socket: Duplex, answer: Answer): void {
  const length = String(Buffer.byteLength(answer.body));
  const headers = [...answer.headers, "content-length", length, "connection", "close"];
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ""}`];
  for (let index = 0; index < headers.length; index += 2)
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  socket.end(`${lines.join("\r\n")}\r\n\r\n${answer.body}`);
}
