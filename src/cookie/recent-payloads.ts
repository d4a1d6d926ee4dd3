/**
 * What was sealed or opened lately. A visitor's next request nearly always brings the cookie that this process sealed
 * for it a moment ago, and opening it is most of what reading costs.
 *
 * A hint, as any cache: it says what opening would say, and only of the very same token under the very same key. What
 * it has forgotten is opened again.
 *
 * Payloads lie in flat memory. Objects that live for thousands of requests would be moved twice and then given up by
 * the garbage collector, which costs each request more than decoding the payload anew.
 */
import { decodePayload } from "../sequence/index.ts";
import type { SequencePayload } from "../sequence/index.ts";
import { valueOfCode } from "./base64url.ts";
import type { KeyEpoch } from "./names.ts";

/** Cookies remembered at most, a power of two. */
const PLACES = 8192;
/** Of a plaintext: 19 entries, where cookies keep 10 unless configured otherwise. Longer ones are opened. */
const PLACE_BYTES = 128;

/** What one key of a zone sealed. */
interface Sealed extends KeyEpoch {
  readonly token: string;
  /** The zone's keys, of which one sealed it: a rotation makes others. */
  readonly keys: object;
}

/** Payloads by token. A token has one place, where it takes that of another. */
export class RecentPayloads {
  readonly #tokens = Array.from({ length: PLACES }, () => "");
  readonly #keys = Array.from<object | undefined>({ length: PLACES });
  readonly #epochs = new Int32Array(PLACES);
  readonly #shards = new Uint8Array(PLACES);
  readonly #lengths = new Uint8Array(PLACES);
  readonly #plaintexts = new Uint8Array(PLACES * PLACE_BYTES);

  /**
   * @param sealed what the cookie's name means now; 64 hours later the same name means another key
   * @param nowMs epoch milliseconds, see `decodePayload`
   */
  get({ token, keys, epoch, shard }: Sealed, nowMs: number): SequencePayload | undefined {
    const place = placeOf(token);
    if (this.#keys[place] !== keys || this.#epochs[place] !== epoch || this.#shards[place] !== shard)
      return undefined;
    if (this.#tokens[place] !== token) return undefined;
    const start = place * PLACE_BYTES;
    return decodePayload(this.#plaintexts.subarray(start, start + (this.#lengths[place] as number)), nowMs);
  }

  /**
   * @param sealed its token must be a string of its own, not a part of a header, which would be kept with it
   * @param plaintext what opening the token gives, and decoding that gives a payload
   */
  set({ token, keys, epoch, shard }: Sealed, plaintext: Uint8Array): void {
    if (plaintext.length > PLACE_BYTES) return;
    const place = placeOf(token);
    this.#tokens[place] = token;
    this.#keys[place] = keys;
    this.#epochs[place] = epoch;
    this.#shards[place] = shard;
    this.#lengths[place] = plaintext.length;
    this.#plaintexts.set(plaintext, place * PLACE_BYTES);
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
