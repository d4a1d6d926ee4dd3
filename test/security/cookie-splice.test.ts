/** Replayed, dropped, mixed and tossed cookies (threat model C3 to C6): what the stateless mode stops, and what not. */
import { describe, expect, test } from "vitest";

import type { SequenceCookies } from "../../src/sequence/index.ts";
import { applyAll, createJar } from "../cookie/browser.ts";
import type { Jar } from "../cookie/browser.ts";
import { HOUR_MS, NOW, OPS, OTHER_ZONE, createProcess, opsOf, pairOf } from "../cookie/fixtures.ts";

const [A = "", B = "", C = ""] = OPS;

function call(cookies: SequenceCookies, jar: Jar, op: string, nowMs: number): readonly string[] {
  const state = cookies.read(jar.header(nowMs), nowMs);
  applyAll(jar, cookies.write(state, op, nowMs), nowMs);
  return state.sequence.entries.map((entry) => entry.op);
}

describe("replay", () => {
  test("an older jar is accepted within the hour: the stateless mode cannot know better", () => {
    const cookies = createProcess();
    const jar = createJar();
    call(cookies, jar, A, NOW);
    const saved = jar.header(NOW);
    expect(call(cookies, jar, B, NOW + 1_000)).toEqual([A]);
    expect(opsOf(cookies, saved, NOW + 2_000)).toEqual([A]);
  });

  test("but not for longer than the entries live", () => {
    const cookies = createProcess();
    const jar = createJar();
    call(cookies, jar, A, NOW);
    const saved = jar.header(NOW);
    expect(opsOf(cookies, saved, NOW + HOUR_MS - 1)).toEqual([A]);
    expect(opsOf(cookies, saved, NOW + HOUR_MS)).toEqual([]);
    expect(cookies.read(saved, NOW + 2 * HOUR_MS).invalid.key).toBe(1);
  });

  test("dropped cookies: nothing is known, as of a new visitor", () => {
    const cookies = createProcess();
    const state = cookies.read(undefined, NOW);
    expect(state.sequence.entries).toEqual([]);
    expect(state.sid).toBeUndefined();
  });
});

describe("mixing", () => {
  test("cookies of two visitors: those of one count, the others are counted and deleted", () => {
    const cookies = createProcess();
    const alice = createJar();
    const mallory = createJar();
    for (const op of [A, B]) call(cookies, alice, op, NOW);
    for (const op of [C, C]) call(cookies, mallory, op, NOW + 60_000);
    const mixed = `${alice.header(NOW)}; ${mallory.header(NOW)}`;
    const state = cookies.read(mixed, NOW + 61_000);
    expect(state.sequence.entries.map((entry) => entry.op)).toEqual([C, C]);
    expect(state.invalid.chain).toBe(1);
    expect(cookies.write(state, A, NOW + 61_000)).toHaveLength(3);
  });

  test("a first entry made on the side is not taken into an older chain", () => {
    const cookies = createProcess();
    const jar = createJar();
    for (const op of [A, B]) call(cookies, jar, op, NOW);
    const aside = pairOf(cookies.write(cookies.read(undefined, NOW + 11_000), C, NOW + 11_000)[0]);
    const state = cookies.read(`${jar.header(NOW)}; ${aside}`, NOW + 12_000);
    expect(state.sequence.entries.map((entry) => entry.op)).toEqual([B, A]);
    expect(state.invalid.chain).toBe(1);
  });

  test("a cross-site request that the browser sends without cookies does not wipe the visitor's sequence", () => {
    const cookies = createProcess();
    const jar = createJar();
    for (const op of [A, B]) call(cookies, jar, op, NOW);
    // SameSite=Lax: the form of another site arrives without cookies, and its response sets one.
    applyAll(jar, cookies.write(cookies.read(undefined, NOW + 90_000), C, NOW + 90_000), NOW + 90_000);
    expect(call(cookies, jar, C, NOW + 91_000)).toEqual([B, A]);
    expect(opsOf(cookies, jar.header(NOW + 92_000), NOW + 92_000)).toEqual([C, B, A]);
  });

  test("cookies of another zone on the same host", () => {
    const cookies = createProcess();
    const other = createProcess({ zoneId: OTHER_ZONE }, 3);
    const jar = createJar();
    call(other, jar, A, NOW);
    expect(call(cookies, jar, B, NOW)).toEqual([]);
    expect(opsOf(cookies, jar.header(NOW), NOW)).toEqual([B]);
  });
});

describe("tossing", () => {
  test("a sibling domain can set neither name: a browser refuses the prefix with a Domain", () => {
    const jar = createJar();
    expect(() => {
      jar.apply("__Host-sq.AAAAA=x; Domain=shop.example; Path=/; Secure; HttpOnly; Max-Age=60", NOW);
    }).toThrow("a browser refuses");
  });

  test("cookies of the domain kind are never read where the scope is the host", () => {
    const cookies = createProcess();
    const shared = createProcess({ scope: { sameSite: "Lax", partitioned: false, domain: "shop.example" } });
    const tossed = pairOf(shared.write(shared.read(undefined, NOW), A, NOW)[0]);
    expect(opsOf(shared, tossed, NOW)).toEqual([A]);
    expect(opsOf(cookies, tossed, NOW)).toEqual([]);
    // Not even under the right name: the prefix is no part of the seal, but the browser lets nobody else set it.
    expect(cookies.read(tossed, NOW).staleNames).toHaveLength(1);
  });

  test("a flood of tossed cookies leaves the visitor's own newest ones readable", () => {
    const cookies = createProcess();
    const jar = createJar();
    call(cookies, jar, A, NOW);
    const flood = Array.from({ length: 170 }, (_, index) => `__Host-sq.A${String(index).padStart(4, "0")}=x`);
    expect(opsOf(cookies, `${flood.join("; ")}; ${jar.header(NOW)}`, NOW)).toEqual([A]);
  });
});
