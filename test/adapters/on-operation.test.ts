/** What an application is told of requests to operations, so that it can count them. */
import { expect, test } from "vitest";
import { stepgate } from "../../src/adapters/fetch.ts";
import type { AdapterProblem, JudgedOperation } from "../../src/adapters/fetch.ts";
import { createVisitor } from "../../src/testing/index.ts";
import { operations, optionsAt, startClock } from "./kit.ts";

test("requests to operations are told with what went before them, and whether a rule ended them", async () => {
  const told: JudgedOperation[] = [];
  const clock = startClock();
  const onOperation = (request: JudgedOperation): void => void told.push(request);
  const web = stepgate({ ...optionsAt(clock), onOperation, clientAddress: () => "192.0.2.1" });
  const visitor = createVisitor({ target: (request) => web(request, () => new Response("ok")) });
  expect((await visitor.post("/transfer")).status).toBe(403);
  await visitor.get("/accounts/7/balance");
  await visitor.get("/elsewhere");
  expect((await visitor.post("/transfer")).status).toBe(200);

  const [balance, transfer] = [operations.operations.balance.shortId, operations.operations.transfer.shortId];
  expect(told).toMatchObject([
    { method: "POST", path: "/transfer", operation: transfer, previousOps: [], isEnded: true },
    { method: "GET", path: "/accounts/7/balance", operation: balance, previousOps: [], isEnded: false },
    { operation: transfer, previousOps: [balance], isEnded: false, clientAddress: "192.0.2.1" },
  ]);
});

test("an application that throws while it is told is told so, and answers all the same", async () => {
  const problems: AdapterProblem[] = [];
  const web = stepgate({
    ...optionsAt(startClock()),
    onOperation() {
      throw new Error("full");
    },
    onProblem: (problem) => problems.push(problem),
  });
  const visitor = createVisitor({ target: (request) => web(request, () => new Response("ok")) });
  expect((await visitor.get("/accounts/7/balance")).status).toBe(200);
  expect(problems).toMatchObject([{ reason: "onOperation", error: { message: "full" } }]);
});
