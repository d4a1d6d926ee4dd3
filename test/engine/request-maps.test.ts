import { describe, expect, test } from "vitest";
import {
  acceptedLanguages,
  cookiePairs,
  pathExtension,
  queryPairs,
  toMultimap,
} from "../../src/engine/request-maps.ts";

describe("queryPairs", () => {
  test.each([
    ["", []],
    [
      "a=1&b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "a&b=",
      [
        ["a", ""],
        ["b", ""],
      ],
    ],
    ["a=%20+=", [["a", "%20+="]]],
    ["a=1=2", [["a", "1=2"]]],
  ])("%s", (query, pairs) => {
    expect(queryPairs(query)).toEqual(pairs);
  });

  test("a query of a million ampersands gives a bounded list", () => {
    expect(queryPairs("&".repeat(1_000_000)).length).toBeLessThanOrEqual(1_000);
  });
});

test("equal names are merged in order, and names of JavaScript's own are names like any other", () => {
  const map = toMultimap([
    ["__proto__", "1"],
    ["a", "2"],
    ["__proto__", "3"],
    ["constructor", "4"],
  ]);
  expect([...map]).toEqual([
    ["__proto__", ["1", "3"]],
    ["a", ["2"]],
    ["constructor", ["4"]],
  ]);
});

test("cookie names are percent-decoded, values are not; nameless parts are left out", () => {
  expect(cookiePairs("a%20b=c%20d; =x; y; z=1=2")).toEqual([
    ["a b", "c%20d"],
    ["z", "1=2"],
  ]);
});

test.each([
  ["de, en;q=0.5, *;q=0.1, fr;q=0.8", ["de", "fr", "en"]],
  ["", []],
  ["en;q=0", []],
  ["a;q=x, b", ["b"]],
])("languages of %s", (header, expected) => {
  expect(acceptedLanguages(header)).toEqual(expected);
});

test.each([
  ["/a/b.PHP", "php"],
  ["/.htaccess", ""],
  ["/a.", ""],
  ["/a.tar.gz", "gz"],
  ["/a.b/c", ""],
])("extension of %s", (path, expected) => {
  expect(pathExtension(path)).toBe(expected);
});
