import { array, assert, boolean, integer, nat, property, record } from "fast-check";
import { expect, test } from "vitest";
import { RecentMap } from "../../src/sequence/index.ts";

test("holds no more than it may, and says nothing but what was set last", () => {
  const step = record({ key: nat(12), isSet: boolean() });
  assert(
    property(integer({ min: 2, max: 9 }), array(step, { maxLength: 60 }), (maxEntries, steps) => {
      const map = new RecentMap<number, string>(maxEntries);
      const model = new Map<number, string>();
      for (const [turn, { key, isSet }] of steps.entries()) {
        if (isSet) {
          map.set(key, `${turn}`);
          model.set(key, `${turn}`);
        }
        expect(isSet ? map.get(key) : model.get(key)).toBe(model.get(key));
        expect([undefined, model.get(key)]).toContain(map.get(key));
        expect(map.size).toBeLessThanOrEqual(maxEntries);
      }
    }),
  );
});

test("what was set anew is never seen in its older form", () => {
  const map = new RecentMap<string, number>(4);
  map.set("a", 1);
  map.set("b", 1);
  map.set("c", 1);
  map.set("a", 2);
  map.set("d", 1);
  map.set("e", 1);
  expect([undefined, 2]).toContain(map.get("a"));
});

test("what is asked for again and again outlives any flood", () => {
  const map = new RecentMap<string, number>(4);
  map.set("kept", 1);
  for (let index = 0; index < 100; index += 1) {
    map.set(`flood ${index}`, index);
    expect(map.get("kept")).toBe(1);
  }
  expect(map.get("flood 50")).toBeUndefined();
});
