/**
 * The Cookie header.
 *
 * Pairs end at a semicolon and nowhere else: neither quotes nor `$Version` have a meaning (RFC 6265bis section
 * 5.8.3 is what browsers send). White space is skipped before a name. Cookies of the application are stepped
 * over without being copied. Other readers of the same header may see more pairs than we do, never other
 * contents of ours, as those are authenticated.
 */
import { MAX_READ_COOKIES } from "../sequence/index.ts";
import { CLEARANCE_NAME, NAME_PREFIXES, kindOfName, matchOwnName } from "./names.ts";
import type { NameKind } from "./names.ts";

const SEMICOLON = 0x3b;
const SPACE = 0x20;
const TAB = 0x09;

/** White space looked through before a name. Browsers send one space; a flood of them must not be walked over. */
const MAX_SPACES = 64;

/** A cookie whose name is ours; its value may be anything. */
export interface CookieCandidate {
  readonly name: string;
  readonly value: string;
}

/** Our cookies of one request. */
export interface ScannedCookies {
  /** The last 64 of the kind asked for, in the order of the header. Browsers send older cookies first. */
  readonly candidates: readonly CookieCandidate[];
  /** Names of the other kind, at most 64. */
  readonly otherNames: readonly string[];
  /** Characters of all candidates, those beyond 64 included: name, `=`, value. */
  readonly bytes: number;
}

const OTHER_KIND = { host: "domain", domain: "host" } as const satisfies Record<NameKind, NameKind>;

const NOTHING: ScannedCookies = { candidates: [], otherNames: [], bytes: 0 };

/** Where a pair of ours lies in a header. */
interface OwnPair {
  /** The semicolon before it, -1 for the first pair of the header. */
  readonly separator: number;
  readonly start: number;
  readonly equals: number;
  readonly end: number;
}

/** @param kind names of the scope in force */
export function scanCookies(header: string | undefined, kind: NameKind): ScannedCookies {
  if (header === undefined) return NOTHING;
  const own = lastPairs(header, kind);
  const others = lastPairs(header, OTHER_KIND[kind]);
  if (own.pairs.length === 0 && others.pairs.length === 0) return NOTHING;
  return {
    candidates: own.pairs.map(({ start, equals, end }) => ({
      name: header.slice(start, equals),
      value: header.slice(equals + 1, end),
    })),
    otherNames: others.pairs.map(({ start, equals }) => header.slice(start, equals)),
    bytes: own.bytes,
  };
}

/** The last 64 pairs of a kind, and the characters of all. */
function lastPairs(
  header: string,
  kind: NameKind,
): { readonly pairs: readonly OwnPair[]; readonly bytes: number } {
  const pairs: OwnPair[] = [];
  let bytes = 0;
  for (let pair = findPair(header, kind, 0); pair !== undefined; pair = findPair(header, kind, pair.end)) {
    bytes += pair.end - pair.start;
    pairs.push(pair);
    // Of a flood the last ones are kept, without as many objects as it has cookies.
    if (pairs.length === 2 * MAX_READ_COOKIES) pairs.splice(0, MAX_READ_COOKIES);
  }
  return { pairs: pairs.slice(-MAX_READ_COOKIES), bytes };
}

/** @returns the header without our cookies of any kind, `undefined` when nothing is left of it */
export function stripCookies(header: string | undefined): string | undefined {
  return stripSequenceCookies(header?.includes(CLEARANCE_NAME) === true ? stripClearance(header) : header);
}

/** Values of the clearance cookie; a browser sends one. */
export function readClearances(header: string | undefined): readonly string[] {
  if (header?.includes(CLEARANCE_NAME) !== true) return [];
  return header
    .split(";", MAX_PAIRS)
    .filter(isClearance)
    .slice(0, MAX_CLEARANCES)
    .map((pair) => pair.slice(pair.indexOf("=") + 1).trim());
}

/** Pairs looked through for a clearance: browsers keep at most 180 cookies of a site. */
const MAX_PAIRS = 1000;
const MAX_CLEARANCES = 2;

