/** What a process remembers of the cookies that it sealed or opened is never anything but what opening them says. */
import { array, assert, constant, constantFrom, nat, oneof, property, record } from "fast-check";
import type { Arbitrary } from "fast-check";
import { describe, expect, test } from "vitest";
import { createKeyRing, RecentPayloads } from "../../src/cookie/index.ts";
import { createPortableKeyRing, createPortableSequenceCookies } from "../../src/cookie/portable.ts";
import {
  HOUR_MS,
  MASTER,
  NOW,
  OPS,
  OTHER_ZONE,
  SECOND_MASTER,
  createBytes,
  createProcess,
  nameOf,
  pairOf,
  tokenOf,
} from "./fixtures.ts";

const [A = "", B = ""] = OPS;

type Step =
  | { readonly kind: "call"; readonly op: string; readonly header: number }
  | { readonly kind: "tamper"; readonly header: number; readonly at: number }
  | { readonly kind: "swap"; readonly header: number; readonly other: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "rotate"; readonly masters: "first" | "second" | "both" };

const place = nat(30);
const steps: Arbitrary<Step[]> = array(
  oneof(
    {
      weight: 6,
      arbitrary: record({ kind: constant("call"), op: constantFrom(...OPS), header: place }),
    },
    record({ kind: constant("tamper"), header: place, at: nat(200) }),
    record({ kind: constant("swap"), header: place, other: place }),
    // 64 hours on, a name means a key again that is not the one it meant.
    record({ kind: constant("wait"), ms: constantFrom(1, 999, HOUR_MS, 64 * HOUR_MS) }),
    record({ kind: constant("rotate"), masters: constantFrom("first", "second", "both") }),
  ),
  { maxLength: 30 },
);

const MASTERS = { first: [MASTER], second: [SECOND_MASTER], both: [MASTER, SECOND_MASTER] };

/** Swaps one character of a cookie's value for another of the alphabet. */
function tampered(cookie: string, at: number): string {
  const start = cookie.indexOf("=") + 1;
  const changed = start + (at % Math.max(1, cookie.length - start));
  return cookie.slice(0, changed) + (cookie[changed] === "A" ? "B" : "A") + cookie.slice(changed + 1);
}

test("a process with a memory reads whatever comes as one without", () => {
  assert(
    property(steps, (list) => {
      const keyRing = createKeyRing([MASTER]);
      const recent = new RecentPayloads();
      const remembering = [
        createProcess({ keyRing, recent }),
        createProcess({ keyRing, recent, zoneId: OTHER_ZONE }),
      ];
      const forgetful = [createProcess({ keyRing }), createProcess({ keyRing, zoneId: OTHER_ZONE })];
      const headers: (string | undefined)[] = [undefined];
      const pick = (at: number): string | undefined => headers[at % headers.length];
      let nowMs = NOW;
      for (const step of list) {
        if (step.kind === "wait") nowMs += step.ms;
        else if (step.kind === "rotate") keyRing.update(MASTERS[step.masters]);
        else if (step.kind === "tamper")
          headers.push(tampered(pick(step.header) ?? "__Host-sq.AAAAA=", step.at));
        else if (step.kind === "swap")
          headers.push(`${nameOf(pick(step.header))}=${tokenOf(pick(step.other))}`);
        else {
          const zone = step.header % 2;
          const state = remembering[zone]?.read(pick(step.header), nowMs);
          const lines = state === undefined ? [] : (remembering[zone]?.write(state, step.op, nowMs) ?? []);
          headers.push(pairOf(lines[0]));
        }
        for (const header of headers.slice(-8)) {
          for (const zone of [0, 1])
            expect(remembering[zone]?.read(header, nowMs)).toEqual(forgetful[zone]?.read(header, nowMs));
        }
      }
    }),
    { numRuns: 60 },
  );
});

describe("a remembered cookie", () => {
  const recent = new RecentPayloads();
  const keyRing = createKeyRing([MASTER]);
  const cookies = createProcess({ keyRing, recent });
  const [line] = cookies.write(cookies.read(undefined, NOW), A, NOW);
  const cookie = pairOf(line);

  test("is read", () => {
    expect(cookies.read(cookie, NOW).sequence.entries).toEqual([{ op: A, at: NOW }]);
  });

  test("ends with its key, as one that has to be opened", () => {
    expect(cookies.read(cookie, NOW + 3 * HOUR_MS).invalid.key).toBe(1);
    keyRing.update([SECOND_MASTER]);
    expect(cookies.read(cookie, NOW).invalid.seal).toBe(1);
    keyRing.update([MASTER]);
    expect(cookies.read(cookie, NOW).sid).toBeDefined();
  });

  test("is none under another name, in another zone or 64 hours later", () => {
    const [other] = cookies.write(cookies.read(undefined, NOW + 2 * HOUR_MS), B, NOW + 2 * HOUR_MS);
    expect(cookies.read(`${nameOf(other)}=${tokenOf(line)}`, NOW + 2 * HOUR_MS).invalid.seal).toBe(1);
    const zone = createProcess({ keyRing, recent, zoneId: OTHER_ZONE });
    expect(zone.read(cookie, NOW).invalid.seal).toBe(1);
    expect(cookies.read(cookie, NOW + 64 * HOUR_MS).invalid.seal).toBe(1);
  });
});

test("the portable build remembers too, and forgets with its keys", async () => {
  const keyRing = createPortableKeyRing([MASTER]);
  const recent = new RecentPayloads();
  const zoneId = OTHER_ZONE;
  const cookies = createPortableSequenceCookies({ zoneId, keyRing, recent, random: createBytes(3) });
  const [line] = await cookies.write(await cookies.read(undefined, NOW), A, NOW);
  expect((await cookies.read(pairOf(line), NOW)).sequence.entries).toEqual([{ op: A, at: NOW }]);
  expect((await cookies.read(tampered(pairOf(line), 150), NOW)).sid).toBeUndefined();
  keyRing.update([SECOND_MASTER]);
  expect((await cookies.read(pairOf(line), NOW)).invalid.seal).toBe(1);
});
