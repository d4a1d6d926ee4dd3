/** Security events over the API: list, one by ray id, stream. */
import { afterEach, describe, expect, test } from "vitest";
import type { SecurityEvent } from "../../src/engine/index.ts";
import { openEventStore } from "../../src/store/index.ts";
import type { EventStore } from "../../src/store/index.ts";
import { startApi } from "./support/server.ts";
import type { RunningApi } from "./support/server.ts";

/** Of the events and of the store, which drops those that are a week old. */
const NOON = Date.UTC(2026, 10, 21, 12);

let api: RunningApi;
let events: EventStore;
afterEach(async () => {
  await api.close();
  events.close();
});

async function start(): Promise<string> {
  events = openEventStore({ path: ":memory:", now: () => NOON });
  api = await startApi({ events });
  return `/zones/${api.zone.id}/stepgate/events`;
}

const event = (members: Partial<SecurityEvent> = {}): SecurityEvent => ({
  rayId: "0123456789abcdef",
  at: NOON,
  zoneId: api.zone.id,
  zoneName: "shop.example",
  phase: "http_request_firewall_custom",
  rulesetId: "1".repeat(32),
  ruleId: "2".repeat(32),
  ruleRef: "guard",
  ruleVersion: "1",
  ruleDescription: "b after a",
  action: "block",
  outcome: "applied",
  matchIndex: 0,
  method: "POST",
  scheme: "https",
  protocol: "HTTP/2",
  host: "shop.example",
  path: "/b",
  query: "",
  referer: "",
  clientAddress: "192.0.2.7",
  userAgent: "probe",
  status: 403,
  originStatus: 0,
  currentOp: "bbbbbbbb",
  previousOps: [],
  missing: [{ op: "aaaaaaaa" }],
  ...members,
});

describe("list", () => {
  test("newest first, in the shape of the log", async () => {
    const path = await start();
    events.add(event({ ruleRef: "one" }));
    events.add(event({ ruleRef: "two" }));
    const { status, json } = await api.request("GET", path);
    expect(status).toBe(200);
    expect(json.result).toMatchObject([
      { rule_ref: "two", occurred_at: "2026-11-21T12:00:00.000Z", missing: [{ op: "aaaaaaaa" }] },
      { rule_ref: "one" },
    ]);
  });

  test("page by page to the end", async () => {
    const path = await start();
    for (let index = 0; index < 7; index += 1) events.add(event({ ruleRef: `${index}` }));
    const seen: string[] = [];
    let cursor = "";
    for (let page = 0; page < 10; page += 1) {
      const { json } = await api.request("GET", `${path}?per_page=3&cursor=${cursor}`);
      seen.push(...json.result.map((row: { rule_ref: string }) => row.rule_ref));
      cursor = json.result_info.cursors.after ?? "";
      if (cursor === "") break;
    }
    expect(seen).toEqual(["6", "5", "4", "3", "2", "1", "0"]);
  });

  test.each([
    ["action=log", 1],
    ["action=block", 1],
    ["outcome=simulated", 0],
    ["status=403", 1],
    ["client_ip=198.51.100.1&action=log", 1],
    ["since=2026-11-21", 2],
    ["before=2026-11-20T23:59:59Z", 0],
    ["phase=http_ratelimit", 1],
    ["current_op=bbbbbbbb&path=/b", 2],
    ["rule_ref=guard%27%20OR%201=1", 0],
  ])("filter %s", async (query, count) => {
    const path = await start();
    events.add(event());
    events.add(event({ action: "log", status: 200, clientAddress: "198.51.100.1", phase: "http_ratelimit" }));
    const { json } = await api.request("GET", `${path}?${query}`);
    expect(json.result).toHaveLength(count);
  });

  test.each(["cursor=nonsense", "since=yesterday", "status=abc", "per_page=0", "per_page=1001"])(
    "%s is refused",
    async (query) => {
      const path = await start();
      expect((await api.request("GET", `${path}?${query}`)).status).toBe(400);
    },
  );

  test("another zone's events are not shown, and a token of another zone sees none", async () => {
    const path = await start();
    events.add(event({ zoneId: "f".repeat(32) }));
    expect((await api.request("GET", path)).json.result).toEqual([]);
    expect((await api.request("GET", `/zones/${"f".repeat(32)}/stepgate/events`)).status).toBe(404);
    const stranger = await api.request("GET", path, { headers: { authorization: "Bearer wrong" } });
    expect(stranger.status).toBe(403);
  });

  test("without a store there are none", async () => {
    await start();
    const other = await startApi();
    const { json } = await other.request("GET", `/zones/${other.zone.id}/stepgate/events`);
    expect(json.result).toEqual([]);
    await other.close();
  });
});