function isClearance(pair: string): boolean {
  const equals = pair.indexOf("=");
  return equals !== -1 && pair.slice(0, equals).trim() === CLEARANCE_NAME;
}

function stripClearance(header: string): string | undefined {
  const kept = header.split(";").filter((pair) => !isClearance(pair));
  const rest = kept.join(";").trimStart();
  return rest === "" ? undefined : rest;
}

function stripSequenceCookies(header: string | undefined): string | undefined {
  const pairs = findOwnPairs(header);
  if (header === undefined || pairs.length === 0) return header;
  const kept: string[] = [];
  let from = 0;
  for (const { separator, end } of pairs) {
    if (separator > from) kept.push(header.slice(from, separator));
    // A pair goes with the separator before it; where nothing is left before it, with the one behind it.
    from = kept.length === 0 ? skipSpace(header, end + 1) : end;
  }
  kept.push(header.slice(from));
  const rest = kept.join("");
  return rest === "" ? undefined : rest;
}

/**
 * Set-Cookie values of an upstream without those that a browser would store under one of our names.
 *
 * The name is read as a browser reads it: white space around it does not count (RFC 6265bis section 5.6), and a
 * value without a name must not pass for one.
 *
 * @returns the same array when there is nothing to remove
 */
export function stripOwnSetCookies(lines: readonly string[]): readonly string[] {
  return lines.some(isOwnSetCookie) ? lines.filter((line) => !isOwnSetCookie(line)) : lines;
}

/** Whether a browser would store the cookie of this Set-Cookie value under one of our names. */
export function isOwnSetCookie(line: string): boolean {
  const name = nameOfSetCookie(line);
  return name === CLEARANCE_NAME || kindOfName(name) !== undefined;
}

function nameOfSetCookie(line: string): string {
  const [pair = ""] = line.split(";", 1);
  const [name = "", ...rest] = pair.split("=");
  // `=name=value` is a nameless cookie that older browsers send back as `name=value`.
  return (name.trim() === "" ? (rest[0] ?? "") : name).trim();
}

function findOwnPairs(header: string | undefined): readonly OwnPair[] {
  if (header === undefined) return [];
  const hostPairs = findPairs(header, "host");
  const domainPairs = findPairs(header, "domain");
  if (domainPairs.length === 0) return hostPairs;
  return [...hostPairs, ...domainPairs].toSorted((a, b) => a.start - b.start);
}

function findPairs(header: string, kind: NameKind): readonly OwnPair[] {
  const pairs: OwnPair[] = [];
  for (let pair = findPair(header, kind, 0); pair !== undefined; pair = findPair(header, kind, pair.end))
    pairs.push(pair);
  return pairs;
}

/**
 * The next pair of ours. Searches for the prefix instead of walking from pair to pair: the search is the runtime's own,
 * and a header of other cookies costs next to nothing.
 */
function findPair(header: string, kind: NameKind, from: number): OwnPair | undefined {
  const prefix = NAME_PREFIXES[kind];
  let start = header.indexOf(prefix, from);
  while (start !== -1) {
    const equals = matchOwnName(kind, header, start);
    const separator = equals === -1 ? undefined : separatorBefore(header, start);
    if (separator !== undefined) {
      const semicolon = header.indexOf(";", equals);
      return { separator, start, equals, end: semicolon === -1 ? header.length : semicolon };
    }
    start = header.indexOf(prefix, start + prefix.length);
  }
  return undefined;
}

/**
 * The semicolon before a name, -1 for the first name of the header; `undefined` when something other than white
 * space lies between, so that there is no name here but a part of something else.
 */
function separatorBefore(header: string, start: number): number | undefined {
  let index = start - 1;
  const last = Math.max(-1, index - MAX_SPACES);
  while (index > last && isSpace(header.charCodeAt(index))) index -= 1;
  return index === -1 || header.charCodeAt(index) === SEMICOLON ? index : undefined;
}

function skipSpace(header: string, from: number): number {
  let index = from;
  while (index < from + MAX_SPACES && isSpace(header.charCodeAt(index))) index += 1;
  return index;
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}
