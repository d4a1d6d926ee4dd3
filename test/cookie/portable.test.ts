/** The portable build against the one for Node: the same cookies, the same answers. */
import { readFile } from "node:fs/promises";

import { describe, expect, test } from "vitest";

import { createKeyRing } from "../../src/cookie/index.ts";
import { createPortableKeyRing, createPortableSequenceCookies } from "../../src/cookie/portable.ts";
import type { PortableSequenceCookiesOptions } from "../../src/cookie/portable.ts";
import {
  HOUR_MS,
  MASTER,
  NOW,
  OPS,
  SECOND_MASTER,
  ZONE,
  createBytes,
  createProcess,
  nameOf,
  pairOf,
} from "./fixtures.ts";

const [A = "", B = "", C = ""] = OPS;

function createPortable(options: Partial<PortableSequenceCookiesOptions> = {}) {
  return createPortableSequenceCookies({
    zoneId: ZONE,
    keyRing: createPortableKeyRing([MASTER]),
    random: createBytes(21),
    ...options,
  });
}

describe("cookies of one build in the other", () => {
  test.each([undefined, "session of alice"])(
    "a journey that changes builds at every step, bound to %s",
    async (bind) => {
      const node = createProcess();
      const portable = createPortable();
      let header: string | undefined;
      for (const [index, op] of [A, B, C, A, B, C].entries()) {
        const nowMs = NOW + index * 20 * 60_000;
        const isNode = index % 2 === 0;
        const state = isNode ? node.read(header, nowMs, bind) : await portable.read(header, nowMs, bind);
        expect(state).toEqual(
          isNode ? await portable.read(header, nowMs, bind) : node.read(header, nowMs, bind),
        );
        expect(state.sequence.entries).toHaveLength(Math.min(index, 2));
        const lines = isNode ? node.write(state, op, nowMs) : await portable.write(state, op, nowMs);
        header = pairOf(lines[0]);
      }
    },
  );

  test("shared names are the same", async () => {
    const node = createProcess({ leads: 0, coalesceAfter: 0 });
    const portable = createPortable({ leads: 0, coalesceAfter: 0 });
    const header = pairOf(node.write(node.read(undefined, NOW), A, NOW)[0]);
    const [ofNode] = node.write(node.read(header, NOW), B, NOW);
    const [ofPortable] = await portable.write(await portable.read(header, NOW), B, NOW);
    expect(nameOf(ofPortable)).toBe(nameOf(ofNode));
  });

  test("the same refusals for the same reasons", async () => {
    const node = createProcess();
    const portable = createPortable();
    const foreign = createProcess({ keyRing: createKeyRing([SECOND_MASTER]) }, 3);
    const own = pairOf(node.write(node.read(undefined, NOW), A, NOW)[0]);
    const other = pairOf(foreign.write(foreign.read(undefined, NOW), A, NOW)[0]);
    const header = `${own}; ${other}; __Host-sq.AAAAA=x; __Host-sq.BBBBB=${"x".repeat(5_000)}; ${own.replace("sq.G", "sq.9")}`;
    const state = await portable.read(header, NOW);
    expect(state).toEqual(node.read(header, NOW));
    expect(state.invalid).toEqual({ size: 1, format: 1, key: 1, seal: 1, payload: 0, chain: 0 });
    expect(portable.clear(state)).toEqual(node.clear(state));
    expect(portable.strip(`a=b; ${header}`)).toBe("a=b");
    expect(portable.stripSetCookie([own, "a=b"])).toEqual(["a=b"]);
  });

  test("rotation and exhaustion work alike", async () => {
    const rotated = createPortable({
      keyRing: createPortableKeyRing([MASTER, { ...SECOND_MASTER, activeFrom: NOW }]),
    });
    const node = createProcess();
    const header = pairOf(node.write(node.read(undefined, NOW), A, NOW)[0]);
    expect((await rotated.read(header, NOW)).sequence.entries).toHaveLength(1);
    const used = createPortable({ keyRing: createPortableKeyRing([MASTER], { countSeal: () => 2 ** 40 }) });
    expect(await used.write(await used.read(undefined, NOW), A, NOW)).toEqual([]);
    expect((await rotated.read(header, NOW + 3 * HOUR_MS)).invalid.key).toBe(1);
  });

  test("parallel responses are counted as parallel", async () => {
    const portable = createPortable();
    const header = pairOf((await portable.write(await portable.read(undefined, NOW), A, NOW))[0]);
    const state = await portable.read(header, NOW + 1);
    const lines = await Promise.all([B, B, B, B].map((op) => portable.write(state, op, NOW + 1)));
    expect(lines.map((list) => list.length)).toEqual([2, 2, 1, 1]);
  });
});

describe("its module graph", () => {
  test("has no import from `node:`", async () => {
    const seen = new Set<string>();
    const external = new Set<string>();
    const visit = async (url: URL): Promise<void> => {
      if (seen.has(url.href)) return;
      seen.add(url.href);
      const source = await readFile(url, "utf8");
      for (const [, clause = "", specifier = ""] of source.matchAll(
        /^(?:import|export)\s([^;]*?)\sfrom\s"([^"]+)"/gm,
      )) {
        if (clause.startsWith("type ")) continue;
        if (specifier.startsWith(".")) await visit(new URL(specifier, url));
        else external.add(specifier);
      }
    };
    await visit(new URL("../../src/cookie/portable.ts", import.meta.url));
    expect(seen.size).toBeGreaterThan(10);
    expect([...external].toSorted()).toEqual(["cookie", "jose"]);
  });
});
