/** Puts a running Stepgate together: store, keys, certificates, gateway and API in one process. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { createApi } from "../api/index.ts";
import { checkTokenKeys } from "../cookie/index.ts";
import { BANK_OPERATIONS, startBank } from "../demo/index.ts";
import { createGateway, listenHttp, listenHttps, redirectToHttps } from "../gateway/index.ts";
import type { Gateway, ListenAddress, Listener, ConnectionHandlers } from "../gateway/index.ts";
import { openEventStore, openStore } from "../store/index.ts";
import type { EventStore, Store } from "../store/index.ts";
import { ensureDevCertificate, loadCertificate } from "../tls/index.ts";
import type { Certificate } from "../tls/index.ts";
import type { Config } from "./config.ts";
import { loadMasterKeys } from "./keys.ts";
import { createLog, logEvent, logProblem } from "./log.ts";
import type { Logger } from "./log.ts";
import { writePrivateFileSync } from "./private-file.ts";
import { createSequenceCarrier } from "./sequence-cookies.ts";
import { saveOperations } from "./save-operations.ts";
import { openState } from "./state.ts";
import { reasonOf, UserError } from "./user-error.ts";

export interface StartOptions {
  readonly config: Config;
  /** The clock, epoch milliseconds; the system's unless given. */
  readonly now?: () => number;
  readonly log?: Logger;
}

export interface RunningStepgate {
  readonly gatewayPort: number;
  readonly apiUrl: string;
  readonly zones: readonly RunningZone[];
  readonly tokenFile: string;
  /** PEM file of the local CA, when the certificate is a development one. */
  readonly caFile: string | undefined;
  readonly demo: boolean;
  /** Lets requests finish for `graceMs` milliseconds, then ends everything. */
  close(graceMs: number): Promise<void>;
}

export interface RunningZone {
  readonly id: string;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly origin: string;
  readonly operations: readonly {
    readonly method: string;
    readonly endpoint: string;
    readonly shortId: string;
  }[];
}

/**
 * @throws {UserError} for a port in use, an unreadable file or a bad key, in one line
 */
