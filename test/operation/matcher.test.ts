import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_PATH_OPTIONS, createMatcher } from "../../src/operation/index.ts";
import type { Operation, PathOptions } from "../../src/operation/index.ts";
import { operation } from "./arbitraries.ts";
import { expectLinear, fastestMs } from "../support/cost.ts";

const HOST = "shop.example";

/** A matcher over `METHOD /endpoint` or `METHOD host/endpoint` lines; answers with the line that matched. */
function matcherOf(lines: readonly string[], options: Partial<PathOptions> = {}) {
  const saved = lines.map((line, number) => {
    const [method, rest] = line.split(" ") as [Operation["method"], string];
    const slash = rest.indexOf("/");
    return operation(method, slash === 0 ? HOST : rest.slice(0, slash), rest.slice(slash), number);
  });
  const matcher = createMatcher(saved, { ...DEFAULT_PATH_OPTIONS, ...options });
  return (method: string, path: string, host = HOST): string | undefined => {
    const found = matcher.match(method, host, path);
    return found && lines[saved.indexOf(found)];
  };
}

describe("createMatcher: the most specific template wins", () => {
  const match = matcherOf([
    "GET /users/{var1}",
    "GET /users/me",
    "POST /users/{var1}",
    "GET /users/{var1}/posts",
    "GET /users/me/{var1}",
    "GET /{var1}/{var2}/posts",
    "GET /a/{var1}/c/d",
    "GET /a/b/{var1}/e",
    "GET /",
  ]);

  test.each([
    ["GET", "/", "GET /"],
    ["GET", "/users/7", "GET /users/{var1}"],
    ["GET", "/users/me", "GET /users/me"],
    // literal before variable, from the left
    ["GET", "/users/me/posts", "GET /users/me/{var1}"],
    ["GET", "/users/7/posts", "GET /users/{var1}/posts"],
    ["GET", "/shops/7/posts", "GET /{var1}/{var2}/posts"],
    // a branch that ends without an operation gives way
    ["POST", "/users/me", "POST /users/{var1}"],
    ["GET", "/a/b/c/d", "GET /a/{var1}/c/d"],
    ["GET", "/a/b/c/e", "GET /a/b/{var1}/e"],
    ["GET", "/a/b/posts", "GET /{var1}/{var2}/posts"],
    // no operation
    ["GET", "/users", undefined],
    ["GET", "/users/7/posts/1", undefined],
    ["DELETE", "/users/7", undefined],
    ["get", "/users/7", undefined],
    ["GET", "/users/7/comments", undefined],
  ])("%s %s → %s", (method, path, expected) => {
    expect(match(method, path)).toBe(expected);
  });

  test("a variable is one segment, and never an empty one", () => {
    const strict = matcherOf(["GET /users/{var1}", "GET /users/{var1}/posts"], { trailingSlash: "keep" });
    expect(strict("GET", "/users/")).toBeUndefined();
    expect(strict("GET", "/users/7/")).toBeUndefined();
    expect(strict("GET", "/users//posts")).toBeUndefined();
    expect(strict("GET", "/users/a%20b")).toBe("GET /users/{var1}");
    expect(match("GET", "/users/;x")).toBeUndefined();
  });

  test("a request cannot name a variable", () => {
    expect(match("GET", "/users/%7Bvar1%7D/comments")).toBeUndefined();
    expect(match("GET", "/{var1}/{var2}/nothing")).toBeUndefined();
  });

  test("of two operations with one key the first counts", () => {
    expect(matcherOf(["GET /A", "GET /a"])("GET", "/a")).toBe("GET /A");
    expect(matcherOf(["GET /A", "GET /a"], { caseSensitive: true })("GET", "/a")).toBe("GET /a");
  });
});

describe("createMatcher: HEAD (threat M2)", () => {
  const match = matcherOf(["GET /a", "GET /b", "HEAD /b", "GET /users/me", "HEAD /users/{var1}", "POST /c"]);
  test.each([
    ["/a", "GET /a"],
    ["/b", "HEAD /b"],
    ["/users/7", "HEAD /users/{var1}"],
    // The handler of GET /users/me answers: a HEAD operation elsewhere must not hide it.
    ["/users/me", "GET /users/me"],
    ["/c", undefined],
  ])("HEAD %s → %s", (path, expected) => {
    expect(match("HEAD", path)).toBe(expected);
  });

  test("GET is never answered by a HEAD operation", () => {
    expect(match("GET", "/users/7")).toBeUndefined();
  });
});

