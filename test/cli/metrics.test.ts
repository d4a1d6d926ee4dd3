/** What the metrics say after known traffic, and that neither they nor the log hold what they must not. */
import { connect } from "node:http2";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startOrigin } from "../support/gateway.ts";
import type { TestOrigin } from "../support/gateway.ts";
import { askProcess, callApi, startProcess } from "./start-process.ts";
import type { ProcessRequest, StartedProcess } from "./start-process.ts";

let origin: TestOrigin;
let stepgate: StartedProcess;
let ruleId: string;

beforeAll(async () => {
  origin = await startOrigin((req, res) => {
    if (req.url === "/broken") req.socket.destroy();
    else res.writeHead(req.url === "/failing" ? 500 : 200).end();
  });
  const zones = [{ name: "localhost", origin: origin.url }];
  stepgate = await startProcess({ zones, log: { level: "debug" } });
  const [zone] = (JSON.parse((await callApi(stepgate, "GET", "/zones")).body) as { result: { id: string }[] })
    .result;
  const base = `/zones/${zone?.id}`;
  await callApi(stepgate, "POST", `${base}/api_gateway/operations`, [
    { method: "GET", host: "localhost", endpoint: "/step" },
  ]);
  await callApi(stepgate, "PUT", `${base}/fraud_detection/sequence_cookies`, { enabled: true });
  const { body } = await callApi(
    stepgate,
    "PUT",
    `${base}/rulesets/phases/http_request_firewall_custom/entrypoint`,
    { rules: [{ expression: 'http.request.uri.path eq "/forbidden"', action: "block" }] },
  );
  ruleId = (JSON.parse(body) as { result: { rules: { id: string }[] } }).result.rules[0]?.id ?? "";
});
afterAll(async () => {
  await stepgate.stop();
  await origin.close();
});

const ask = (path: string, members: Partial<ProcessRequest> = {}) =>
  askProcess(stepgate, { port: stepgate.gatewayPort, path, ...members });

/** Values by series, `name{labels}`. */
async function metrics(): Promise<ReadonlyMap<string, number>> {
  const { body } = await askProcess(stepgate, { port: stepgate.apiPort, path: "/metrics" });
  return new Map(
    body
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const space = line.lastIndexOf(" ");
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
  );
}

/** How a series has grown since `before`. */
const growth = (before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, series: string) =>
  (after.get(series) ?? 0) - (before.get(series) ?? 0);

/** Cookies that did not open, whatever the reason. */
function invalid(series: ReadonlyMap<string, number>): number {
  const counts = [...series].filter(([name]) => name.startsWith("stepgate_cookies_invalid_total{reason="));
  return counts.reduce((sum, [, value]) => sum + value, 0);
}

const REQUESTS = 'stepgate_requests_total{zone="localhost",method="GET"';

