import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDecisionSample, readSamples } from "../../src/analytics/index.ts";
import type { SampledDecision } from "../../src/analytics/index.ts";
import { createRandom } from "./markov.ts";

const HOUR_MS = 3_600_000;
/** Beginning of some hour. */
const START = 500_000 * HOUR_MS;

const decision = (at: number, members: Partial<SampledDecision> = {}): SampledDecision => ({
  rayId: at.toString(16),
  at,
  method: "GET",
  scheme: "https",
  httpVersion: "2.0",
  host: "shop.example",
  path: "/",
  query: "",
  clientAddress: "192.0.2.1",
  userAgent: "",
  referer: "",
  currentOp: "",
  entries: [],
  lookback: [],
  hasIdentity: false,
  isEnded: false,
  ...members,
});

const bytesOf = (hours: readonly { readonly bytes: Uint8Array }[]): Uint8Array[] =>
  hours.map(({ bytes }) => bytes);

function text(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

describe("a sample", () => {
  test("of few requests is all of them, each standing for itself", () => {
    const sample = createDecisionSample(() => 0.5, 10);
    const entries = [{ op: "0000000a", at: START - 5 }];
    const offered = [decision(START + 1, { entries, lookback: entries }), decision(START + 2)];
    for (const one of offered) sample.offer(one.at, () => one);
    const { seen, decisions } = readSamples(bytesOf(sample.takeSnapshots(START + 3)));
    expect(seen).toBe(2);
    expect(decisions).toEqual(offered.toReversed().map((one) => Object.assign({ weight: 1 }, one)));
    expect(sample.takeSnapshots(START + 4), "nothing new").toEqual([]);
  });

  test("of many is bounded, and every request has the same chance", () => {
    const drawn = new Map<number, number>();
    for (let seed = 1; seed <= 300; seed += 1) {
      const sample = createDecisionSample(createRandom(seed), 20);
      for (let at = 0; at < 200; at += 1) sample.offer(START + at, () => decision(START + at));
      const { seen, decisions } = readSamples(bytesOf(sample.takeSnapshots(START + 200)));
      expect([seen, decisions.length, decisions[0]?.weight]).toEqual([200, 20, 10]);
      for (const { at } of decisions) {
        const tenth = Math.floor((at - START) / 20);
        drawn.set(tenth, (drawn.get(tenth) ?? 0) + 1);
      }
    }
    for (const count of drawn.values()) expect(Math.abs(count - 600)).toBeLessThan(120);
    expect(drawn.size).toBe(10);
  });

  test("makes nothing of a request that is not drawn", () => {
    const sample = createDecisionSample(() => 0.999, 1);
    let made = 0;
    for (let at = 0; at < 50; at += 1) {
      sample.offer(START + at, () => {
        made += 1;
        return decision(START + at);
      });
    }
    expect(made).toBe(1);
  });

  test("begins anew with the hour, and hands the closed one out once", () => {
    const sample = createDecisionSample(() => 0.5, 10);
    sample.offer(START, () => decision(START));
    sample.offer(START + HOUR_MS, () => decision(START + HOUR_MS));
    const hours = sample.takeSnapshots(START + HOUR_MS);
    expect(hours.map(({ hourAt }) => hourAt)).toEqual([START, START + HOUR_MS]);
    expect(readSamples(bytesOf(hours))).toMatchObject({ seen: 2 });
    expect(sample.takeSnapshots(START + 3 * HOUR_MS)).toEqual([]);
  });

  test("cuts long texts: a client does not decide how much is stored", () => {
    const sample = createDecisionSample(() => 0.5, 10);
    const long = "x".repeat(100_000);
    sample.offer(START, () => decision(START, { path: long, query: long, userAgent: long, referer: long }));
    expect(sample.takeSnapshots(START)[0]!.bytes.length).toBeLessThan(5_000);
  });
});

test("bytes that are no sample are left out, whatever they are", () => {
  const good = createDecisionSample(() => 0.5, 10);
  good.offer(START, () => decision(START));
  const [bytes] = bytesOf(good.takeSnapshots(START));
  const bad = [
    text(null),
    text({ seen: 0, drawn: [decision(1)] }),
    text({ seen: "1", drawn: [] }),
    text({
      seen: 3,
      drawn: [{ ...decision(1), entries: [{ op: 1 }] }, null, { ...decision(1), scheme: "ftp" }],
    }),
    Uint8Array.of(0xff),
  ];
  expect(readSamples([bytes!, ...bad]).decisions).toHaveLength(1);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.jsonValue(), (raw, value) => {
      expect(readSamples([raw, text(value)]).decisions).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
