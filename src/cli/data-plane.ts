/** The gateway of a process: its engine, its listener, and what of it follows the configuration while it runs. */
import { createGateway, listenHttps } from "../gateway/index.ts";
import type { Gateway, GatewayProblem, Listener } from "../gateway/index.ts";
import type { Store } from "../store/index.ts";
import type { SnapshotStore } from "../analytics/index.ts";
import type { SecurityEvent } from "../engine/index.ts";
import type { MasterKey } from "../cookie/index.ts";
import type { Certificate } from "../tls/index.ts";
import type { Config } from "./config.ts";
import { originGroups, withFileZones } from "./file-zones.ts";
import { loadMasterKeys } from "./keys.ts";
import { logEvent, logProblem } from "./log.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { countInto } from "./snapshots.ts";
import { openListener } from "./open-listener.ts";
import { replaceableCarrier } from "./replaceable-carrier.ts";
import { createSequenceCarrier } from "./sequence-cookies.ts";
import type { SequenceCarrier } from "./sequence-cookies.ts";
import { openState } from "./state.ts";

export interface DataPlaneOptions {
  readonly config: Config;
  readonly store: Store;
  readonly certificate: Certificate;
  readonly now: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onEvent: (event: SecurityEvent) => void;
  /** Where counts of requests go; without it nothing is counted. */
  readonly snapshots?: SnapshotStore | undefined;
}

export interface DataPlane {
  readonly gateway: Gateway;
  readonly listener: Listener;
  /** Takes keys, zones and certificate of another configuration into force; requests under way are not touched. */
  reload(config: Config, certificate: Certificate): Promise<void>;
  /** Writes the counts of requests as they are now. */
  flush(): Promise<void>;
  /** Lets requests finish for `graceMs` milliseconds, then ends everything. */
  close(graceMs: number): Promise<void>;
}

/** @throws {UserError} for a port in use, an unreadable file or a bad key, in one line */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { config, store, certificate, now, logger, metrics, snapshots } = options;
  const state = await openState(config, logger);
  const carrierOf = (
    masters: readonly MasterKey[],
    { sequence, challenge, workers }: Config,
  ): SequenceCarrier =>
    createSequenceCarrier(
      masters,
      // Two processes that both lead for one view would delete each other's cookies.
      workers > 1 ? { ...sequence, leads: 1 } : sequence,
      challenge,
      { sequences: state.sequences, now, onRead: metrics.onSequenceRead },
    );
  const carrier = replaceableCarrier(carrierOf(await masterKeys(config), config));
  const source = withFileZones(store, config.zones);
  let origins = await originGroups(store, config.zones);
  const traffic =
    snapshots === undefined ? undefined : countInto(snapshots, { source: store, config, now, logger });
  const gateway = createGateway({
    ...gatewayOptions(options),
    trafficFor: traffic?.trafficFor,
    source,
    ...carrier.carrier,
    rateLimits: state.rateLimits,
    origins: origins.groups,
  });
  try {
    const listener = await openListener("gateway-port", config.gateway, () =>
      listenHttps(config.gateway, certificate, gateway, config.limits),
    );
    return {
      gateway,
      listener,
      async reload(next, nextCertificate) {
        // What can fail comes first: a configuration that does not work leaves everything as it was.
        const masters = await masterKeys(next);
        const nextOrigins = await originGroups(store, next.zones, origins);
        listener.setCertificate(nextCertificate);
        carrier.replace(carrierOf(masters, next));
        origins = nextOrigins;
        gateway.setOrigins(origins.groups);
        source.setZones(next.zones);
      },
      flush: async () => traffic?.flush(),
      async close(graceMs) {
        await listener.close(graceMs);
        await gateway.close();
        await traffic?.close();
        state.close();
      },
    };
  } catch (error) {
    await gateway.close();
    await traffic?.close();
    state.close();
    throw error;
  }
}

/** What of a gateway's options stays as it is while it runs. */
function gatewayOptions({ config, now, logger, metrics, onEvent }: DataPlaneOptions) {
  const { trustedProxies, underscores, methodOverride, via } = config.gateway;
  return {
    now,
    onEvent(event: SecurityEvent) {
      metrics.onEvent(event);
      onEvent(event);
      logEvent(logger, event, config.log.events);
    },
    onProblem(problem: GatewayProblem) {
      metrics.onProblem(problem);
      logProblem(logger, problem);
    },
    onFinished: metrics.onFinished,
    upstream: config.upstream,
    limits: config.limits,
    trustedProxies,
    headers: { underscores, methodOverride },
    via,
  };
}

function masterKeys({ dataDir, keys }: Config): Promise<readonly MasterKey[]> {
  return loadMasterKeys(dataDir, keys, process.env["STEPGATE_KEYS"]);
}
