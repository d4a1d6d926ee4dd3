import { describe, expect, test } from "vitest";
import * as fc from "fast-check";
import {
  DEFAULT_PATH_OPTIONS,
  checkOperationInput,
  createMatcher,
  drawOperationId,
  isExactRequest,
  isUniqueShortId,
  operationKey,
  sameOperation,
  shortIdOf,
} from "../../src/operation/index.ts";
import { operation } from "./arbitraries.ts";

const HOST = "shop.example";

const filled = (byte: number) => (count: number) => new Uint8Array(count).fill(byte);

describe("short ids", () => {
  test("the first eight characters, lower case", () => {
    expect(shortIdOf("F174E90A-fafe-4643-bbbc-4a0ed4fc8415")).toBe("f174e90a");
  });

  test("unique in the zone", () => {
    const taken = new Set(["f174e90a"]);
    expect(isUniqueShortId("f174e90a-0000-4000-8000-000000000000", taken)).toBe(false);
    expect(isUniqueShortId("f174e90b-0000-4000-8000-000000000000", taken)).toBe(true);
  });
});

describe("drawOperationId", () => {
  test("version 4 and the variant of RFC 9562, whatever the bytes", () => {
    expect(drawOperationId(filled(0), new Set())).toBe("00000000-0000-4000-8000-000000000000");
    expect(drawOperationId(filled(255), new Set())).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(drawOperationId(() => bytes, new Set())).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
      }),
    );
  });

  test("draws again while the short id is taken (threat G2)", () => {
    const draws = [1, 1, 2, 3];
    let drawn = 0;
    const id = drawOperationId((count) => filled(draws[drawn++]!)(count), new Set(["01010101", "02020202"]));
    expect(shortIdOf(id)).toBe("03030303");
    expect(drawn).toBe(4);
  });

  test("a broken source of randomness is an error, not an endless loop", () => {
    expect(() => drawOperationId(filled(1), new Set(["01010101"]))).toThrow(
      "expected a free short id within 16 draws",
    );
    expect(() => drawOperationId(() => new Uint8Array(8), new Set())).toThrow(
      "expected 16 random bytes, found 8",
    );
  });
});

describe("operationKey", () => {
  test("the same for what would catch the same requests", () => {
    const key = operationKey("GET", HOST, "/Users/{var1}/");
    expect(operationKey("GET", HOST, "/users/{id}")).toBe(key);
    expect(operationKey("POST", HOST, "/users/{var1}")).not.toBe(key);
    expect(operationKey("GET", "pets.example", "/users/{var1}")).not.toBe(key);
    expect(operationKey("GET", HOST, "/users/var1")).not.toBe(key);
    expect(operationKey("GET", "{a}.example", "/")).toBe(operationKey("GET", "{b}.example", "/"));
  });

  test("sameOperation follows the options of the zone", () => {
    const one = operation("GET", HOST, "/A/");
    const other = operation("GET", HOST, "/a");
    expect(sameOperation(one, other)).toBe(true);
    expect(sameOperation(one, other, { ...DEFAULT_PATH_OPTIONS, caseSensitive: true })).toBe(false);
    expect(sameOperation(one, other, { ...DEFAULT_PATH_OPTIONS, trailingSlash: "keep" })).toBe(false);
  });

  test("two operations have one key exactly if the matcher cannot tell them apart", () => {
    const parts = fc.array(fc.constantFrom("a", "A", "b;x", "b", "%40", "@", "{var1}"), {
      minLength: 1,
      maxLength: 3,
    });
    const endpoint = fc
      .tuple(parts, fc.constantFrom("", "/"))
      .map(([segments, end]) => `/${segments.join("/")}${end}`);
    fc.assert(
      fc.property(endpoint, endpoint, (first, second) => {
        const [one, other] = [operation("GET", HOST, first, 1), operation("GET", HOST, second, 2)];
        const request = second.replaceAll("{var1}", "zzz");
        const hidden = createMatcher([one, other]).match("GET", HOST, request) === one;
        expect(hidden).toBe(sameOperation(one, other));
      }),
    );
  });
});

