/** Random request targets and templates that are likely to hit the corners. */
import * as fc from "fast-check";
import { DEFAULT_PATH_OPTIONS } from "../../src/operation/index.ts";
import type { Operation, PathOptions } from "../../src/operation/index.ts";

/** Pieces of hostile paths: separators, dots, parameters and everything that is an escape of one of them. */
const PIECES = [
  ...Array.from("//..;aAbZ09~-_+&=@:{}|[]^`<>\"'%"),
  ...Array.from("\\#? \t\0\u007f\u0080\u00ff"),
  "//",
  "/./",
  "/../",
  "..;",
  "..%3b",
  "%2e",
  "%2E%2e",
  "%2f",
  "%5C",
  "%3b",
  "%40",
  "%25",
  "%252e",
  "%2525",
  "%7e",
  "%41",
  "%00",
  "%0a",
  "%7f",
  "%20",
  "%c5%bf",
  "%e2%84%aa",
  "%c3",
  "%a9",
  "%f3",
  "%c0%af",
  "%ed%a0%80",
  "%f4%90%80%80",
  "%u0074",
  "%zz",
  "%2",
  ".json",
] as const;

export const hostilePath = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 24 })
  .map((pieces) => `/${pieces.join("")}`);

/** One character per byte, as Node hands targets over; mostly no path at all. */
export const binaryString = fc
  .uint8Array({ maxLength: 64 })
  .map((bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

export const anyTarget = fc.oneof(
  hostilePath,
  binaryString,
  fc
    .tuple(fc.constantFrom("http://", "HTTPS://h", "http://h:8", "*", ""), hostilePath)
    .map((parts) => parts.join("")),
);

export const pathOptions: fc.Arbitrary<PathOptions> = fc.record({
  maxTargetBytes: fc.constant(DEFAULT_PATH_OPTIONS.maxTargetBytes),
  encodedSlash: fc.constantFrom("reject", "keep", "decode"),
  encodedBackslash: fc.constantFrom("reject", "keep", "decode"),
  doubleEncoding: fc.constantFrom("reject", "keep"),
  caseSensitive: fc.boolean(),
  caseFolding: fc.constantFrom("ascii", "unicode"),
  trailingSlash: fc.constantFrom("fold", "keep"),
  params: fc.constantFrom("fold", "cut", "keep"),
  formatSuffix: fc.constantFrom("fold", "keep"),
  pathInfo: fc.constantFrom("off", "prefix"),
});

/** An operation with the parts that matter for matching; the id counts up. */
export function operation(
  method: Operation["method"],
  host: string,
  endpoint: string,
  number = 0,
): Operation {
  const shortId = number.toString(16).padStart(8, "0");
  return {
    id: `${shortId}-0000-4000-8000-000000000000`,
    shortId,
    method,
    host,
    endpoint,
    lastUpdatedAt: 0,
    record: "forwarded",
    prefetch: "record",
  };
}
