/**
 * Stepgate for programmers: run it from a program, and name its configuration.
 *
 * @module stepgate
 */
export { defineConfig, loadConfig, parseConfig } from "./cli/config.ts";
export type { Config, ConfigInput } from "./cli/config.ts";
export type { LoadLimits, ZonePathOptions } from "./cli/config-gateway.ts";
export { UserError } from "./cli/user-error.ts";
export type { GuardLimits, ListenerLimits } from "./gateway/index.ts";
export type { PathOptions } from "./operation/index.ts";
export type { UpstreamLimits } from "./proxy/index.ts";
export { startStepgate } from "./cli/start.ts";
export type { RunningStepgate, RunningZone, StartOptions } from "./cli/start.ts";
