/** The other phases, and HTTP/2, inside an application. */
import { once } from "node:events";
import { connect, createServer as createHttp2 } from "node:http2";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { H3, toNodeHandler } from "h3";
import { afterEach, describe, expect, test } from "vitest";
import { stepgate as onFetch } from "../../src/adapters/fetch.ts";
import { stepgate as onH3 } from "../../src/adapters/h3.ts";
import { sequenceOf, stepgate as onNode } from "../../src/adapters/node.ts";
import type { NodeStepgateOptions, RuleInput, SequenceContext } from "../../src/adapters/node.ts";
import type { SecurityEvent } from "../../src/engine/index.ts";
import { createVisitor } from "../../src/testing/index.ts";
import type { TestTarget } from "../../src/testing/index.ts";
import { keys, operations, optionsAt, sendTo, startClock } from "./kit.ts";

const rules: readonly RuleInput[] = [
  {
    phase: "http_ratelimit",
    ref: "few-pages",
    expression: 'http.request.uri.path eq "/limited"',
    ratelimit: {
      characteristics: ["cf.colo.id", "ip.src"],
      period: 60,
      requests_per_period: 2,
      mitigation_timeout: 60,
    },
  },
  {
    phase: "http_request_dynamic_redirect",
    ref: "moved",
    action: "redirect",
    expression: 'http.request.uri.path eq "/old"',
    action_parameters: { from_value: { status_code: 301, target_url: { value: "/new" } } },
  },
  {
    phase: "http_request_late_transform",
    ref: "mark",
    action: "rewrite",
    expression: 'http.request.uri.path eq "/marked"',
    action_parameters: {
      headers: { "x-mark": { operation: "set", value: "ours" }, "x-secret": { operation: "remove" } },
    },
  },
  {
    phase: "http_response_headers_transform",
    ref: "powered",
    action: "rewrite",
    expression: 'http.request.uri.path eq "/marked"',
    action_parameters: {
      headers: { "x-frame-options": { operation: "set", value: "DENY" }, "x-leak": { operation: "remove" } },
    },
  },
  { ref: "log-only", action: "log", expression: 'http.request.uri.path eq "/watched"' },
];

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** What the application says of what it sees. */
const seen = (mark: string | null | undefined, secret: string | null | undefined): string =>
  `${mark ?? "-"} ${secret ?? "-"}`;

function startAll(
  onEvent: (event: SecurityEvent) => void,
): Promise<readonly (readonly [string, TestTarget])[]> {
  const options = {
    operations,
    rules,
    keys,
    now: startClock().now,
    onEvent,
    clientAddress: () => "192.0.2.1",
  };
  const node = onNode(options);
  const server = createServer((req, res) => {
    res.setHeader("X-Leak", "yes");
    node(req, res, () => res.end(seen(req.headers["x-mark"] as string, req.headers["x-secret"] as string)));
  });
  const web = onFetch(options);
  const app = new H3().use(onH3(options)).all("/**", (event) => {
    event.res.headers.set("x-leak", "yes");
    const { headers } = event.req;
    return seen(headers.get("x-mark"), headers.get("x-secret"));
  });
  const h3Server = createServer(toNodeHandler(app)).listen(0, "127.0.0.1");
  closing.push(
    () =>
      new Promise((resolve) => {
        h3Server.close(() => resolve());
        h3Server.closeAllConnections();
      }),
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () =>
      resolve([
        ["node", sendTo((server.address() as AddressInfo).port)],
        [
          "fetch",
          (request) =>
            web(
              request,
              ({ headers }) =>
                new Response(seen(headers.get("x-mark"), headers.get("x-secret")), {
                  headers: { "x-leak": "yes" },
                }),
            ),
        ],
        ["h3", (request) => app.fetch(request)],
        ["h3 on node", sendTo((h3Server.address() as AddressInfo).port)],
      ]),
    );
  });
}

describe("rules of every phase", () => {
  test.each(["node", "fetch", "h3"])("on %s", async (name) => {
    const events: SecurityEvent[] = [];
    const target = new Map(await startAll((event) => events.push(event))).get(name)!;
    const visitor = createVisitor({ target, headers: { accept: "application/json" } });
    expect((await visitor.get("/limited")).status).toBe(200);
    expect((await visitor.get("/limited")).status).toBe(200);
    expect(await visitor.get("/limited")).toMatchObject({ status: 429, decision: "limited" });
    const moved = await visitor.get("/old");
    expect(moved.status).toBe(301);
    expect(moved.headers.get("location")).toMatch(/^https?:\/\/[^/]+\/new$/);
    const marked = await visitor.get("/marked", { headers: { "x-secret": "1" } });
    expect(marked.headers.get("x-frame-options")).toBe("DENY");
    expect(marked.headers.get("x-leak")).toBeNull();
    expect((await visitor.get("/watched")).status).toBe(200);
    const statusOf = Object.fromEntries(events.map(({ ruleRef, status }) => [ruleRef, status]));
    expect(statusOf).toMatchObject({ "few-pages": 429, "log-only": 200 });
  });

  test.each(["node", "fetch", "h3", "h3 on node"])(
    "request headers are changed for the application on %s",
    async (name) => {
      const target = new Map(await startAll(() => undefined)).get(name)!;
      const marked = await createVisitor({ target }).get("/marked", { headers: { "x-secret": "1" } });
      expect(marked.body).toBe("ours -");
    },
  );
});