export async function startStepgate({ config, now = Date.now, log }: StartOptions): Promise<RunningStepgate> {
  const logger = log ?? createLog(config.log.level);
  await makeDataDir(config.dataDir);
  const masters = await loadMasterKeys(config.dataDir, config.keys, process.env["STEPGATE_KEYS"]);
  const certificate = await certificateOf(config, now(), logger);
  // What was started is closed again in reverse order, also when a later step fails.
  const closing: (() => Promise<void> | void)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closing.toReversed()) await close();
  };
  try {
    const store = openStoreIn(config.dataDir, now, logger);
    closing.push(() => store.close());
    const demo = config.zones.length === 0;
    if (demo) closing.push(await serveDemo(store));
    else store.ensureZones(config.zones.map((zone) => ({ ...zone, hosts: zone.hosts ?? [zone.name] })));
    const tokenFile = writeAdminToken(store, config.dataDir);
    const events = openEventsIn(config, now, logger);
    closing.push(() => events.close());
    const state = await openState(config, logger);
    closing.push(() => state.close());
    const gateway = createGateway({
      source: store,
      ...createSequenceCarrier(masters, config.sequence, config.challenge, {
        sequences: state.sequences,
        now,
      }),
      rateLimits: state.rateLimits,
      now,
      onEvent: (event) => {
        events.add(event);
        logEvent(logger, event, config.log.events);
      },
      onProblem: (problem) => logProblem(logger, problem),
    });
    closing.push(() => gateway.close());
    const listeners = await listenOn(config, { store, events, gateway, certificate, now, logger });
    return {
      gatewayPort: listeners.gateway.port,
      apiUrl: `https://${urlHost(config.api.hostname)}:${listeners.api.port}/client/v4`,
      zones: runningZones(store),
      tokenFile,
      caFile: certificate.caFile,
      demo,
      async close(graceMs) {
        await Promise.all(listeners.all.map((listener) => listener.close(graceMs)));
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UserError(`cannot make the data directory \`${dataDir}\`: ${reasonOf(error)}`);
  }
}

interface ServerCertificate extends Certificate {
  /** PEM file of the local CA; `undefined` for a certificate of the operator's own. */
  readonly caFile: string | undefined;
}

async function certificateOf(config: Config, nowMs: number, logger: Logger): Promise<ServerCertificate> {
  try {
    if (config.tls !== undefined) {
      const own = await loadCertificate(config.tls, nowMs);
      for (const warning of own.warnings) logger.warn(warning);
      return { ...own, caFile: undefined };
    }
    const hosts = config.zones.flatMap((zone) => zone.hosts ?? [zone.name]);
    return await ensureDevCertificate({ dir: config.certsDir, nowMs, hosts });
  } catch (error) {
    throw new UserError((error as Error).message);
  }
}

/** Milliseconds between looks for what `stepgate import` or another process wrote. */
const REFRESH_EVERY_MS = 100;

function openStoreIn(dataDir: string, now: () => number, logger: Logger): Store {
  const path = join(dataDir, "stepgate.db");
  try {
    return openStore({
      path,
      now,
      random: (lengthBytes) => randomBytes(lengthBytes),
      refreshEveryMs: REFRESH_EVERY_MS,
      onListenerError: (error) =>
        logger.error(
          { event: "configuration", error: reasonOf(error) },
          "a change could not be put in force",
        ),
    });
  } catch (error) {
    throw new UserError(`cannot open the store \`${path}\`: ${reasonOf(error)}`);
  }
}

function openEventsIn({ dataDir, events }: Config, now: () => number, logger: Logger): EventStore {
  const path = join(dataDir, "events.db");
  try {
    return openEventStore({
      path,
      now,
      maxEvents: events.maxCount,
      maxAgeMs: events.maxAgeSeconds * 1000,
      onError: (error) =>
        logger.error({ event: "events", error: error.message }, "events could not be written"),
    });
  } catch (error) {
    throw new UserError(`cannot open the events \`${path}\`: ${reasonOf(error)}`);
  }
}

/** The bank as origin, and its zone; the operations are saved once, when the zone is new. */
async function serveDemo(store: Store): Promise<() => Promise<void>> {
  const bank = await startBank({ port: 0, hostname: "127.0.0.1" });
  const [zone] = store.ensureZones([{ name: "localhost", hosts: ["localhost"], origin: bank.origin }]);
  if (zone !== undefined && store.count("operations", zone.id) === 0) {
    saveOperations(store, zone, BANK_OPERATIONS);
  }
  return () => bank.close();
}

/** The first start of a data directory makes a token with every permission; its text is kept in a file only. */
function writeAdminToken(store: Store, dataDir: string): string {
  const file = join(dataDir, "admin-token");
  store.ensureAdminToken((token) => writePrivateFileSync(file, `${token}\n`));
  return file;
}

function apiAccess({ allowedHosts, allowedOrigins }: Config["api"]) {
  return { allowedHosts, ...(allowedOrigins === undefined ? {} : { allowedOrigins }) };
}

interface Listeners {
  readonly gateway: Listener;
  readonly api: Listener;
  readonly all: readonly Listener[];
}

interface Planes {
  readonly store: Store;
  readonly events: EventStore;
  readonly gateway: Gateway;
  readonly certificate: Certificate;
  readonly now: () => number;
  readonly logger: Logger;
}

async function listenOn(
  config: Config,
  { store, events, gateway, certificate, now, logger }: Planes,
): Promise<Listeners> {
  const all: Listener[] = [];
  const open = async (
    option: string,
    address: ListenAddress,
    start: () => Promise<Listener>,
  ): Promise<Listener> => {
    try {
      const listener = await start();
      all.push(listener);
      return listener;
    } catch (error) {
      await Promise.all(all.map((listener) => listener.close(0)));
      throw listenError(option, address, error);
    }
  };
  const https = (address: ListenAddress, handlers: ConnectionHandlers) => () =>
    listenHttps(address, certificate, handlers);
  const gatewayListener = await open("gateway-port", config.gateway, https(config.gateway, gateway));
  const api = createApi({
    version: packageJson.version,
    store,
    events,
    now,
    logger,
    checkTokenKeys,
    ...apiAccess(config.api),
  });
  const apiListener = await open("api-port", config.api, https(config.api, { request: api.handler }));
  const { redirectPort } = config.gateway;
  if (redirectPort !== undefined) {
    const address = { port: redirectPort, hostname: config.gateway.hostname };
    const handler = redirectToHttps(
      () => gatewayListener.port,
      (host) => gateway.hasHost(host),
    );
    await open("gateway.redirectPort", address, () => listenHttp(address, { request: handler }));
  }
  return { gateway: gatewayListener, api: apiListener, all };
}

function listenError(option: string, { port, hostname }: ListenAddress, error: unknown): UserError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new UserError(
      `port ${port} on ${hostname} is in use: end what listens there, or choose another with --${option}`,
    );
  }
  if (code === "EACCES") {
    return new UserError(
      `port ${port} needs privileges this process does not have: choose one from 1024 with --${option}`,
    );
  }
  return new UserError(`cannot listen on ${hostname} port ${port}: ${reasonOf(error)}`);
}

function runningZones(store: Store): readonly RunningZone[] {
  return store
    .current()
    .zones.map(({ id, name, hosts, origin, operations }) => ({ id, name, hosts, origin, operations }));
}

function urlHost(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
