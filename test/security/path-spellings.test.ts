/**
 * 45 spellings of one path against 19 origins (threats P1 to P30). `path-spellings.json` holds what each origin
 * answered when it was asked in that spelling: `HIT` if it ran the handler of `/api/v1/transferFunds`.
 */
import { describe, expect, test } from "vitest";
import {
  DEFAULT_PATH_OPTIONS,
  canonicalHost,
  canonicalTarget,
  createMatcher,
} from "../../src/operation/index.ts";
import type { Operation, PathOptions } from "../../src/operation/index.ts";
import spellings from "../vectors/path-spellings.json" with { type: "json" };

type Spelling = keyof typeof spellings;
type Origin = Exclude<keyof (typeof spellings)["plain"], "path">;

const HOST = "shop.example";
const PLAIN = "/api/v1/transferFunds";
const SPELLINGS = Object.keys(spellings) as Spelling[];
const ORIGINS = Object.keys(spellings.plain).filter((key) => key !== "path") as Origin[];

const TRANSFER: Operation = {
  id: "c821cc00-0000-4000-8000-000000000000",
  shortId: "c821cc00",
  method: "GET",
  host: HOST,
  endpoint: PLAIN,
  lastUpdatedAt: 0,
  record: "forwarded",
  prefetch: "record",
};

interface Outcome {
  /** Forwarded, or `null` if the request is refused. */
  readonly path: string | null;
  readonly code?: string;
  readonly isTransfer: boolean;
}

function judge(target: string, options: Partial<PathOptions> = {}): Outcome {
  const pathOptions = { ...DEFAULT_PATH_OPTIONS, ...options };
  const result = canonicalTarget(target, pathOptions);
  if (result.kind === "error") return { path: null, code: result.code, isTransfer: false };
  if (result.kind === "asterisk") return { path: null, isTransfer: false };
  const matcher = createMatcher([TRANSFER], pathOptions);
  return { path: result.path, isTransfer: matcher.match("GET", HOST, result.path) === TRANSFER };
}

/** What we do with each spelling by default: the canonical path and whether it is the operation, or the refusal. */
const DECISIONS: Record<Spelling, readonly [path: string, isTransfer: boolean] | `ERR_${string}`> = {
  plain: [PLAIN, true],
  kelvin: [PLAIN, true], // in the recorded matrix this spelling came out as the plain one
  encParenQuery: [PLAIN, true],
  // folded into one spelling
  leadingDbl: [PLAIN, true],
  innerDbl: [PLAIN, true],
  dot: [PLAIN, true],
  dotdot: [PLAIN, true],
  encDot: [PLAIN, true],
  encDotdot: [PLAIN, true],
  encUnreserved: [PLAIN, true],
  absForm: [PLAIN, true], // and refused by the caller, because the authority is not the Host (see below)
  absFormUpper: [PLAIN, true],
  // forwarded as they are, and counted as the operation
  trailingSlash: [`${PLAIN}/`, true],
  dblTrailing: [`${PLAIN}/`, true],
  endDot: [`${PLAIN}/`, true],
  endXdotdot: [`${PLAIN}/`, true],
  caseSeg: ["/api/v1/TransferFunds", true],
  caseAll: ["/API/V1/TRANSFERFUNDS", true],
  semiEnd: [`${PLAIN};x=1`, true],
  semiMid: ["/api;a=b/v1/transferFunds", true],
  semiBare: [`${PLAIN};`, true],
  encSemi: [`${PLAIN}%3Bx`, true],
  // other paths, on every origin
  encSpaceEnd: [`${PLAIN}%20`, false],
  ext: [`${PLAIN}.json`, false],
  encQ: [`${PLAIN}%3Fa=1`, false],
  encHash: [`${PLAIN}%23`, false],
  ampQuery: [`${PLAIN}&a=1`, false],
  plusSp: [`${PLAIN}+`, false],
  fullwidth: ["/api/v1/%EF%BD%94ransferFunds", false],
  longS: ["/api/v1/transferFund%C5%BF", false],
  // path info: an operation of its own, or an option
  pathInfo: [`${PLAIN}/extra`, false],
  // refused
  dotdotEncSlash: "ERR_TARGET_ENCODED_SLASH",
  encSlash: "ERR_TARGET_ENCODED_SLASH",
  encBackslash: "ERR_TARGET_ENCODED_BACKSLASH",
  backslash: "ERR_TARGET_RAW_CHARACTER",
  rawHash: "ERR_TARGET_RAW_CHARACTER",
  dblEnc: "ERR_TARGET_DOUBLE_ENCODING",
  dotdotSemi: "ERR_TARGET_DOT_SEGMENT",
  nul: "ERR_TARGET_ENCODED_CONTROL",
  encTab: "ERR_TARGET_ENCODED_CONTROL",
  encNLEnd: "ERR_TARGET_ENCODED_CONTROL",
  overlong: "ERR_TARGET_UTF8",
  leadDotdot: "ERR_TARGET_ABOVE_ROOT",
  uEnc: "ERR_TARGET_PERCENT",
  noLead: "ERR_TARGET_FORM",
};

