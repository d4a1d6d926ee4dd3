/** What journeys are run against: a URL, an application in this process, or the rules of a zone alone. */
import { setTimeout as sleep } from "node:timers/promises";
import { stepgateFetch } from "../adapters/index.ts";
import type { ZoneDocument } from "../adapters/index.ts";
import type { SecurityEvent } from "../engine/index.ts";
import { createTestClock } from "./clock.ts";
import type { TestClock } from "./clock.ts";
import type { Stage } from "./run.ts";
import type { TestTarget } from "./visitor.ts";

/** Longest wait in earnest. */
const MAX_WAIT_MS = 600_000;

/** @throws {TypeError} for waits that nobody would sit through */
export function urlStage(target: string): Stage {
  return { target, now: Date.now, wait: waitInEarnest };
}

async function waitInEarnest(ms: number): Promise<void> {
  if (ms > MAX_WAIT_MS) {
    throw new TypeError(
      `expected a wait of at most ${MAX_WAIT_MS} ms, found ${ms}: try the rules with a zone, whose clock is set`,
    );
  }
  await sleep(ms);
}

/** @param clock that the application goes by, `undefined` when it is the system's */
export function appStage(handler: TestTarget, clock: TestClock | undefined): Stage {
  if (clock === undefined) return { target: handler, now: Date.now, wait: waitInEarnest };
  return { target: handler, now: clock.now, wait: async (ms) => clock.advance(ms) };
}

/**
 * The rules of a zone, in front of an application that answers what each step says. Time passes as told.
 *
 * @param random strong bytes for the key of this run
 * @throws {TypeError} for what is wrong with the document
 */
export function zoneStage(zone: ZoneDocument, random: (lengthBytes: number) => Uint8Array): Stage {
  const clock = createTestClock();
  const events: SecurityEvent[] = [];
  let answer = 200;
  const k = Buffer.from(random(32)).toString("base64url");
  const guard = stepgateFetch({
    zone,
    host: zone.zone.hosts?.[0] ?? zone.zone.name,
    keys: { keys: [{ kty: "oct", kid: "test", use: "enc", k }] },
    now: clock.now,
    onEvent: (event) => events.push(event),
  });
  const names = new Map(
    zone.operations.map(({ operation_id: id, method, endpoint }) => [
      id.slice(0, 8),
      `${method} ${endpoint}`,
    ]),
  );
  const application = (): Response =>
    new Response(NO_BODY.has(answer) ? null : `${answer}\n`, { status: answer });
  return {
    target: (request) => guard(request, application),
    now: clock.now,
    wait: async (ms) => clock.advance(ms),
    expectAnswer: (status) => {
      answer = status;
      events.length = 0;
    },
    explain: () => events.map((event) => explain(event, names)),
  };
}

const NO_BODY = new Set([204, 205, 304]);

function explain(
  { action, ruleRef, ruleDescription, previousOps }: SecurityEvent,
  names: ReadonlyMap<string, string>,
): string {
  const before = previousOps.map(({ op, ageMs }) => `${names.get(op) ?? op} ${ageMs} ms ago`).join(", ");
  const description = ruleDescription === "" ? "" : ` (${ruleDescription})`;
  return `${action} by rule ${ruleRef}${description}; before it: ${before === "" ? "nothing" : before}`;
}
