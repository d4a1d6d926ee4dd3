/**
 * `node limited-node.ts <redis url> <limit> <timeout ms>`: a gateway over TLS whose zone limits `/block` and `/allow` (each by its
 * `on_state_error`) with counters in Redis. Prints its port and the certificate of its CA; ends with its standard input.
 */
import { once } from "node:events";
import { openRedisState } from "../../src/store/redis-state.ts";
import { hashText, rule, ruleset } from "../support/engine.ts";
import { startGateway, startOrigin, testCertificate, zoneAt } from "../support/gateway.ts";

const [, , url = "", limit = "1", timeoutMs = "50"] = process.argv;
const state = await openRedisState({ url, timeoutMs: Number(timeoutMs) });
const origin = await startOrigin();
const limitOn = (policy: "allow" | "block") => ({
  ...rule(`http.request.uri.path eq "/${policy}"`, {
    ratelimit: {
      characteristics: ["cf.colo.id"],
      period: 3_600,
      requests_per_period: Number(limit),
      mitigation_timeout: 0,
      on_state_error: policy,
    },
  }),
  // The same rule on every node.
  id: policy.padEnd(32, "0"),
  ref: policy,
});
const limits = ruleset([limitOn("allow"), limitOn("block")], { phase: "http_ratelimit" });
const gateway = await startGateway({
  zones: [zoneAt(origin, { rulesets: [limits] })],
  gateway: { rateLimits: { store: state.rateLimits, hash: hashText } },
});
const { ca } = await testCertificate();
process.stdout.write(`${JSON.stringify({ port: gateway.port, ca })}\n`);
process.stdin.resume();
await once(process.stdin, "end");
await gateway.close();
await origin.close();
state.close();
