/** The commands of the product's pages about sequences, run with curl as they are written there (host and token apart). */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requestHttp1, startGateway, startOrigin } from "../support/gateway.ts";
import { startApi } from "./support/server.ts";
import type { RunningApi } from "./support/server.ts";

const run = promisify(execFile);
const home = mkdtempSync(join(tmpdir(), "stepgate-curl-"));
let api: RunningApi;

beforeAll(async () => {
  api = await startApi();
  // The pages leave the token out of most commands; curl takes it from here.
  writeFileSync(join(home, ".curlrc"), `header = "Authorization: Bearer ${api.token}"\nsilent\n`);
});
afterAll(async () => {
  await api.close();
  rmSync(home, { recursive: true, force: true });
});

interface Envelope {
  readonly success: boolean;
  readonly result: never;
  readonly errors: readonly { readonly message: string; readonly source?: { readonly pointer: string } }[];
}

/** Runs a shell command of a page, with our host and zone in it. */
async function shell(command: string): Promise<Envelope> {
  const filled = command
    .replaceAll("https://api.cloudflare.com/client/v4", api.baseUrl)
    .replaceAll(/\{zone_?id\}/gi, api.zone.id)
    .replaceAll("<API_TOKEN>", api.token);
  // Two Authorization headers would be one too many.
  const settings = command.includes("Authorization") ? join(home, "none") : home;
  const { stdout } = await run("bash", ["-c", filled], {
    env: { ...process.env, CURL_HOME: settings, HOME: settings },
  });
  return JSON.parse(stdout) as Envelope;
}

const FIRST = "0d9bf70c-92e1-4bb3-9411-34a3bcc59003";
const SECOND = "b704ab4d-5be0-46e0-9875-b2b3d1ab42f9";

const LIST = `curl "https://api.cloudflare.com/client/v4/zones/{zone_id}/api_gateway/seqrules"`;

const ADD = `curl POST "https://api.cloudflare.com/client/v4/zones/{zoneID}/api_gateway/seqrules/rules" \\
--header "Content-Type: application/json" \\
--data '{
"title": "string",
"kind": "block",
"action": "block",
"sequence": [
"${FIRST}",
"${SECOND}"
],
"priority": 0
}'`;

const REPLACE = `curl --request PUT "https://api.cloudflare.com/client/v4/zones/{zoneID}/api_gateway/seqrules" \\
--header "Content-Type: application/json" \\
--data '{
"rules": [
{
"title": "<RULE_TITLE>",
"kind": "block",
"action": "block",
"sequence": [
"${FIRST}",
"${SECOND}"
],
"priority": 0
}
]
}'`;

const DELETE = `curl --request DELETE "https://api.cloudflare.com/client/v4/zones/{zone_id}/api_gateway/seqrules/rules/d4909253-390f-4956-89fd-92a5b0cd86d8"`;

const ENABLE = `curl --request PUT \\
https://api.cloudflare.com/client/v4/zones/{zone_id}/fraud_detection/sequence_cookies \\
--header "Authorization: Bearer <API_TOKEN>" \\
--header "Content-Type: application/json" \\
--data '{"enabled": true}'`;

const DISABLE = `curl --request PUT https://api.cloudflare.com/client/v4/zones/{zone_id}/fraud_detection/sequence_cookies \\
--header "Authorization: Bearer <API_TOKEN>" \\
--data '{"enabled": false}'`;

describe("sequence cookies", () => {
  test("the command that switches them on", async () => {
    expect(await shell(ENABLE)).toEqual({
      result: { enabled: true },
      success: true,
      errors: [],
      messages: [],
    });
    expect(api.store.current().zones[0]?.settings.sequenceCookies.enabled).toBe(true);
  });

  test("the command that switches them off, whose JSON curl labels as a form", async () => {
    expect(await shell(DISABLE)).toMatchObject({ result: { enabled: false }, success: true });
    expect(api.store.current().zones[0]?.settings.sequenceCookies.enabled).toBe(false);
  });

  test.each([
    ["nothing", undefined, ""],
    ["another type", { enabled: "true" }, "/enabled"],
    ["something else", { enable: true }, "/enabled"],
    ["null", null, ""],
  ])("a body of %s is refused with its place", async (_, body, pointer) => {
    const answer = await api.request("PUT", `/zones/${api.zone.id}/fraud_detection/sequence_cookies`, {
      body,
    });
    expect([answer.status, answer.json.errors[0].source.pointer]).toEqual([400, pointer]);
  });
});

