/** The data plane's listeners: HTTPS with HTTP/2 and HTTP/1.1, and a plain one that only redirects. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";

/** Limits of a listener against slow and greedy clients (spec: CWE-400; Envoy's edge guide has the same shape). */
export interface ListenerLimits {
  /** Milliseconds a client has for the header section of a request. */
  readonly headersTimeoutMs: number;
  /** Milliseconds a kept-alive connection may be idle. */
  readonly keepAliveTimeoutMs: number;
  /** Bytes of a request's header section; beyond it 431. */
  readonly maxHeaderBytes: number;
  /** Milliseconds between two looks for connections that are over their time. */
  readonly checkingIntervalMs: number;
}

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  headersTimeoutMs: 15_000,
  keepAliveTimeoutMs: 65_000,
  maxHeaderBytes: 32_768,
  checkingIntervalMs: 5_000,
};

export interface Listener {
  readonly port: number;
  /**
   * Stops accepting, lets requests under way finish, and cuts what is left.
   *
   * @param graceMs milliseconds until the rest is cut
   */
  close(graceMs: number): Promise<void>;
}

export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void;

export interface ConnectionHandlers {
  /** Requests, those that wait for `100 Continue` included: the handler sends it when it wants the body. */
  readonly request: RequestHandler;
  /** Requests to switch protocols; without a handler they are answered like any other. */
  readonly upgrade?: (req: IncomingMessage, socket: Socket, head: Buffer) => void;
}

export interface ListenAddress {
  readonly port: number;
  readonly hostname: string;
}

/**
 * @param tls PEM texts of the certificate chain and its key
 * @throws the listen error of Node (`EADDRINUSE`, `EACCES`, …)
 */
export async function listenHttps(
  address: ListenAddress,
  tls: { readonly cert: string; readonly key: string },
  handlers: ConnectionHandlers,
  limits: ListenerLimits = DEFAULT_LISTENER_LIMITS,
): Promise<Listener> {
  const options = {
    cert: tls.cert,
    key: tls.key,
    minVersion: "TLSv1.2" as const,
    allowHTTP1: true,
    maxHeaderListPairs: 256,
    settings: { maxHeaderListSize: limits.maxHeaderBytes, enablePush: false },
    ...http1Options(limits),
  };
  const server = createSecureServer(options);
  attach(server, handlers);
  const sockets = trackSockets(server, "secureConnection");
  await listen(server, address);
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) => closeServer(server, graceMs, sockets),
  };
}

/** A plain HTTP listener, for redirects and for servers behind another TLS end. */
export async function listenHttp(
  address: ListenAddress,
  handlers: ConnectionHandlers,
  limits: ListenerLimits = DEFAULT_LISTENER_LIMITS,
): Promise<Listener> {
  const server = createServer(http1Options(limits));
  attach(server, handlers);
  const sockets = trackSockets(server, "connection");
  await listen(server, address);
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) => closeServer(server, graceMs, sockets),
  };
}

/** HTTP/2's requests and responses have the members used here under the same names. */
function attach(server: Server, { request, upgrade }: ConnectionHandlers): void {
  server.on("request", request);
  server.on("checkContinue", request);
  if (upgrade !== undefined) server.on("upgrade", upgrade);
}

/** Options of Node's HTTP/1.1 server, which the HTTP/2 server passes on to its HTTP/1.1 half. */
function http1Options(limits: ListenerLimits) {
  return {
    // Without it every chunked HTTP/1.1 response waits about 44 ms for the client's delayed acknowledgement.
    noDelay: true,
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkingIntervalMs,
  };
}

function trackSockets(server: Server, event: "connection" | "secureConnection"): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

function listen(server: Server, { port, hostname }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Node ends idle connections and HTTP/2 sessions on `close`; the rest has until the grace time is over. */
async function closeServer(server: Server, graceMs: number, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}