describe("what becomes of each spelling", () => {
  test.each(SPELLINGS)("%s", (spelling) => {
    const decision = DECISIONS[spelling];
    const outcome = judge(spellings[spelling].path);
    expect(outcome).toEqual(
      typeof decision === "string"
        ? { path: null, code: decision, isTransfer: false }
        : { path: decision[0], isTransfer: decision[1] },
    );
  });

  test("the table has a row for each of the 45 entries, and no other", () => {
    expect(Object.keys(DECISIONS).toSorted()).toEqual(SPELLINGS.toSorted());
    expect(SPELLINGS).toHaveLength(45);
    expect(ORIGINS).toHaveLength(19);
  });

  test.each(["absForm", "absFormUpper"] as const)(
    "%s gives an authority that is not the Host",
    (spelling) => {
      const target = canonicalTarget(spellings[spelling].path);
      if (target.kind !== "path" || target.authority === null) throw new Error("expected an authority");
      expect(canonicalHost(target.authority)).not.toEqual(canonicalHost(HOST));
    },
  );
});

/** Whether `origin` runs the handler when it is asked in the spelling that we forward for `spelling`. */
function originHits(origin: Origin, spelling: Spelling, forwarded: string): boolean {
  const measured = SPELLINGS.find((known) => spellings[known].path === forwarded) ?? spelling;
  return spellings[measured][origin] === "HIT";
}

function dodgesOf(origin: Origin, options: Partial<PathOptions>): string[] {
  return SPELLINGS.filter((spelling) => {
    const { path, isTransfer } = judge(spellings[spelling].path, options);
    if (path === null || isTransfer) return false;
    // Asked as the client spelled it or as we forward it: neither may reach the handler unseen.
    return originHits(origin, spelling, path) || spellings[spelling][origin] === "HIT";
  });
}

/** Origins that decode `%2F` before they route; for the others it is part of a segment. */
const DECODES_SLASH: ReadonlySet<Origin> = new Set([
  "flask",
  "djangoGunicorn",
  "starlette",
  "nginxLoc",
  "nginxFile",
  "nginxToExpress",
  "nginxToDjango",
  "lighttpdFile",
]);

/** The only columns that the default options do not cover. */
const NEEDED: Partial<Record<Origin, Partial<PathOptions>>> = { lighttpdFile: { pathInfo: "prefix" } };

describe.each(ORIGINS)("origin %s: no spelling reaches the handler unseen", (origin) => {
  const needed = NEEDED[origin] ?? {};
  const encodedSlash = DECODES_SLASH.has(origin) ? "decode" : "keep";

  test("with the options it needs beyond the default", () => {
    expect(dodgesOf(origin, needed)).toEqual([]);
  });

  test(`with encodedSlash: ${encodedSlash}, which is what this origin does`, () => {
    expect(dodgesOf(origin, { ...needed, encodedSlash })).toEqual([]);
  });

  test("with every widening option on as well", () => {
    expect(
      dodgesOf(origin, { ...needed, caseFolding: "unicode", formatSuffix: "fold", pathInfo: "prefix" }),
    ).toEqual([]);
  });
});

describe("the options are needed: without them there are dodges", () => {
  test.each([
    ["lighttpdFile", {}, ["pathInfo"]],
    ["flask", { encodedSlash: "keep" }, ["encSlash"]],
    ["nginxLoc", { encodedSlash: "keep" }, ["encSlash"]],
    ["express5", { caseSensitive: true }, ["caseSeg", "caseAll"]],
    ["express5", { trailingSlash: "keep" }, ["trailingSlash"]],
    ["tomcat10", { params: "keep" }, ["semiEnd", "semiMid", "semiBare"]],
  ] as const)("%s with %j", (origin, options, expected) => {
    expect(dodgesOf(origin, options)).toEqual(expect.arrayContaining([...expected]));
  });
});
