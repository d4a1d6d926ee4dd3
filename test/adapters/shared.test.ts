/** One visitor, served by several carriers with the same keys and the same zone: a sequence knows no borders. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createVisitor } from "../../src/testing/index.ts";
import { FRAMEWORKS } from "./frameworks.ts";
import { startClock } from "./kit.ts";
import type { RunningApp } from "./kit.ts";

const NAMES = ["the gateway", "node:http", "h3 as a fetch handler", "stepgate/fetch as a handler"];
const clock = startClock();
let running: readonly RunningApp[];

beforeAll(async () => {
  const frameworks = NAMES.map((name) => FRAMEWORKS.find((framework) => framework.name === name)!);
  running = await Promise.all(frameworks.map((framework) => framework.start(clock)));
});
afterAll(() => Promise.all(running.map((app) => app.close())));

const pairs = NAMES.flatMap((first, from) =>
  NAMES.map((second, to) => [first, second, from, to] as const),
).filter(([first, second]) => first !== second);

test.each(pairs)("a cookie of %s is opened by %s", async (_first, _second, from, to) => {
  let app = running[from]!;
  const visitor = createVisitor({ target: (request) => app.send(request), now: clock.now });
  expect((await visitor.get("/accounts/7/balance")).status).toBe(200);
  app = running[to]!;
  expect((await visitor.post("/transfer", {})).status).toBe(201);
  app = running[from]!;
  expect((await visitor.post("/transfer", {})).status).toBe(201);
});

test("a journey through all of them leaves one sequence", async () => {
  let app = running[0]!;
  const visitor = createVisitor({ target: (request) => app.send(request), now: clock.now });
  for (const next of running) {
    app = next;
    await visitor.get("/accounts/7/balance");
    clock.advance("1s");
  }
  const { previousOps } = JSON.parse((await visitor.get("/sequence")).body) as {
    readonly previousOps: readonly string[];
  };
  expect(previousOps).toHaveLength(running.length);
});
