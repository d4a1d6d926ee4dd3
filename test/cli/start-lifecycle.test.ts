/** Reload without a dropped request, drain on SIGTERM, workers: the whole product as a process. */
import { Agent, request } from "node:https";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { exportKeySet, generateMasterKey } from "../../src/cookie/index.ts";
import { ensureDevCertificate } from "../../src/tls/index.ts";
import { startOrigin } from "../support/gateway.ts";
import type { TestOrigin } from "../support/gateway.ts";
import { askProcess, callApi, startProcess } from "./start-process.ts";
import type { StartedProcess } from "./start-process.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(
  config: object = {},
  respond?: Parameters<typeof startOrigin>[0],
): Promise<{ stepgate: StartedProcess; origin: TestOrigin }> {
  const origin = await startOrigin(respond);
  cleanups.push(() => origin.close());
  const stepgate = await startProcess({ zones: [{ name: "localhost", origin: origin.url }], ...config });
  cleanups.push(() => stepgate.stop());
  return { stepgate, origin };
}

interface OwnCertificates {
  /** For the configuration. */
  readonly tls: { readonly certFile: string; readonly keyFile: string };
  readonly ca: string;
  /** Exchanges certificate and key for others of the same CA. */
  readonly renew: () => Promise<void>;
}

async function ownCertificates(): Promise<OwnCertificates> {
  const dir = await mkdtemp(join(tmpdir(), "stepgate-own-"));
  cleanups.push(() => rm(dir, { recursive: true }));
  const tls = { certFile: join(dir, "own.crt"), keyFile: join(dir, "own.key") };
  const renew = async (): Promise<string> => {
    await rm(join(dir, "server.crt"), { force: true });
    const made = await ensureDevCertificate({ dir, nowMs: Date.now(), hosts: ["localhost"] });
    await writeFile(tls.certFile, made.cert);
    await writeFile(tls.keyFile, made.key);
    return made.ca;
  };
  const ca = await renew();
  return { tls, ca, renew: async () => void (await renew()) };
}

/** Requests one after the other on kept connections until `stop`; every failure is kept. */
function startLoad(stepgate: StartedProcess): { stop(): Promise<{ requests: number; failures: unknown[] }> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const stopping = new AbortController();
  let requests = 0;
  const failures: unknown[] = [];
  const lanes = Array.from({ length: 8 }, async () => {
    while (!stopping.signal.aborted) {
      try {
        const { status } = await askProcess(stepgate, { port: stepgate.gatewayPort, path: "/x", agent });
        if (status !== 200) failures.push(status);
      } catch (error) {
        failures.push(error);
      }
      requests += 1;
    }
  });
  return {
    async stop() {
      stopping.abort();
      await Promise.all(lanes);
      agent.destroy();
      return { requests, failures };
    },
  };
}

function serialOf({ ca, gatewayPort }: StartedProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: gatewayPort, servername: "localhost", ca }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