test("on HTTP/2 the cookie and the answer come as on HTTP/1.1", async () => {
  const clock = startClock();
  const guard = onNode(optionsAt(clock));
  const listener = (req: IncomingMessage, res: ServerResponse): void =>
    guard(req, res, () => {
      res.setHeader("x-one", ["a", "b"]);
      res.writeHead(200, { "content-type": "text/plain" });
      res.end(JSON.stringify(sequenceOf(req)));
    });
  const server = createHttp2(listener as unknown as Parameters<typeof createHttp2>[1] & RequestListener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  closing.push(() => new Promise((resolve) => session.close(() => server.close(() => resolve()))));
  const ask = (
    method: string,
    path: string,
    cookie = "",
  ): Promise<{ status: number; cookies: readonly string[]; body: string }> =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        ":method": method,
        ":path": path,
        ...(cookie === "" ? {} : { cookie }),
      });
      let head: Record<string, unknown> = {};
      let body = "";
      stream.setEncoding("utf8");
      stream.on("response", (headers) => (head = headers));
      stream.on("data", (chunk: string) => (body += chunk));
      stream.on("error", reject);
      stream.on("end", () =>
        resolve({
          status: Number(head[":status"]),
          cookies: (head["set-cookie"] as string[] | undefined) ?? [],
          body,
        }),
      );
      stream.end();
    });
  expect((await ask("POST", "/transfer")).status).toBe(403);
  const look = await ask("GET", "/accounts/7/balance");
  expect(look.cookies).toHaveLength(1);
  const after = await ask("POST", "/transfer", look.cookies[0]!.split(";")[0]);
  expect(after.status).toBe(200);
  expect((JSON.parse(after.body) as SequenceContext).previousOps).toEqual([operations.shortIds.balance]);
});

describe("configuration", () => {
  test.each([
    [{}, /expected one of `operations`, `zone` and `controlPlane`, found 0/],
    [{ operations, zone: {} }, /found 2 of them/],
    [{ zone: {}, rules: [] }, /expected `rules` beside `operations` only/],
    [{ operations, name: "Shop Example" }, /in the form of a host name/],
    [{ zoneFile: "/nowhere/zone.json" }, /zoneFile `\/nowhere\/zone.json`: ENOENT/],
    [{ zone: { zone: { name: "a" } } }, /rulesets: expected a list, found none|operations: expected a list/],
    [
      { zone: { zone: { name: "a", auth_id_characteristics: [{}] } } },
      /session identifiers need the gateway/,
    ],
  ])("%j is refused at once", (options, message) => {
    expect(() => onNode({ keys, ...options } as NodeStepgateOptions)).toThrow(message);
  });

  test("wrong keys let nothing through", async () => {
    const guard = onFetch({ operations, keys: '{"keys":[]}' });
    await expect(guard.start()).rejects.toThrow(/expected at least one key/);
    await expect(guard(new Request("https://a.test/"), () => new Response())).rejects.toThrow(
      /expected at least one key/,
    );
    expect(() => onFetch({ operations } as never)).toThrow(/expected `keys`/);
  });
});

describe("wrong keys on Node, where somebody listens for rejections, let nothing through", () => {
  test.each([
    ["a `next` that takes no error", 500, "Internal Server Error\n"],
    ["one that does", 503, "told"],
  ])("%s", async (what, status, body) => {
    const server = createServer((req, res) => {
      const guard = onNode({ operations, keys: '{"keys":[]}' });
      guard.ready.catch(() => undefined);
      if (what === "one that does") guard(req, res, (error) => res.writeHead(error ? 503 : 200).end("told"));
      else guard(req, res, () => res.end("passed"));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect([response.status, await response.text()]).toEqual([status, body]);
    server.close();
    server.closeAllConnections();
  });
});

test("a response object shared by all visitors never carries one visitor's cookie", async () => {
  const guard = onFetch(optionsAt(startClock()));
  const shared = new Response(null, { status: 204 });
  const first = await guard(new Request("https://a.test/accounts/1/balance"), () => shared);
  expect(first.headers.getSetCookie()).toHaveLength(1);
  expect(shared.headers.getSetCookie()).toEqual([]);
  const redirect = await guard(new Request("https://a.test/leave"), () =>
    Response.redirect("https://a.test/"),
  );
  expect(redirect.headers.getSetCookie()).toHaveLength(1);
});
