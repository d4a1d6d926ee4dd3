import { describe, expect, test } from "vitest";
import { addSequenceCookies } from "../../src/engine/response.ts";

const COOKIE = "__Host-sq.AAAAA=x; Secure";

describe("a response that sets a sequence cookie is never stored for somebody else", () => {
  test.each([
    ["without Cache-Control", [], "private"],
    ["public", ["cache-control", "public, max-age=60"], "private, max-age=60"],
    ["s-maxage", ["Cache-Control", "s-maxage=600"], "private"],
    ["already private", ["cache-control", "private, max-age=5"], "private, max-age=5"],
    ["no-store", ["cache-control", "no-store"], "no-store"],
    [
      "private for one field only",
      ["cache-control", 'private="x-a, set-cookie", max-age=1'],
      'private, private="x-a, set-cookie", max-age=1',
    ],
    ["two fields", ["cache-control", "public", "cache-control", "max-age=9"], "private, max-age=9"],
    ["PUBLIC in capitals", ["cache-control", "PUBLIC"], "private"],
  ])("%s", (_name, headers, expected) => {
    expect(addSequenceCookies(headers, [COOKIE])).toEqual(["cache-control", expected, "set-cookie", COOKIE]);
  });

  test("directives meant for CDNs alone are dropped", () => {
    const headers = ["Surrogate-Control", "max-age=9", "CDN-Cache-Control", "public", "etag", "1"];
    expect(addSequenceCookies(headers, [COOKIE])).toEqual([
      "etag",
      "1",
      "cache-control",
      "private",
      "set-cookie",
      COOKIE,
    ]);
  });

  test("the origin's own cookies stay, ours follow in their order", () => {
    expect(addSequenceCookies(["set-cookie", "a=1"], ["b", "c"])).toEqual([
      "set-cookie",
      "a=1",
      "cache-control",
      "private",
      "set-cookie",
      "b",
      "set-cookie",
      "c",
    ]);
  });
});
