/** The measured matrix, live: a real h3 application as origin, asked for random spellings over a socket. */
import { Agent, createServer, request } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import { H3, toNodeHandler } from "h3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canonicalTarget, createMatcher } from "../../src/operation/index.ts";
import { operation } from "../operation/arbitraries.ts";

const HOST = "shop.example";
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let origin: Server;

beforeAll(async () => {
  const app = new H3()
    .get("/api/v1/transferFunds", () => "transfer")
    .get("/users/:id/@me", () => "me")
    .all("/**", () => "nothing");
  origin = createServer(toNodeHandler(app));
  await new Promise<void>((resolve) => {
    origin.listen(0, "127.0.0.1", resolve);
  });
});

afterAll(async () => {
  agent.destroy();
  await new Promise((resolve) => {
    origin.close(resolve);
  });
});

/** Which handler runs for a request path, sent byte for byte. */
function ask(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = origin.address() as AddressInfo;
    request({ host: "127.0.0.1", port, path, agent, headers: { host: HOST } }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => {
        resolve(body);
      });
    })
      .on("error", reject)
      .end();
  });
}

const escaped = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`;

/** A path that reaches one of the handlers, with every character and every slash perhaps spelled differently. */
const disguised = fc
  .constantFrom("/api/v1/transferFunds", "/users/7/@me", "/users/a%20b/@me")
  .chain((path) =>
    fc.tuple(
      ...Array.from(path, (char) =>
        fc.oneof(
          { weight: char === "/" ? 3 : 12, arbitrary: fc.constant(char) },
          {
            weight: 1,
            arbitrary:
              char === "/"
                ? fc.constantFrom("//", "/./", "/x/../", "/%2e/", "/x/%2E./", "/;/", "/..;/", "%2f")
                : fc.constantFrom(
                    escaped(char),
                    escaped(char).toUpperCase(),
                    char.toUpperCase(),
                    `%25${escaped(char).slice(1)}`,
                  ),
          },
        ),
      ),
      fc.constantFrom("", "", "/", "//", "/.", "/x/..", ";x", "?q", ".json", "%20", "%c5%bf"),
    ),
  )
  .map((pieces) => pieces.join(""));

test("whatever an h3 origin routes to an operation is that operation to us", async () => {
  const saved = [
    operation("GET", HOST, "/api/v1/transferFunds", 1),
    operation("GET", HOST, "/users/{var1}/@me", 2),
  ];
  const matcher = createMatcher(saved);
  const seen = { transfer: 0, me: 0, nothing: 0 };
  await fc.assert(
    fc.asyncProperty(disguised, async (target) => {
      const result = canonicalTarget(target);
      if (result.kind !== "path") return;
      const handler = (await ask(result.path + result.query)) as keyof typeof seen;
      seen[handler]++;
      const routed = { transfer: saved[0], me: saved[1], nothing: undefined }[handler];
      return routed === undefined || matcher.match("GET", HOST, result.path) === routed;
    }),
    { numRuns: 600 },
  );
  expect(Math.min(seen.transfer, seen.me, seen.nothing)).toBeGreaterThan(20);
});
