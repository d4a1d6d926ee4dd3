import { parseCookie } from "cookie";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { expectLinear } from "../support/cost.ts";
import { isOwnSetCookie, stripCookies, stripOwnSetCookies } from "../../src/cookie/index.ts";
import { NOW, OPS, createProcess, nameOf, pairOf } from "./fixtures.ts";

const cookies = createProcess();
const OWN = pairOf(cookies.write(cookies.read(undefined, NOW), OPS[0] ?? "", NOW)[0]);
const OWN_NAME = nameOf(OWN);
const SECOND = pairOf(cookies.write(cookies.read(undefined, NOW), OPS[1] ?? "", NOW + 1)[0]);
const DOMAIN_NAME = "__Secure-sq.Ab-_9";

/** Names that look like ours and are the application's. */
const NEIGHBOURS: readonly string[] = [
  "__Host-sessid",
  "__Host-s",
  "__Host-sq",
  "__Host-sq.",
  "__Host-sq.AbCd",
  "__Host-sq.AbCdEf",
  "__Host-sqAbCdE",
  "__Host-sq_AbCdE",
  "__Host-sq-AbCdE",
  "__Host-sq.AbC.E",
  "__Host-sq.AbC+E",
  "__Host-sq.AbC/E",
  "__Host-sq.AbC%E",
  "__Host-sq.AbC~E",
  "__host-sq.AbCdE",
  "__HOST-SQ.AbCdE",
  "__Host-Sq.AbCdE",
  "__Host-sq:AbCdE",
  "_Host-sq.AbCdE",
  "x__Host-sq.AbCdE",
  "__Secure-sq.AbCd",
  "__Secure-sq.AbCdEf",
  "__secure-sq.AbCdE",
  "__Secure-sessid",
  "__Http-sq.AbCdE",
  "__cfseq-0rnh-Yvry",
  "sq.AbCdE",
  "-sq.AbCdE",
  ...Array.from(
    { length: 80 },
    (_, index) => `__Host-s${String.fromCharCode(33 + index).replace(/[;=,"\s\\]/, "x")}AbCd`,
  ),
];

