import { describe, expect, test } from "vitest";

import { createKeyRing, createSequenceCookies } from "../../src/cookie/index.ts";
import type { SequenceCookies } from "../../src/sequence/index.ts";
import { applyAll, createJar } from "./browser.ts";
import {
  HOUR_MS,
  HOUR_START,
  MASTER,
  NOW,
  OPS,
  OTHER_ZONE,
  SECOND_MASTER,
  ZONE,
  createBytes,
  createProcess,
  nameOf,
  opsOf,
  pairOf,
  secretOf,
  tokenOf,
} from "./fixtures.ts";

const [A = "", B = "", C = ""] = OPS;

/** Calls operations one after the other and returns the Cookie header of the end. */
function visit(cookies: SequenceCookies, ops: readonly string[], gapMs = 1_000, from = NOW): string {
  let header: string | undefined;
  for (const [index, op] of ops.entries()) {
    const nowMs = from + index * gapMs;
    header = pairOf(cookies.write(cookies.read(header, nowMs), op, nowMs)[0]);
  }
  return header ?? "";
}

describe("one request after the other", () => {
  test("the attributes that browsers demand, and no more", () => {
    const cookies = createProcess();
    const [line = "", ...deletions] = cookies.write(cookies.read(undefined, NOW), A, NOW);
    expect(line).toMatch(
      /^__Host-sq\.[\w-]{5}=eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0\.\.[\w-]{16}\.[\w-]+\.[\w-]{22};/,
    );
    expect(new Set(line.split("; ").slice(1))).toEqual(
      new Set(["Max-Age=3600", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"]),
    );
    expect(deletions).toEqual([]);
  });

  test("the next response writes all under a new name and deletes the old one, in this order", () => {
    const cookies = createProcess();
    const header = visit(cookies, [A]);
    const lines = cookies.write(cookies.read(header, NOW + 5), B, NOW + 5);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe(`${nameOf(header)}=; Max-Age=0; Path=/; Secure`);
    expect(nameOf(lines[0])).not.toBe(nameOf(header));
    expect(opsOf(cookies, pairOf(lines[0]), NOW + 5)).toEqual([B, A]);
  });

  test("the request itself is not in what it reads", () => {
    const cookies = createProcess();
    const state = cookies.read(visit(cookies, [A, B]), NOW + 5_000);
    expect(state.sequence.entries).toEqual([
      { op: B, at: NOW + 1_000 },
      { op: A, at: NOW },
    ]);
  });

  test("the eleventh operation and what is an hour old are gone", () => {
    const cookies = createProcess();
    const header = visit(cookies, OPS.slice(0, 11));
    expect(opsOf(cookies, header, NOW + 11_000)).toEqual(OPS.slice(1, 11).toReversed());
    expect(opsOf(cookies, header, NOW + 1_000 + HOUR_MS)).toEqual(OPS.slice(2, 11).toReversed());
  });

  test("what the cookies cost is told", () => {
    const cookies = createProcess();
    const header = visit(cookies, [A]);
    expect(cookies.read(`a=b; ${header}; c=d`, NOW).cookieBytes).toBe(header.length);
    expect(cookies.read("a=b", NOW).cookieBytes).toBe(0);
  });

  test("a clock that is ahead is told", () => {
    const cookies = createProcess();
    const header = visit(cookies, [A]);
    expect(cookies.read(header, NOW - 2_500).aheadMs).toBe(2_500);
    expect(cookies.read(header, NOW).aheadMs).toBe(0);
  });
});

describe("sizes", () => {
  /** Entries, ms apart, bytes of `name=value`, bytes of the Set-Cookie value. */
  test.each([
    [1, 0, 117, 171],
    [2, 5, 124, 178],
    [5, 3_000, 149, 203],
    [10, 127, 177, 231],
    [10, 3_000, 189, 243],
    [10, 20_000, 201, 255],
    [10, 300_000, 201, 255],
  ])("%i entries %i ms apart: %i and %i bytes", (count, gapMs, pairBytes, lineBytes) => {
    const cookies = createProcess({ limits: { maxEntries: 10, maxAgeMs: HOUR_MS } });
    const header = visit(cookies, OPS.slice(0, count - 1), gapMs);
    const nowMs = NOW + (count - 1) * gapMs;
    const [line = ""] = cookies.write(cookies.read(header === "" ? undefined : header, nowMs), C, nowMs);
    expect(pairOf(line)).toHaveLength(pairBytes);
    expect(line).toHaveLength(lineBytes);
  });

  test("a deletion: 43 bytes", () => {
    const cookies = createProcess();
    expect(cookies.clear(cookies.read(visit(cookies, [A]), NOW))[0]).toHaveLength(43);
  });

  test("64 entries over a day still fit into a cookie", () => {
    const cookies = createProcess({ limits: { maxEntries: 64, maxAgeMs: 24 * HOUR_MS } });
    const ops = Array.from({ length: 70 }, (_, index) => OPS[index % OPS.length] ?? "");
    const header = visit(cookies, ops, 20 * 60_000);
    expect(opsOf(cookies, header, NOW + 69 * 20 * 60_000)).toHaveLength(64);
    expect(header.length).toBeLessThan(800);
  });
});

describe("names", () => {
  test("are used once", () => {
    const cookies = createProcess();
    const names = new Set<string>();
    for (let index = 0; index < 2_000; index += 1) {
      names.add(nameOf(cookies.write(cookies.read(undefined, NOW), A, NOW)[0]));
    }
    expect(names.size).toBeGreaterThan(1_998);
  });

  test("a name that the request carried is drawn again", () => {
    const bytes = createBytes(3);
    let isStuck = true;
    const cookies = createProcess({
      random: (size) => (size === 3 && isStuck ? new Uint8Array(3) : bytes(size)),
    });
    const first = nameOf(cookies.write(cookies.read(undefined, NOW), A, NOW)[0]);
    const state = cookies.read(`${first}=x`, NOW);
    const twice = createProcess({
      random: (size) => {
        if (size !== 3) return bytes(size);
        const drawn = isStuck ? new Uint8Array(3) : bytes(3);
        isStuck = false;
        return drawn;
      },
    });
    expect(nameOf(twice.write(state, A, NOW)[0])).not.toBe(first);
  });

  test("parallel responses that share a name share it only for the same operation and the same cookies", () => {
    const cookies = createProcess({ coalesceAfter: 2 });
    const header = visit(cookies, [A]);
    const nameFor = (op: string, carried: string) =>
      nameOf(cookies.write(cookies.read(carried, NOW + 1), op, NOW + 1)[0]);
    for (let index = 0; index < 2; index += 1) nameFor(A, header);
    expect(nameFor(A, header)).toBe(nameFor(A, header));
    expect(nameFor(A, header)).not.toBe(nameFor(B, header));
    const other = visit(cookies, [B]);
    for (let index = 0; index < 2; index += 1) nameFor(A, other);
    expect(nameFor(A, other)).not.toBe(nameFor(A, header));
  });
});

describe("leading and following", () => {
  test("the first two responses delete, the third writes its own entry only", () => {
    const cookies = createProcess();
    const header = visit(cookies, [A]);
    const lines = [0, 1, 2].map(() => cookies.write(cookies.read(header, NOW + 9), B, NOW + 9));
    expect(lines.map((list) => list.length)).toEqual([2, 2, 1]);
    expect(opsOf(cookies, pairOf(lines[2]?.[0]), NOW + 9)).toEqual([B]);
    expect(opsOf(cookies, `${header}; ${pairOf(lines[2]?.[0])}`, NOW + 9)).toEqual([B, A]);
  });

  test("another process leads for the same cookies: it knows nothing of the first", () => {
    const header = visit(createProcess(), [A]);
    const other = createProcess({}, 8);
    expect(other.write(other.read(header, NOW + 9), B, NOW + 9)).toHaveLength(2);
  });

  test("at most 64 cookies are opened and at most 100 deleted", () => {
    const cookies = createProcess();
    const single = Array.from({ length: 120 }, () =>
      pairOf(cookies.write(cookies.read(undefined, NOW), A, NOW)[0]),
    );
    const state = cookies.read(single.join("; "), NOW);
    expect(state.names).toHaveLength(64);
    // Browsers send older cookies first: the last ones are the newest.
    expect(state.names).toEqual(single.slice(-64).map(nameOf));
    expect(cookies.write(state, B, NOW)).toHaveLength(65);
    const domain = createProcess({
      scope: { sameSite: "Lax", partitioned: false, domain: "shop.example" },
      formerScopes: [{ sameSite: "Lax", partitioned: false, domain: "old.example" }],
    });
    const many = Array.from(
      { length: 64 },
      (_, index) => `__Secure-sq.AAA${String(index).padStart(2, "0")}=x`,
    );
    expect(domain.write(domain.read(many.join("; "), NOW), B, NOW)).toHaveLength(101);
  });
});

describe("cookies that cannot be used", () => {
  const good = createProcess();
  const header = visit(good, [A], 1_000, HOUR_START);
  const token = tokenOf(header);
  const rename = (epochChar: string) => header.replace(/^(__Host-sq\.)./, `$1${epochChar}`);
  const foreign = visit(createProcess({ keyRing: createKeyRing([SECOND_MASTER]) }), [A], 1_000, HOUR_START);

  test.each([
    ["size", `${nameOf(header)}=${token}${"A".repeat(4_096)}`],
    ["format", `${nameOf(header)}=`],
    ["format", `${nameOf(header)}=junk`],
    ["format", `${nameOf(header)}="${token}"`],
    ["format", `${header} `],
    ["key", rename("9")],
    ["seal", foreign],
    ["seal", header.replace(/.(?=.{21}$)/, (char) => (char === "A" ? "B" : "A"))],
  ] as const)("%s", (reason, carried) => {
    const cookies = createProcess();
    const state = cookies.read(`a=b; ${carried}`, HOUR_START);
    expect(state.sequence.entries).toEqual([]);
    expect(state.invalid).toEqual({ size: 0, format: 0, key: 0, seal: 0, payload: 0, chain: 0, [reason]: 1 });
    const lines = cookies.write(state, B, HOUR_START);
    expect(lines[1]).toBe(`${nameOf(carried)}=; Max-Age=0; Path=/; Secure`);
  });

  test("a good one beside a bad one counts", () => {
    const state = good.read(`__Host-sq.AAAAA=junk; ${header}`, HOUR_START);
    expect(state.sequence.entries.map((entry) => entry.op)).toEqual([A]);
    expect(state.invalid.format).toBe(1);
    expect(good.write(state, B, HOUR_START)).toHaveLength(3);
  });

  test("switched off: everything the request carried is deleted", () => {
    const state = good.read(`a=b; __Host-sq.AAAAA=junk; ${header}`, HOUR_START);
    expect(good.clear(state).map(nameOf)).toEqual(["__Host-sq.AAAAA", nameOf(header)]);
    expect(good.clear(good.read("a=b", HOUR_START))).toEqual([]);
  });
});

describe("zones, hours and clocks", () => {
  test("a cookie of another zone is worth nothing", () => {
    const other = createProcess({ zoneId: OTHER_ZONE });
    const state = other.read(visit(createProcess(), [A]), NOW);
    expect(state.sequence.entries).toEqual([]);
    expect(state.invalid.seal).toBe(1);
  });

  test("a journey over the full hour", () => {
    const cookies = createProcess();
    const header = visit(cookies, [A, B, C], 1_000, HOUR_START - 1_500);
    expect(opsOf(cookies, header, HOUR_START + 1_000)).toEqual([C, B, A]);
    const before = visit(cookies, [A], 1_000, HOUR_START - 1);
    expect(nameOf(before).slice(0, 11)).not.toBe(nameOf(header).slice(0, 11));
  });

  test.each([
    ["61 s before its hour", -61_000, 1],
    ["59 s before its hour, which another clock may have reached", -59_000, 0],
    ["in its hour", HOUR_MS - 1, 0],
    ["at the end of the next hour", 2 * HOUR_MS - 1, 0],
    ["in the hour after that", 2 * HOUR_MS, 1],
  ])("a key is refused or accepted: %s", (_, offset, refused) => {
    const cookies = createProcess();
    const header = visit(cookies, [A], 1_000, HOUR_START);
    expect(cookies.read(header, HOUR_START + offset).invalid.key).toBe(refused);
  });

  test("a longer look-back accepts the keys of more hours", () => {
    const cookies = createProcess({ limits: { maxEntries: 10, maxAgeMs: 24 * HOUR_MS } });
    const header = visit(cookies, [A], 1_000, HOUR_START);
    expect(opsOf(cookies, header, HOUR_START + 24 * HOUR_MS - 1)).toEqual([A]);
    expect(cookies.read(header, HOUR_START + 25 * HOUR_MS).invalid.key).toBe(1);
  });

  test("processes whose clocks disagree by two seconds keep the order of calls", () => {
    const ahead = createProcess({}, 1);
    const behind = createProcess({}, 2);
    const header = visit(ahead, [A], 1_000, NOW + 2_000);
    const [line] = behind.write(behind.read(header, NOW), B, NOW);
    expect(opsOf(ahead, pairOf(line), NOW + 2_000)).toEqual([B, A]);
  });
});

describe("binding", () => {
  const cookies = createProcess();
  const write = (header: string | undefined, op: string, value: string | undefined) =>
    pairOf(cookies.write(cookies.read(header, NOW, value), op, NOW)[0]);

  test("a cookie counts with the identifier it was written for and with no other", () => {
    const header = write(undefined, A, "alice");
    expect(cookies.read(header, NOW, "alice").sequence.entries).toHaveLength(1);
    const stolen = cookies.read(header, NOW, "mallory");
    expect(stolen.sequence.entries).toEqual([]);
    expect(stolen.invalid.chain).toBe(1);
  });

  test("an unbound beginning is not taken over", () => {
    expect(cookies.read(write(undefined, A, undefined), NOW, "alice").sequence.entries).toEqual([]);
  });

  test("parallel first requests are one chain at once", () => {
    const header = `${write(undefined, A, "alice")}; ${write(undefined, B, "alice")}`;
    expect(cookies.read(header, NOW, "alice").sequence.entries).toHaveLength(2);
  });

  test("an empty identifier binds as well", () => {
    expect(cookies.read(write(undefined, A, "alice"), NOW, "").sequence.entries).toEqual([]);
  });

  test("survives a rotation of the master keys", () => {
    const rotated = createProcess({ keyRing: createKeyRing([MASTER, SECOND_MASTER]) });
    const header = write(undefined, A, "alice");
    expect(rotated.read(header, NOW, "alice").sequence.entries).toHaveLength(1);
    const [line] = rotated.write(rotated.read(header, NOW, "alice"), B, NOW);
    expect(rotated.read(pairOf(line), NOW, "alice").sequence.entries).toHaveLength(2);
    expect(rotated.read(pairOf(line), NOW, "mallory").sequence.entries).toEqual([]);
  });

  test("with a key of its own", () => {
    const one = createProcess({ bindKey: secretOf(5) });
    const other = createProcess({ bindKey: secretOf(6) });
    const header = pairOf(one.write(one.read(undefined, NOW, "alice"), A, NOW)[0]);
    expect(one.read(header, NOW, "alice").sequence.entries).toHaveLength(1);
    expect(other.read(header, NOW, "alice").sequence.entries).toEqual([]);
  });
});

describe("rotation of the master keys", () => {
  test("a visitor notices nothing while processes change over one by one", () => {
    const activeFrom = NOW + 30_000;
    const old = createProcess({ keyRing: createKeyRing([MASTER]) }, 1);
    const both = [MASTER, { ...SECOND_MASTER, activeFrom }];
    const rotated = createProcess({ keyRing: createKeyRing(both) }, 2);
    const jar = createJar();
    for (let index = 0; index < 60; index += 1) {
      const nowMs = NOW + index * 1_000;
      // The old process stops before the new key becomes active, as the delay is there for.
      const process = index % 2 === 0 && nowMs < activeFrom ? old : rotated;
      const state = process.read(jar.header(nowMs), nowMs);
      expect(state.sequence.entries).toHaveLength(Math.min(index, 10));
      expect(state.invalid.seal).toBe(0);
      applyAll(jar, process.write(state, OPS[index % OPS.length] ?? "", nowMs), nowMs);
    }
    const replaced = createProcess({ keyRing: createKeyRing([SECOND_MASTER]) }, 3);
    expect(opsOf(replaced, jar.header(NOW + 60_000), NOW + 60_000)).toHaveLength(10);
  });

  test("a ring that is updated in place keeps its cookies object", () => {
    const keyRing = createKeyRing([MASTER]);
    const cookies = createSequenceCookies({ zoneId: ZONE, keyRing, random: createBytes(4) });
    const header = visit(cookies, [A]);
    keyRing.update([MASTER, SECOND_MASTER]);
    const [line] = cookies.write(cookies.read(header, NOW + 1), B, NOW + 1);
    expect(opsOf(createProcess({ keyRing: createKeyRing([SECOND_MASTER]) }), pairOf(line), NOW + 1)).toEqual([
      B,
      A,
    ]);
    keyRing.update([SECOND_MASTER]);
    expect(cookies.read(header, NOW + 1).invalid.seal).toBe(1);
  });

  test("a stolen key that was removed opens nothing any more", () => {
    const header = visit(createProcess(), [A]);
    expect(opsOf(createProcess({ keyRing: createKeyRing([SECOND_MASTER]) }), header, NOW)).toEqual([]);
  });
});

describe("scopes", () => {
  const shared = { sameSite: "None", partitioned: true, domain: "shop.example" } as const;

  test("None, Partitioned and Domain", () => {
    const cookies = createProcess({ scope: shared });
    const header = visit(cookies, [A]);
    const [line = "", deletion] = cookies.write(cookies.read(header, NOW), B, NOW);
    expect(new Set(line.split("; ").slice(1))).toEqual(
      new Set([
        "Max-Age=3600",
        "Domain=shop.example",
        "Path=/",
        "HttpOnly",
        "Secure",
        "Partitioned",
        "SameSite=None",
      ]),
    );
    expect(nameOf(line)).toMatch(/^__Secure-sq\.[\w-]{5}$/);
    expect(deletion).toBe(
      `${nameOf(header)}=; Max-Age=0; Domain=shop.example; Path=/; Secure; Partitioned; SameSite=None`,
    );
  });

  test("the life time follows the look-back, or is set", () => {
    const cookies = createProcess({ limits: { maxEntries: 10, maxAgeMs: 600_000 } });
    expect(cookies.write(cookies.read(undefined, NOW), A, NOW)[0]).toContain("Max-Age=600;");
    const scope = { sameSite: "Lax", partitioned: false, domain: null, maxAgeSeconds: 60 } as const;
    const brief = createProcess({ scope });
    expect(brief.write(brief.read(undefined, NOW), A, NOW)[0]).toContain("Max-Age=60;");
  });

  test("from host to domain: cookies of the host are not read, and expired by the next response that leads", () => {
    const header = visit(createProcess(), [A]);
    const cookies = createProcess({ scope: shared });
    const state = cookies.read(header, NOW);
    expect(state.sequence.entries).toEqual([]);
    expect(state.staleNames).toEqual([nameOf(header)]);
    const lines = cookies.write(state, B, NOW);
    expect(lines[1]).toBe(`${nameOf(header)}=; Max-Age=0; Path=/; Secure; Partitioned; SameSite=None`);
  });

  test("from domain to host, with the domain that it had", () => {
    const header = visit(createProcess({ scope: shared }), [A]);
    const cookies = createProcess({ formerScopes: [shared] });
    const lines = cookies.write(cookies.read(header, NOW), B, NOW);
    expect(lines[1]).toBe(
      `${nameOf(header)}=; Max-Age=0; Domain=shop.example; Path=/; Secure; Partitioned; SameSite=None`,
    );
    const unknowing = createProcess();
    expect(unknowing.write(unknowing.read(header, NOW), B, NOW)).toHaveLength(1);
  });

  test("from whole to partitioned: read on, and deleted in both places", () => {
    const former = { sameSite: "Lax", partitioned: false, domain: null } as const;
    const header = visit(createProcess({ scope: former }), [A]);
    const cookies = createProcess({
      scope: { sameSite: "None", partitioned: true, domain: null },
      formerScopes: [former],
    });
    const state = cookies.read(header, NOW);
    expect(state.sequence.entries).toHaveLength(1);
    expect(cookies.write(state, B, NOW).slice(1)).toEqual([
      `${nameOf(header)}=; Max-Age=0; Path=/; Secure; Partitioned; SameSite=None`,
      `${nameOf(header)}=; Max-Age=0; Path=/; Secure`,
    ]);
  });
});

describe("mistakes of the program", () => {
  test.each(["", "a;b", "a=b", "x".repeat(65)])("zone id `%s`", (zoneId) => {
    expect(() => createProcess({ zoneId })).toThrow("expected a zone id of 1 to 64");
  });

  test("limits no cookie can carry", () => {
    expect(() => createProcess({ limits: { maxEntries: 65, maxAgeMs: 1 } })).toThrow("`maxEntries`");
  });
});