describe("createMatcher: hosts", () => {
  const match = matcherOf([
    "GET {hostVar1}.example/a",
    "GET shop.example/a",
    "GET foo.{hostVar1}.example/a",
    "GET {hostVar2}.{hostVar1}.example/a",
    "GET {hostVar2}.{hostVar1}.example/{var1}/b",
    "GET {hostVar1}.example/only-here",
    "POST {hostVar1}.example/a",
    "GET [::1]/a",
    "GET {hostVar1}.example/",
  ]);
  test.each([
    ["GET", "shop.example", "/a", "GET shop.example/a"],
    ["GET", "pets.example", "/a", "GET {hostVar1}.example/a"],
    ["GET", "foo.eu.example", "/a", "GET foo.{hostVar1}.example/a"],
    ["GET", "bar.eu.example", "/a", "GET {hostVar2}.{hostVar1}.example/a"],
    ["GET", "[::1]", "/a", "GET [::1]/a"],
    ["GET", "pets.example", "/", "GET {hostVar1}.example/"],
    // a literal host without the operation gives way to a variable one
    ["GET", "shop.example", "/only-here", "GET {hostVar1}.example/only-here"],
    ["POST", "shop.example", "/a", "POST {hostVar1}.example/a"],
    ["GET", "foo.eu.example", "/x/b", "GET {hostVar2}.{hostVar1}.example/{var1}/b"],
    ["GET", "example", "/a", undefined],
    ["GET", "a.b.c.example", "/a", undefined],
    ["GET", "evil.test", "/a", undefined],
  ])("%s %s%s → %s", (method, host, path, expected) => {
    expect(match(method, path, host)).toBe(expected);
  });

  test("labels cannot reach into the path, nor the path into the labels", () => {
    const edge = matcherOf(["GET {hostVar1}.example/a/b", "GET x.{hostVar1}/{var1}/{var2}"]);
    expect(edge("GET", "/b", "shop.example.a")).toBeUndefined();
    expect(edge("GET", "/example/a/b", "shop")).toBeUndefined();
    expect(edge("GET", "/a/b", "shop.example")).toBe("GET {hostVar1}.example/a/b");
  });
});

describe("createMatcher: options", () => {
  test("a format suffix folds on the last segment, and only where no literal has it", () => {
    const lines = [
      "GET /users/me",
      "GET /users/{var1}",
      "GET /report",
      "GET /report.json",
      "GET /a.b",
      "GET /c/d",
    ];
    const match = matcherOf(lines, { formatSuffix: "fold" });
    expect(match("GET", "/users/me.json")).toBe("GET /users/me");
    expect(match("GET", "/users/you.json")).toBe("GET /users/{var1}");
    expect(match("GET", "/report.json")).toBe("GET /report.json");
    expect(match("GET", "/report.xml")).toBe("GET /report");
    expect(match("GET", "/a.b.xml")).toBe("GET /a.b");
    expect(match("GET", "/c.json/d")).toBeUndefined();
    expect(match("GET", "/report.")).toBeUndefined();
    expect(matcherOf(lines)("GET", "/report.xml")).toBeUndefined();
  });

  test("path info: the longest saved prefix, never the root", () => {
    const lines = [
      "GET /",
      "GET /a.php",
      "GET /a.php/special",
      "GET /{var1}/x/y",
      "GET {hostVar1}.example/b.php",
    ];
    const match = matcherOf(lines, { pathInfo: "prefix" });
    expect(match("GET", "/a.php/more/and/more")).toBe("GET /a.php");
    expect(match("GET", "/a.php/special/more")).toBe("GET /a.php/special");
    expect(match("GET", "/a.php/x/y")).toBe("GET /a.php");
    expect(match("GET", "/c.php/x/y/z")).toBe("GET /{var1}/x/y");
    expect(match("GET", "/a.phpx/more")).toBeUndefined();
    expect(match("GET", "/nothing")).toBeUndefined();
    expect(match("GET", "/b.php/more", "eu.example")).toBe("GET {hostVar1}.example/b.php");
    expect(matcherOf(lines)("GET", "/a.php/more")).toBeUndefined();
  });

  test("templates fold like paths", () => {
    const match = matcherOf(["GET /Users/{var1}/%40Me/", "GET /A;v=1/b"]);
    expect(match("GET", "/users/7/@me")).toBe("GET /Users/{var1}/%40Me/");
    expect(match("GET", "/a/b;w=2")).toBe("GET /A;v=1/b");
  });
});

test("names of Object.prototype are segments, hosts and methods like any other", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const match = matcherOf(["GET /a", "GET /__proto__/{var1}"], { caseSensitive: true });
  for (const name of names) {
    expect(match("GET", `/${name}`)).toBeUndefined();
    expect(match(name, "/a")).toBeUndefined();
    expect(match("GET", "/a", name)).toBeUndefined();
  }
  expect(match("GET", "/__proto__/x")).toBe("GET /__proto__/{var1}");
});