describe("what is ours in a Cookie header", () => {
  /** Header, names of the cookies that are read. */
  test.each<[string, string | undefined, readonly string[]]>([
    ["no header", undefined, []],
    ["an empty header", "", []],
    ["only ours", OWN, [OWN_NAME]],
    ["among others", `a=b; ${OWN}; c=d`, [OWN_NAME]],
    ["without a space behind the semicolon", `a=b;${OWN};c=d`, [OWN_NAME]],
    ["with much white space before it", `a=b; \t  ${OWN}`, [OWN_NAME]],
    ["at the end with a semicolon", `${OWN};`, [OWN_NAME]],
    ["between empty pairs", `;;; ;${OWN};;;`, [OWN_NAME]],
    ["the same twice", `${OWN}; ${OWN}`, [OWN_NAME]],
    ["two of the same name", `${OWN}; ${OWN_NAME}=x`, [OWN_NAME]],
    ["in the value of another cookie", `a=${OWN}`, []],
    ["behind a comma", `a=b, ${OWN}`, []],
    ["behind a comma, no space", `a=b,${OWN}`, []],
    ["as a nameless cookie", `=${OWN}`, []],
    ["as a nameless cookie behind another", `a=b; =${OWN}`, []],
    ["without a value", OWN_NAME, []],
    ["with an empty value", `${OWN_NAME}=`, [OWN_NAME]],
    ["with a space before the equals sign", OWN.replace("=", " ="), []],
    ["with a tab before the equals sign", OWN.replace("=", "\t="), []],
    ["with more white space before it than we look through", `a=b;${" ".repeat(65)}${OWN}`, []],
    ["with a line break before it", `a=b;\n${OWN}`, []],
    ["with a no-break space before it", `a=b;\u00A0${OWN}`, []],
    ["quoted name", `"${OWN_NAME}"=x`, []],
    ["behind $Version", `$Version=1; ${OWN}; $Path=/`, [OWN_NAME]],
    ["behind $Version in one pair", `$Version="1", ${OWN}`, []],
    // A semicolon always ends a pair: RFC 6265bis gives quotes no meaning, and neither do browsers.
    ["inside the quotes of another cookie", `a="b; ${OWN}; c"`, [OWN_NAME]],
    ["inside single quotes", `a='b; ${OWN}; c'`, [OWN_NAME]],
    ["behind an open quote", `a="b; ${OWN}`, [OWN_NAME]],
    ["percent-encoded name", OWN.replace("__Host", "%5F%5FHost"), []],
    ["lower-case prefix", OWN.replace("__Host", "__host"), []],
    ["the other kind of scope", OWN.replace("__Host", "__Secure"), []],
    ["a character outside ASCII in the name", OWN.replace("sq.", "sq.\u00E9"), []],
  ])("%s", (_, header, names) => {
    const state = cookies.read(header, NOW);
    expect(state.names).toEqual(names);
    for (const name of NEIGHBOURS) expect(state.names).not.toContain(name);
  });

  test("whatever Express reads under an exact name of ours, we read as well", () => {
    const piece = fc.constantFrom(
      OWN,
      SECOND,
      `${OWN_NAME}=x`,
      "a=b",
      ";",
      " ",
      "=",
      '"',
      ",",
      "$Version=1",
      "\t",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const header = pieces.join("; ");
        const exact = Object.keys(parseCookie(header)).filter((name) => /^__Host-sq\.[\w-]{5}$/.test(name));
        expect(new Set(exact)).toEqual(new Set(cookies.read(header, NOW).names));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("stripping the Cookie header", () => {
  test.each<[string | undefined, string | undefined]>([
    [undefined, undefined],
    ["", ""],
    ["a=b", "a=b"],
    [OWN, undefined],
    [`${OWN};`, undefined],
    [`${OWN}; ${SECOND}`, undefined],
    [`${OWN}; a=b`, "a=b"],
    [`a=b; ${OWN}`, "a=b"],
    [`a=b; ${OWN}; c=d`, "a=b; c=d"],
    [`a=b;${OWN};c=d`, "a=b;c=d"],
    [`${OWN}; ${SECOND}; a=b`, "a=b"],
    [`a=b; ${OWN}; ${SECOND}; c=d`, "a=b; c=d"],
    [`a=b; ${OWN}; c=d; ${SECOND}; e="f"`, 'a=b; c=d; e="f"'],
    [`  ${OWN};  a=b`, "a=b"],
    [`a=b;  ${OWN};  c=d`, "a=b;  c=d"],
    [`a=${OWN}`, `a=${OWN}`],
    [`=${OWN}`, `=${OWN}`],
    [`${DOMAIN_NAME}=junk; a=b`, "a=b"],
    [`${OWN_NAME}=; a=b`, "a=b"],
  ])("`%s`", (header, expected) => {
    expect(stripCookies(header)).toBe(expected);
    expect(cookies.strip(header)).toBe(expected);
  });

  test("an application's `__Host-sessid` and a hundred names near ours pass through untouched", () => {
    expect(new Set(NEIGHBOURS).size).toBeGreaterThan(100);
    for (const name of NEIGHBOURS) {
      const pair = `${name}=v%20"1"`;
      expect(stripCookies(pair)).toBe(pair);
      expect(stripCookies(`${OWN}; ${pair}; ${SECOND}`)).toBe(pair);
      expect(cookies.read(pair, NOW).names).toEqual([]);
      expect(cookies.clear(cookies.read(pair, NOW))).toEqual([]);
      expect(stripOwnSetCookies([`${pair}; Path=/`])).toEqual([`${pair}; Path=/`]);
    }
    const all = NEIGHBOURS.map((name) => `${name}=1`).join("; ");
    expect(stripCookies(all)).toBe(all);
    expect(stripCookies(`${OWN}; ${all}; ${SECOND}`)).toBe(all);
  });

  test("the application's cookies stay, byte for byte and in their order; ours are all gone", () => {
    const foreign = fc.constantFrom(
      "a=b",
      'q="x y"',
      "__Host-sessid=1",
      "=v",
      "flag",
      "u=\u00E9",
      "$Version=1",
    );
    const own = fc.constantFrom(OWN, SECOND, `${DOMAIN_NAME}=x`, `${OWN_NAME}=`);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(foreign, own), { maxLength: 14 }),
        fc.constantFrom("; ", ";"),
        (pairs, glue) => {
          const kept = pairs.filter((pair) => !/^__(Host|Secure)-sq\./.test(pair));
          expect(stripCookies(pairs.join(glue)) ?? "").toBe(kept.join(glue));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("hostile headers keep what is not ours, and nothing of ours", () => {
    const piece = fc.constantFrom(
      OWN,
      `${DOMAIN_NAME}=x`,
      ";",
      "; ",
      " ",
      "\t",
      "=",
      '"',
      "a=b",
      "__Host-sq.",
      ",",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const header = pieces.join("");
        const stripped = stripCookies(header) ?? "";
        expect(foreignOf(stripped)).toEqual(foreignOf(header));
        expect(stripCookies(stripped)).toBe(stripped);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("an upstream that sets our names", () => {
  test.each([
    `${OWN}; Path=/; Secure`,
    `${OWN_NAME}=; Max-Age=0`,
    `  ${OWN}; Path=/`,
    `\t${OWN_NAME} \t=x`,
    OWN_NAME,
    `=${OWN}`,
    ` = ${OWN}`,
    `${DOMAIN_NAME}=x; Domain=shop.example`,
  ])("`%s` is removed", (line) => {
    expect(isOwnSetCookie(line)).toBe(true);
    expect(stripOwnSetCookies(["a=b; Path=/", line, "c=d"])).toEqual(["a=b; Path=/", "c=d"]);
    expect(cookies.stripSetCookie([line])).toEqual([]);
  });

  test.each([
    "a=b",
    "",
    "=",
    `a=${OWN}`,
    `"${OWN_NAME}"=x`,
    `a=b; ${OWN}`,
    "__Host-sessid=1; Path=/; Secure",
  ])("`%s` stays", (line) => {
    const lines = [line];
    expect(isOwnSetCookie(line)).toBe(false);
    expect(stripOwnSetCookies(lines)).toBe(lines);
  });
});

describe("cost", () => {
  const megabyte = 1_000_000;
  test.each<[string, (bytes: number) => string]>([
    ["one cookie", (bytes) => `a=${"x".repeat(bytes)}; ${OWN}`],
    ["foreign cookies", (bytes) => `${"name=value-of-30-characters-xyz; ".repeat(bytes / 32)}${OWN}`],
    ["semicolons", (bytes) => `${";".repeat(bytes)}${OWN}`],
    ["white space", (bytes) => `a=b;${" ".repeat(bytes)}${OWN}`],
    ["almost our name", (bytes) => `${"__Host-sq.AbCd; ".repeat(bytes / 16)}${OWN}`],
    ["our mark", (bytes) => `${"-sq.".repeat(bytes / 4)}; ${OWN}`],
    ["quotes", (bytes) => `a=${'"'.repeat(bytes)}; ${OWN}`],
    ["one token of a megabyte", (bytes) => `${OWN}${"A".repeat(bytes)}`],
    ["cookies with our names", (bytes) => `${OWN_NAME}=x; `.repeat(bytes / 20)],
  ])("a megabyte of %s is read and stripped in linear time", (_, make) => {
    expectLinear(megabyte, make, (header) => cookies.read(header, NOW));
    expectLinear(megabyte, make, (header) => stripCookies(header));
  });

  test("of a megabyte of cookies with our names 64 are opened, all are stripped", () => {
    const header = `${OWN_NAME}=x; `.repeat(megabyte / 20);
    expect(cookies.read(header, NOW).invalid.format).toBe(64);
    expect(stripCookies(header)).toBeUndefined();
  });
});

/** Pairs of a header that are not ours, without the white space before them. */
function foreignOf(header: string): readonly string[] {
  return header
    .split(";")
    .map((pair) => pair.replace(/^[ \t]+/, ""))
    .filter((pair) => pair !== "" && !/^__(Host|Secure)-sq\.[\w-]{5}=/.test(pair));
}
