/** The data plane's listeners: HTTPS with HTTP/2 and HTTP/1.1, and a plain one that only redirects. */
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import { admitConnections, admitHandshakes } from "./admission.ts";
import type { Admission } from "./admission.ts";
import { watchSessions } from "./http2-sessions.ts";
import { notBehindAnother, oneAfterTheOther } from "./pipelining.ts";
import type { RequestHandler, UpgradeHandler } from "./pipelining.ts";

/**
 * Limits of a listener against slow and greedy clients (CWE-400). Figures without another reason are those of
 * Envoy's guide for edge proxies.
 */
export interface ListenerLimits {
  /** Milliseconds for the TLS handshake: two round trips and a signature. */
  readonly handshakeTimeoutMs: number;
  /** Milliseconds a client has for the header section of a request. */
  readonly headersTimeoutMs: number;
  /** Milliseconds for a whole request with its body; 0, the default, for none: an upload takes what it takes. */
  readonly requestTimeoutMs: number;
  /** Milliseconds a kept-alive connection may be idle: above the 60 s of usual balancers in front. */
  readonly keepAliveTimeoutMs: number;
  /** Bytes of a request's header section; beyond it 431. Twice what browsers' cookies can grow to for one host. */
  readonly maxHeaderBytes: number;
  /** Milliseconds between two looks for connections that are over their time. */
  readonly checkingIntervalMs: number;
  /** Connections at once; each costs some 80 KB with TLS, which the process keeps for the next ones. */
  readonly maxConnections: number;
  /** Connections at once from one address; many people can share one. */
  readonly maxConnectionsPerAddress: number;
  /**
   * Connections at once from one address that have not brought a request yet; further handshakes of it wait. With round
   * trips of 100 ms a thousand visitors of one address can arrive in a second.
   */
  readonly maxUnusedConnectionsPerAddress: number;
  /** Streams at once on one HTTP/2 connection. */
  readonly maxConcurrentStreams: number;
  /** Requests that wait on one HTTP/1.1 connection for the answers to earlier ones; browsers send none. */
  readonly maxPipelinedRequests: number;
}

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 0,
  keepAliveTimeoutMs: 65_000,
  maxHeaderBytes: 32_768,
  checkingIntervalMs: 5_000,
  maxConnections: 20_000,
  maxConnectionsPerAddress: 1_000,
  maxUnusedConnectionsPerAddress: 100,
  maxConcurrentStreams: 100,
  maxPipelinedRequests: 16,
};

export interface Listener {
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Takes another certificate into use for new connections; those that stand are not touched. */
  setCertificate(tls: { readonly cert: string; readonly key: string }): void;
  /**
   * Stops accepting, lets requests under way finish, and cuts what is left.
   *
   * @param graceMs milliseconds until the rest is cut
   */
  close(graceMs: number): Promise<void>;
}

export interface ConnectionHandlers {
  /** Requests, those that wait for `100 Continue` included: the handler sends it when it wants the body. */
  readonly request: RequestHandler;
  /** Requests to switch protocols; without a handler they are answered like any other. */
  readonly upgrade?: UpgradeHandler;
  /** Bytes that are no request (`error.code` of Node's parser says why); Node's bare answers without a handler. */
  readonly malformed?: (error: Error, socket: Socket) => void;
  /** Whether an address may begin another request now; while it may not, its handshakes wait. Always, when absent. */
  readonly hasRoomFor?: (address: string) => boolean;
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
    handshakeTimeout: limits.handshakeTimeoutMs,
    settings: {
      maxHeaderListSize: limits.maxHeaderBytes,
      maxConcurrentStreams: limits.maxConcurrentStreams,
      enablePush: false,
    },
    ...http1Options(limits),
  };
  const server = createSecureServer(options);
  const admission = admitHandshakes(server, limits, handlers.hasRoomFor);
  attach(server, noting(handlers, admission.noteUse), limits);
  watchSessions(server, limits.keepAliveTimeoutMs);
  await listen(server, address);
  return toListener(server, admission, (certificate) => server.setSecureContext(certificate));
}

/** A plain HTTP listener, for redirects and for servers behind another TLS end. */
export async function listenHttp(
  address: ListenAddress,
  handlers: ConnectionHandlers,
  limits: ListenerLimits = DEFAULT_LISTENER_LIMITS,
): Promise<Listener> {
  const server = createServer(http1Options(limits));
  attach(server, handlers, limits);
  const admission = admitConnections(server, limits);
  await listen(server, address);
  return toListener(server, admission, () => undefined);
}

/** HTTP/2's requests and responses have the members used here under the same names. */
function attach(
  server: Server,
  { request, upgrade, malformed }: ConnectionHandlers,
  { maxPipelinedRequests }: ListenerLimits,
): void {
  const inOrder = oneAfterTheOther(request, maxPipelinedRequests);
  server.on("request", inOrder);
  server.on("checkContinue", inOrder);
  if (upgrade !== undefined) server.on("upgrade", notBehindAnother(upgrade));
  if (malformed !== undefined) server.on("clientError", malformed);
}

/** Tells of each request before it is handled. */
function noting(
  { request, upgrade, ...others }: ConnectionHandlers,
  noteUse: (req: IncomingMessage) => void,
): ConnectionHandlers {
  return {
    ...others,
    request: (req, res) => {
      noteUse(req);
      request(req, res);
    },
    ...(upgrade && {
      upgrade: (req, socket, head) => {
        noteUse(req);
        upgrade(req, socket, head);
      },
    }),
  };
}

function toListener(
  server: Server,
  admission: Admission,
  setCertificate: Listener["setCertificate"],
): Listener {
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return admission.sockets.size;
    },
    setCertificate,
    close: (graceMs) => closeServer(server, graceMs, admission),
  };
}

/** Options of Node's HTTP/1.1 server, which the HTTP/2 server passes on to its HTTP/1.1 half. */
function http1Options(limits: ListenerLimits) {
  return {
    // Without it every chunked HTTP/1.1 response waits about 44 ms for the client's delayed acknowledgement.
    noDelay: true,
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkingIntervalMs,
  };
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
async function closeServer(
  server: Server,
  graceMs: number,
  { sockets, dropWaiting }: Admission,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  dropWaiting();
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}