describe("isExactRequest: strict where recording is concerned (threat P1)", () => {
  test.each([
    ["/users/{var1}", "GET", "/users/7", true],
    ["/users/{var1}", "GET", "/users/a%20b;x", true],
    ["/users/{var1}/posts/{var2}", "GET", "/users/7/posts/8", true],
    ["/", "GET", "/", true],
    ["/a/", "GET", "/a/", true],
    ["/users/{var1}", "HEAD", "/users/7", false],
    ["/users/{var1}", "GET", "/Users/7", false],
    ["/users/{var1}", "GET", "/users/7/", false],
    ["/users/{var1}", "GET", "/users/", false],
    ["/users/{var1}", "GET", "/users", false],
    ["/users/{var1}/posts", "GET", "/users//posts", false],
    ["/users/{var1}/posts", "GET", "/users/7", false],
    ["/a", "GET", "/a;x", false],
    ["/a", "GET", "/a/more", false],
    ["/a", "GET", "/a.json", false],
    ["/@me", "GET", "/%40me", false],
    ["/a/", "GET", "/a", false],
  ])("%s by %s %s: %s", (endpoint, method, path, expected) => {
    expect(isExactRequest(operation("GET", HOST, endpoint), method, path)).toBe(expected);
  });

  test("is never wider than matching", () => {
    const endpoint = fc.array(fc.constantFrom("a", "B", "{var1}"), { minLength: 1, maxLength: 4 });
    const path = fc.array(fc.constantFrom("a", "B", "b", "a;x"), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(endpoint, path, (template, segments) => {
        const saved = operation("GET", HOST, `/${template.join("/")}`);
        const request = `/${segments.join("/")}`;
        if (!isExactRequest(saved, "GET", request)) return;
        expect(createMatcher([saved]).match("GET", HOST, request)).toBe(saved);
      }),
    );
  });
});

describe("checkOperationInput", () => {
  test("normalises what is right", () => {
    expect(
      checkOperationInput({ method: "GET", host: "WWW.Example.com.", endpoint: "/users/{id}//x" }),
    ).toEqual({
      kind: "operation_input",
      method: "GET",
      host: "www.example.com",
      endpoint: "/users/{var1}/x",
    });
  });

  test("collects every error, each with its pointer, in the words of the API", () => {
    const result = checkOperationInput({
      method: "get",
      host: "foo-{hostVar1}.example.com",
      endpoint: "/a?b",
    });
    expect(result).toMatchObject({
      kind: "errors",
      errors: [
        {
          code: "ERR_OPERATION_METHOD",
          pointer: "/method",
          message:
            "'get' is not a valid value for method because it is not one of GET, POST, HEAD, OPTIONS, PUT, DELETE, CONNECT, PATCH, TRACE; write the method in upper case",
        },
        {
          code: "ERR_HOST_TEMPLATE_VARIABLE",
          pointer: "/host",
          message:
            "'foo-{hostVar1}.example.com' is not a valid value for host because label `foo-{hostVar1}` is not a variable as a whole; write `{hostVar1}` between two dots",
        },
        {
          code: "ERR_ENDPOINT_QUERY",
          pointer: "/endpoint",
          message:
            "'/a?b' is not a valid value for endpoint because operations have no query and no fragment; end the path before `?` or `#`",
        },
      ],
    });
  });

  test("fields of the wrong type are errors of the field", () => {
    const result = checkOperationInput({ method: null, host: 7, endpoint: ["/a"] });
    expect(result).toMatchObject({
      errors: [
        {
          code: "ERR_OPERATION_TYPE",
          message: "'null' is not a valid value for method because it is not a string; write a string",
        },
        { code: "ERR_OPERATION_TYPE", pointer: "/host" },
        { code: "ERR_OPERATION_TYPE", message: expect.stringContaining("'array'") },
      ],
    });
    expect(checkOperationInput({})).toMatchObject({
      errors: [
        { message: "'' is not a valid value for method because it is missing; write a string" },
        {},
        {},
      ],
    });
  });

  test("long and hostile values are quoted short and harmless", () => {
    const result = checkOperationInput({
      method: "GET\u0007\u2028",
      host: "h",
      endpoint: `x${"y".repeat(5000)}`,
    });
    if (result.kind !== "errors") throw new Error("expected errors");
    for (const { message } of result.errors) {
      expect(message.length).toBeLessThan(400);
      expect(message).not.toMatch(/[\u0000-\u001f\u2028]/);
    }
  });

  test("whatever comes in, it answers", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (method, host, endpoint) => {
        expect(checkOperationInput({ method, host, endpoint }).kind).toMatch(/^(?:errors|operation_input)$/);
      }),
    );
  });
});