describe("metrics count right", () => {
  test("requests by zone, method, status and outcome", async () => {
    const before = await metrics();
    for (let index = 0; index < 3; index++) await ask("/x");
    await ask("/failing");
    await ask("/broken");
    await ask("/x", { method: "POST", body: "x" });
    const after = await metrics();
    expect(growth(before, after, `${REQUESTS},status="2xx",outcome="forwarded"}`)).toBe(3);
    expect(growth(before, after, `${REQUESTS},status="5xx",outcome="forwarded"}`)).toBe(1);
    expect(growth(before, after, `${REQUESTS},status="5xx",outcome="failed"}`)).toBe(1);
    const post = 'stepgate_requests_total{zone="localhost",method="POST",status="2xx",outcome="forwarded"}';
    expect(growth(before, after, post)).toBe(1);
    expect(growth(before, after, 'stepgate_refused_total{reason="origin_protocol"}')).toBe(1);
    expect(growth(before, after, 'stepgate_request_seconds_count{zone="localhost"}')).toBe(6);
    expect(growth(before, after, 'stepgate_upstream_seconds_count{zone="localhost"}')).toBe(5);
  });

  test("decisions by rule", async () => {
    const before = await metrics();
    for (let index = 0; index < 4; index++) expect((await ask("/forbidden")).status).toBe(403);
    const series = `stepgate_rule_hits_total{zone="localhost",phase="http_request_firewall_custom",rule="${ruleId}",action="block"}`;
    expect(growth(before, await metrics(), series)).toBe(4);
  });

  test("cookie bytes, and cookies that do not open by reason", async () => {
    const { headers } = await ask("/step");
    const [cookie = ""] = ((headers["set-cookie"] ?? []) as string[])[0]?.split(";") ?? [];
    expect(cookie).toMatch(/^__Host-sq\./);
    const before = await metrics();
    await ask("/step", { headers: { cookie } });
    const half = await metrics();
    const bytes = growth(before, half, "stepgate_cookie_bytes_sum");
    expect(bytes).toBeGreaterThan(cookie.length * 0.8);
    expect(bytes).toBeLessThan(cookie.length * 1.2);
    expect(invalid(half)).toBe(invalid(before));
    const forged = cookie.slice(0, -6) + (cookie.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA");
    await ask("/step", { headers: { cookie: forged } });
    expect(invalid(await metrics())).toBe(invalid(half) + 1);
  });

  test("configuration version, event loop, process", async () => {
    const before = await metrics();
    expect(before.get("stepgate_config_version")).toBeGreaterThan(0);
    await callApi(stepgate, "POST", "/zones", { name: "more.example", origin: "http://127.0.0.1:1" });
    await expect
      .poll(async () => growth(before, await metrics(), "stepgate_config_version"))
      .toBeGreaterThan(0);
    expect([...before.keys()]).toEqual(
      expect.arrayContaining([
        "nodejs_eventloop_lag_seconds",
        "nodejs_eventloop_lag_p99_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
      ]),
    );
  });
});

/** Twenty of each kind, under names that no round before has used. */
async function attack(round: number): Promise<void> {
  const session = connect(`https://127.0.0.1:${stepgate.gatewayPort}`, {
    ca: stepgate.ca,
    servername: "localhost",
  });
  const calls = Array.from({ length: 20 }, (_, index) => {
    const name = `evil${round}x${index}`;
    const stream = session.request({
      ":method": name.toUpperCase(),
      ":path": `/${name}`,
      ":authority": "localhost",
    });
    stream.on("error", () => undefined).resume();
    return [
      new Promise((resolve) => stream.once("close", resolve)),
      ask(`/${name}`, { host: `${name}.example` }),
      ask(`/${name}?${name}`, { headers: { cookie: `__Host-sq.${name}=${name}`, "user-agent": name } }),
    ];
  });
  await Promise.all(calls.flat());
  session.close();
  await garbage(`${round} evil / HTTP/7.7\r\n\r\n`);
}

test("hostile hosts, paths, methods, cookies and protocols make no series of their own", async () => {
  await attack(0);
  const before = await metrics();
  await attack(1);
  const after = await metrics();
  expect([...after.keys()].filter((series) => series.startsWith("stepgate_"))).toEqual(
    [...before.keys()].filter((series) => series.startsWith("stepgate_")),
  );
  expect([...after.keys()].filter((series) => /evil/i.test(series))).toEqual([]);
});

/** Sends what is no request, and waits for the end. */
function garbage(text: string): Promise<void> {
  const { ca, gatewayPort: port } = stepgate;
  return new Promise((resolve) => {
    const socket = connectTls({ host: "127.0.0.1", port, servername: "localhost", ca }, () =>
      socket.write(text),
    );
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve());
    socket.resume();
  });
}

test("the log holds no secret, at its most talkative", async () => {
  const secret = {
    authorization: "Bearer s3cret-bearer",
    "x-api-key": "s3cret-key",
    cookie: "session=s3cret-cookie",
  };
  for (const path of ["/x", "/forbidden", "/failing", "/broken", "/a%zz"])
    await ask(path, { headers: secret });
  await ask("/x", { host: "evil.example", headers: secret });
  const { headers } = await ask("/step", { headers: secret });
  const [sequence = ""] = ((headers["set-cookie"] ?? []) as string[])[0]?.split(";") ?? [];
  const value = sequence.slice(sequence.indexOf("=") + 1);
  expect(value.length).toBeGreaterThan(50);
  await ask("/forbidden", { headers: { cookie: sequence } });
  await garbage(
    "GET /x HTTP/1.1\r\nHost: localhost\r\nCookie: s3cret-cookie\r\nAuthorization: s3cret-bearer\r\nX\x01: y\r\n\r\n",
  );
  const wrong = { authorization: "Bearer s3cret-token-that-is-wrong" };
  await askProcess(stepgate, { port: stepgate.apiPort, path: "/client/v4/zones", headers: wrong });
  await expect.poll(() => stepgate.output()).toContain('"action":"block"');
  await expect.poll(() => stepgate.output()).toContain("request refused");
  const output = stepgate.output();
  expect(output).not.toContain("s3cret");
  expect(output).not.toContain(stepgate.token);
  expect(output).not.toContain(value);
});
