/** Side door for folders that need the words of the adapters, not an engine. */
export { toMilliseconds } from "./duration.ts";
export type { Duration, DurationUnit } from "./duration.ts";
