import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { MAX_PAYLOAD_BYTES, decodePayload, encodePayload } from "../../src/sequence/index.ts";
import type { SequenceEntry, SequencePayload } from "../../src/sequence/index.ts";
import { NOW, anyPayload } from "./arbitraries.ts";

/** Entries `gapMs` apart, the newest at `NOW`. */
function spaced(count: number, gapMs: number): readonly SequenceEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    op: index.toString(16).padStart(8, "0"),
    at: NOW - index * gapMs,
  }));
}

const payload = (entries: readonly SequenceEntry[], genesis = false): SequencePayload => ({
  sid: 0x0102_0304_0506,
  genesis,
  entries,
});

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));

describe("layout", () => {
  test("version 1, byte for byte", () => {
    const at = 0x1_8000_0001;
    const bytes = encodePayload(
      payload(
        [
          { op: "deadbeef", at },
          { op: "00000001", at: at - 300 },
        ],
        true,
      ),
    );
    expect(hexOf(bytes)).toBe("62 010203040506 80000001 deadbeef 00000001 ac02".replaceAll(" ", ""));
  });

  test.each([
    [1, 0, 15],
    [2, 5, 20],
    [5, 3_000, 39],
    [10, 127, 60],
    [10, 3_000, 69],
    [10, 20_000, 78],
    [10, 300_000, 78],
  ])("%i entries %i ms apart take %i bytes", (count, gapMs, bytes) => {
    expect(encodePayload(payload(spaced(count, gapMs)))).toHaveLength(bytes);
  });

  test("version 2 holds 11 to 64 entries and costs one byte more", () => {
    expect(hexOf(encodePayload(payload(spaced(11, 1)))).slice(0, 4)).toBe("800b");
    expect(encodePayload(payload(spaced(64, 86_400_000 / 64)))).toHaveLength(12 + 4 + 63 * 7);
    expect(decodePayload(encodePayload(payload(spaced(64, 1_000))), NOW)?.entries).toEqual(spaced(64, 1_000));
  });

  test("round trip", () => {
    fc.assert(
      fc.property(anyPayload, fc.integer({ min: -86_400_000, max: 86_400_000 }), (value, later) => {
        const bytes = encodePayload(value);
        expect(bytes.length).toBeLessThanOrEqual(MAX_PAYLOAD_BYTES);
        expect(decodePayload(bytes, NOW + later)).toEqual(value);
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 1_790_000_000_123])(
    "the full time comes back around %i",
    (at) => {
      const bytes = encodePayload(payload([{ op: "00000000", at }]));
      for (const later of [-60_000, 0, 1, 7_200_000, 86_400_000]) {
        expect(decodePayload(bytes, at + later)?.entries[0]?.at).toBe(at);
      }
    },
  );
});

describe("what does not decode", () => {
  const sid = "010203040506";
  const time = "80000001";

  test.each([
    ["nothing", ""],
    ["no entry", `40 ${sid} ${time}`],
    ["version 0", `01 ${sid} ${time} deadbeef`],
    ["version 3", `c1 ${sid} ${time} deadbeef`],
    ["the reserved bit", `51 ${sid} ${time} deadbeef`],
    ["a count that version 1 does not use", `4b ${sid} ${time} deadbeef ${"0000000001".repeat(10)}`],
    ["ten entries in the long layout", `80 0a ${sid} ${time} deadbeef ${"0000000001".repeat(9)}`],
    ["a count in both places", `8b 0b ${sid} ${time} deadbeef ${"0000000001".repeat(10)}`],
    ["65 entries", `80 41 ${sid} ${time} deadbeef ${"0000000001".repeat(64)}`],
    ["a cut off id", `41 ${sid} ${time} deadbe`],
    ["a cut off time", `42 ${sid} ${time} deadbeef 00000001`],
    ["a time without an end", `42 ${sid} ${time} deadbeef 00000001 80`],
    ["a trailing byte", `41 ${sid} ${time} deadbeef 00`],
    ["a trailing byte after times", `42 ${sid} ${time} deadbeef 00000001 01 00`],
    ["a time not in its shortest form", `42 ${sid} ${time} deadbeef 00000001 8100`],
    ["zero in two bytes", `42 ${sid} ${time} 00000001 deadbeef 8000`],
    ["a time of five bytes", `42 ${sid} ${time} deadbeef 00000001 8080808001`],
    ["the same entry twice", `42 ${sid} ${time} deadbeef deadbeef 00`],
    ["entries of one instant out of order", `42 ${sid} ${time} deadbeef 00000001 00`],
  ])("%s", (_, hex) => {
    expect(decodePayload(bytesOf(hex), NOW)).toBeUndefined();
  });

  test("more bytes than 64 entries can take", () => {
    expect(decodePayload(new Uint8Array(100_000).fill(0x41), NOW)).toBeUndefined();
  });

  test("hostile bytes never throw, and what decodes has no second spelling", () => {
    const header = fc.constantFrom(0x41, 0x42, 0x4a, 0x61, 0x6a, 0x80, 0xa0);
    const hostile = fc
      .tuple(header, fc.uint8Array({ maxLength: 90 }))
      .map(([first, rest]) => Uint8Array.of(first, ...rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), hostile), (bytes) => {
        const decoded = decodePayload(bytes, NOW);
        expect(hexOf(decoded === undefined ? bytes : encodePayload(decoded))).toBe(hexOf(bytes));
      }),
      { numRuns: 10_000 },
    );
  });

  test("changed bytes of a real payload never throw, and what decodes has no second spelling", () => {
    const position = fc.nat({ max: 500 });
    fc.assert(
      fc.property(anyPayload, position, fc.nat({ max: 255 }), (value, at, byte) => {
        const bytes = encodePayload(value).slice();
        bytes[at % bytes.length] = byte;
        const decoded = decodePayload(bytes, NOW);
        expect(hexOf(decoded === undefined ? bytes : encodePayload(decoded))).toBe(hexOf(bytes));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("what a program may not write", () => {
  test.each([
    ["no entry", payload([]), "expected 1 to 64 entries, found 0"],
    ["65 entries", payload(spaced(65, 1)), "expected 1 to 64 entries, found 65"],
    ["a short id in capitals", payload([{ op: "DEADBEEF", at: NOW }]), "8 lower-case hex characters"],
    ["a short id of seven", payload([{ op: "deadbee", at: NOW }]), "8 lower-case hex characters"],
    ["an id of 49 bits", { ...payload(spaced(1, 1)), sid: 2 ** 48 }, "expected a 48-bit sequence id"],
    ["entries oldest first", payload(spaced(2, -1)), "expected entries newest first"],
    ["entries four days apart", payload(spaced(2, 4 * 86_400_000)), "at most 268435455 ms apart"],
    ["the same entry twice", payload([...spaced(1, 0), ...spaced(1, 0)]), "expected entries newest first"],
  ])("%s", (_, value, message) => {
    expect(() => encodePayload(value)).toThrow(message);
  });
});
