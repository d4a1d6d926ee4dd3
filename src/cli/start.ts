/** Puts a running Stepgate together: store, keys, certificates, gateway and API, in one process or with workers. */
import packageJson from "../../package.json" with { type: "json" };
import { createApi } from "../api/index.ts";
import { checkTokenKeys } from "../cookie/index.ts";
import { listenHttp, listenHttps, redirectToHttps } from "../gateway/index.ts";
import type { Listener } from "../gateway/index.ts";
import type { SecurityEvent } from "../engine/index.ts";
import type { EventStore, Store } from "../store/index.ts";
import type { Config } from "./config.ts";
import { startDataPlane } from "./data-plane.ts";
import type { DataPlane } from "./data-plane.ts";
import { loadMasterKeys } from "./keys.ts";
import { createLog } from "./log.ts";
import type { Logger } from "./log.ts";
import { createMetrics, createWorkersMetrics } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";
import { openListener } from "./open-listener.ts";
import { withOperationsRoutes } from "./operations-routes.ts";
import { certificateOf, makeDataDir, openEventsIn, openStoreIn, writeAdminToken } from "./start-parts.ts";
import type { ServerCertificate } from "./start-parts.ts";
import { openCounts, openSnapshots } from "./snapshots.ts";
import { serveDemo } from "./serve-demo.ts";
import { startWorkers } from "./workers.ts";
import type { Workers } from "./workers.ts";

/** Milliseconds that requests of the API have when everything else has ended. */
const API_GRACE_MS = 300;
/** Milliseconds for a request of the API with its body, unless the limits name some: a minute for a large import. */
const API_REQUEST_TIMEOUT_MS = 60_000;

/** What a process is started with. */
export interface StartOptions {
  /** From `loadConfig` or `parseConfig`. */
  readonly config: Config;
  /** The clock, epoch milliseconds; the system's unless given. */
  readonly now?: () => number;
  /** Where the log goes; standard output, as `config.log` says, unless given. */
  readonly log?: Logger;
}

/** Stepgate in this process, or in its workers. */
export interface RunningStepgate {
  /** TCP port that the gateway listens on. */
  readonly gatewayPort: number;
  /** Address of the API, `https://127.0.0.1:9443/client/v4`. */
  readonly apiUrl: string;
  /** Sites that are protected, as they were at the start. */
  readonly zones: readonly RunningZone[];
  /** File with the token of the first administrator. */
  readonly tokenFile: string;
  /** PEM file of the local CA, when the certificate is a development one. */
  readonly caFile: string | undefined;
  /** Whether the demo bank is served, for want of zones in the configuration. */
  readonly demo: boolean;
  /** The demo's token configuration, for its mobile app; `undefined` for any other zone. */
  readonly tokenConfigId: string | undefined;
  /**
   * Takes zones, keys and certificate of another configuration into force without ending a connection. Listeners,
   * data directory and workers need a new start.
   *
   * @throws {UserError} for what cannot be used; everything stays as it was then
   */
  reload(config: Config): Promise<void>;
  /** Lets requests finish for `graceMs` milliseconds, then ends everything. */
  close(graceMs: number): Promise<void>;
}

/** One site of a running Stepgate. */
export interface RunningZone {
  /** 32 hex characters, for the paths of the API. */
  readonly id: string;
  /** Name of the site. */
  readonly name: string;
  /** Host names it answers for. */
  readonly hosts: readonly string[];
  /** Where its requests go. */
  readonly origin: string;
  /** Its saved operations. */
  readonly operations: readonly {
    /** `GET`, `POST` and so on. */
    readonly method: string;
    /** Normalised path template, `/users/{var1}`. */
    readonly endpoint: string;
    /** What expressions quote, 8 hex characters. */
    readonly shortId: string;
  }[];
}

/** What serves visitors: this process, or its workers. */
interface Visitors {
  readonly port: number;
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  readonly isServing: () => boolean;
  /** Writes the counts of requests as they are now. */
  readonly flush: () => Promise<void>;
  reload(config: Config, certificate: ServerCertificate): Promise<void>;
  close(graceMs: number): Promise<void>;
}

/**
 * Starts the gateway and the API, as `stepgate start` does.
 *
 * @throws {UserError} for a port in use, an unreadable file or a bad key, in one line
 */
