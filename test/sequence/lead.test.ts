import { describe, expect, test } from "vitest";

import { checkLimits, createViewHints, decideRole, viewOf } from "../../src/sequence/index.ts";

const roles = (view: string, times: number, options?: Parameters<typeof decideRole>[2]) => {
  const hints = createViewHints();
  return Array.from({ length: times }, () => decideRole(view, hints, options));
};

describe("who leads", () => {
  test("the first two responses for the same cookies, then all follow", () => {
    expect(roles("x", 5)).toEqual(["lead", "lead", "follow", "follow", "follow"]);
  });

  test("one where several processes share the traffic", () => {
    expect(roles("x", 3, { leads: 1 })).toEqual(["lead", "follow", "follow"]);
  });

  test("everybody where there is no memory", () => {
    expect(new Set(roles("x", 40, { leads: Number.POSITIVE_INFINITY }))).toEqual(new Set(["lead"]));
  });

  test("from the 17th response on, equal operations share a cookie", () => {
    expect(roles("x", 18).slice(14)).toEqual(["follow", "follow", "coalesce", "coalesce"]);
    expect(roles("x", 18, { coalesceAfter: Number.POSITIVE_INFINITY }).at(-1)).toBe("follow");
  });

  test("always a response to a request without cookies", () => {
    const hints = createViewHints();
    for (let index = 0; index < 50; index += 1) expect(decideRole("", hints)).toBe("lead");
  });

  test("each view is counted for itself", () => {
    const hints = createViewHints();
    expect(["x", "y", "x", "y", "x"].map((view) => decideRole(view, hints))).toEqual([
      "lead",
      "lead",
      "lead",
      "lead",
      "follow",
    ]);
  });
});

describe("views", () => {
  test("do not depend on the order of the names", () => {
    expect(viewOf(["b", "a", "c"])).toBe(viewOf(["c", "b", "a"]));
    expect(viewOf([])).toBe("");
    expect(viewOf(["a"])).not.toBe(viewOf(["a", "b"]));
  });

  test("leave the names as they were", () => {
    const names = ["b", "a"];
    viewOf(names);
    expect(names).toEqual(["b", "a"]);
  });
});

describe("memory of views", () => {
  test("a flood of views makes others forgotten, which then lead again", () => {
    const hints = createViewHints(4);
    for (const view of ["a", "b", "a", "a"]) hints.count(view);
    expect(hints.count("a")).toBe(4);
    for (let index = 0; index < 50; index += 1) expect(hints.count(`flood ${index}`)).toBe(1);
    expect(hints.count("a")).toBe(1);
  });

  test("views as browsers send them are told apart, and few of the latest are forgotten", () => {
    const hints = createViewHints();
    const views = Array.from(
      { length: 400 },
      (_, index) => `__Host-sq.X${index.toString(36).padStart(4, "0")}`,
    );
    for (const view of views) expect(hints.count(view)).toBe(1);
    expect(views.filter((view) => hints.count(view) > 1).length).toBeGreaterThan(320);
  });
});

describe("limits", () => {
  test.each([
    [{ maxEntries: 0, maxAgeMs: 1 }, "expected `maxEntries` to be a whole number from 1 to 64, found `0`"],
    [{ maxEntries: 65, maxAgeMs: 1 }, "expected `maxEntries` to be a whole number from 1 to 64, found `65`"],
    [{ maxEntries: 1.5, maxAgeMs: 1 }, "found `1.5`"],
    [{ maxEntries: 10, maxAgeMs: 86_400_001 }, "expected `maxAgeMs` to be a whole number from 1 to 86400000"],
    [{ maxEntries: 10, maxAgeMs: Number.NaN }, "found `NaN`"],
  ])("%o is refused", (limits, message) => {
    expect(() => checkLimits(limits)).toThrow(message);
  });

  test("64 entries and a day are the largest", () => {
    expect(() => checkLimits({ maxEntries: 64, maxAgeMs: 86_400_000 })).not.toThrow();
  });
});