describe("sequence rules", () => {
  test("listing, before there are any", async () => {
    expect(await shell(LIST)).toMatchObject({ success: true, result: { rules: [] } });
  });

  test("rules about operations that the zone does not have: told so, with JSON paths", async () => {
    const added = await shell(ADD);
    expect(added.success).toBe(false);
    expect(added.errors.map(({ source }) => source?.pointer)).toEqual(["/sequence/0", "/sequence/1"]);
    const replaced = await shell(REPLACE);
    expect(replaced.errors.map(({ source }) => source?.pointer)).toEqual([
      "/rules/0/sequence/0",
      "/rules/0/sequence/1",
    ]);
    expect((await shell(DELETE)).errors[0]?.message).toContain("could not find sequence rule");
  });

  test("with the operations in place each command does what its page says", async () => {
    const document = (await api.request("GET", `/zones/${api.zone.id}/stepgate/export`)).json.result;
    const operations = [FIRST, SECOND].map((operation_id, index) => ({
      operation_id,
      method: "GET",
      host: "shop.example",
      endpoint: `/seed/${index}`,
    }));
    const imported = await api.request("PUT", `/zones/${api.zone.id}/stepgate/import`, {
      body: { ...document, operations },
    });
    expect(imported.status).toBe(200);
    const added = (await shell(ADD)) as unknown as { result: { id: string } };
    expect(added.result).toMatchObject({
      title: "string",
      kind: "block",
      action: "block",
      priority: 0,
      position: 1,
    });
    expect(added.result).toMatchObject({ created_at: expect.stringMatching(/T.*\.\d{6}Z$/) });
    const replaced = (await shell(REPLACE)) as unknown as {
      result: { rules: { id: string; title: string }[] };
    };
    expect(replaced.result.rules).toMatchObject([{ title: "<RULE_TITLE>", sequence: [FIRST, SECOND] }]);
    const [rule] = replaced.result.rules;
    expect(await shell(LIST)).toMatchObject({ result: { rules: [{ id: rule?.id }] } });
    expect(api.store.current().zones[0]?.seqRules).toHaveLength(1);
    const inUse = await api.request("DELETE", `/zones/${api.zone.id}/api_gateway/operations/${FIRST}`);
    expect([inUse.status, inUse.json.errors[0].code]).toEqual([400, 20105]);
    const patched = await api.request(
      "PATCH",
      `/zones/${api.zone.id}/api_gateway/seqrules/rules/${rule?.id}`,
      {
        body: { action: "log" },
      },
    );
    expect(patched.json.result).toMatchObject({ id: rule?.id, action: "log" });
    const deleted = await shell(DELETE.replace("d4909253-390f-4956-89fd-92a5b0cd86d8", rule?.id ?? ""));
    expect(deleted).toMatchObject({ success: true, result: { id: rule?.id } });
    expect(await shell(LIST)).toMatchObject({ result: { rules: [] } });
  });
});

/** The command that adds a rule, for one that logs. */
const prioritised = (title: string, priority: number): string =>
  ADD.replace('"string"', `"${title}"`)
    .replace('"action": "block"', '"action": "log"')
    .replace('"priority": 0', `"priority": ${priority}`);

