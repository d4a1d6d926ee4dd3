/** Events as JSON, in our names and in those of the original's data set. */
import { describe, expect, test } from "vitest";
import { toEventRecord, toFirewallEvent } from "../../src/engine/index.ts";
import type { SecurityEvent } from "../../src/engine/index.ts";
import { createVisitor, engineRequest, NOON, rule, ruleset, startEngine, zone } from "../support/engine.ts";

const formatTime = (epochMs: number): string => new Date(epochMs).toISOString();

async function blockedEvent(members: Partial<SecurityEvent> = {}): Promise<SecurityEvent> {
  const guard = rule(
    'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")',
    {
      description: "b after a",
      ref: "guard",
    },
  );
  const { engine, events } = startEngine([zone({ rulesets: [ruleset([guard])] })]);
  const { visit } = createVisitor(engine);
  await visit({ target: "/c/1", at: NOON });
  await visit({
    method: "POST",
    target: "/b?q=1",
    at: NOON + 250,
    headers: { referer: "https://r.example/p?x=1", "user-agent": "probe" },
  });
  return { ...(events[0] as SecurityEvent), ruleId: "2".repeat(32), ...members };
}

describe("in our own names", () => {
  test("everything that an operator asks about a block", async () => {
    expect(toEventRecord(await blockedEvent(), formatTime)).toEqual({
      ray_id: "0123456789abcdef",
      occurred_at: "2026-11-21T12:10:00.250Z",
      zone_id: "0123456789abcdef0123456789abcdef",
      zone: "shop.example",
      phase: "http_request_firewall_custom",
      source: "firewallcustom",
      ruleset_id: "f".repeat(32),
      rule_id: "2".repeat(32),
      rule_ref: "guard",
      rule_version: "1",
      description: "b after a",
      action: "block",
      outcome: "applied",
      match_index: 0,
      method: "POST",
      scheme: "https",
      protocol: "HTTP/2",
      host: "shop.example",
      path: "/b",
      query: "q=1",
      referer: "https://r.example/p?x=1",
      client_ip: "192.0.2.7",
      user_agent: "probe",
      status: 403,
      origin_status: 0,
      current_op: "bbbbbbbb",
      previous_ops: [{ op: "cccccccc", age_ms: 250 }],
      missing: [{ op: "aaaaaaaa" }],
    });
  });

  test("what was asked of a missing step, and what a trial would have done", async () => {
    const missing = [{ op: "aaaaaaaa", ageMs: 10, atLeastMs: 1000, atMostMs: 9, position: 0 }];
    const event = await blockedEvent({ missing, outcome: "simulated", wouldBeStatus: 403, detail: "why" });
    expect(toEventRecord(event, formatTime)).toMatchObject({
      detail: "why",
      would_be_status: 403,
      missing: [{ op: "aaaaaaaa", age_ms: 10, at_least_ms: 1000, at_most_ms: 9, position: 0 }],
    });
  });
});

describe("in the names of Logpush's firewall_events", () => {
  test("all fields that a proxy can know", async () => {
    expect(toFirewallEvent(await blockedEvent(), formatTime)).toEqual({
      Action: "block",
      ClientIP: "192.0.2.7",
      ClientRefererHost: "r.example",
      ClientRefererPath: "/p",
      ClientRefererQuery: "?x=1",
      ClientRefererScheme: "https",
      ClientRequestHost: "shop.example",
      ClientRequestMethod: "POST",
      ClientRequestPath: "/b",
      ClientRequestProtocol: "HTTP/2",
      ClientRequestQuery: "?q=1",
      ClientRequestScheme: "https",
      ClientRequestUserAgent: "probe",
      Datetime: "2026-11-21T12:10:00.250Z",
      Description: "b after a",
      EdgeResponseStatus: 403,
      Kind: "firewall",
      MatchIndex: 0,
      Metadata: {
        phase: "http_request_firewall_custom",
        ruleset_id: "f".repeat(32),
        rule_version: "1",
        outcome: "applied",
        current_op: "bbbbbbbb",
        previous_ops: "cccccccc:250",
        missing_ops: "aaaaaaaa",
      },
      OriginResponseStatus: 0,
      OriginatorRayID: "00",
      RayID: "0123456789abcdef",
      Ref: "guard",
      RuleID: "2".repeat(32),
      Source: "firewallcustom",
    });
  });

  test.each<[SecurityEvent["action"], SecurityEvent["outcome"], string]>([
    ["managed_challenge", "applied", "managedchallenge"],
    ["managed_challenge", "bypassed", "managedchallengebypassed"],
    ["js_challenge", "solved", "jschallengesolved"],
    ["challenge", "unsolved", "challengefailed"],
    ["block", "simulated", "log"],
    ["log", "applied", "log"],
    ["skip", "applied", "skip"],
  ])("action %s, %s", async (action, outcome, expected) => {
    expect(toFirewallEvent(await blockedEvent({ action, outcome }), formatTime)["Action"]).toBe(expected);
  });

  test("sources", async () => {
    expect(toFirewallEvent(await blockedEvent({ phase: "http_ratelimit" }), formatTime)["Source"]).toBe(
      "ratelimit",
    );
    expect(toFirewallEvent(await blockedEvent({ referer: "no url" }), formatTime)["ClientRefererHost"]).toBe(
      "",
    );
  });
});

test.each([
  ["1.0", "HTTP/1.0"],
  ["1.1", "HTTP/1.1"],
  ["2.0", "HTTP/2"],
])("protocol %s", async (httpVersion, expected) => {
  const { engine, events } = startEngine([zone({ rulesets: [ruleset([rule("true")])] })]);
  await engine.decide({ ...engineRequest({ target: "/" }), httpVersion });
  expect(events[0]?.protocol).toBe(expected);
});
