/** Dodges that no measured spelling covers, each named after the attack. */
import { describe, expect, test } from "vitest";
import {
  DEFAULT_PATH_OPTIONS,
  canonicalTarget,
  createMatcher,
  isExactRequest,
  normalizeEndpoint,
} from "../../src/operation/index.ts";
import type { Operation, PathOptions } from "../../src/operation/index.ts";

const HOST = "shop.example";

function saved(template: string, method: Operation["method"] = "GET"): Operation {
  const endpoint = normalizeEndpoint(template);
  if (endpoint.kind === "error") throw new Error(endpoint.message);
  return {
    id: "c821cc00-0000-4000-8000-000000000000",
    shortId: "c821cc00",
    method,
    host: HOST,
    endpoint: endpoint.endpoint,
    lastUpdatedAt: 0,
    record: "forwarded",
    prefetch: "record",
  };
}

/** `hit`, `miss`, or the code of the refusal. */
function attack(template: string, target: string, options: Partial<PathOptions> = {}): string {
  const pathOptions = { ...DEFAULT_PATH_OPTIONS, ...options };
  const result = canonicalTarget(target, pathOptions);
  if (result.kind !== "path") return result.kind === "error" ? result.code : result.kind;
  const matcher = createMatcher([saved(template)], pathOptions);
  return matcher.match("GET", HOST, result.path) === undefined ? "miss" : "hit";
}

describe("escaped delimiters: origins that decode before they route see no difference", () => {
  test.each([
    ["/users/@me", "/users/%40me"],
    ["/v1/users:batchGet", "/v1/users%3abatchGet"],
    ["/Products('1')", "/Products%28%271%27%29"],
    ["/$metadata", "/%24metadata"],
    ["/a+b", "/a%2bb"],
    ["/a&b=c,d!*", "/a%26b%3Dc%2cd%21%2A"],
    // and the other way round: saved with escapes, asked for without
    ["/users/%40me", "/users/@me"],
  ])("%s asked for as %s", (template, target) => {
    expect(attack(template, target)).toBe("hit");
  });

  test("what decodes to another structure stays apart", () => {
    expect(attack("/a", "/a%3Fb")).toBe("miss");
    expect(attack("/a", "/a%23b")).toBe("miss");
    expect(attack("/a b", "/a+b")).toBe("miss");
  });
});

describe("servlet containers cut parameters before they merge slashes", () => {
  test.each([
    "/api/;x/transfer",
    "/;/api/transfer",
    "/api/transfer/;x=1",
    "/api;/;/;a=b/transfer;",
    "/api/%3b/transfer",
  ])("%s", (target) => {
    expect(attack("/api/transfer", target)).toBe("hit");
  });

  test.each([
    "/api/x/..;/transfer",
    "/api/x/..;a=b/transfer",
    "/api/x/%2e%2e;/transfer",
    // a proxy that decodes in front of the container
    "/api/x/..%3b/transfer",
    "/api/x/.%2e%3B/transfer",
    "/api/.;/transfer",
  ])("%s hides a dot segment", (target) => {
    expect(attack("/api/transfer", target)).toBe("ERR_TARGET_DOT_SEGMENT");
  });
});

describe("Fastify up to 4 takes `;` for the start of the query", () => {
  test.each(["/transfer;/other", "/transfer;x/y/z", "/transfer%3b/other", "/Transfer/;/other"])(
    "%s",
    (target) => {
      expect(attack("/transfer", target)).toBe("hit");
      expect(attack("/transfer", target, { params: "cut" })).toBe("hit");
    },
  );

  test("params: cut decides for it where both readings are saved", () => {
    const operations = [saved("/transfer"), saved("/transfer/other")];
    const cut = createMatcher(operations, { ...DEFAULT_PATH_OPTIONS, params: "cut" });
    expect(createMatcher(operations).match("GET", HOST, "/transfer;/other")).toBe(operations[1]);
    expect(cut.match("GET", HOST, "/transfer;/other")).toBe(operations[0]);
  });
});

