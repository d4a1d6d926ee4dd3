import { describe, expect, test } from "vitest";

import { createKeyRing } from "../../src/cookie/index.ts";
import type { MasterKey } from "../../src/cookie/index.ts";
import {
  HOUR_MS,
  HOUR_START,
  MASTER,
  NOW,
  OPS,
  OTHER_ZONE,
  SECOND_MASTER,
  ZONE,
  createProcess,
  nameOf,
  opsOf,
  pairOf,
  secretOf,
} from "./fixtures.ts";

const [A = ""] = OPS;
const EPOCH = HOUR_START / HOUR_MS;
const SHARD = 2 ** 30;

const exported = (key: { export(): Buffer } | undefined) => key?.export().toString("hex");

describe("derived keys", () => {
  const ring = createKeyRing([MASTER]);
  const key = (zone: string, nowMs: number) => exported(ring.zone(zone).sealing(nowMs)?.key);

  test("as documented: HKDF-SHA256 with the zone, the hour and the shard", async () => {
    const ikm = await crypto.subtle.importKey("raw", Uint8Array.from(MASTER.secret), "HKDF", false, [
      "deriveBits",
    ]);
    const text = new TextEncoder();
    const algorithm = {
      name: "HKDF",
      hash: "SHA-256",
      salt: text.encode("seq-cookie-v1"),
      info: text.encode(`zone=${ZONE};epoch=${EPOCH};shard=0`),
    };
    const bits = await crypto.subtle.deriveBits(algorithm, ikm, 256);
    expect(key(ZONE, HOUR_START)).toBe(Buffer.from(bits).toString("hex"));
  });

  test("one for each zone and hour", () => {
    const keys = [
      key(ZONE, HOUR_START),
      key(OTHER_ZONE, HOUR_START),
      key(ZONE, HOUR_START + HOUR_MS),
      key(OTHER_ZONE, HOUR_START - 1),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(key(ZONE, HOUR_START + HOUR_MS - 1)).toBe(keys[0]);
  });

  test("sealing and opening agree, also when the clock goes back", () => {
    for (const nowMs of [HOUR_START, HOUR_START + HOUR_MS, HOUR_START - 1, HOUR_START]) {
      const sealing = ring.zone(ZONE).sealing(nowMs);
      expect(sealing?.epoch).toBe(Math.floor(nowMs / HOUR_MS));
      expect(
        ring
          .zone(ZONE)
          .opening(sealing?.epoch ?? 0, 0)
          .map(exported),
      ).toEqual([exported(sealing?.key)]);
    }
  });

  test("are derived once", () => {
    const zone = ring.zone(ZONE);
    expect(zone.opening(EPOCH, 0)[0]).toBe(zone.opening(EPOCH, 0)[0]);
    expect(zone.sealing(NOW)?.key).toBe(zone.sealing(NOW)?.key);
    expect(zone.binding(NOW)[0]).toBe(zone.binding(NOW)[0]);
    expect(zone.naming(NOW)).toBe(zone.naming(NOW));
  });

  test("a flood of names keeps the memory bounded: the keys used longest ago go", () => {
    const zone = createKeyRing([MASTER]).zone(ZONE);
    const [first] = zone.opening(EPOCH, 0);
    for (let epoch = EPOCH + 1; epoch <= EPOCH + 255; epoch += 1) zone.opening(epoch, 0);
    expect(zone.opening(EPOCH, 0)[0]).toBe(first);
    for (let epoch = EPOCH + 256; epoch <= EPOCH + 520; epoch += 1) zone.opening(epoch, 0);
    expect(zone.opening(EPOCH, 0)[0]).not.toBe(first);
  });
});

describe("seals under one key", () => {
  test("the process counts for itself, by zone and hour", () => {
    const counted: string[] = [];
    const ring = createKeyRing([MASTER], {
      countSeal: (zoneId, epoch) => counted.push(`${zoneId} ${epoch}`),
    });
    ring.zone(ZONE).sealing(HOUR_START);
    ring.zone(OTHER_ZONE).sealing(HOUR_START + HOUR_MS);
    expect(counted).toEqual([`${ZONE} ${EPOCH}`, `${OTHER_ZONE} ${EPOCH + 1}`]);
  });

  test.each([
    [1, 0],
    [SHARD, 0],
    [SHARD + 1, 1],
    [2 * SHARD, 1],
    [2 * SHARD + 1, 2],
    [9 * SHARD, 8],
  ])("the %ith is under shard %i", (seals, shard) => {
    const ring = createKeyRing([MASTER], { countSeal: () => seals });
    expect(ring.zone(ZONE).sealing(NOW)?.shard).toBe(shard);
    const cookies = createProcess({ keyRing: ring });
    const [line] = cookies.write(cookies.read(undefined, NOW), A, NOW);
    // Another process has sealed little and still opens it: the shard is part of the name.
    expect(opsOf(createProcess(), pairOf(line), NOW)).toEqual([A]);
    const key = createKeyRing([MASTER])
      .zone(ZONE)
      .opening(Math.floor(NOW / HOUR_MS), shard)[0];
    expect(exported(ring.zone(ZONE).sealing(NOW)?.key)).toBe(exported(key));
  });

  test("the key changes while it seals", () => {
    let seals = SHARD - 1;
    const cookies = createProcess({
      keyRing: createKeyRing([MASTER], {
        countSeal: () => {
          seals += 1;
          return seals;
        },
      }),
    });
    const names = [0, 1, 2].map(() => nameOf(cookies.write(cookies.read(undefined, NOW), A, NOW)[0]));
    expect(names.map((name) => name.at(11) === "4")).toEqual([false, true, true]);
  });

  test("when all shards are used up, nothing is written until the next hour", () => {
    const keyRing = createKeyRing([MASTER], {
      countSeal: (_, epoch) => (epoch === EPOCH ? 9 * SHARD + 1 : 1),
    });
    const cookies = createProcess({ keyRing });
    expect(cookies.write(cookies.read(undefined, HOUR_START), A, HOUR_START)).toEqual([]);
    expect(cookies.write(cookies.read(undefined, HOUR_START), A, HOUR_START + HOUR_MS)).toHaveLength(1);
  });

  test("the counter begins again with each hour and survives an update of the keys", () => {
    const ring = createKeyRing([MASTER]);
    ring.zone(ZONE).sealing(HOUR_START);
    ring.update([MASTER, SECOND_MASTER]);
    expect(ring.zone(ZONE).sealing(HOUR_START)?.shard).toBe(0);
  });
});

describe("turns of master keys", () => {
  const third: MasterKey = { id: "third", secret: secretOf(3), activeFrom: HOUR_START + 10 * HOUR_MS };
  const second: MasterKey = { ...SECOND_MASTER, activeFrom: HOUR_START + 2 * HOUR_MS };
  const ring = createKeyRing([third, MASTER, second]);
  const statesAt = (hours: number) =>
    ring.states(HOUR_START + hours * HOUR_MS).map(({ id, state }) => `${id} ${state}`);

  test("pending, active, retired, in the order of their turns whatever the order of the list", () => {
    expect(statesAt(0)).toEqual(["first active", "second pending", "third pending"]);
    expect(statesAt(2)).toEqual(["first retired", "second active", "third pending"]);
    expect(statesAt(10)).toEqual(["first retired", "second retired", "third active"]);
  });

  /** Which master keys open cookies of an hour. */
  test.each([
    [0, ["first"]],
    // Another process's clock may be a minute ahead of the activation.
    [1, ["second", "first"]],
    [2, ["second", "first"]],
    // A process may have learnt of the new key an hour late.
    [3, ["second"]],
    [8, ["second"]],
    [9, ["third", "second"]],
    [11, ["third"]],
  ])("%i hours on, cookies of the hour are opened with %j", (hours, ids) => {
    const byKey = new Map(
      [MASTER, second, third].map((master) => [
        exported(
          createKeyRing([master])
            .zone(ZONE)
            .opening(EPOCH + hours, 0)[0],
        ),
        master.id,
      ]),
    );
    expect(
      ring
        .zone(ZONE)
        .opening(EPOCH + hours, 0)
        .map((key) => byKey.get(exported(key))),
    ).toEqual(ids);
  });

  test("a successor that does not say since when leaves the old key in use", () => {
    const both = createKeyRing([MASTER, SECOND_MASTER]);
    expect(both.states(NOW).map(({ state }) => state)).toEqual(["retired", "active"]);
    expect(both.zone(ZONE).opening(EPOCH + 1_000, 0)).toHaveLength(2);
  });

  test("the switch happens at the millisecond", () => {
    const keys = [1, 0].map((before) =>
      exported(ring.zone(ZONE).sealing(HOUR_START + 2 * HOUR_MS - before)?.key),
    );
    const mid = createKeyRing([MASTER, { ...SECOND_MASTER, activeFrom: HOUR_START + 1_000 }]);
    const [before, after] = [999, 1_000].map((ms) => exported(mid.zone(ZONE).sealing(HOUR_START + ms)?.key));
    expect(keys[0]).not.toBe(keys[1]);
    expect(before).toBe(exported(createKeyRing([MASTER]).zone(ZONE).sealing(HOUR_START)?.key));
    expect(after).toBe(exported(createKeyRing([SECOND_MASTER]).zone(ZONE).sealing(HOUR_START)?.key));
  });

  test("a ring whose keys all wait for their turn uses the first of them", () => {
    const waiting = createKeyRing([third, second]);
    const sealed = exported(waiting.zone(ZONE).sealing(HOUR_START)?.key);
    expect(sealed).toBe(exported(createKeyRing([second]).zone(ZONE).sealing(HOUR_START)?.key));
    expect(waiting.zone(ZONE).opening(EPOCH, 0).map(exported)).toEqual([sealed]);
  });
});

describe("mistakes of the program", () => {
  const nine = Array.from({ length: 9 }, (_, index) => ({ id: `key-${index}`, secret: secretOf(index + 1) }));

  test.each<[string, readonly MasterKey[], string]>([
    ["no key", [], "expected at least one master key"],
    ["nine keys", nine, "expected at most 8 master keys, found 9: remove retired ones"],
    ["31 bytes", [{ id: "a", secret: new Uint8Array(31) }], "master key 0: expected 32 bytes, found 31"],
    ["zeros", [{ id: "a", secret: new Uint8Array(32) }], "expected random bytes, found one byte repeated"],
    [
      "an id twice",
      [MASTER, { ...SECOND_MASTER, id: "first" }],
      "master key 1: expected an id that no other key has",
    ],
    ["a key twice", [MASTER, { ...MASTER, id: "b" }], "expected a key of its own"],
    ["an id with a space", [{ ...MASTER, id: "a b" }], "expected 1 to 64 letters"],
    ["an activation that is no time", [{ ...MASTER, activeFrom: Number.NaN }], "expected epoch milliseconds"],
  ])("%s", (_, masters, message) => {
    expect(() => createKeyRing(masters)).toThrow(message);
    const ring = createKeyRing([MASTER]);
    expect(() => {
      ring.update(masters);
    }).toThrow(message);
    expect(ring.states(NOW)).toEqual([{ id: "first", state: "active" }]);
  });

  test("no message quotes a key", () => {
    const text = Buffer.from(MASTER.secret).toString("hex");
    expect(() => createKeyRing([MASTER, MASTER])).toThrow(expect.not.stringContaining(text));
  });
});
