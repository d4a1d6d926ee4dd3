/**
 * Which connections are let in, and when they are worth the work of TLS: a handshake costs the server as much as some
 * requests and a client that sends a recorded greeting nothing.
 */
import type { Server, Socket } from "node:net";
import type { NodeRequest } from "../proxy/index.ts";
import { sourceOf } from "../session/index.ts";
import { ConnectionUses } from "./connection-uses.ts";
import { SourceCounts } from "./source-counts.ts";
import { TurnQueue } from "./turn-queue.ts";

export interface AdmissionLimits {
  readonly handshakeTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxUnusedConnectionsPerAddress: number;
}

/** The connections of a listener. */
export interface Admission {
  readonly sockets: ReadonlySet<Socket>;
  /** Ends those that have not begun yet. */
  readonly dropWaiting: () => void;
}

/** Remembers connections from their beginning on, and refuses those beyond the limits before any work is done. */
export function admitConnections(server: Server, limits: AdmissionLimits): Admission {
  const sockets = new Set<Socket>();
  const bySource = new SourceCounts();
  const admit = takeOver(server);
  server.maxConnections = limits.maxConnections;
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    if (bySource.of(address) >= limits.maxConnectionsPerAddress) {
      socket.destroy();
      return;
    }
    const source = bySource.add(address);
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      bySource.remove(source);
    });
    admit(socket);
  });
  return { sockets, dropWaiting: () => undefined };
}

/** One that has greeted. */
interface Greeting {
  readonly socket: Socket;
  readonly address: string;
  /** It does not wait any more. */
  readonly forget: () => void;
}

/** The connections of a listener with TLS. */
export interface HandshakeAdmission extends Admission {
  /** To be called with each request: its connection is not unused any more. */
  readonly noteUse: (req: NodeRequest) => void;
}

/**
 * As {@link admitConnections}; a connection gets its handshake when it has greeted, one per turn of the event loop, and
 * when its address may have another: who has all the requests it may have would only get 503, and who has many
 * connections without a request hardly needs one more. Until then a connection costs a tenth of one with TLS.
 */
export function admitHandshakes(
  server: Server,
  limits: AdmissionLimits,
  hasRoomFor: (address: string) => boolean = () => true,
): HandshakeAdmission {
  const waiting = new Set<Socket>();
  const uses = new ConnectionUses();
  const begin = takeOver(server);
  const greeted = new TurnQueue<Greeting>(
    ({ socket, address, forget }) => {
      if (socket.destroyed) return false;
      forget();
      uses.begin(socket, address);
      begin(socket);
      return true;
    },
    ({ address }) => uses.unusedOf(address) < limits.maxUnusedConnectionsPerAddress && hasRoomFor(address),
  );
  server.on("connection", (socket: Socket) => {
    waiting.add(socket);
    const timer = setTimeout(() => socket.destroy(), limits.handshakeTimeoutMs);
    const forget = (): void => {
      clearTimeout(timer);
      waiting.delete(socket);
    };
    const address = socket.remoteAddress ?? "";
    const source = sourceOf(address);
    const greeting = { socket, address, forget };
    // Nobody else listens before the handshake.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      forget();
      greeted.remove(source, greeting);
    });
    socket.once("readable", () => {
      // The end of a connection is readable, too.
      if (socket.readableLength === 0) socket.destroy();
      else greeted.add(source, greeting);
    });
  });
  return {
    ...admitConnections(server, limits),
    noteUse: (req) => uses.note(req),
    dropWaiting: () => {
      for (const socket of waiting) socket.destroy();
    },
  };
}

/** Takes the server's own handler of connections away, to be called when there is something to be done. */
function takeOver(server: Server): (socket: Socket) => void {
  const handlers = server.listeners("connection");
  server.removeAllListeners("connection");
  return (socket) => {
    for (const handler of handlers) handler.call(server, socket);
  };
}
