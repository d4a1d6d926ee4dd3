import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { describe, expect, test } from "vitest";
import { DownloadTurns } from "../../src/proxy/download-turns.ts";
import { Exchange } from "../../src/proxy/exchange.ts";
import type { ForwardResult } from "../../src/proxy/index.ts";

/** A response under way of unknown length, in a turn that has been used up by other downloads. */
function startBusy() {
  const turns = new DownloadTurns();
  while (turns.admits({ goOn: () => undefined }));
  const log: string[] = [];
  const res = Object.assign(new EventEmitter(), {
    headersSent: false,
    writableEnded: false,
    writeHead: () => log.push("head"),
    flushHeaders: () => undefined,
    write: (chunk: Buffer) => log.push(chunk.toString()) > 0,
    end: () => log.push("end"),
  });
  const controller = {
    rawHeaders: [],
    pause: () => log.push("pause"),
    resume: () => log.push("resume"),
    abort: () => log.push("abort"),
  } as unknown as Dispatcher.DispatchController;
  const results: ForwardResult[] = [];
  const hooks = { onResponse: () => [] };
  const exchange = new Exchange(
    { req: {} as IncomingMessage, res: res as unknown as ServerResponse },
    { hooks, turns, queueTimeoutMs: 1_000 },
    (result) => results.push(result),
  );
  exchange.onRequestStart(controller);
  exchange.onResponseStart(controller, 200, {});
  return {
    res,
    log,
    results,
    data: (text: string) => exchange.onResponseData(controller, Buffer.from(text)),
    end: () => exchange.onResponseEnd(controller),
  };
}

describe("a piece that waits for its turn", () => {
  test("is sent in one of the next turns, and the origin asked for more", async () => {
    const { log, data } = startBusy();
    data("one");
    expect(log).toEqual(["head", "pause"]);
    await nextTurn();
    await nextTurn();
    expect(log).toEqual(["head", "pause", "one", "resume"]);
  });

  test("comes before what an origin that closes hands over with it, and before the end", async () => {
    const { log, results, data, end } = startBusy();
    data("one");
    data("two");
    end();
    expect(log.filter((entry) => entry !== "pause")).toEqual(["head", "one", "two", "end"]);
    expect(results).toEqual([{ kind: "done", status: 200 }]);
    await nextTurn();
    await nextTurn();
    expect(log.filter((entry) => entry !== "pause")).toEqual(["head", "one", "two", "end"]);
  });

  test("comes before the end that comes with it", () => {
    const { log, data, end } = startBusy();
    data("one");
    end();
    expect(log).toEqual(["head", "pause", "one", "end"]);
  });

  test("goes to nobody when the client has left", async () => {
    const { res, log, results, data } = startBusy();
    data("one");
    res.emit("close");
    expect(results).toEqual([{ kind: "client-gone" }]);
    await nextTurn();
    await nextTurn();
    expect(log).toEqual(["head", "pause", "abort"]);
  });
});
