import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createSessionReader } from "../../src/session/index.ts";
import type { AuthIdCharacteristic, SessionReaderOptions, TokenClaims } from "../../src/session/index.ts";

const CONFIG = "4a7ee8d3-dd63-4ceb-9d5f-c27831854ce7";
const NOW = 1_790_000_000_000;

const header = (name: string): AuthIdCharacteristic => ({ type: "header", name });
const cookie = (name: string): AuthIdCharacteristic => ({ type: "cookie", name });
const jwt = (path: string): AuthIdCharacteristic => ({ type: "jwt", name: `${CONFIG}:${path}` });

/** What a reader says, short: the value, `none` or `ambiguous`. */
async function identify(
  characteristics: readonly AuthIdCharacteristic[],
  rawHeaders: readonly string[],
  options: SessionReaderOptions = {},
): Promise<string> {
  const identity = await createSessionReader(characteristics, options).identify({ rawHeaders }, NOW);
  if (identity.kind === "present") return `${identity.characteristic.name}=${identity.value}`;
  return identity.kind === "absent" ? "none" : "ambiguous";
}

function bearer(claims: object): readonly string[] {
  return ["authorization", `Bearer ${JSON.stringify(claims)}`];
}

describe("where identifiers are found", () => {
  test.each<[string, readonly AuthIdCharacteristic[], readonly string[], string]>([
    ["a header", [header("x-key")], ["X-Key", "abc"], "x-key=abc"],
    ["a header in any case", [header("X-KEY")], ["x-kEY", "abc"], "X-KEY=abc"],
    ["no header", [header("x-key")], ["x-keys", "abc", "y", "x-key"], "none"],
    ["an empty header", [header("x-key")], ["x-key", "  "], "none"],
    ["a cookie", [cookie("sid")], ["cookie", "a=1; sid=abc; b=2"], "sid=abc"],
    ["a cookie without the others' names", [cookie("sid")], ["cookie", "xsid=1; sidx=2; SID=3"], "none"],
    [
      "a cookie in a header split by HTTP/2",
      [cookie("sid")],
      ["cookie", "a=1", "cookie", "sid=abc"],
      "sid=abc",
    ],
    ["a cookie with `=` in its value", [cookie("sid")], ["cookie", "sid=abc=="], "sid=abc=="],
    ["an empty cookie", [cookie("sid")], ["cookie", "sid=; a=1"], "none"],
    ["the first of several in configured order", [header("b"), header("a")], ["a", "1", "b", "2"], "b=2"],
    ["the next where the first is absent", [header("b"), cookie("sid")], ["cookie", "sid=1"], "sid=1"],
    ["nothing configured", [], ["a", "1"], "none"],
  ])("%s", async (_, characteristics, rawHeaders, expected) => {
    expect(await identify(characteristics, rawHeaders)).toBe(expected);
  });

  test("answers at once unless a token has to be verified", () => {
    const identity = createSessionReader([header("x-key")]).identify({ rawHeaders: ["x-key", "1"] }, NOW);
    expect(identity).toMatchObject({ kind: "present", value: "1" });
  });
});

/**
 * Row C7 of the threats: whoever makes us read another value than the origin has a fresh session with every request,
 * and no history.
 */
describe("one session under several spellings", () => {
  test.each<[string, readonly string[]]>([
    ["plain", ["cookie", "sid=a/b c"]],
    ["in quotes", ["cookie", 'sid="a/b c"']],
    ["percent-encoded", ["cookie", "sid=a%2Fb%20c"]],
    ["percent-encoded in lower case", ["cookie", "sid=a%2fb%20c"]],
    ["with a letter encoded", ["cookie", "sid=%61/b c"]],
    ["with a plus for a space", ["cookie", "sid=a/b+c"]],
    ["with space around it", ["cookie", " ;  sid =  a/b c  ; x=1"]],
    ["with its name encoded", ["cookie", "s%69d=a/b c"]],
    ["twice the same", ["cookie", 'sid=a/b c; sid="a%2Fb+c"']],
  ])("a cookie %s", async (_, rawHeaders) => {
    expect(await identify([cookie("sid")], rawHeaders)).toBe("sid=a/b c");
  });

  test.each<[string, readonly string[]]>([
    ["plain", ["authorization", "bearer AbC.d"]],
    ["with the scheme in another case", ["Authorization", "BeArEr AbC.d"]],
    ["with more space", ["authorization", "  Bearer \t  AbC.d "]],
    ["twice the same", ["authorization", "bearer AbC.d", "Authorization", "Bearer  AbC.d"]],
  ])("an Authorization header %s", async (_, rawHeaders) => {
    expect(await identify([header("authorization")], rawHeaders)).toBe("authorization=bearer AbC.d");
  });

  test("credentials keep their letter case", async () => {
    expect(await identify([header("authorization")], ["authorization", "Bearer abc"])).not.toBe(
      await identify([header("authorization")], ["authorization", "Bearer ABC"]),
    );
  });
});