describe("encoded separators inside a variable", () => {
  test("are refused unless the zone lets them through", () => {
    const template = "/accounts/{id}/balance";
    expect(attack(template, "/accounts/1%2f2/balance")).toBe("ERR_TARGET_ENCODED_SLASH");
    expect(attack(template, "/accounts/1%5c2/balance")).toBe("ERR_TARGET_ENCODED_BACKSLASH");
    expect(attack(template, "/accounts/1%2f2/balance", { encodedSlash: "keep" })).toBe("hit");
    expect(attack(template, "/accounts/1%2f2/balance", { encodedSlash: "decode" })).toBe("miss");
    expect(attack(template, "/accounts%2f1/balance", { encodedSlash: "decode" })).toBe("hit");
  });

  test.each(["/a/x%2f..%2fb", "/a/..%2fb", "/a/x%2f%2e%2e", "/a/x%2f..;y/b"])(
    "cannot smuggle a dot segment past `keep`: %s",
    (target) => {
      expect(attack("/a/b", target, { encodedSlash: "keep" })).toBe("ERR_TARGET_DOT_SEGMENT");
    },
  );
});

describe("letters that lose their case outside ASCII", () => {
  const LONG_S = "/api/transferFund%c5%bf";
  const KELVIN = "/%e2%84%aaeys";

  test("are other letters by default, as on every measured origin", () => {
    expect(attack("/api/transferFunds", LONG_S)).toBe("miss");
    expect(attack("/keys", KELVIN)).toBe("miss");
    expect(attack("/café", "/CAF%C3%89")).toBe("miss");
  });

  test("count with caseFolding: unicode", () => {
    expect(attack("/api/transferFunds", LONG_S, { caseFolding: "unicode" })).toBe("hit");
    expect(attack("/keys", KELVIN, { caseFolding: "unicode" })).toBe("hit");
    expect(attack("/café", "/CAF%C3%89", { caseFolding: "unicode" })).toBe("hit");
  });

  test.each(["/cafe%CC%81", "/caf%EF%BD%85%CC%81", "/%EF%BD%83af%C3%A9"])(
    "are never composed, decomposed or made compatible (no NFC, no NFKC): %s",
    (target) => {
      expect(attack("/café", target, { caseFolding: "unicode" })).toBe("miss");
    },
  );
});

describe("a second decoding further on", () => {
  test.each([
    "/%2574ransfer",
    "/%25%37%34ransfer",
    "/%257%34ransfer",
    "/%252574ransfer",
    "/%252e%252e/transfer",
  ])("%s is refused", (target) => {
    expect(attack("/transfer", target)).toBe("ERR_TARGET_DOUBLE_ENCODING");
  });
});

describe("the path is no authority", () => {
  test.each([
    "//evil.example/transfer",
    "///evil.example/transfer",
    "/.//evil.example/transfer",
    "/x/..//evil.example/transfer",
  ])("%s", (target) => {
    expect(canonicalTarget(target)).toMatchObject({ path: "/evil.example/transfer", authority: null });
  });
});

describe("Rails: the format suffix", () => {
  test.each([
    "/transfer.json",
    "/transfer.xml",
    "/transfer%2ejson",
    "/transfer.json/",
    "/transfer.json;x",
    "/TRANSFER.JSON",
  ])("%s", (target) => {
    expect(attack("/transfer", target)).toBe("miss");
    expect(attack("/transfer", target, { formatSuffix: "fold" })).toBe("hit");
  });
});

test.each(["/BALANCE", "/balance/", "/balance;x", "/;/balance", "/balance%3b"])(
  "%s only matches by folding, so it does not count as the request to the letter",
  (target) => {
    const operation = saved("/balance");
    const result = canonicalTarget(target);
    if (result.kind !== "path") throw new Error("expected a path");
    expect(createMatcher([operation]).match("GET", HOST, result.path)).toBe(operation);
    expect(isExactRequest(operation, "GET", result.path)).toBe(false);
  },
);
