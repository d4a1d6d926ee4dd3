/** The journeys: one suite that every carrier of the engine has to pass unchanged. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createVisitor } from "../../src/testing/index.ts";
import type { TestClock, Visitor } from "../../src/testing/index.ts";
import { operations, startClock } from "./kit.ts";
import type { Framework, RunningApp } from "./kit.ts";

const { shortIds } = operations;

const isSequenceCookie = (line: string): boolean => line.startsWith("__Host-sq.");

export function describeJourneys(framework: Framework): void {
  const { skip } = framework;
  const reason = skip === undefined ? "" : `: skipped, ${skip}`;
  describe.skipIf(skip !== undefined)(`through ${framework.name}${reason}`, () => {
    let clock: TestClock;
    let app: RunningApp;
    let visitor: Visitor;

    beforeEach(async () => {
      clock = startClock();
      app = await framework.start(clock);
      visitor = createVisitor({ target: app.send, now: clock.now, headers: { accept: "application/json" } });
    });
    afterEach(() => app.close());

    test("a transfer needs a look at the balance, not older than ten minutes", async () => {
      const early = await visitor.post("/transfer", {});
      expect(early).toMatchObject({ status: 403, decision: "blocked" });
      expect(early.body).toContain(early.rayId);
      const look = await visitor.get("/accounts/7/balance");
      expect(look).toMatchObject({ status: 200, body: "100", decision: "passed" });
      clock.advance("9m");
      expect(await visitor.post("/transfer", {})).toMatchObject({ status: 201, body: "sent" });
      clock.advance("2m");
      expect((await visitor.post("/transfer", {})).decision).toBe("blocked");
    });

    test("a blocked call is not remembered, other visitors' calls are not mine", async () => {
      await visitor.post("/transfer", {});
      expect(visitor.jar.entries().size).toBe(0);
      const other = createVisitor({ target: app.send, now: clock.now });
      await other.get("/accounts/7/balance");
      expect((await visitor.post("/transfer", {})).status).toBe(403);
      expect((await other.post("/transfer", {})).status).toBe(201);
    });

    test.each([
      ["an error that a handler throws", "GET", "/boom", 500],
      ["a redirect", "GET", "/leave", 302],
      ["a 304", "GET", "/cached", 304],
      ["a stream", "GET", "/stream", 200],
    ])("records %s", async (_what, method, path, status) => {
      expect((await visitor.get("/last")).decision).toBe("blocked");
      const step = await visitor.request(method, path);
      expect(step.status).toBe(status);
      expect(step.headers.getSetCookie().filter(isSequenceCookie)).toHaveLength(1);
      expect((await visitor.get("/last")).status).toBe(200);
    });

    test("records an operation of `record: success` only when it was one", async () => {
      expect((await visitor.post("/done?fail=1")).status).toBe(409);
      expect((await visitor.get("/last")).status).toBe(403);
      expect((await visitor.post("/done")).status).toBe(200);
      expect((await visitor.get("/last")).status).toBe(200);
    });

    test("two seconds are too few for a person", async () => {
      await visitor.get("/accounts/7/balance");
      await visitor.get("/leave");
      clock.advance("1s");
      expect((await visitor.post("/transfer", {})).decision).toBe("blocked");
      clock.advance("2s");
      expect((await visitor.post("/transfer", {})).status).toBe(201);
    });

    test("a tracked answer is private, and the application's own cookies stay", async () => {
      const look = await visitor.get("/accounts/7/balance");
      expect(look.headers.get("cache-control")).toBe("private, max-age=60");
      expect(
        look.headers.getSetCookie().every((line) => /; Secure/.test(line) && /; HttpOnly/.test(line)),
      ).toBe(true);
      const transfer = await visitor.post("/transfer", {});
      expect(transfer.headers.getSetCookie()).toContain("theme=dark; Path=/");
      expect(transfer.headers.getSetCookie().some(isSequenceCookie)).toBe(true);
    });

    test("a path that is no operation carries no cookie", async () => {
      const page = await visitor.get("/page");
      expect(page).toMatchObject({ status: 200, body: "/page" });
      expect(page.headers.getSetCookie()).toEqual([]);
      expect((await visitor.get("/nothing")).status).toBe(404);
    });

    test("a HEAD of a GET operation is enforced, not recorded", async () => {
      expect((await visitor.request("HEAD", "/last")).status).toBe(403);
      expect((await visitor.request("HEAD", "/accounts/7/balance")).headers.getSetCookie()).toEqual([]);
      expect((await visitor.post("/transfer", {})).status).toBe(403);
    });

    test("a page that must not be fetched ahead is refused to who does", async () => {
      const ahead = await visitor.get("/ahead", { headers: { "sec-purpose": "prefetch" } });
      expect(ahead).toMatchObject({ status: 503, decision: "refused" });
      expect((await visitor.get("/ahead")).status).toBe(200);
    });

    test("cookies of another key are as good as none", async () => {
      await visitor.get("/accounts/7/balance");
      const [[name = "", value = ""] = []] = visitor.jar.entries();
      const forged = `${value.slice(0, -2)}${value.endsWith("AA") ? "BA" : "AA"}`;
      const blocked = await visitor.post("/transfer", {}, { headers: { cookie: `${name}=${forged}` } });
      expect(blocked.decision).toBe("blocked");
      expect((await visitor.post("/transfer", {})).status).toBe(201);
    });

    // The gateway has no handlers to tell.
    if (!framework.tells) return;
    test("a handler is told what came before", async () => {
      await visitor.get("/accounts/7/balance");
      clock.advance("3s");
      await visitor.get("/leave");
      clock.advance("2s");
      expect(JSON.parse((await visitor.get("/sequence")).body)).toEqual({
        currentOp: "",
        previousOps: [shortIds.leave, shortIds.balance],
        msecSinceOp: { [shortIds.leave]: 2000, [shortIds.balance]: 5000 },
      });
    });
  });
}