describe("one by ray id", () => {
  test("every rule that fired for the request, in their order", async () => {
    const path = await start();
    events.add(event({ ruleRef: "first", action: "log", matchIndex: 1 }));
    events.add(event({ ruleRef: "second" }));
    events.add(event({ rayId: "f".repeat(16) }));
    const { json } = await api.request("GET", `${path}/0123456789abcdef`);
    expect(json.result.map((row: { rule_ref: string }) => row.rule_ref)).toEqual(["first", "second"]);
  });

  test("an unknown one is 404", async () => {
    const path = await start();
    const { status, json } = await api.request("GET", `${path}/ffffffffffffffff`);
    expect([status, json.errors[0].code]).toEqual([404, 20_007]);
  });
});

/** Reads messages until there are `count`. */
async function follow(path: string, count: number, whenOpen: () => void): Promise<readonly string[]> {
  const abort = new AbortController();
  const response = await fetch(api.baseUrl + path, {
    headers: { authorization: `Bearer ${api.token}` },
    signal: abort.signal,
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const messages: string[] = [];
  let text = "";
  const decoder = new TextDecoder();
  let isOpen = false;
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      if (!isOpen) {
        isOpen = true;
        whenOpen();
      }
      const parts = text.split("\n\n");
      text = parts.pop() ?? "";
      messages.push(...parts.filter((part) => part.startsWith("id:")));
      if (messages.length >= count) break;
    }
  } finally {
    abort.abort();
  }
  return messages;
}

describe("stream", () => {
  test("opens before anything happens and tells what happens then, filtered", async () => {
    const path = await start();
    events.add(event({ ruleRef: "before" }));
    const messages = await follow(`${path}/stream?action=block`, 2, () => {
      events.add(event({ ruleRef: "one" }));
      events.add(event({ ruleRef: "other", action: "log" }));
      events.add(event({ ruleRef: "two", userAgent: "line\nend" }));
    });
    const records = messages.map(
      (message) => JSON.parse(/^data: (.*)$/m.exec(message)?.[1] ?? "{}") as { rule_ref: string },
    );
    expect(records.map(({ rule_ref }) => rule_ref)).toEqual(["one", "two"]);
    expect(messages[0]).toMatch(/^id: \d+\nevent: rule\ndata: \{/);
  });

  test("goes on where an earlier stream ended", async () => {
    const path = await start();
    for (let index = 0; index < 300; index += 1) events.add(event({ ruleRef: `${index}` }));
    const messages = await follow(`${path}/stream?after=0`, 300, () => undefined);
    expect(messages).toHaveLength(300);
    const id = /^id: (\d+)/.exec(messages[297] ?? "")?.[1];
    expect(await follow(`${path}/stream?after=${id}`, 2, () => undefined)).toHaveLength(2);
  });

  test("a client that leaves is forgotten: streams are bounded, and closed ones make room", async () => {
    const path = await start();
    for (let round = 0; round < 110; round += 1) {
      await follow(`${path}/stream?after=0`, 1, () => events.add(event()));
    }
    expect((await api.request("GET", `${path}/stream?after=-1`)).status).toBe(400);
  });
});
