/**
 * Connections that stand and have not brought a request. A browser has one or two of them, for a moment or in advance;
 * hundreds are a crowd that only costs handshakes and memory.
 */
import type { Socket } from "node:net";
import type { NodeRequest } from "../proxy/index.ts";
import { SourceCounts } from "./source-counts.ts";

export class ConnectionUses {
  readonly #begun = new SourceCounts();
  readonly #used = new SourceCounts();
  /** Sockets of HTTP/1.1 and sessions of HTTP/2 that are counted as used. */
  readonly #known = new WeakSet<object>();

  /** @param address of a client, textual */
  unusedOf(address: string): number {
    return this.#begun.of(address) - this.#used.of(address);
  }

  /** A connection is about to get its handshake. */
  begin(socket: Socket, address: string): void {
    const source = this.#begun.add(address);
    socket.once("close", () => this.#begun.remove(source));
  }

  /** A connection has brought a request, its first or another. */
  note(req: NodeRequest): void {
    // Each stream of HTTP/2 has something else for a socket.
    const connection = "stream" in req ? req.stream.session : req.socket;
    if (connection === undefined || connection.destroyed || this.#known.has(connection)) return;
    this.#known.add(connection);
    const source = this.#used.add(req.socket.remoteAddress ?? "");
    connection.once("close", () => this.#used.remove(source));
  }
}