describe("createMatcher: against a naive reference", () => {
  const segment = fc.constantFrom("a", "b", "c", "{var1}");
  const host = fc.constantFrom(
    "a.x",
    "b.x",
    "{hostVar1}.x",
    "a.{hostVar1}",
    "a.b.x",
    "{hostVar2}.{hostVar1}.x",
  );
  const template = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join("/")}`);
  const method = fc.constantFrom("GET", "POST", "HEAD");

  test("same answer on random templates and paths", () => {
    let matched = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(method, host, template), { minLength: 20, maxLength: 80, size: "max" }),
        fc.array(
          fc.tuple(
            method,
            fc.constantFrom("a.x", "b.x", "c.x", "a.b", "a.b.x", "b.c.x"),
            fc
              .array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 })
              .map((parts) => `/${parts.join("/")}`),
          ),
          { minLength: 20, maxLength: 20 },
        ),
        (templates, requests) => {
          const saved = templates.map((parts, number) => operation(...parts, number));
          const matcher = createMatcher(saved);
          for (const [requestMethod, requestHost, path] of requests) {
            const expected = naiveMatch(saved, requestMethod, requestHost, path);
            if (expected !== undefined) matched++;
            expect(matcher.match(requestMethod, requestHost, path)?.id).toBe(expected?.id);
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(matched).toBeGreaterThan(3000);
  });
});

/** Every candidate, ranked: literal hosts, then labels and segments from the left, then the own method. */
function naiveMatch(saved: readonly Operation[], method: string, host: string, path: string) {
  const rank = (candidate: Operation): string =>
    [
      candidate.host.includes("{") ? 1 : 0,
      ...[...candidate.host.split("."), ...candidate.endpoint.split("/")].map((part) =>
        part.startsWith("{") ? 1 : 0,
      ),
      candidate.method === method ? 0 : 1,
    ].join("");
  return saved
    .filter(
      (candidate) =>
        (candidate.method === method || (method === "HEAD" && candidate.method === "GET")) &&
        covers(candidate.host.split("."), host.split(".")) &&
        covers(candidate.endpoint.split("/"), path.split("/")),
    )
    .toSorted((one, other) => (rank(one) < rank(other) ? -1 : rank(one) > rank(other) ? 1 : 0))[0];
}

function covers(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((part, index) => (part.startsWith("{") ? parts[index] !== "" : part === parts[index]))
  );
}

describe("createMatcher: bounds", () => {
  test("no path makes it backtrack exponentially", () => {
    // Each level has a literal and a variable branch, and every one of them is a dead end.
    const deep = Array.from({ length: 40 }, (_, level) =>
      operation("GET", HOST, `/${"a/".repeat(level)}{var1}/${"a/".repeat(39 - level)}end`, level),
    );
    // All 2^11 mixtures of `a` and a variable.
    const wide = Array.from({ length: 2048 }, (_, bits) => {
      const segments = Array.from({ length: 11 }, (_unused, level) =>
        (bits >> level) & 1 ? "a" : `{var${level}}`,
      );
      return operation("GET", HOST, `/${segments.join("/")}/end`, bits);
    });
    for (const [saved, depth] of [
      [deep, 40],
      [wide, 11],
    ] as const) {
      const matcher = createMatcher(saved);
      const nodes = saved.length * (depth + 1);
      const path = `/${"a/".repeat(depth)}dead`;
      expect(matcher.match("GET", HOST, path)).toBeUndefined();
      // At most one visit to a node; a microsecond for each is ten times what one takes.
      expect(fastestMs(() => matcher.match("GET", HOST, path))).toBeLessThan(nodes / 100 + 10);
    }
  });

  test("a path of 4000 segments costs no more than the templates are deep", () => {
    const matcher = createMatcher([operation("GET", HOST, "/{var1}/{var2}/{var3}")]);
    const path = "/a".repeat(4000);
    expect(fastestMs(() => matcher.match("GET", HOST, path))).toBeLessThan(5);
  });

  test("the longest template does not overflow the stack", () => {
    const endpoint = "/a".repeat(2047);
    const match = matcherOf([`GET ${endpoint}/{var1}`]);
    expect(match("GET", `${endpoint}/x`)).toBe(`GET ${endpoint}/{var1}`);
  });

  test("10,000 operations are prepared in time in proportion", () => {
    const operations = (count: number) =>
      Array.from({ length: count }, (_, number) =>
        operation("GET", HOST, `/api/v${number % 7}/things${number}/{var1}/parts/{var2}`, number),
      );
    expectLinear(10_000, operations, createMatcher);
    const saved = operations(10_000);
    const matcher = createMatcher(saved);
    expect(matcher.match("GET", HOST, "/api/v3/things9999/x/parts/y")?.shortId).toBe("0000270f");
  });
});

/** The fastest of a few rounds, in milliseconds: what the work takes when no other process is in the way. */
