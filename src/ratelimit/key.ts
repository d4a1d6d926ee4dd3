/**
 * The name of a counter: one text for each combination of a rule and the values of its characteristics.
 *
 * INVARIANT: two different combinations never have the same name. Every value stands between its mark and the
 * length that the mark announces, so no value can imitate a separator.
 */

/** A characteristic's value; `undefined` when the request has none, which is not the same as an empty text. */
export type CharacteristicValue = string | number | bigint | boolean | readonly string[] | undefined;

/** Whose counter it is. */
export interface CounterScope {
  /** 32 hex characters. */
  readonly zoneId: string;
  readonly ruleId: string;
  /** A changed rule counts anew: what was counted under other figures says nothing. */
  readonly ruleVersion: string;
}

/**
 * SHA-256 of a text, taken over its UTF-16 code units so that no two texts share an encoding; at least 128 bits as
 * printable ASCII without spaces, at most 64 characters.
 */
export type HashText = (text: string) => string;

/** Longer values, and all but plain ones, are named by their hash: keys stay short and printable. */
const MAX_PLAIN_LENGTH = 64;

/** Longer lists of values are hashed as a whole. */
const MAX_VALUES_LENGTH = 256;

const PLAIN = /^[\x21-\x7e]*$/;

/**
 * @param values one for each characteristic, in the rule's order (`cf.colo.id` is the same everywhere and may be left out)
 * @returns printable ASCII without spaces, at most 512 characters for ids of at most 64
 */
export function counterKey(
  scope: CounterScope,
  values: readonly CharacteristicValue[],
  hash: HashText,
): string {
  let encoded = "";
  for (const value of values) encoded += encodeValue(value, hash);
  if (encoded.length > MAX_VALUES_LENGTH) encoded = `*${hash(encoded)}`;
  // Joined, not concatenated: a concatenation keeps its parts, which a table of counters would hold as well.
  return [scope.zoneId, ":rl:", scope.ruleId, ".", scope.ruleVersion, ":", encoded].join("");
}

/** Marks: `-` missing, `=` text, `#` hashed text, `n` number, `b` truth value, `[` list; `*` begins the hash of all values. */
function encodeValue(value: CharacteristicValue, hash: HashText): string {
  if (value === undefined) return "-";
  if (typeof value === "string") return encodeText(value, hash);
  if (typeof value === "boolean") return value ? "b1" : "b0";
  if (typeof value === "object") {
    return `[${value.length}:${value.map((item) => encodeText(item, hash)).join("")}`;
  }
  const digits = String(value);
  return `n${digits.length}:${digits}`;
}

function encodeText(text: string, hash: HashText): string {
  if (text.length <= MAX_PLAIN_LENGTH && PLAIN.test(text)) return `=${text.length}:${text}`;
  const digest = hash(text);
  return `#${digest.length}:${digest}`;
}
