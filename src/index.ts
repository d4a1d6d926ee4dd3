/** Stepgate for programmers: run it from a program, and name its configuration. */
export { defineConfig, loadConfig, parseConfig } from "./cli/config.ts";
export type { Config, ConfigInput } from "./cli/config.ts";
export { startStepgate } from "./cli/start.ts";
export type { RunningStepgate, RunningZone, StartOptions } from "./cli/start.ts";
