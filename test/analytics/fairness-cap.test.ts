import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressPrefix,
  createFairnessCap,
  createHourCounter,
  createOperationTable,
  pairScore,
} from "../../src/analytics/index.ts";
import { summaryOf } from "./exact.ts";

const HOUR_MS = 3_600_000;
const NOW = 500_000 * HOUR_MS;
const HOME = "192.0.2.0/24";

describe("the cap", () => {
  test("poisoning: a flood of one sequence counts no more than its share", () => {
    const cap = createFairnessCap({ perSequence: 50, seed: 1 });
    const admitted = Array.from({ length: 10_000 }, () => cap.admit("sequence", HOME, NOW)).filter(
      Boolean,
    ).length;
    expect(admitted).toBe(50);
    expect(cap.refused).toBe(9950);
  });

  test("poisoning: new sequences from one network do not help", () => {
    const cap = createFairnessCap({ perSequence: 50, perAddressPrefix: 300, seed: 2 });
    let admitted = 0;
    for (let at = 0; at < 100_000; at += 1) if (cap.admit(`sequence ${at}`, HOME, NOW)) admitted += 1;
    expect(admitted).toBe(300);
    // Nor do they use up what others have.
    for (let visitor = 0; visitor < 1000; visitor += 1) {
      expect(cap.admit(`visitor ${visitor}`, `198.51.${visitor % 250}.0/24`, NOW)).toBe(true);
    }
  });

  test("poisoning: no session at all is limited by its network", () => {
    const cap = createFairnessCap({ perAddressPrefix: 300, seed: 3 });
    const admitted = Array.from({ length: 1000 }, () => cap.admit(undefined, HOME, NOW)).filter(
      Boolean,
    ).length;
    expect(admitted).toBe(300);
    expect(cap.admit(undefined, "", NOW)).toBe(true);
  });

  test("poisoning: an attacker cannot make a journey look normal", () => {
    const [balance, transfer] = ["0000000a", "0000000b"];
    const counter = createHourCounter({ operations: createOperationTable([balance, transfer]) });
    const cap = createFairnessCap({ seed: 4 });
    const request = (id: string, prefix: string, previous: readonly string[]): void => {
      if (cap.admit(id, prefix, NOW)) counter.recordIds(transfer, previous);
    };
    for (let at = 0; at < 50_000; at += 1) request("attacker", HOME, []);
    for (let visitor = 0; visitor < 20_000; visitor += 1) {
      request(`visitor ${visitor}`, `10.${visitor % 200}.${visitor % 7}.0/24`, [balance]);
    }
    expect(pairScore(summaryOf(counter), balance, transfer).falseBlockRate).toBeLessThan(0.011);
  });

  test("starts anew with the hour, but not when the clock leaps back", () => {
    const cap = createFairnessCap({ perSequence: 1, seed: 5 });
    expect(cap.admit("a", HOME, NOW)).toBe(true);
    expect(cap.admit("a", HOME, NOW + HOUR_MS - 1)).toBe(false);
    expect(cap.admit("a", HOME, NOW + HOUR_MS)).toBe(true);
    expect(cap.admit("a", HOME, NOW)).toBe(false);
    expect(cap.refused).toBe(1);
  });

  test("never lets more pass than it may, whoever shares its counters", () => {
    const request = fc.tuple(fc.nat(40), fc.nat(10));
    fc.assert(
      fc.property(fc.array(request, { maxLength: 400 }), fc.integer(), (requests, seed) => {
        const cap = createFairnessCap({ perSequence: 7, perAddressPrefix: 20, seed });
        const passed = new Map<string, number>();
        for (const [sequence, prefix] of requests) {
          const names = [`s${sequence}`, `p${prefix}`] as const;
          if (!cap.admit(names[0], names[1], NOW)) continue;
          for (const name of names) passed.set(name, (passed.get(name) ?? 0) + 1);
        }
        for (const [name, count] of passed) expect(count).toBeLessThanOrEqual(name.startsWith("s") ? 7 : 20);
      }),
    );
  });

  test("does not hit a crowd of ordinary visitors", () => {
    const cap = createFairnessCap({ seed: 6 });
    let refused = 0;
    for (let visitor = 0; visitor < 50_000; visitor += 1) {
      for (let at = 0; at < 10; at += 1) {
        if (!cap.admit(`${visitor * 7919}`, `10.${visitor % 250}.${(visitor >> 8) % 250}.0/24`, NOW))
          refused += 1;
      }
    }
    expect(refused).toBe(0);
  });

  test.each([0, 65_536, 1.5, Number.NaN])("refuses a cap of %d", (perSequence) => {
    expect(() => createFairnessCap({ perSequence, seed: 0 })).toThrow(
      "expected `perSequence` to be a whole number from 1 to 65,535",
    );
  });
});

describe("an address prefix", () => {
  test.each([
    ["192.0.2.77", "192.0.2.0/24"],
    ["::ffff:192.0.2.77", "192.0.2.0/24"],
    ["::FFFF:192.0.2.77", "192.0.2.0/24"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"],
    ["2001:0DB8:0001::9", "2001:db8:1::/48"],
    ["2001:db8::1", "2001:db8:0::/48"],
    ["fe80::1%eth0", "fe80:0:0::/48"],
    ["::1", "0:0:0::/48"],
    ["::", "0:0:0::/48"],
    ["", ""],
    ["unix", ""],
    ["1.2.3", ""],
    ["1:2:3", ""],
    ["1::2::3", ""],
    ["1:2:3:4:5:6:7:8:9", ""],
    ["1:2:3:4:5:6:7::8", ""],
    ["12345::", ""],
    ["x".repeat(10_000), ""],
    [":".repeat(10_000), ""],
  ])("of %s is `%s`", (address, prefix) => {
    expect(addressPrefix(address)).toBe(prefix);
  });
});
