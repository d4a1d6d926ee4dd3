/** What Stepgate adds to rulesets: trials, what a limit does without its counter, hosts of computed redirects. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startApi } from "./support/server.ts";
import type { RunningApi } from "./support/server.ts";

const apis: RunningApi[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const api of apis.splice(0)) await api.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function start(path = ":memory:"): Promise<RunningApi> {
  const api = await startApi({ path });
  apis.push(api);
  return api;
}

const entrypoint = ({ zone }: RunningApi, phase = "http_request_firewall_custom"): string =>
  `/zones/${zone.id}/rulesets/phases/${phase}/entrypoint`;
const RULE = { expression: "true", action: "block", ref: "all" };

describe("simulate", () => {
  test("is a version of its own, stays when a client does not know it, and is not there when off", async () => {
    const api = await start();
    const put = async (body: object) => (await api.request("PUT", entrypoint(api), { body })).json.result;
    expect(await put({ rules: [RULE] })).not.toHaveProperty("simulate");
    expect(await put({ simulate: true })).toMatchObject({
      simulate: true,
      version: "2",
      rules: [{ ref: "all", version: "1" }],
    });
    expect(await put({ rules: [RULE] })).toMatchObject({ simulate: true, version: "2" });
    const off = await put({ simulate: false });
    expect([off.version, "simulate" in off]).toEqual(["3", false]);
    const versions = await api.request("GET", `/zones/${api.zone.id}/rulesets/${off.id}/versions`);
    expect(versions.json.result.map((row: { simulate?: boolean }) => row.simulate)).toEqual([
      undefined,
      true,
      undefined,
    ]);
  });

  test("survives a restart, and reaches the engine", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stepgate-trial-"));
    folders.push(folder);
    const path = join(folder, "stepgate.db");
    const first = await start(path);
    await first.request("PUT", entrypoint(first), { body: { simulate: true, rules: [RULE] } });
    await (apis.pop() as RunningApi).close();
    const second = await start(path);
    expect(second.store.current().zones[0]?.rulesets).toMatchObject([{ simulate: true }]);
  });

  test.each(["true", 1, null])("`%s` is no truth value", async (simulate) => {
    const api = await start();
    const { status, json } = await api.request("PUT", entrypoint(api), { body: { simulate } });
    expect([status, json.errors[0].source.pointer]).toEqual([400, "/simulate"]);
  });
});

const limit = (on_state_error: unknown) => ({
  expression: "true",
  action: "block",
  ratelimit: { characteristics: ["cf.colo.id"], period: 10, requests_per_period: 1, on_state_error },
});

const redirect = (allowed_hosts: unknown) => ({
  expression: "true",
  action: "redirect",
  action_parameters: { from_value: { target_url: { expression: "http.request.full_uri" }, allowed_hosts } },
});

describe("our own members of rules", () => {
  test.each([
    ["allow", 200],
    ["log", 200],
    ["block", 200],
    ["maybe", 400],
    [true, 400],
  ])("on_state_error %s", async (value, status) => {
    const api = await start();
    const answer = await api.request("PUT", entrypoint(api, "http_ratelimit"), {
      body: { rules: [limit(value)] },
    });
    expect(answer.status).toBe(status);
  });

  test.each<[unknown, number]>([
    [["blue.example", "xn--bcher-kva.example"], 200],
    [[], 200],
    [["Blue.example"], 400],
    [["https://blue.example"], 400],
    [["blue.example:8443"], 400],
    [["blue.example/path"], 400],
    [["user@blue.example"], 400],
    ["blue.example", 400],
  ])("allowed_hosts %o", async (value, status) => {
    const api = await start();
    const answer = await api.request("PUT", entrypoint(api, "http_request_dynamic_redirect"), {
      body: { rules: [redirect(value)] },
    });
    expect(answer.status).toBe(status);
  });
});
