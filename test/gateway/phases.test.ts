/** Every phase and action as a client and an origin see them, over TLS. */
import type { ClientHttp2Session } from "node:http2";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hasLeadingZeroBits } from "../../src/challenge/index.ts";
import type { Rule, Ruleset } from "../../src/ruleset/index.ts";
import { hexId, memoryLimits, rule, ruleset } from "../support/engine.ts";
import {
  openHttp2,
  requestHttp1,
  requestHttp2,
  startGateway,
  startOrigin,
  zoneAt,
} from "../support/gateway.ts";
import type { ClientRequest, Reply, TestGateway, TestOrigin } from "../support/gateway.ts";

let origin: TestOrigin;
let gateway: TestGateway;
let session: ClientHttp2Session;

beforeEach(async () => {
  origin = await startOrigin((req, res) => {
    if (req.url === "/reset") req.socket.destroy();
    else
      res
        .writeHead(req.url === "/login" ? 401 : 200, { "x-powered-by": "origin", "x-score": "300" })
        .end("body");
  });
  gateway = await startGateway({ zones: [zoneAt(origin)], gateway: { rateLimits: memoryLimits() } });
  session = await openHttp2(gateway.port);
});
afterEach(async () => {
  session.destroy();
  await gateway.close();
  await origin.close();
});

const use = (...rulesets: readonly Ruleset[]): void => gateway.source.set([zoneAt(origin, { rulesets })]);
const inPhase = (phase: Ruleset["phase"], ...rules: readonly Rule[]): Ruleset =>
  ruleset(rules, { phase, id: hexId() });
const onBoth = async (request: ClientRequest): Promise<readonly [Reply, Reply]> => [
  await requestHttp1(gateway.port, request),
  await requestHttp2(session, request),
];
const rewrite = (headers: object, expression = "true"): Rule =>
  rule(expression, { action: "rewrite", action_parameters: { headers } });

