/** A gateway of the phases' bench in a process of its own: `node peer.ts empty|full ORIGIN`; tells its port by IPC. */
import { createSequenceCarrier } from "../../../src/cli/sequence-cookies.ts";
import { createGateway, listenHttp } from "../../../src/gateway/index.ts";
import { configSource, memoryLimits, testKeys } from "../../support/engine.ts";
import { benchConfiguration } from "./zones.ts";

const [, , kind = "", origin = ""] = process.argv;
const gateway = createGateway({
  source: configSource({ version: 1, ...benchConfiguration(origin, kind === "full") }),
  // The load repeats one visitor's cookies; a visitor who takes one step after the other always gets the whole.
  ...createSequenceCarrier(testKeys(), { maxEntries: 10, maxAgeSeconds: 3600, leads: Infinity }),
  rateLimits: memoryLimits(),
  now: Date.now,
  onEvent: () => undefined,
  onProblem: () => undefined,
});
const { port } = await listenHttp({ port: 0, hostname: "127.0.0.1" }, gateway);
process.on("message", () => process.send?.({ cpu: process.cpuUsage() }));
process.on("disconnect", () => process.exit(0));
process.send?.({ port });
