/** Node's request and response as the engine's request and answer. */
import { STATUS_CODES } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Answer, ConnectionFacts, EngineRequest } from "../engine/index.ts";
import type { ProxyTrust } from "./trust.ts";

/** What the carrier adds to a request. */
export interface Arrival {
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly rayId: string;
  /** Proxies in front whose word is taken; none when absent. */
  readonly trust?: ProxyTrust | undefined;
  /** The method for rules and operations, where it is not that of the request line. */
  readonly method?: string | undefined;
}

/** The request of one Node server, HTTP/1.1 or HTTP/2; the members used here have the same names in both. */
export class NodeEngineRequest implements EngineRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  readonly target: string;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
  readonly receivedAt: number;
  readonly rayId: string;
  readonly clientAddress: string;
  /** `X-Forwarded-For` as it is to go on: what trusted proxies wrote, and the peer. */
  readonly forwardedFor: string;
  /** Whether the connection is a trusted proxy's, whose other words about the client are passed on too. */
  readonly peerIsTrusted: boolean;
  readonly #req: IncomingMessage;
  #authority: string | undefined;
  #hasAuthority = false;

  constructor(req: IncomingMessage, { receivedAt, rayId, trust, method = req.method ?? "" }: Arrival) {
    this.#req = req;
    this.method = method;
    this.target = req.url ?? "";
    this.httpVersion = req.httpVersion;
    this.rawHeaders = req.rawHeaders;
    this.receivedAt = receivedAt;
    this.rayId = rayId;
    const peer = plainAddress(req.socket.remoteAddress) ?? "0.0.0.0";
    const ownScheme = (req.socket as TLSSocket).encrypted ? "https" : "http";
    this.peerIsTrusted = trust?.trusts(peer) === true;
    if (trust !== undefined && this.peerIsTrusted) {
      const forwardedFor = this.header("x-forwarded-for");
      const proto = this.header("x-forwarded-proto");
      this.clientAddress = trust.clientOf(peer, forwardedFor ?? "");
      this.forwardedFor = forwardedFor === undefined ? peer : `${forwardedFor}, ${peer}`;
      this.scheme = proto === "http" || proto === "https" ? proto : ownScheme;
    } else {
      this.clientAddress = peer;
      this.forwardedFor = peer;
      this.scheme = ownScheme;
    }
  }

  header(name: string): string | undefined {
    const value = this.#req.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  /** Exactly one host, whatever the protocol calls it; two different ones are none (RFC 9112 section 3.2). */
  get authority(): string | undefined {
    if (!this.#hasAuthority) {
      this.#authority = this.#readAuthority();
      this.#hasAuthority = true;
    }
    return this.#authority;
  }

  #readAuthority(): string | undefined {
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