describe("over HTTP/1.1 and HTTP/2", () => {
  test("a header that the origin receives, and one that it does not", async () => {
    use(
      inPhase(
        "http_request_late_transform",
        rewrite({
          "X-Op": { operation: "set", expression: "cf.sequence.current_op" },
          "X-Static": { operation: "set", value: "a, b" },
          "X-Drop": { operation: "remove" },
          cookie: { operation: "remove" },
        }),
      ),
    );
    await onBoth({ path: "/a", headers: { "x-op": "forged", "x-drop": "1", cookie: "a=1" } });
    expect(origin.seen).toHaveLength(2);
    for (const { headers } of origin.seen) {
      expect(headers).toMatchObject({ "x-op": "aaaaaaaa", "x-static": "a, b" });
      expect(headers).not.toHaveProperty("x-drop");
      expect(headers).not.toHaveProperty("cookie");
    }
  });

  test("response headers set, added and removed, on the origin's answers and our own", async () => {
    use(
      inPhase(
        "http_response_headers_transform",
        rewrite({
          "X-Frame-Options": { operation: "set", value: "DENY" },
          "Set-Cookie": { operation: "add", value: "a=1" },
          "X-Powered-By": { operation: "remove" },
        }),
      ),
      inPhase("http_request_firewall_custom", rule('http.request.uri.path eq "/blocked"')),
    );
    for (const path of ["/a", "/blocked", "/reset"]) {
      for (const { headers, status } of await onBoth({ path })) {
        expect([path, status]).toEqual([path, { "/a": 200, "/blocked": 403, "/reset": 502 }[path]]);
        expect(headers).toMatchObject({ "x-frame-options": "DENY" });
        expect(headers["set-cookie"]).toContain("a=1");
        expect(headers).not.toHaveProperty("x-powered-by");
      }
    }
  });

  test("a limit: 429 with Retry-After, which ends in time", async () => {
    const limit = rule('http.request.uri.path eq "/x"', {
      ratelimit: {
        characteristics: ["ip.src", "cf.colo.id"],
        period: 1,
        requests_per_period: 2,
        mitigation_timeout: 0,
      },
    });
    use(inPhase("http_ratelimit", limit));
    const [first, second] = await onBoth({ path: "/x" });
    expect([first.status, second.status]).toEqual([200, 200]);
    const limited = await requestHttp2(session, { path: "/x" });
    expect(limited.status).toBe(429);
    const seconds = Number(limited.headers["retry-after"]);
    expect(seconds).toBe(1);
    expect(limited.headers["ratelimit"]).toMatch(/;r=0;t=1$/);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    expect((await requestHttp1(gateway.port, { path: "/x" })).status).toBe(200);
  });

  test("a limit on what the origin answers, and one on the scores it gives", async () => {
    const { requests_per_period: _none, ...scored } = {
      characteristics: ["cf.colo.id"],
      period: 60,
      requests_per_period: 1,
      score_per_period: 500,
      score_response_header_name: "X-Score",
    };
    use(
      inPhase(
        "http_ratelimit",
        rule('http.request.uri.path eq "/login"', {
          ratelimit: {
            characteristics: ["cf.colo.id"],
            period: 60,
            requests_per_period: 1,
            counting_expression: "http.response.code eq 401",
          },
        }),
        rule('http.request.uri.path eq "/search"', { ratelimit: scored }),
      ),
    );
    const statuses: number[] = [];
    for (const path of ["/login", "/login", "/login", "/search", "/search", "/search"]) {
      statuses.push((await requestHttp2(session, { path })).status);
    }
    expect(statuses).toEqual([401, 401, 429, 200, 200, 429]);
  });

  test("a redirect leaves with its own headers and without a body; the request's body is not awaited", async () => {
    use(
      inPhase(
        "http_request_dynamic_redirect",
        rule('http.request.uri.path eq "/old"', {
          action: "redirect",
          action_parameters: { from_value: { target_url: { value: "/new" }, status_code: 307 } },
        }),
      ),
    );
    for (const { status, headers, body } of await onBoth({
      method: "POST",
      path: "/old",
      body: "x".repeat(10_000),
    })) {
      expect([status, body, headers["content-length"]]).toEqual([307, "", "0"]);
      expect(headers["location"]).toMatch(/^https:\/\/shop\.example(?::\d+)?\/new$/);
    }
    expect(origin.seen).toEqual([]);
  });

  test("a challenge: curl gets the page, a program that does the work a clearance", async () => {
    use(
      inPhase(
        "http_request_firewall_custom",
        rule('http.request.uri.path eq "/x"', { action: "managed_challenge" }),
      ),
    );
    const page = await requestHttp1(gateway.port, { path: "/x" });
    expect([page.status, page.headers["stepgate-mitigated"]]).toEqual([403, "challenge"]);
    const { challenge } = JSON.parse(
      (await requestHttp2(session, { path: "/x", headers: { accept: "application/json" } })).body,
    ) as { challenge: { token: string; seed: string; difficulty_bits: number; rounds: number } };
    const solution = Array.from({ length: challenge.rounds }, (_, round) => {
      for (let nonce = 0; ; nonce += 1) {
        const digest = createHash("sha256").update(`${challenge.seed}:${round}:${nonce}`).digest();
        if (hasLeadingZeroBits(digest, challenge.difficulty_bits)) return nonce;
      }
    }).join(",");
    const answered = await requestHttp2(session, {
      method: "POST",
      path: "/.well-known/stepgate/challenge",
      headers: { "stepgate-challenge": challenge.token, "stepgate-solution": solution },
    });
    expect(answered.status).toBe(200);
    const [cookie = ""] = ((answered.headers["set-cookie"] as string[])[0] ?? "").split(";");
    expect(cookie).toMatch(/^__Host-sg_clearance=/);
    const passed = await requestHttp1(gateway.port, { path: "/x", headers: { cookie: `a=1; ${cookie}` } });
    expect(passed.status).toBe(200);
    expect(origin.seen.at(-1)?.headers["cookie"]).toBe("a=1");
  }, 30_000);
});

describe("events", () => {
  test("say how the request ended, also when the origin did not answer", async () => {
    use(inPhase("http_request_firewall_custom", rule("true", { action: "log" })));
    await requestHttp2(session, { path: "/login" });
    await requestHttp1(gateway.port, { path: "/reset" });
    expect(gateway.events.map(({ path, status, originStatus }) => [path, status, originStatus])).toEqual([
      ["/login", 401, 401],
      ["/reset", 502, 0],
    ]);
  });

  test("the visitor sees the ray id of the event", async () => {
    use(inPhase("http_request_firewall_custom", rule("true")));
    const { body, headers } = await requestHttp1(gateway.port, { path: "/x" });
    const [event] = gateway.events;
    expect(headers["stepgate-ray"]).toBe(event?.rayId);
    expect(body).toContain(event?.rayId);
  });
});
