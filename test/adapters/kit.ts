/** One application, told once, for every framework, and what the journeys need of a framework. */
import { defineOperations } from "../../src/adapters/define-operations.ts";
import type { KeySetInput, StepgateOptions } from "../../src/adapters/options.ts";
import { createTestClock } from "../../src/testing/client.ts";
import type { TestClock, TestTarget } from "../../src/testing/client.ts";

export const operations = defineOperations({
  balance: "GET /accounts/{id}/balance",
  transfer: "POST /transfer",
  boom: "GET /boom",
  leave: "GET /leave",
  cached: "GET /cached",
  stream: "GET /stream",
  done: { operation: "POST /done", record: "success" },
  last: "GET /last",
  ahead: { operation: "GET /ahead", prefetch: "refuse" },
});

const { require, requireAny, forbid } = operations;

const rules = [
  require("balance").before("transfer").within("10m").named("balance-first"),
  requireAny("boom", "leave", "cached", "stream", "done").before("last").named("any-step"),
  forbid("transfer").after("leave").within("2s").named("not-at-once"),
];

/** Of no use anywhere else: written down, because Workers draw no random bytes before the first request. */
export const keys: KeySetInput = {
  keys: [{ kty: "oct", kid: "test", use: "enc", k: "am91cm5leXMtb2YtdGVzdHMtYXJlLW5vdC1zZWNyZXQ" }],
};

/** The same options for every adapter, on a clock that the test moves. */
export function optionsAt(clock: TestClock): StepgateOptions & { readonly keys: KeySetInput } {
  return { operations, rules, keys, now: clock.now, name: "shop.example" };
}

/** What the application answers: body `undefined` for none, an error to be thrown, or pieces to be streamed. */
export type Reply =
  | {
      readonly kind: "body";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: "throw" }
  | { readonly kind: "stream"; readonly pieces: readonly string[] }
  | { readonly kind: "none" };

/** Milliseconds between the pieces of a stream. */
export const PIECE_INTERVAL_MS = 60;

const body = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  kind: "body",
  status,
  body: text,
  headers: { "content-type": "text/plain; charset=utf-8", ...headers },
});

/** The whole application. */
export function replyTo(method: string, path: string, query: string): Reply {
  const route = `${method === "HEAD" ? "GET" : method} ${path}`;
  if (/^GET \/accounts\/[^/]+\/balance$/.test(route))
    return body(200, "100", { "cache-control": "public, max-age=60" });
  switch (route) {
    case "POST /transfer":
      return body(201, "sent", { "set-cookie": "theme=dark; Path=/" });
    case "GET /boom":
      return { kind: "throw" };
    case "GET /leave":
      return body(302, "", { location: "/" });
    case "GET /cached":
      return body(304, "", { etag: '"1"' });
    case "GET /stream":
      return { kind: "stream", pieces: ["one ", "two ", "three"] };
    case "POST /done":
      return query.includes("fail") ? body(409, "not done") : body(200, "done");
    case "GET /last":
    case "GET /ahead":
    case "GET /page":
      return body(200, path);
    default:
      return { kind: "none" };
  }
}

export interface RunningApp {
  /** Sends a request and gives the response as it comes, redirects not followed. */
  readonly send: TestTarget;
  /** Port of a plain HTTP server, for what needs a socket; absent where there is none. */
  readonly port?: number;
  close(): Promise<void>;
}

/** A framework with the application in it. */
export interface Framework {
  readonly name: string;
  /** @param clock given to the middleware; `undefined` starts the application without it */
  start(clock: TestClock | undefined): Promise<RunningApp>;
  /** Whether its handlers are told of the sequence, under `GET /sequence`. */
  readonly tells: boolean;
  /** Why it cannot be tried here; its journeys are skipped by name. */
  readonly skip?: string;
}

/** Half past an hour, so that no journey crosses a key epoch by accident. */
const START_AT = Date.UTC(2026, 10, 21, 12, 30);

/** Field by which the clock goes to another process, epoch milliseconds. */
export const CLOCK_FIELD = "x-test-now";

export const startClock = (): TestClock => createTestClock(START_AT);

/** Thrown by the application. */
export class AppError extends Error {
  readonly status = 500;
  readonly statusCode = 500;
  readonly expose = false;
}

/** For a running server on this machine. */
export function sendTo(port: number): TestTarget {
  return (request) => {
    const url = new URL(request.url);
    return fetch(new Request(`http://127.0.0.1:${port}${url.pathname}${url.search}`, request));
  };
}
