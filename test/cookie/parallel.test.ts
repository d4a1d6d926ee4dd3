/** The promise of the whole scheme: parallel responses lose nothing, in whatever order they arrive. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { SequenceCookies, SequenceEntry } from "../../src/sequence/index.ts";
import { createJar } from "./browser.ts";
import { HOUR_START, OPS, createProcess, pairOf } from "./fixtures.ts";

const MAX_IN_FLIGHT = 12;
const KEPT = 10;
/** Parallel requests of a first visit, which no cookie connects, are sent within this time of one another. */
const FIRST_BURST_MS = 5_000;

interface Server {
  readonly cookies: SequenceCookies;
  /** How far its clock is off. */
  readonly skewMs: number;
}

interface Flight {
  readonly server: Server;
  readonly op: string;
  readonly header: string | undefined;
  /** Read when the request arrives, written when the response's headers go out. */
  readonly state: ReturnType<SequenceCookies["read"]>;
  lines: string[] | undefined;
  entry: SequenceEntry | undefined;
}

/** One step of a schedule; `pick` chooses among the requests in flight. */
interface Step {
  readonly kind: "send" | "answer" | "deliver" | "lose";
  readonly pick: number;
  readonly op: number;
  readonly server: number;
  readonly waitMs: number;
}

interface Scenario {
  readonly steps: readonly Step[];
  readonly skewsMs: readonly number[];
  readonly leads: number;
  /** How long before the end of a key hour it begins. */
  readonly beforeHourMs: number;
  /** Whether the browser still has a cookie of ours that no key opens. */
  readonly hasJunk: boolean;
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constant("send" as const) },
    { weight: 4, arbitrary: fc.constant("answer" as const) },
    { weight: 8, arbitrary: fc.constant("deliver" as const) },
    { weight: 1, arbitrary: fc.constant("lose" as const) },
  ),
  pick: fc.nat({ max: MAX_IN_FLIGHT - 1 }),
  op: fc.nat({ max: 14 }),
  server: fc.nat({ max: 3 }),
  waitMs: fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 3 }) },
    { weight: 1, arbitrary: fc.nat({ max: 30_000 }) },
  ),
});

const anyScenario: fc.Arbitrary<Scenario> = fc.record({
  steps: fc.array(anyStep, { minLength: 30, maxLength: 150 }),
  skewsMs: fc.array(fc.integer({ min: -2_000, max: 2_000 }), { minLength: 1, maxLength: 4 }),
  leads: fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY),
  beforeHourMs: fc.nat({ max: 60_000 }),
  hasJunk: fc.boolean(),
});

/** Plays a scenario and returns the delivered entries that are neither visible nor outnumbered at some moment. */
function play({ steps, skewsMs, leads, beforeHourMs, hasJunk }: Scenario): readonly string[] {
  const servers = skewsMs.map((skewMs, index) => ({ skewMs, cookies: createProcess({ leads }, index + 1) }));
  const reader = createProcess({}, 99);
  const jar = createJar();
  const flights: Flight[] = [];
  const delivered: SequenceEntry[] = [];
  const lost: string[] = [];
  let now = HOUR_START + 3_600_000 - beforeHourMs;
  let firstBurstAt: number | undefined;
  if (hasJunk) jar.apply("__Host-sq.AAAAA=junk; Path=/; Secure; HttpOnly; Max-Age=3600", now);

  const remove = (flight: Flight) => flights.splice(flights.indexOf(flight), 1);

  const send = (step: Step) => {
    const header = jar.header(now);
    const server = at(servers, step.server);
    if (server === undefined || flights.length >= MAX_IN_FLIGHT) return;
    if (header === undefined || header === "__Host-sq.AAAAA=junk") {
      if (flights.length === 0) firstBurstAt = undefined;
      firstBurstAt ??= now;
      if (now - firstBurstAt > FIRST_BURST_MS) return;
    }
    const state = server.cookies.read(header, now + server.skewMs);
    flights.push({ server, op: OPS[step.op] ?? "", header, state, lines: undefined, entry: undefined });
  };
  const answer = (flight: Flight | undefined) => {
    if (flight === undefined) return;
    flight.lines = [...flight.server.cookies.write(flight.state, flight.op, now + flight.server.skewMs)];
    flight.entry = reader.read(pairOf(flight.lines[0]), now).sequence.entries[0];
    expect(flight.entry?.op).toBe(flight.op);
  };
  const deliver = (flight: Flight | undefined) => {
    const line = flight?.lines?.shift();
    if (flight === undefined || line === undefined) return;
    jar.apply(line, now);
    if (flight.entry !== undefined) delivered.push(flight.entry);
    flight.entry = undefined;
    if (flight.lines?.length === 0) remove(flight);
    lost.push(...missing(reader.read(jar.header(now), now).sequence.entries, delivered));
  };

  for (const step of steps) {
    now += step.waitMs;
    const answered = flights.filter((flight) => flight.lines !== undefined);
    if (step.kind === "send") send(step);
    else if (step.kind === "answer")
      answer(
        at(
          flights.filter((flight) => flight.lines === undefined),
          step.pick,
        ),
      );
    else if (step.kind === "deliver") deliver(at(answered, step.pick));
    else {
      // A response is lost as a whole: its headers arrive in one piece or not at all.
      const flight = at(
        answered.filter((candidate) => candidate.entry !== undefined),
        step.pick,
      );
      if (flight !== undefined) remove(flight);
    }
  }
  return lost;
}

function at<Item>(list: readonly Item[], index: number): Item | undefined {
  return list[index % Math.max(1, list.length)];
}

function missing(visible: readonly SequenceEntry[], delivered: readonly SequenceEntry[]): readonly string[] {
  return delivered
    .filter((entry) => !visible.some((other) => other.op === entry.op && other.at === entry.at))
    .filter((entry) => visible.filter((other) => other.at >= entry.at).length < KEPT)
    .map((entry) => `${entry.op} at ${entry.at}`);
}

describe("parallel responses", () => {
  test("any interleaving, delay and loss of up to 12 keeps every delivered entry among the newest 10", () => {
    fc.assert(
      fc.property(anyScenario, (scenario) => {
        expect(play(scenario)).toEqual([]);
      }),
      { numRuns: 600 },
    );
  });
});
