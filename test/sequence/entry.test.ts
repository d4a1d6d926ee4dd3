import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodePayload, encodePayload, opNumberOf } from "../../src/sequence/index.ts";

const AT = 1_800_000_000_000;

test("an entry of a cookie knows the number that its short id spells, and is equal to one that does not", () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (number) => {
      const op = number.toString(16).padStart(8, "0");
      const payload = { sid: 7, genesis: false, entries: [{ op, at: AT }] };
      const [entry] = decodePayload(encodePayload(payload), AT)?.entries ?? [];
      expect(entry).toEqual({ op, at: AT });
      expect(opNumberOf(entry!)).toBe(number | 0);
      expect(opNumberOf({ op })).toBe(number | 0);
    }),
  );
});

test.each(["", "0000000", "000000000", "0000000A", "0000000g", "-0000001", "00000 01", "0000000\u0131"])(
  "%j is no short id and spells no number",
  (op) => {
    expect(opNumberOf({ op })).toBeUndefined();
  },
);
