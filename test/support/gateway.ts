/** A gateway over real TLS in front of a real origin, on a configuration held in memory. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:http2";
import type { ClientHttp2Session, OutgoingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import { createSequenceCarrier } from "../../src/cli/sequence-cookies.ts";
import type { MasterKey } from "../../src/cookie/index.ts";
import type { SecurityEvent, Zone } from "../../src/engine/index.ts";
import { createGateway, DEFAULT_LISTENER_LIMITS, listenHttps } from "../../src/gateway/index.ts";
import type { GatewayOptions, GatewayProblem, Listener, ListenerLimits } from "../../src/gateway/index.ts";
import { ensureDevCertificate } from "../../src/tls/index.ts";
import type { DevCertificate } from "../../src/tls/index.ts";
import { configSource, testKeys, zone } from "./engine.ts";

let certificate: Promise<DevCertificate> | undefined;

/** One certificate for all tests of a file; made in a folder that is removed again. */
export function testCertificate(): Promise<DevCertificate> {
  certificate ??= (async () => {
    const dir = await mkdtemp(join(tmpdir(), "stepgate-certs-"));
    try {
      return await ensureDevCertificate({ dir, nowMs: Date.now(), hosts: ["shop.example"] });
    } finally {
      await rm(dir, { recursive: true });
    }
  })();
  return certificate;
}

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface TestOrigin {
  readonly url: string;
  /** Every request that reached it, in order. */
  readonly seen: SeenRequest[];
  close(): Promise<void>;
}

/** An origin that records what reached it; `respond` answers, 200 with the path by default. */
export async function startOrigin(
  respond: (req: IncomingMessage, res: ServerResponse) => void = (req, res) => res.end(`origin ${req.url}`),
): Promise<TestOrigin> {
  const seen: SeenRequest[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      seen.push({ method: req.method ?? "", url: req.url ?? "", headers: req.headers, body });
      respond(req, res);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface TestGateway {
  readonly port: number;
  readonly source: ReturnType<typeof configSource>;
  readonly events: SecurityEvent[];
  readonly problems: GatewayProblem[];
  readonly listener: Listener;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly zones: readonly Zone[];
  readonly masters?: readonly MasterKey[];
  readonly now?: () => number;
  readonly leads?: number;
  readonly gateway?: Partial<GatewayOptions>;
  readonly limits?: Partial<ListenerLimits>;
}

export async function startGateway({
  zones,
  masters = testKeys(),
  now = Date.now,
  leads = 2,
  gateway: gatewayOptions = {},
  limits = {},
}: TestGatewayOptions): Promise<TestGateway> {
  const source = configSource({ version: 1, zones });
  const events: SecurityEvent[] = [];
  const problems: GatewayProblem[] = [];
  const gateway = createGateway({
    source,
    ...createSequenceCarrier(masters, { maxEntries: 10, maxAgeSeconds: 3600, leads }),
    now,
    onEvent: (event) => events.push(event),
    onProblem: (problem) => problems.push(problem),
    upstream: { headersTimeoutMs: 2_000, connectTimeoutMs: 500 },
    ...gatewayOptions,
  });
  const listener = await listenHttps({ port: 0, hostname: "127.0.0.1" }, await testCertificate(), gateway, {
    ...DEFAULT_LISTENER_LIMITS,
    ...limits,
  });
  return {
    port: listener.port,
    source,
    events,
    problems,
    listener,
    async close() {
      await listener.close(100);
      await gateway.close();
    },
  };
}

/** The test zone in front of `origin`. */
export const zoneAt = (origin: TestOrigin, members: Partial<Zone> = {}): Zone =>
  zone({ origin: origin.url, ...members });

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface ClientRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

/** One request over HTTP/1.1, the host as `shop.example`, the path byte for byte. */
export async function requestHttp1(
  port: number,
  { method = "GET", path, headers, body }: ClientRequest,
): Promise<Reply> {
  const { ca } = await testCertificate();
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: "127.0.0.1",
        port,
        servername: "shop.example",
        ca,
        method,
        path,
        headers: { host: "shop.example", ...headers },
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

export async function openHttp2(port: number): Promise<ClientHttp2Session> {
  const { ca } = await testCertificate();
  return connect(`https://127.0.0.1:${port}`, { ca, servername: "shop.example" });
}

/** One request over HTTP/2. */
export function requestHttp2(
  session: ClientHttp2Session,
  { method = "GET", path, headers, body }: ClientRequest,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": method,
      ":path": path,
      ":authority": "shop.example",
      ...headers,
    });
    const chunks: Buffer[] = [];
    let head: Readonly<Record<string, string | string[] | undefined>> = {};
    stream.on("response", (received) => (head = received as typeof head));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () =>
      resolve({ status: Number(head[":status"]), headers: head, body: Buffer.concat(chunks).toString() }),
    );
    stream.end(body);
  });
}

/** A connection to the gateway for bytes as they are, over TLS. */
export async function dialTls(port: number): Promise<TLSSocket> {
  const { ca } = await testCertificate();
  const target = { host: "127.0.0.1", port, servername: "shop.example" };
  return connectTls({ ...target, ca, ALPNProtocols: ["http/1.1"] });
}

/** What a connection still says until it is closed, and in how many milliseconds from now on. */
export function untilClosed(socket: Socket): Promise<{ text: string; afterMs: number }> {
  const startAt = performance.now();
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  return new Promise((resolve) =>
    socket.once("close", () => resolve({ text, afterMs: performance.now() - startAt })),
  );
}

/** Sends bytes as they are over plain TCP and returns everything that comes back until the server closes. */
export function rawExchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(port, "127.0.0.1", () => socket.write(text, "latin1"));
    let received = "";
    socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
  });
}
