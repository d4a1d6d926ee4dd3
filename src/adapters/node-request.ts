/** Node's request as the engine's, for an application on Node: what nobody asks for is never computed. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { ConnectionFacts, EngineRequest } from "../engine/index.ts";
import type { Guard } from "./guard.ts";

/** What the application knows better than the socket, behind a proxy of its own. */
export interface NodeRequestOptions {
  /** Address of the client; that of the socket unless given. Trust `X-Forwarded-For` only from your own proxy. */
  readonly clientAddress?: (req: IncomingMessage) => string | undefined;
  /** Scheme that the visitor used; that of the socket unless given. */
  readonly scheme?: (req: IncomingMessage) => "http" | "https";
}

/** Express and Connect keep the whole target there when they strip a mount path from `url`. */
type MountedRequest = IncomingMessage & { readonly originalUrl?: string };

/** INVARIANT: everything of the socket is read while the request is judged, before the response. */
export class NodeRequest implements EngineRequest {
  readonly method: string;
  readonly target: string;
  readonly isRoutedAsSent = true;
  readonly receivedAt: number;
  readonly #req: IncomingMessage;
  readonly #guard: Guard;
  readonly #options: NodeRequestOptions;
  #rayId: string | undefined;

  constructor(req: IncomingMessage, guard: Guard, options: NodeRequestOptions) {
    this.#req = req;
    this.#guard = guard;
    this.#options = options;
    this.method = req.method ?? "";
    this.target = (req as MountedRequest).originalUrl ?? req.url ?? "";
    this.receivedAt = guard.now();
  }

  get rayId(): string {
    return (this.#rayId ??= this.#guard.rayId());
  }

  get rawHeaders(): readonly string[] {
    return this.#req.rawHeaders;
  }

  get httpVersion(): string {
    return this.#req.httpVersion;
  }

  get scheme(): "http" | "https" {
    const { scheme } = this.#options;
    if (scheme !== undefined) return scheme(this.#req);
    return (this.#req.socket as TLSSocket).encrypted ? "https" : "http";
  }

  /** Node itself refuses a second `Host` field, and takes the first (RFC 9112 section 3.2). */
  get authority(): string | undefined {
    const { host, fallbackHost } = this.#guard;
    return (
      host ??
      (this.#req.headers[":authority"] as string | undefined) ??
      this.#req.headers.host ??
      fallbackHost
    );
  }

  header(name: string): string | undefined {
    const value = this.#req.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  get clientAddress(): string {
    return (
      plainAddress(this.#options.clientAddress?.(this.#req) ?? this.#req.socket.remoteAddress) ?? "0.0.0.0"
    );
  }

  get connection(): ConnectionFacts {
    const { remotePort, localAddress, localPort } = this.#req.socket;
    const serverAddress = plainAddress(localAddress);
    return {
      ...(remotePort === undefined ? {} : { clientPort: remotePort }),
      ...(serverAddress === undefined ? {} : { serverAddress }),
      ...(localPort === undefined ? {} : { serverPort: localPort }),
    };
  }
}

/** An IPv4 client on a dual-stack listener is an IPv4 client. */
function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") === true && address.includes(".") ? address.slice(7) : address;
}
