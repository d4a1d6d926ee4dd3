import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { mintSid, selectChain } from "../../src/sequence/index.ts";
import type { SequencePayload } from "../../src/sequence/index.ts";
import { NOW, TEN } from "./arbitraries.ts";

const sidBornAt = (bornAt: number, random = 1) => mintSid(bornAt, Uint8Array.of(0, 0, 0, random));

function payload(sid: number, ops: Readonly<Record<string, number>>, genesis = false): SequencePayload {
  const entries = Object.entries(ops).map(([op, at]) => ({ op, at: NOW + at }));
  return { sid, genesis, entries: entries.toSorted((a, b) => b.at - a.at) };
}

const opsOf = (payloads: readonly SequencePayload[], bound?: readonly number[]) =>
  selectChain(payloads, TEN, bound).sequence.entries.map((entry) => entry.op);

const OLD = sidBornAt(NOW - 600_000);
const YOUNG = sidBornAt(NOW - 30_000);

describe("which cookies belong together", () => {
  test("none: a new visitor", () => {
    expect(selectChain([], TEN)).toEqual({ sid: undefined, sequence: { entries: [] }, foreign: 0 });
  });

  test("all of one chain", () => {
    const chain = selectChain([payload(OLD, { a: 0, b: -5 }), payload(OLD, { c: -3 })], TEN);
    expect(chain.sid).toBe(OLD);
    expect(chain.sequence.entries.map((entry) => entry.op)).toEqual(["a", "c", "b"]);
    expect(chain.foreign).toBe(0);
  });

  test("of two chains, that with the newest entry; the other is counted and ignored", () => {
    const chain = selectChain([payload(OLD, { a: -1 }), payload(YOUNG, { b: 0 })], TEN);
    expect(chain.sid).toBe(YOUNG);
    expect(chain.sequence.entries.map((entry) => entry.op)).toEqual(["b"]);
    expect(chain.foreign).toBe(1);
  });

  test("a chain that has just begun never displaces an established one", () => {
    const established = payload(OLD, { a: -100_000 });
    expect(opsOf([established, payload(sidBornAt(NOW), { b: 0 }, true)])).toEqual(["a"]);
  });

  test("chains begun by the parallel requests of a first visit are one", () => {
    const first = payload(sidBornAt(NOW, 1), { a: 40 }, true);
    const second = payload(sidBornAt(NOW + 9_000, 2), { b: 9_050 }, true);
    const chain = selectChain([second, first], TEN);
    expect(chain.sid).toBe(first.sid);
    expect(chain.sequence.entries.map((entry) => entry.op)).toEqual(["b", "a"]);
  });

  test("so are their continuations, however much later they meet", () => {
    const one = payload(sidBornAt(NOW, 1), { a: 0, c: 900_000 });
    const other = payload(sidBornAt(NOW + 2_000, 2), { b: 2_000, d: 901_000 });
    expect(opsOf([one, other])).toEqual(["d", "c", "b", "a"]);
  });

  test("across the wrap of the 16-bit birth", () => {
    const wrapAt = 65_536_000 * 27_000;
    const before = payload(sidBornAt(wrapAt - 1_000, 1), { a: 0 }, true);
    const after = payload(sidBornAt(wrapAt + 1_000, 2), { b: 10 }, true);
    expect(opsOf([before, after])).toEqual(["b", "a"]);
  });

  test.each([10_000, 11_000, 3_600_000, 32_768_000])(
    "not chains begun %i ms apart, unless within 10 s",
    (apart) => {
      const one = payload(sidBornAt(NOW, 1), { a: 0 });
      const other = payload(sidBornAt(NOW + apart, 2), { b: 10 });
      expect(opsOf([one, other])).toEqual(apart <= 10_000 ? ["b", "a"] : ["b"]);
    },
  );

  test("the order of the cookies does not matter", () => {
    const anySid = fc.constantFrom(
      OLD,
      YOUNG,
      sidBornAt(NOW, 1),
      sidBornAt(NOW, 2),
      sidBornAt(NOW + 5_000, 3),
    );
    const anyCookie = fc
      .record({ sid: anySid, genesis: fc.boolean(), op: fc.constantFrom("a", "b"), at: fc.nat({ max: 5 }) })
      .map(({ sid, genesis, op, at }) => payload(sid, { [op]: at }, genesis));
    const shuffled = fc
      .array(anyCookie, { maxLength: 8 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(selectChain(one, TEN)).toEqual(selectChain(other, TEN));
      }),
    );
  });

  test("no more entries than the limits allow, also from one cookie of older limits", () => {
    const long = payload(
      OLD,
      Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`${index}`, -index])),
    );
    expect(opsOf([long, payload(OLD, { z: 5 })])).toHaveLength(10);
  });
});

describe("bound chains", () => {
  test("only cookies of the allowed ids, the first of which is written", () => {
    const chain = selectChain(
      [payload(7, { a: 0 }), payload(8, { b: 1 }), payload(9, { c: 2 })],
      TEN,
      [8, 7],
    );
    expect(chain.sid).toBe(8);
    expect(chain.sequence.entries.map((entry) => entry.op)).toEqual(["b", "a"]);
    expect(chain.foreign).toBe(1);
  });

  test("a copied cookie is worth nothing, even when the chains were born in the same second", () => {
    const mine = sidBornAt(NOW, 1);
    const chain = selectChain([payload(sidBornAt(NOW, 2), { a: 0 }, true)], TEN, [mine]);
    expect(chain).toEqual({ sid: mine, sequence: { entries: [] }, foreign: 1 });
  });
});

describe("new chain ids", () => {
  test("48 bits: birth in seconds, then randomness", () => {
    const sid = mintSid(1_790_000_000_999, Uint8Array.of(0xff, 0x00, 0x80, 0x01));
    expect(sid.toString(16).padStart(12, "0")).toBe(
      (1_790_000_000 % 65_536).toString(16).padStart(4, "0") + "ff008001",
    );
    expect(Number.isSafeInteger(sid)).toBe(true);
  });
});
