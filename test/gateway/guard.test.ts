import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { Guard } from "../../src/gateway/guard.ts";
import { collectGarbage } from "../support/garbage.ts";

const ADDRESS = "192.0.2.1";

/** As much as the guard looks at. */
function exchange(): { readonly req: IncomingMessage; readonly res: ServerResponse & { weight?: string[] } } {
  const req = { complete: true, readableLength: 0, socket: { bytesRead: 0 } };
  const res = Object.assign(new EventEmitter(), { writableLength: 0, socket: { writableLength: 0 } });
  return { req: req as unknown as IncomingMessage, res: res as unknown as ServerResponse };
}

function startGuard(): Guard {
  const guard = new Guard();
  onTestFinished(() => guard.close());
  return guard;
}

describe("requests under way", () => {
  test("are counted from their beginning to their close, in whatever order they end", () => {
    const guard = startGuard();
    const exchanges = Array.from({ length: 5 }, exchange);
    for (const { req, res } of exchanges) guard.track(req, res, ADDRESS);
    expect(guard.size).toBe(5);
    for (const [gone, index] of [2, 4, 0, 1, 3].entries()) {
      exchanges[index]?.res.emit("close");
      expect(guard.size).toBe(4 - gone);
    }
    const { req, res } = exchange();
    guard.track(req, res, ADDRESS);
    expect(guard.size).toBe(1);
  });

  test("that are over are collected with the young, also when earlier ones have grown old", () => {
    const guard = startGuard();
    const underWay = Array.from({ length: 32 }, exchange);
    for (const { req, res } of underWay) guard.track(req, res, ADDRESS);
    collectGarbage();
    const usedBefore = process.memoryUsage().heapUsed;
    for (let round = 0; round < 5_000; round += 1) {
      underWay.shift()?.res.emit("close");
      const next = exchange();
      next.res.weight = Array.from({ length: 500 }, () => "");
      underWay.push(next);
      guard.track(next.req, next.res, ADDRESS);
      if (round % 500 === 0) collectGarbage({ type: "minor" });
    }
    collectGarbage({ type: "minor" });
    collectGarbage({ type: "minor" });
    // All 5,000 weigh 20 MB; those under way 130 KB.
    expect(process.memoryUsage().heapUsed - usedBefore).toBeLessThan(5e6);
  });
});
