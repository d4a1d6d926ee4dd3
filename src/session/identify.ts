/** Whose session a request belongs to. */
import { parseJwtName } from "./characteristics.ts";
import { readClaim } from "./claim-path.ts";
import { cookieValues, headerValues } from "./request-values.ts";
import type { TokenSource } from "./token-source.ts";
import type { AuthIdCharacteristic, SessionIdentity, SessionRequest, VerifyToken } from "./types.ts";

/**
 * What to do when an identifier stands in a request more than once with different values (spec: threats, row C7).
 *
 * - `reject` (default): {@link SessionIdentity} is `ambiguous`, and the request should be answered with 400. Two
 *   cookies of one name can also be a leftover of the application's own; for such zones
 * - `first` and `last` take the value that the origin takes.
 */
export type DuplicatePolicy = "reject" | "first" | "last";

export interface SessionReaderOptions {
  /** Sources of the zone's token configurations by their id. */
  readonly tokenSources?: ReadonlyMap<string, readonly TokenSource[]>;
  /** Needed where a characteristic is of type `jwt`. */
  readonly verifyToken?: VerifyToken;
  readonly duplicates?: DuplicatePolicy;
}

export interface SessionReader {
  /**
   * The first identifier that the request carries, in the configured order. A token that is not valid is none, and
   * so is one whose claim does not exist.
   *
   * @param nowMs epoch milliseconds, for the tokens
   * @returns at once unless a token has to be verified
   */
  identify(request: SessionRequest, nowMs: number): SessionIdentity | Promise<SessionIdentity>;
}

/** Looks for one characteristic; `undefined` when the request does not have it. */
type Finder = (
  request: SessionRequest,
  nowMs: number,
) => SessionIdentity | undefined | Promise<SessionIdentity | undefined>;

const ABSENT: SessionIdentity = Object.freeze({ kind: "absent" });

/**
 * Compiles a zone's session identifiers.
 *
 * @param characteristics checked by `checkCharacteristics`
 * @throws {TypeError} for a `jwt` characteristic whose configuration or verifier is not there
 */
export function createSessionReader(
  characteristics: readonly AuthIdCharacteristic[],
  options: SessionReaderOptions = {},
): SessionReader {
  const finders = characteristics.map((characteristic) => createFinder(characteristic, options));
  return { identify: (request, nowMs) => findFrom(finders, 0, request, nowMs) };
}

/** Goes on asynchronously only from the first finder that has to. */
function findFrom(
  finders: readonly Finder[],
  start: number,
  request: SessionRequest,
  nowMs: number,
): SessionIdentity | Promise<SessionIdentity> {
  for (let index = start; index < finders.length; index += 1) {
    const found = finders[index]?.(request, nowMs);
    if (found instanceof Promise) {
      return found.then((identity) => identity ?? findFrom(finders, index + 1, request, nowMs));
    }
    if (found !== undefined) return found;
  }
  return ABSENT;
}

function createFinder(characteristic: AuthIdCharacteristic, options: SessionReaderOptions): Finder {
  const duplicates = options.duplicates ?? "reject";
  const { type, name } = characteristic;
  if (type === "jwt") return createTokenFinder(characteristic, options, duplicates);
  const field = type === "header" ? name.toLowerCase() : name;
  return ({ rawHeaders }) => {
    const values = type === "header" ? headerValues(rawHeaders, field) : cookieValues(rawHeaders, field);
    if (values.length === 0) return undefined;
    const value = choose(values, duplicates);
    return value === undefined
      ? { kind: "ambiguous", characteristic }
      : { kind: "present", characteristic, value };
  };
}

function createTokenFinder(
  characteristic: AuthIdCharacteristic,
  { tokenSources, verifyToken }: SessionReaderOptions,
  duplicates: DuplicatePolicy,
): Finder {
  const parsed = parseJwtName(characteristic.name);
  const sources = parsed === undefined ? undefined : tokenSources?.get(parsed.tokenConfigId);
  if (parsed === undefined || sources === undefined || verifyToken === undefined) {
    throw new TypeError(`expected a token configuration for \`${characteristic.name}\`, found none`);
  }
  return ({ rawHeaders }, nowMs) => {
    const tokens = firstTokens(sources, rawHeaders);
    if (tokens.length === 0) return undefined;
    const token = choose(tokens, duplicates);
    if (token === undefined) return { kind: "ambiguous", characteristic };
    return verifyToken(parsed.tokenConfigId, token, nowMs).then((claims) => {
      const value = claims === undefined ? undefined : readClaim(claims, parsed.path);
      return value === undefined ? undefined : { kind: "present", characteristic, value };
    });
  };
}

/** Tokens at the first source that has any; `Bearer` in front of one is not part of it (RFC 6750 section 2.1). */
function firstTokens(sources: readonly TokenSource[], rawHeaders: readonly string[]): readonly string[] {
  for (const { type, name } of sources) {
    const values = type === "header" ? headerValues(rawHeaders, name) : cookieValues(rawHeaders, name);
    if (values.length > 0) return values.map((value) => value.replace(/^bearer[\t ]+/i, ""));
  }
  return [];
}

/** @returns `undefined` when the values differ and nothing says which one counts */
function choose(values: readonly string[], duplicates: DuplicatePolicy): string | undefined {
  const [first] = values;
  if (duplicates === "last") return values.at(-1);
  return duplicates === "first" || values.every((value) => value === first) ? first : undefined;
}