describe("reload", () => {
  test.each([1, 2])("of everything under load loses no request, %i process(es)", async (workers) => {
    const { tls, ca, renew } = await ownCertificates();
    const [origin, other] = [await startOrigin(), await startOrigin((_req, res) => res.end("other"))];
    cleanups.push(
      () => origin.close(),
      () => other.close(),
    );
    const zones = [{ name: "localhost", origin: origin.url }];
    const stepgate = await startProcess({ workers, tls, zones }, ca);
    cleanups.push(() => stepgate.stop());
    const before = await serialOf(stepgate);
    const load = startLoad(stepgate);
    await sleep(300);
    await renew();
    const masters = [generateMasterKey((lengthBytes) => randomBytes(lengthBytes))];
    await writeFile(join(stepgate.dir, "data", "keys.json"), JSON.stringify(await exportKeySet(masters)));
    const otherZone = {
      name: "other.example",
      origins: [{ url: other.url }],
      pathOptions: { encodedSlash: "keep" },
    };
    await stepgate.writeConfig({ workers, tls, zones: [...zones, otherZone] });
    stepgate.child.kill("SIGHUP");
    const { gatewayPort: port } = stepgate;
    const askOther = async (): Promise<string> =>
      (await askProcess(stepgate, { port, path: "/a%2Fb", host: "other.example" })).body;
    await expect.poll(askOther, { timeout: 10_000, interval: 100 }).toBe("other");
    await expect.poll(() => serialOf(stepgate), { timeout: 10_000 }).not.toBe(before);
    await sleep(300);
    const { requests, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThan(50);
    expect(other.seen[0]?.url).toBe("/a%2Fb");
  });

  test("a changed file is noticed by itself; one that does not fit changes nothing", async () => {
    const { tls, ca } = await ownCertificates();
    const zones = [{ name: "localhost", origin: "http://127.0.0.1:1" }];
    const stepgate = await startProcess({ tls, zones }, ca);
    cleanups.push(() => stepgate.stop());
    const status = async (): Promise<number> =>
      (await askProcess(stepgate, { port: stepgate.gatewayPort, path: "/", host: "more.example" })).status;
    expect(await status()).toBe(421);
    const more = { name: "more.example", origin: "http://127.0.0.1:1" };
    await stepgate.writeConfig({ tls, zones: [...zones, more] });
    await expect.poll(status, { timeout: 10_000, interval: 200 }).toBe(502);
    await writeFile(join(stepgate.dir, "stepgate.config.json"), "{ not json");
    await expect.poll(() => stepgate.output(), { timeout: 10_000 }).toContain("stays as it was");
    expect(await status()).toBe(502);
  });
});

describe("SIGTERM", () => {
  test.each([1, 2])(
    "answers under way finish, streams are cut at the deadline, %i process(es)",
    async (workers) => {
      const { stepgate } = await start({ workers, shutdownGraceMs: 1_500 }, (req, res) => {
        if (req.url === "/events")
          res.writeHead(200, { "content-type": "text/event-stream" }).write("data: 1\n\n");
        else setTimeout(() => res.end("late"), 700);
      });
      const ask = (path: string) => askProcess(stepgate, { port: stepgate.gatewayPort, path });
      const late = Promise.all(Array.from({ length: 20 }, () => ask("/late")));
      const stream = new Promise<void>((resolve) => {
        const { ca, gatewayPort: port } = stepgate;
        const call = request({
          host: "127.0.0.1",
          port,
          ca,
          servername: "localhost",
          path: "/events",
          headers: { host: "localhost" },
        });
        call.on("response", (response) =>
          response
            .on("close", resolve)
            .on("error", () => undefined)
            .resume(),
        );
        call.on("error", () => resolve());
        call.end();
      });
      await sleep(400);
      stepgate.child.kill("SIGTERM");
      const ended = stepgate.ended();
      expect((await late).map(({ body }) => body)).toEqual(Array.from({ length: 20 }, () => "late"));
      await stream;
      const { code, afterMs } = await ended;
      expect(code).toBe(0);
      expect(afterMs).toBeLessThan(2_500);
    },
  );
});

test("while requests finish, `/readyz` says that no more should come", async () => {
  const { stepgate } = await start({ shutdownGraceMs: 5_000 }, (_req, res) => {
    setTimeout(() => res.end("late"), 2_000);
  });
  const { apiPort, gatewayPort: port } = stepgate;
  const agent = new Agent({ keepAlive: true });
  cleanups.push(() => agent.destroy());
  expect((await askProcess(stepgate, { port: apiPort, path: "/readyz", agent })).status).toBe(200);
  const late = askProcess(stepgate, { port, path: "/late" });
  await sleep(300);
  stepgate.child.kill("SIGTERM");
  const readiness = async (): Promise<number> =>
    (await askProcess(stepgate, { port: apiPort, path: "/readyz" })).status;
  await expect.poll(readiness).toBe(503);
  await expect(askProcess(stepgate, { port, path: "/new" })).rejects.toThrow(/ECONNREFUSED/);
  expect((await late).body).toBe("late");
  expect((await stepgate.ended()).code).toBe(0);
});

describe("workers", () => {
  test("what the API changes is in force in all of them, cookies of one are read by the other", async () => {
    const { stepgate } = await start({ workers: 2 });
    const [zone] = (
      JSON.parse((await callApi(stepgate, "GET", "/zones")).body) as { result: { id: string }[] }
    ).result;
    const base = `/zones/${zone?.id}`;
    await callApi(stepgate, "POST", `${base}/api_gateway/operations`, [
      { method: "GET", host: "localhost", endpoint: "/step" },
    ]);
    await callApi(stepgate, "PUT", `${base}/fraud_detection/sequence_cookies`, { enabled: true });
    await callApi(stepgate, "PUT", `${base}/rulesets/phases/http_request_firewall_custom/entrypoint`, {
      rules: [{ expression: 'http.request.uri.path eq "/forbidden"', action: "block" }],
    });
    await sleep(300);
    const ask = (path: string, headers = {}) =>
      askProcess(stepgate, { port: stepgate.gatewayPort, path, headers });
    for (let index = 0; index < 8; index++) expect((await ask("/forbidden")).status).toBe(403);
    const jar = new Map<string, string>();
    for (let index = 0; index < 8; index++) {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const { headers } = await ask("/step", cookie === "" ? {} : { cookie });
      for (const line of (headers["set-cookie"] ?? []) as string[]) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (/max-age=0/i.test(line)) jar.delete(name);
        else jar.set(name, value);
      }
      // Each response replaces what it could read: more than one cookie would be a sequence in pieces.
      expect(jar.size).toBe(1);
    }
    const metrics = await askProcess(stepgate, { port: stepgate.apiPort, path: "/metrics" });
    expect(metrics.body).toMatch(/stepgate_rule_hits_total\{[^}]*action="block"[^}]*\} 8\n/);
    expect(metrics.body).toMatch(
      /stepgate_requests_total\{zone="localhost",method="GET",status="2xx",outcome="forwarded"\} 8\n/,
    );
  });

  test("one that dies is replaced, and visitors hardly notice", async () => {
    const { stepgate } = await start({ workers: 2 });
    const children = (
      await readFile(`/proc/${stepgate.child.pid}/task/${stepgate.child.pid}/children`, "utf8")
    )
      .trim()
      .split(" ")
      .map(Number);
    expect(children).toHaveLength(2);
    process.kill(children[0] ?? 0, "SIGKILL");
    await expect.poll(() => stepgate.output(), { timeout: 5_000 }).toContain("starting another");
    const ask = () => askProcess(stepgate, { port: stepgate.gatewayPort, path: "/x" });
    for (let index = 0; index < 10; index++) expect((await ask()).status).toBe(200);
  });
});

describe("what supervisors ask", () => {
  test("health, readiness and metrics on the API's listener, and not on the gateway's", async () => {
    const { stepgate, origin } = await start({ api: { port: 0, metricsToken: "0123456789abcdef" } });
    const ask = (path: string, headers = {}) =>
      askProcess(stepgate, { port: stepgate.apiPort, path, headers });
    expect(await ask("/healthz")).toMatchObject({ status: 200, body: "ok\n" });
    expect(await ask("/readyz")).toMatchObject({ status: 200, body: "ready\n" });
    expect((await ask("/metrics")).status).toBe(403);
    expect((await ask("/metrics", { authorization: "Bearer 0123456789abcdeX" })).status).toBe(403);
    await askProcess(stepgate, { port: stepgate.gatewayPort, path: "/metrics" });
    expect(origin.seen).toHaveLength(1);
    const { body } = await ask("/metrics", { authorization: "Bearer 0123456789abcdef" });
    expect(body).toContain(
      'stepgate_requests_total{zone="localhost",method="GET",status="2xx",outcome="forwarded"} 1',
    );
    expect(body).toContain("stepgate_config_version");
    expect(body).toContain("nodejs_eventloop_lag_seconds");
  });
});