describe("on real requests", () => {
  const RULE_ID = "d4909253-390f-4956-89fd-92a5b0cd86d8";
  /** A rule object as the page shows it. */
  const EXAMPLE = {
    id: RULE_ID,
    title: "<RULE_TITLE>",
    kind: "block",
    action: "block",
    sequence: [FIRST, SECOND],
    priority: 0,
  };
  let origin: Awaited<ReturnType<typeof startOrigin>>;
  let gateway: Awaited<ReturnType<typeof startGateway>>;

  beforeAll(async () => {
    origin = await startOrigin();
    api.store.ensureZones([{ name: "shop.example", hosts: ["shop.example"], origin: origin.url }]);
    gateway = await startGateway({ zones: [], gateway: { source: api.store } });
    const zone = `/zones/${api.zone.id}`;
    await api.request("PATCH", `${zone}/stepgate/settings`, {
      body: { sequence: { tracking: "session" } },
    });
    await api.request("PUT", `${zone}/api_gateway/configuration`, {
      body: { auth_id_characteristics: [{ type: "header", name: "x-session" }] },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await origin.close();
  });

  const call = async (session: string, index: 0 | 1): Promise<number> => {
    const path = `/seed/${index}`;
    return (await requestHttp1(gateway.port, { path, headers: { "x-session": session } })).status;
  };
  let sessions = 0;
  /** What a fresh session gets for the first operation and then for the second, or for the second at once. */
  const outcomes = async (): Promise<{ readonly inOrder: number; readonly alone: number }> => {
    sessions += 1;
    await call(`in order ${sessions}`, 0);
    const inOrder = await call(`in order ${sessions}`, 1);
    return { inOrder, alone: await call(`alone ${sessions}`, 1) };
  };

  test("a rule is in force as soon as its command has been answered, and gone with the command that deletes it", async () => {
    expect(await outcomes()).toEqual({ inOrder: 200, alone: 200 });
    await shell(ADD);
    expect(await outcomes()).toEqual({ inOrder: 403, alone: 200 });
    await shell(REPLACE);
    expect(await outcomes()).toEqual({ inOrder: 403, alone: 200 });

    // With an allow rule everything but the sequence is denied.
    await shell(REPLACE.replace('"kind": "block"', '"kind": "allow"'));
    expect(await outcomes()).toEqual({ inOrder: 200, alone: 403 });
    // To log is to let pass.
    await shell(REPLACE.replace('"action": "block"', '"action": "log"'));
    const before = gateway.events.length;
    expect(await outcomes()).toEqual({ inOrder: 200, alone: 200 });
    expect(gateway.events.slice(before).map(({ action, phase }) => [action, phase])).toEqual([
      ["log", "http_request_api_gateway_early"],
    ]);

    // "Setting an empty array for the rules removes all rules."
    await shell(REPLACE.replace(/"rules": \[[^]*\]\n\}/, '"rules": []}'));
    expect(await shell(LIST)).toMatchObject({ result: { rules: [] } });
    expect(await outcomes()).toEqual({ inOrder: 200, alone: 200 });
  });

  test("the command that deletes, with the id that stands there", async () => {
    const document = (await api.request("GET", `/zones/${api.zone.id}/stepgate/export`)).json.result;
    const imported = await api.request("PUT", `/zones/${api.zone.id}/stepgate/import`, {
      body: { ...document, seqrules: [EXAMPLE] },
    });
    expect(imported.status).toBe(200);
    expect(await shell(LIST)).toMatchObject({ result: { rules: [EXAMPLE] } });
    expect(await outcomes()).toEqual({ inOrder: 403, alone: 200 });
    expect(await shell(DELETE)).toMatchObject({ success: true, result: { id: RULE_ID } });
    expect(await shell(LIST)).toMatchObject({ result: { rules: [] } });
    expect(await outcomes()).toEqual({ inOrder: 200, alone: 200 });
  });

  test("rules with a higher priority are evaluated first, ties in the order in which they were added", async () => {
    for (const [title, priority] of [
      ["first of 0", 0],
      ["10", 10],
      ["second of 0", 0],
      ["-5", -5],
    ] as const) {
      await shell(prioritised(title, priority));
    }
    const before = gateway.events.length;
    expect(await outcomes()).toEqual({ inOrder: 200, alone: 200 });
    const fired = gateway.events.slice(before).map(({ ruleDescription }) => ruleDescription);
    expect(fired).toEqual(["10", "first of 0", "second of 0", "-5"]);
  });
});