export async function startStepgate({ config, now = Date.now, log }: StartOptions): Promise<RunningStepgate> {
  const logger = log ?? createLog(config.log.level);
  await makeDataDir(config.dataDir);
  // Makes the keys at the first start, before several workers would.
  await loadMasterKeys(config.dataDir, config.keys, process.env["STEPGATE_KEYS"]);
  const certificate = await certificateOf(config, now(), logger);
  // What was started is closed again: first all that serves, together, then the rest in reverse order.
  const serving: ((graceMs: number) => Promise<void>)[] = [];
  const closing: (() => Promise<void> | void)[] = [];
  const closeAll = async (graceMs: number): Promise<void> => {
    await Promise.all(serving.splice(0).map((close) => close(graceMs)));
    for (const close of closing.splice(0).toReversed()) await close();
  };
  try {
    const store = openStoreIn(config.dataDir, now, logger);
    closing.push(() => store.close());
    const demo = config.zones.length === 0 ? await serveDemo(store) : undefined;
    if (demo === undefined) ensureZones(store, config);
    else closing.push(() => demo.close());
    const tokenFile = writeAdminToken(store, config.dataDir);
    const events = openEventsIn(config, now, logger);
    closing.push(() => events.close());
    const counts = await openCounts(config, store, logger);
    closing.push(counts.close);
    const onEvent = (event: SecurityEvent): void => events.add(event);
    const shared = { config, store, certificate, now, logger, onEvent, snapshots: counts.snapshots };
    const visitors = await (config.workers > 1 ? serveByWorkers(shared) : serveHere(shared));
    serving.push((graceMs) => visitors.close(graceMs));
    let isClosing = false;
    const isReady = (): boolean => !isClosing && visitors.isServing();
    const apiListener = await listenApi({ ...shared, events }, visitors, isReady);
    // Answers `/readyz` until the last request has ended; its own are short, event streams aside.
    closing.push(() => apiListener.close(API_GRACE_MS));
    const redirects = await openRedirects(config, store, () => visitors.port);
    if (redirects !== undefined) serving.push((graceMs) => redirects.close(graceMs));
    return {
      gatewayPort: visitors.port,
      apiUrl: `https://${urlHost(config.api.hostname)}:${apiListener.port}/client/v4`,
      zones: runningZones(store),
      tokenFile,
      caFile: certificate.caFile,
      demo: demo !== undefined,
      tokenConfigId: demo?.tokenConfigId,
      async reload(next) {
        const nextCertificate = await certificateOf(next, now(), logger);
        if (next.zones.length > 0) ensureZones(store, next);
        await visitors.reload(next, nextCertificate);
        apiListener.setCertificate(nextCertificate);
      },
      async close(graceMs) {
        isClosing = true;
        await closeAll(graceMs);
      },
    };
  } catch (error) {
    await closeAll(0);
    throw error;
  }
}

function ensureZones(store: Store, { zones }: Config): void {
  store.ensureZones(zones.map(({ name, hosts = [name], origin }) => ({ name, hosts, origin })));
}

type Shared = Omit<Parameters<typeof startDataPlane>[0], "metrics">;

async function serveHere(shared: Shared): Promise<Visitors> {
  const metrics = metricsOf(shared.store);
  const plane = await startDataPlane({ ...shared, metrics });
  return {
    port: plane.listener.port,
    metrics,
    isServing: () => true,
    flush: () => plane.flush(),
    reload: (config, certificate) => plane.reload(config, certificate),
    close: (graceMs) => plane.close(graceMs),
  };
}

async function serveByWorkers({ config, logger, onEvent }: Shared): Promise<Visitors> {
  const workers: Workers = await startWorkers({ count: config.workers, logger, onEvent });
  return {
    port: workers.port,
    metrics: createWorkersMetrics(),
    isServing: () => workers.listening > 0,
    flush: () => workers.flush(),
    // Each reads the configuration itself.
    reload: async () => workers.reload(),
    close: (graceMs) => workers.close(graceMs),
  };
}

/** What a worker runs: the gateway alone, on the store that the first process writes. */
export async function startWorker({
  config,
  now = Date.now,
  log,
  onEvent,
}: StartOptions & { readonly onEvent: (event: SecurityEvent) => void }): Promise<
  Omit<DataPlane, "reload"> & { reload(config: Config): Promise<void> }
> {
  const logger = log ?? createLog(config.log.level);
  const certificate = await certificateOf(config, now(), logger);
  const store = openStoreIn(config.dataDir, now, logger);
  const snapshots = config.analytics.enabled ? await openSnapshots(config) : undefined;
  const shared = { config, store, certificate, now, logger, onEvent, snapshots };
  const plane = await startDataPlane({ ...shared, metrics: metricsOf(store) });
  return {
    gateway: plane.gateway,
    listener: plane.listener,
    flush: () => plane.flush(),
    reload: async (next) => plane.reload(next, await certificateOf(next, now(), logger)),
    async close(graceMs) {
      await plane.close(graceMs);
      await snapshots?.close();
      store.close();
    },
  };
}

function metricsOf(store: Store): Metrics {
  return createMetrics({
    zoneName: (zoneId) => store.get("zones", zoneId)?.name,
    configVersion: () => store.current().version,
  });
}

async function listenApi(
  { config, store, events, certificate, now, logger, snapshots }: Shared & { readonly events: EventStore },
  { metrics, flush }: Visitors,
  isReady: () => boolean,
): Promise<Listener> {
  const { metricsToken, allowedHosts, allowedOrigins } = config.api;
  const api = createApi({
    version: packageJson.version,
    store,
    events,
    ...(snapshots === undefined ? {} : { traffic: { store: snapshots, flush } }),
    now,
    logger,
    checkTokenKeys,
    allowedHosts,
    ...(allowedOrigins === undefined ? {} : { allowedOrigins }),
  });
  const request = withOperationsRoutes(api.handler, { metrics, isReady, metricsToken });
  const { requestTimeoutMs } = config.limits;
  // What the API is sent has an end, unlike visitors' uploads.
  const limits = {
    ...config.limits,
    requestTimeoutMs: requestTimeoutMs === 0 ? API_REQUEST_TIMEOUT_MS : requestTimeoutMs,
  };
  return openListener("api-port", config.api, () =>
    listenHttps(config.api, certificate, { request }, limits),
  );
}

async function openRedirects(
  { gateway: { redirectPort, hostname }, limits }: Config,
  store: Store,
  httpsPort: () => number,
): Promise<Listener | undefined> {
  if (redirectPort === undefined) return undefined;
  const address = { port: redirectPort, hostname };
  const hasHost = (host: string): boolean => store.current().zones.some(({ hosts }) => hosts.includes(host));
  const request = redirectToHttps(httpsPort, hasHost);
  return openListener("gateway.redirectPort", address, () => listenHttp(address, { request }, limits));
}

function runningZones(store: Store): readonly RunningZone[] {
  return store
    .current()
    .zones.map(({ id, name, hosts, origin, operations }) => ({ id, name, hosts, origin, operations }));
}

function urlHost(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
