/** Rules from a running control plane: the real one, over TLS. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stepgate } from "../../src/adapters/fetch.ts";
import type { ControlPlaneOptions } from "../../src/adapters/fetch.ts";
import { parseConfig } from "../../src/cli/config.ts";
import { createLog } from "../../src/cli/log.ts";
import { startStepgate } from "../../src/cli/start.ts";
import type { RunningStepgate } from "../../src/cli/start.ts";
import { createVisitor } from "../../src/testing/index.ts";
import { keys, startClock } from "./kit.ts";

let dir: string;
let running: RunningStepgate;
let token: string;
let ca: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "stepgate-control-plane-"));
  const config = parseConfig(
    {
      gateway: { port: 0, hostname: "127.0.0.1" },
      api: { port: 0 },
      dataDir: join(dir, "data"),
      certsDir: join(dir, "certs"),
    },
    "test",
  );
  running = await startStepgate({ config, log: createLog("silent") });
  token = (await readFile(running.tokenFile, "utf8")).trim();
  ca = await readFile(running.caFile ?? "", "utf8");
});
afterAll(async () => {
  await running.close(0);
  await rm(dir, { recursive: true });
});

/** The runtime's own fetch knows no private authority. */
function ask(
  url: string,
  init: { readonly method?: string; readonly headers?: object; readonly body?: string },
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(
      url,
      { ca, method: init.method ?? "GET", headers: { ...init.headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve(new Response(Buffer.concat(chunks).toString(), { status: response.statusCode ?? 0 })),
        );
      },
    );
    sent.on("error", reject);
    sent.end(init.body);
  });
}

async function put(path: string, body: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const response = await ask(running.apiUrl + path, { method: "PUT", headers, body: JSON.stringify(body) });
  expect(await response.text()).toContain('"success":true');
}

test("rules and switches follow the control plane, and outlive it", async () => {
  const [zone] = running.zones;
  const zoneId = zone!.id;
  const shortId = (endpoint: string): string =>
    zone!.operations.find((operation) => operation.endpoint.endsWith(endpoint))!.shortId;
  const clock = startClock();
  let isReachable = true;
  const problems: string[] = [];
  const controlPlane: ControlPlaneOptions = {
    url: running.apiUrl,
    zoneId,
    token,
    fetch: (url, init) =>
      isReachable ? ask(url, { headers: init.headers as object }) : Promise.reject(new Error("unreachable")),
  };
  const options = {
    controlPlane,
    keys,
    now: clock.now,
    host: "localhost",
    onProblem: ({ reason }: { readonly reason: string }) => problems.push(reason),
  };
  const guard = stepgate(options);
  const visitor = createVisitor({
    target: (request) => guard(request, () => new Response("ok")),
    now: clock.now,
  });

  expect((await visitor.post("/api/v1/transferFunds", {})).status).toBe(200);
  expect(visitor.jar.entries().size).toBe(0);
  await put(`/zones/${zoneId}/fraud_detection/sequence_cookies`, { enabled: true });
  const transfer = shortId("transferFunds");
  const balance = shortId("balance");
  await put(`/zones/${zoneId}/rulesets/phases/http_request_firewall_custom/entrypoint`, {
    rules: [
      {
        action: "block",
        description: "transfer needs balance",
        expression: `cf.sequence.current_op eq "${transfer}" and not any(cf.sequence.previous_ops[*] == "${balance}")`,
      },
    ],
  });
  expect((await visitor.post("/api/v1/transferFunds", {})).status).toBe(200);
  clock.advance("6s");
  // This request starts the look and is answered by what is known.
  await visitor.get("/");
  await expect.poll(async () => (await visitor.post("/api/v1/transferFunds", {})).status).toBe(403);
  await visitor.get("/api/v1/accounts/1/balance");
  expect((await visitor.post("/api/v1/transferFunds", {})).status).toBe(200);

  isReachable = false;
  clock.advance("6s");
  await visitor.get("/");
  await expect.poll(() => problems).toEqual(["control_plane"]);
  visitor.jar.clear();
  expect((await visitor.post("/api/v1/transferFunds", {})).status).toBe(403);

  const late = stepgate(options);
  const other = (request: Request): Promise<Response> => late(request, () => new Response("ok"));
  expect((await createVisitor({ target: other, now: clock.now }).get("/")).status).toBe(503);
  const open = stepgate({ ...options, controlPlane: { ...controlPlane, whenUnavailable: "pass" } });
  const passing = (request: Request): Promise<Response> => open(request, () => new Response("ok"));
  expect((await createVisitor({ target: passing, now: clock.now }).get("/")).status).toBe(200);
});
