/** The configuration of a process: what it needs to start. Everything the API manages lives in the store. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { limitsSchema, originSchema, trustSchema, upstreamSchema, zoneSchema } from "./config-gateway.ts";
import { reasonOf, UserError } from "./user-error.ts";

const port = z.int().min(0).max(65_535);

const listenerSchema = (defaultPort: number, hostname: string) =>
  z.strictObject({
    /** TCP port; 0 takes a free one. */
    port: port.default(defaultPort),
    /** Address to listen on: `127.0.0.1` for this machine only, `0.0.0.0` for every network, `::` for IPv6 too. */
    hostname: z.string().min(1).default(hostname),
  });

const tlsSchema = z.strictObject({
  /** PEM file with the certificate chain, leaf first. */
  certFile: z.string().min(1),
  /** PEM file with the private key. */
  keyFile: z.string().min(1),
});

const configSchema = z.strictObject({
  /** Listener for visitors, HTTPS. */
  gateway: listenerSchema(8443, "0.0.0.0")
    .extend({
      /** Port of a plain HTTP listener that redirects to HTTPS; none unless given. */
      redirectPort: port.optional(),
      ...trustSchema,
    })
    .prefault({}),
  /** Listener for the API, HTTPS; keep it off public networks. */
  api: listenerSchema(9443, "127.0.0.1")
    .extend({
      /** Bearer token for `/metrics`; without it only loopback addresses may read them. */
      metricsToken: z.string().min(16).optional(),
      /** Host names the API answers to besides localhost and loopback addresses, without port. */
      allowedHosts: z.array(z.string().min(1)).default([]),
      /** Origins that zones made through the API may forward to; loopback addresses only unless given. */
      allowedOrigins: z.array(originSchema).optional(),
    })
    .prefault({}),
  /** Processes that serve the gateway. They share the port, the keys and the store, and nothing else. */
  workers: z.int().min(1).max(128).default(1),
  /** Milliseconds that requests under way have after SIGTERM or SIGINT; streams are cut at its end. */
  shutdownGraceMs: z.int().min(0).max(600_000).default(10_000),
  /** Against slow, greedy and too many clients. */
  limits: limitsSchema.prefault({}),
  /** Towards the origins. */
  upstream: upstreamSchema.prefault({}),
  /** Own certificate; without it a local CA and a leaf are made in `certsDir`. */
  tls: tlsSchema.optional(),
  /** Where the local CA and its leaf live. */
  certsDir: z.string().min(1).default("certs"),
  /** Where keys, the store and the admin token live. */
  dataDir: z.string().min(1).default(".stepgate"),
  /** JWK set with the master keys; without it `STEPGATE_KEYS`, then `keys.json` in the data directory. */
  keys: z
    .looseObject({
      /** JWKs of 32 bytes; the newest that is in force (`nbf`) seals, all of them open. */
      keys: z.array(z.unknown()).min(1),
    })
    .optional(),
  /** Sites to protect; without any the demo bank is served. */
  zones: z.array(zoneSchema).default([]),
  /** How much of a visitor's past is remembered. */
  sequence: z
    .strictObject({
      /** Operations remembered per visitor. */
      maxEntries: z.int().min(1).max(64).default(10),
      /** Seconds an operation is remembered. */
      maxAgeSeconds: z.int().min(1).max(7_200).default(3_600),
      /** Responses per view that may rewrite the whole state: 2 for one process, 1 for several. */
      leads: z.int().min(1).max(16).default(2),
    })
    .prefault({}),
  /** Redis for what nodes share: sessions and counters of rate limits. Without it each process has its own. */
  redis: z
    .strictObject({
      /** `redis://` or `rediss://` (TLS), with user, password and database where needed. */
      url: z.url({ protocol: /^rediss?$/ }),
      /** Milliseconds that a request waits for an answer; then rules go by their `on_state_error`. */
      timeoutMs: z.int().min(1).max(1_000).default(50),
    })
    .optional(),
  /** The proof of work that challenge actions ask for. */
  challenge: z
    .strictObject({
      /** Leading zero bits of each of the 16 rounds of work; one more doubles it. 12 takes a laptop about a second. */
      difficultyBits: z.int().min(4).max(18).default(12),
      /** Seconds for which a visitor who passed a challenge is not given another. */
      clearanceSeconds: z.int().min(1).max(86_400).default(1_800),
      /** Whether a clearance holds for one network only (IPv4 /24, IPv6 /64). */
      bindAddress: z.boolean().default(false),
    })
    .prefault({}),
  /** Counting of operations and their sequences for the analytics. */
  analytics: z
    .strictObject({
      /** Whether requests are counted at all. */
      enabled: z.boolean().default(true),
      /** Requests an hour of one sequence that count, so that nobody alone makes the ranking. */
      perSequence: z.int().min(1).max(65_535).default(200),
      /** The same of one network (IPv4 /24, IPv6 /48). */
      perAddressPrefix: z.int().min(1).max(65_535).default(2_000),
    })
    .prefault({}),
  /** How many security events the store keeps, and how long. */
  events: z
    .strictObject({
      /** Security events kept; those of header modifications take at most a tenth of it. */
      maxCount: z.int().min(100).max(10_000_000).default(100_000),
      /** Seconds an event is kept. */
      maxAgeSeconds: z.int().min(60).max(31_536_000).default(604_800),
    })
    .prefault({}),
  /** The log on standard output. */
  log: z
    .strictObject({
      /** The least that is logged; `debug` also shows refused requests. */
      level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
      /** Field names of security events: our own, or those of Logpush's `firewall_events`. */
      events: z.enum(["own", "logpush"]).default("own"),
    })
    .prefault({}),
});

/** What may stand in a configuration file. */
export interface ConfigInput extends z.input<typeof configSchema> {}

/** A complete configuration: every default filled in. */
export interface Config extends z.output<typeof configSchema> {}

/** Names a configuration for editors: `export default defineConfig({ … })`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}

/**
 * Checks a configuration and fills in what it leaves out.
 *
 * @param input what a configuration file may hold, or anything else
 * @param source what to call it in errors, such as the name of its file
 * @throws {UserError} with the path of every offending key
 */
export function parseConfig(input: unknown, source: string): Config {
  const parsed = configSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.length === 0 ? "(top level)" : path.join(".")}: ${message}`,
  );
  throw new UserError(`${source}: ${problems.join("; ")}`);
}

/**
 * Reads `stepgate.config.ts` (or `.js`, `.mjs`, `.json`): its default export, or the JSON value.
 *
 * @throws {UserError} when the file cannot be read, does not run, or does not fit
 */
export async function loadConfig(file: string): Promise<Config> {
  // A module is evaluated once per address: the moment makes that of a reload another one.
  const url = `${pathToFileURL(resolve(file)).href}?at=${Date.now()}`;
  let module: { readonly default?: unknown };
  try {
    module = (await (file.endsWith(".json") ? import(url, { with: { type: "json" } }) : import(url))) as {
      readonly default?: unknown;
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === "ERR_MODULE_NOT_FOUND" ? "it, or something it imports, does not exist" : reasonOf(error);
    throw new UserError(`cannot read the configuration \`${file}\`: ${reason.split("\n")[0]}`);
  }
  if (module.default === undefined) {
    throw new UserError(`${file}: expected a default export with the configuration, found none`);
  }
  return parseConfig(module.default, file);
}
