/** The whole product learns what an application has: two workers, real requests, and a restart. */
import { Agent } from "node:https";
import { expect, test } from "vitest";
import { startOrigin } from "../support/gateway.ts";
import { askProcess, callApi, startProcess } from "./start-process.ts";
import type { StartedProcess } from "./start-process.ts";

interface Row {
  readonly id: string;
  readonly method: string;
  readonly endpoint: string;
  readonly state: string;
}

test("endpoints are discovered, saved and then no longer reported", { timeout: 120_000 }, async () => {
  // A page for every path, as single-page applications have it; what looks for holes finds one everywhere.
  const origin = await startOrigin((req, res) => {
    res.writeHead(req.url?.startsWith("/missing") === true ? 404 : 200).end("<!doctype html>");
  });
  const stepgate = await startProcess({
    zones: [{ name: "localhost", origin: origin.url }],
    workers: 2,
    analytics: { enabled: true },
  });
  try {
    const zones = JSON.parse((await callApi(stepgate, "GET", "/zones")).body) as {
      result: readonly { id: string }[];
    };
    const path = `/zones/${zones.result[0]?.id}/api_gateway/discovery/operations`;
    const list = async (query: string): Promise<readonly Row[]> => {
      const { body } = await callApi(stepgate, "GET", `${path}?min_requests=40&${query}`);
      return (JSON.parse(body) as { result: readonly Row[] }).result;
    };
    const places = (rows: readonly Row[]): string[] =>
      rows.map(({ method, endpoint }) => `${method} ${endpoint}`).toSorted();
    await callApi(
      stepgate,
      "PUT",
      path.replace("api_gateway/discovery/operations", "fraud_detection/sequence_cookies"),
      {
        enabled: true,
      },
    );

    await visit(stepgate);
    const found = await list("state=review");
    expect(places(found)).toEqual(["GET /orders/{var1}", "GET /orders/{var1}/items", "POST /orders"]);

    const orders = found.find(({ endpoint }) => endpoint === "/orders/{var1}")?.id ?? "";
    const saved = await callApi(stepgate, "PATCH", path, { [orders]: { state: "saved" } });
    expect(saved.status).toBe(200);
    expect(places(await list("diff=true"))).toEqual(["GET /orders/{var1}/items", "POST /orders"]);
    expect(places(await list("state=saved"))).toEqual(["GET /orders/{var1}"]);
    // Workers look for changes a few times a second.
    await expect
      .poll(
        async () => {
          const order = await askProcess(stepgate, { port: stepgate.gatewayPort, path: "/orders/5" });
          return order.headers["set-cookie"];
        },
        { timeout: 5_000 },
      )
      .toBeDefined();
  } finally {
    await stepgate.stop();
    await origin.close();
  }
});

async function visit(stepgate: StartedProcess): Promise<void> {
  const { gatewayPort: port } = stepgate;
  // Without kept connections, so that both workers get some.
  const agents = Array.from({ length: 6 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const lanes = agents.map(async (agent, lane) => {
    for (let at = 0; at < 20; at += 1) {
      const order = `/orders/${1000 * lane + at}`;
      await askProcess(stepgate, { port, path: order, agent });
      await askProcess(stepgate, { port, path: `${order}/items`, agent });
      await askProcess(stepgate, { port, path: "/orders", method: "POST", agent });
      await askProcess(stepgate, { port, path: "/app.js", agent });
      await askProcess(stepgate, { port, path: `/missing/${at}`, agent });
      await askProcess(stepgate, { port, path: `/scan-${lane}-${at}.php`, agent });
    }
    agent.destroy();
  });
  await Promise.all(lanes);
}