describe("an identifier that stands there with different values", () => {
  const twice: readonly (readonly [string, AuthIdCharacteristic, readonly string[]])[] = [
    ["cookies in one header", cookie("sid"), ["cookie", "sid=real; sid=fake"]],
    ["cookies in two headers", cookie("sid"), ["cookie", "sid=real", "cookie", "sid=fake"]],
    ["cookies, one by an encoded name", cookie("sid"), ["cookie", "sid=real; s%69d=fake"]],
    ["headers", header("x-key"), ["x-key", "real", "x-key", "fake"]],
  ];
  test.each(twice)(
    "%s: ambiguous, unless it is known which one the origin takes",
    async (_, which, rawHeaders) => {
      expect(await identify([which], rawHeaders)).toBe("ambiguous");
      expect(await identify([which], rawHeaders, { duplicates: "first" })).toBe(`${which.name}=real`);
      expect(await identify([which], rawHeaders, { duplicates: "last" })).toBe(`${which.name}=fake`);
    },
  );

  test("the last one is the last one, also after a repeat of the first", async () => {
    const rawHeaders = ["cookie", "sid=a; sid=b; sid=a"];
    expect(await identify([cookie("sid")], rawHeaders, { duplicates: "last" })).toBe("sid=a");
  });

  test("is not passed over for the next characteristic", async () => {
    expect(await identify([cookie("sid"), header("x-key")], ["cookie", "sid=a; sid=b", "x-key", "1"])).toBe(
      "ambiguous",
    );
  });
});

describe("claims of tokens", () => {
  const sources = new Map([
    [
      CONFIG,
      [
        { type: "header", name: "authorization" },
        { type: "cookie", name: "token" },
      ] as const,
    ],
  ]);
  /** Stands for the verifier: the text of a token is its claims, and only those that name an issuer are valid. */
  const withClaims: SessionReaderOptions = {
    tokenSources: sources,
    verifyToken: async (id, token, now) => {
      expect([id, now]).toEqual([CONFIG, NOW]);
      const claims = JSON.parse(token) as TokenClaims;
      return claims["iss"] === "us" ? claims : undefined;
    },
  };
  test.each<[string, object, string]>([
    ["$.sub", { sub: "u1" }, "u1"],
    ["$.user.id", { user: { id: "u1" } }, "u1"],
    ["$.ids[1]", { ids: ["a", "b"] }, "b"],
    ['$["https://x/id"]', { "https://x/id": "u1" }, "u1"],
    ["$.n", { n: 42 }, "42"],
    ["$.b", { b: false }, "false"],
  ])("%s of %j", async (path, claims, value) => {
    const rawHeaders = bearer({ iss: "us", ...claims });
    expect(await identify([jwt(path)], rawHeaders, withClaims)).toBe(`${CONFIG}:${path}=${value}`);
  });

  test.each<[string, object]>([
    ["$.sub", {}],
    ["$.sub", { sub: "" }],
    ["$.sub", { sub: null }],
    ["$.sub", { sub: { id: 1 } }],
    ["$.sub", { sub: ["u1"] }],
    ["$.sub[0]", { sub: "u1" }],
    ["$.ids.length", { ids: ["a"] }],
    ["$.ids[3]", { ids: ["a"] }],
    ["$.toString", {}],
    ["$.constructor.name", {}],
    ["$.__proto__.x", {}],
    ["$.sub.length", { sub: "u1" }],
    ["$.a[0]", { a: { 0: "x" } }],
  ])("%s of %j is nobody", async (path, claims) => {
    expect(await identify([jwt(path)], bearer({ iss: "us", ...claims }), withClaims)).toBe("none");
  });

  test("claims that an object inherits are nobody's", async () => {
    const options: SessionReaderOptions = {
      tokenSources: sources,
      verifyToken: async () => Object.create({ sub: "inherited" }) as TokenClaims,
    };
    expect(await identify([jwt("$.sub")], ["authorization", "Bearer x"], options)).toBe("none");
  });

  test("an unverified token is no identity, and the next characteristic counts", async () => {
    const forged = bearer({ iss: "them", sub: "victim" });
    expect(await identify([jwt("$.sub")], forged, withClaims)).toBe("none");
    expect(await identify([jwt("$.sub"), header("x-key")], [...forged, "x-key", "1"], withClaims)).toBe(
      "x-key=1",
    );
  });

  test("the first source that has a token decides, also when that token is not valid", async () => {
    const token = JSON.stringify({ iss: "us", sub: "u1" });
    expect(await identify([jwt("$.sub")], ["cookie", `token=${encodeURIComponent(token)}`], withClaims)).toBe(
      `${CONFIG}:$.sub=u1`,
    );
    const both = [...bearer({ iss: "them" }), "cookie", `token=${encodeURIComponent(token)}`];
    expect(await identify([jwt("$.sub")], both, withClaims)).toBe("none");
  });

  test("two different tokens are ambiguous", async () => {
    const rawHeaders = [...bearer({ iss: "us", sub: "a" }), ...bearer({ iss: "us", sub: "b" })];
    expect(await identify([jwt("$.sub")], rawHeaders, withClaims)).toBe("ambiguous");
  });

  test("a characteristic without its configuration is a mistake of the program", () => {
    expect(() => createSessionReader([jwt("$.sub")])).toThrow(TypeError);
  });
});

test("property: any headers give an answer, in time that grows with their length", async () => {
  const text = fc.string({
    unit: fc.constantFrom("sid", "=", ";", '"', "%61", "%", "+", " ", "\t", "x"),
    maxLength: 60,
  });
  const rawHeaders = fc.array(fc.tuple(fc.constantFrom("cookie", "authorization", "x-key", ""), text), {
    maxLength: 8,
  });
  const all = [cookie("sid"), header("authorization"), header("x-key")];
  await fc.assert(
    fc.asyncProperty(rawHeaders, async (pairs) => {
      expect(await identify(all, pairs.flat())).toMatch(/^(?:none|ambiguous|(?:sid|authorization|x-key)=.)/s);
    }),
    { numRuns: 1000 },
  );
  const long = [
    "authorization",
    `Bearer a${" \t".repeat(50_000)}b`,
    "cookie",
    `${"sid ".repeat(20_000)};${"a=1;".repeat(20_000)}`,
  ];
  const startedAt = performance.now();
  await identify(all, long);
  expect(performance.now() - startedAt).toBeLessThan(250);
});
