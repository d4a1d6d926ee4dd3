/**
 * What was sealed or opened lately. A visitor's next request nearly always brings the cookie that this process sealed
 * for it a moment ago, and opening it is most of what reading costs.
 *
 * A hint, as any cache: it says what opening would say, and only of the very same token under the very same key. What
 * it has forgotten is opened again.
 *
 * All of it lies in flat memory. Objects that live for thousands of requests would be moved twice and then given up by
 * the garbage collector, which costs each request more than decoding the payload anew.
 */
import { decodePayload } from "../sequence/index.ts";
import type { SequencePayload } from "../sequence/index.ts";
import { valueOfCode } from "./base64url.ts";
import type { KeyEpoch } from "./names.ts";

/** Cookies remembered at most, a power of two. */
const PLACES = 8192;
/** Of a token and its plaintext: 17 entries, where cookies keep 10 unless configured otherwise. Longer ones are opened. */
const PLACE_BYTES = 384;

/** Words of a place besides its bytes. */
const FACTS = { epoch: 0, shard: 1, tokenLength: 2, plaintextLength: 3 } as const;
const FACT_WORDS = 4;

/** What one key of a zone sealed. */
interface Sealed extends KeyEpoch {
  readonly token: string;
  /** The zone's keys, of which one sealed it: a rotation makes others. */
  readonly keys: object;
}

/** Payloads by token. A token has one place, where it takes that of another. */
export class RecentPayloads {
  /** Each place holds a token and behind it its plaintext. */
  readonly #bytes = new Uint8Array(PLACES * PLACE_BYTES);
  readonly #facts = new Int32Array(PLACES * FACT_WORDS);
  readonly #keys = Array.from<object | undefined>({ length: PLACES });

  /**
   * @param sealed what the cookie's name means now; 64 hours later the same name means another key
   * @param nowMs epoch milliseconds, see `decodePayload`
   */
  get({ token, keys, epoch, shard }: Sealed, nowMs: number): SequencePayload | undefined {
    const place = placeOf(token);
    if (this.#keys[place] !== keys) return undefined;
    const [facts, from] = [place * FACT_WORDS, place * PLACE_BYTES];
    const isOfKey = this.#facts[facts + FACTS.epoch] === epoch && this.#facts[facts + FACTS.shard] === shard;
    if (!isOfKey || this.#facts[facts + FACTS.tokenLength] !== token.length) return undefined;
    if (!this.#isAt(from, token)) return undefined;
    const start = from + token.length;
    const end = start + (this.#facts[facts + FACTS.plaintextLength] as number);
    return decodePayload(this.#bytes.subarray(start, end), nowMs);
  }

  /** @param plaintext what opening the token gives, and decoding that gives a payload */
  set({ token, keys, epoch, shard }: Sealed, plaintext: Uint8Array): void {
    if (token.length + plaintext.length > PLACE_BYTES) return;
    const place = placeOf(token);
    const [facts, from] = [place * FACT_WORDS, place * PLACE_BYTES];
    this.#keys[place] = keys;
    this.#facts[facts + FACTS.epoch] = epoch;
    this.#facts[facts + FACTS.shard] = shard;
    this.#facts[facts + FACTS.tokenLength] = token.length;
    this.#facts[facts + FACTS.plaintextLength] = plaintext.length;
    for (let index = 0; index < token.length; index += 1) this.#bytes[from + index] = token.charCodeAt(index);
    this.#bytes.set(plaintext, from + token.length);
  }

  /** Takes as long for a token that differs early as for one that differs late: it may be a guess at another's. */
  #isAt(from: number, token: string): boolean {
    let difference = 0;
    for (let index = 0; index < token.length; index += 1)
      difference |= (this.#bytes[from + index] as number) ^ token.charCodeAt(index);
    return difference === 0;
  }
}

/** By three characters of the tag, which is as good as random; the very last one has but two bits. */
function placeOf(token: string): number {
  const end = token.length - 1;
  const bits = (valueAt(token, end - 3) << 12) | (valueAt(token, end - 2) << 6) | valueAt(token, end - 1);
  return bits & (PLACES - 1);
}

function valueAt(token: string, index: number): number {
  return valueOfCode(token.charCodeAt(index));
}
