/** What must be as without us: bytes on the wire, when they come, and what does not concern us at all. */
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rawExchange } from "../support/gateway.ts";
import { FRAMEWORKS } from "./frameworks.ts";
import { PIECE_INTERVAL_MS, startClock } from "./kit.ts";
import type { Framework, RunningApp } from "./kit.ts";

/** Frameworks on a socket of their own; the gateway has tests of its own. */
const ON_SOCKETS: readonly Framework[] = FRAMEWORKS.filter(({ name }) =>
  [
    "node:http",
    "Express 5",
    "Express 4",
    "Fastify",
    "Koa",
    "h3 on srvx",
    "h3 in node:http",
    "stepgate/fetch around Hono",
  ].includes(name),
);

const REQUESTS = {
  "a page that is no operation": "GET /page",
  "a 404": "GET /nothing",
  "a tracked page": "GET /accounts/7/balance",
  "a thrown error": "GET /boom",
  "a redirect": "GET /leave",
  "a 304": "GET /cached",
  "a HEAD": "HEAD /accounts/7/balance",
  "a stream": "GET /stream",
  "a cookie of the application": "POST /done",
} as const;

/** Fields that are ours, and those that differ from one second or connection to the next. */
const OURS = /^(?:set-cookie: __Host-sq\.|stepgate-ray:|cache-control:|date:)/i;

/** The whole answer, field lines sorted, without what is ours and without chunk sizes. */
function comparable(answer: string): string {
  const end = answer.indexOf("\r\n\r\n");
  const [status = "", ...fields] = answer.slice(0, end).split("\r\n");
  // Express shows the stack of an error, in which one caller more is no difference.
  const stack = /<pre>.*<\/pre>/s;
  if (stack.test(answer)) {
    const kept = fields.filter((field) => !OURS.test(field) && !/^content-length:/i.test(field)).toSorted();
    return [status, ...kept, "", answer.slice(end + 4).replace(stack, "")].join("\n");
  }
  const kept = fields.filter((field) => !OURS.test(field)).toSorted();
  return [status, ...kept, "", answer.slice(end + 4)].join("\n");
}

/** A web response has no case in its names; the server behind it chooses one. */
function read({ name }: Framework, answer: string): string {
  const text = comparable(answer);
  return name.includes("fetch") ? text.replace(/^[\w-]+:/gm, (field) => field.toLowerCase()) : text;
}

const ask = (port: number, request: string, fields = ""): Promise<string> =>
  rawExchange(
    port,
    `${request} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: 0\r\n${fields}\r\n`,
  );

describe.each(ON_SOCKETS.map((framework) => [framework.name, framework] as const))(
  "%s",
  (_name, framework) => {
    let bare: RunningApp & { readonly port: number };
    let guarded: RunningApp & { readonly port: number };

    beforeAll(async () => {
      bare = (await framework.start(undefined)) as typeof bare;
      guarded = (await framework.start(startClock())) as typeof guarded;
    });
    afterAll(async () => {
      await bare.close();
      await guarded.close();
    });

    test.each(Object.entries(REQUESTS))("%s has the same bytes", async (_what, request) => {
      expect(read(framework, await ask(guarded.port, request))).toBe(
        read(framework, await ask(bare.port, request)),
      );
    });

    test("a stream comes piece by piece", async () => {
      const times = await new Promise<number[]>((resolve, reject) => {
        const found: number[] = [];
        const socket = connect(guarded.port, "127.0.0.1", () =>
          socket.write("GET /stream HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"),
        );
        socket.on("data", (chunk) => {
          if (/one|two|three/.test(String(chunk))) found.push(performance.now());
        });
        socket.on("error", reject);
        socket.on("close", () => resolve(found));
      });
      expect(times.length).toBeGreaterThan(1);
      // Half of what passes between the pieces: a clock of another process may not be ours.
      expect(times.at(-1)! - times[0]!).toBeGreaterThan(PIECE_INTERVAL_MS / 2);
    });

    test("an upgrade goes past us", async () => {
      const upgrade = "Connection: Upgrade\r\nUpgrade: echo\r\n";
      const request = `GET /transfer HTTP/1.1\r\nHost: shop.example\r\n${upgrade}\r\n`;
      expect(await rawExchange(guarded.port, request)).toBe(await rawExchange(bare.port, request));
      expect(await rawExchange(guarded.port, request)).toMatch(/^HTTP\/1\.1 101 .*hello$/s);
    });

    test("spellings of a path that the application does not know record nothing", async () => {
      const odd = await ask(guarded.port, "GET /accounts//7/balance/");
      const recorded = /set-cookie: __Host-sq\./i.test(odd);
      expect(recorded && !odd.startsWith("HTTP/1.1 2")).toBe(false);
      const answer = await ask(guarded.port, "POST /TRANSFER/");
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    });

    test("a Host of the visitor's choosing does not lead around the rules", async () => {
      const statuses: string[] = [];
      for (const host of ["evil.example", "shop.example:1", "[::1]", "localhost"]) {
        const request = `POST /transfer HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
        statuses.push((await rawExchange(guarded.port, request)).slice(9, 12));
      }
      expect(statuses).toEqual(["403", "403", "403", "403"]);
    });
  },
);
