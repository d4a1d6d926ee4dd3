/** Spans of time as people write them. */

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const satisfies Record<DurationUnit, number>;

/** Milliseconds, seconds, minutes, hours. */
export type DurationUnit = "ms" | "s" | "m" | "h";

/** `"500ms"`, `"2s"`, `"10m"`, `"1h"`, or milliseconds. */
export type Duration = `${number}${DurationUnit}` | number;

/**
 * @returns whole milliseconds
 * @throws {TypeError} for anything but a positive span of at most a day
 */
export function toMilliseconds(duration: Duration): number {
  const ms = typeof duration === "number" ? duration : parse(duration);
  if (Number.isInteger(ms) && ms > 0 && ms <= 24 * UNIT_MS.h) return ms;
  throw new TypeError(
    `expected a span of at most a day such as \`2s\`, \`10m\` or milliseconds, found \`${duration}\``,
  );
}

function parse(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  return match === null ? Number.NaN : Math.round(Number(match[1]) * UNIT_MS[match[2] as DurationUnit]);
}
