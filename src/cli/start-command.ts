/** `stepgate start`: the options of the command line, laid over the configuration file. */
import cluster from "node:cluster";
import { defineCommand } from "citty";
import { printBanner } from "./banner.ts";
import { loadConfig, parseConfig } from "./config.ts";
import type { Config } from "./config.ts";
import { reloadOnChange } from "./reload.ts";
import { startStepgate } from "./start.ts";
import { refuseUnknownOptions, UserError } from "./user-error.ts";
import { runWorker } from "./worker.ts";
import { keepRequestsYoung } from "./young-requests.ts";

const args = {
  config: {
    type: "string",
    valueHint: "FILE",
    description: "configuration file (TypeScript, JavaScript or JSON)",
  },
  origin: {
    type: "string",
    valueHint: "URL",
    description: "protect the application at this address instead of the demo",
  },
  host: {
    type: "string",
    valueHint: "NAME",
    description: "host name visitors use for --origin (default: localhost)",
  },
  "gateway-port": {
    type: "string",
    valueHint: "PORT",
    description: "port of the gateway (default: 8443; 0 takes a free one)",
  },
  "api-port": {
    type: "string",
    valueHint: "PORT",
    description: "port of the API (default: 9443; 0 takes a free one)",
  },
  workers: {
    type: "string",
    valueHint: "N",
    description: "processes that serve the gateway (default: 1)",
  },
  "data-dir": {
    type: "string",
    valueHint: "DIR",
    description: "keys, store and admin token (default: .stepgate)",
  },
  "certs-dir": { type: "string", valueHint: "DIR", description: "development certificates (default: certs)" },
} as const;

export const startCommand = defineCommand({
  meta: {
    name: "start",
    description: "Run the gateway and the API; without an origin or a configuration, the demo bank",
  },
  args,
  async run({ args: given, rawArgs }) {
    keepRequestsYoung();
    refuseUnknownOptions(rawArgs, args);
    if (given._.length > 0)
      throw new UserError(`unexpected argument \`${given._.join(" ")}\`: start takes options only`);
    const config = await effectiveConfig(given);
    const reload = (): Promise<Config> => effectiveConfig(given);
    if (cluster.isWorker) {
      await runWorker(config, reload);
      return;
    }
    const stepgate = await startStepgate({ config });
    printBanner(stepgate, (line) => process.stdout.write(`${line}\n`));
    stopOnSignal(() => stepgate.close(config.shutdownGraceMs));
    reloadOnChange({ config, files: given.config === undefined ? [] : [given.config] }, async () =>
      stepgate.reload(await reload()),
    );
  },
});

type Flags = { readonly [Name in keyof typeof args]?: string | undefined };

async function effectiveConfig(flags: Flags): Promise<Config> {
  const base = flags.config === undefined ? parseConfig({}, "defaults") : await loadConfig(flags.config);
  if (flags.host !== undefined && flags.origin === undefined) {
    throw new UserError("--host names the visitors' host of --origin: give --origin too");
  }
  return parseConfig(
    {
      ...base,
      gateway: { ...base.gateway, ...portFlag("gateway-port", flags["gateway-port"]) },
      api: { ...base.api, ...portFlag("api-port", flags["api-port"]) },
      ...(flags["data-dir"] === undefined ? {} : { dataDir: flags["data-dir"] }),
      ...(flags.workers === undefined ? {} : { workers: numberFlag("workers", flags.workers) }),
      ...(flags["certs-dir"] === undefined ? {} : { certsDir: flags["certs-dir"] }),
      ...(flags.origin === undefined
        ? {}
        : { zones: [...base.zones, { name: flags.host ?? "localhost", origin: flags.origin }] }),
    },
    "command line",
  );
}

function numberFlag(name: string, text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new UserError(`--${name}: expected a number, found \`${text}\``);
  return Number(text);
}

function portFlag(name: string, text: string | undefined): { readonly port?: number } {
  if (text === undefined) return {};
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UserError(`--${name}: expected a port from 0 to 65535, found \`${text}\``);
  }
  return { port: Number(text) };
}

/** The first SIGINT or SIGTERM lets requests finish, the second ends the process at once. */
function stopOnSignal(close: () => Promise<void>): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    void (async () => {
      await close();
      process.exit(0);
    })();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}
