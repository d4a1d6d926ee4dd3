/**
 * What was sealed or opened lately. A visitor's next request nearly always brings the cookie that this process sealed
 * for it a moment ago, and opening it is most of what reading costs.
 *
 * A hint, as any cache: it says what opening would say, and only of the very same token under the very same key. What
 * it has forgotten is opened again.
 */
import { RecentMap } from "../sequence/index.ts";
import type { SequencePayload } from "../sequence/index.ts";
import type { KeyEpoch } from "./names.ts";

/** Characters of a tag that make a key; V8 keeps longer parts of a string as references, which are slow to look up. */
const KEY_CHARACTERS = 12;

/** Cookies remembered; of ten entries each they take some 6 MB. */
const MAX_PAYLOADS = 8192;

interface Known extends KeyEpoch {
  readonly token: string;
  /** The zone's keys, of which one sealed it: a rotation makes others. */
  readonly keys: object;
  readonly payload: SequencePayload;
}

/** Payloads by token. */
export class RecentPayloads {
  /** By the end of the tag at a token's end. Tokens that share it, if there ever are any, take each other's place. */
  readonly #known = new RecentMap<string, Known>(MAX_PAYLOADS);

  /**
   * @param keys the zone's keys
   * @param key what the cookie's name means now; 64 hours later the same name means another key
   */
  get(token: string, keys: object, { epoch, shard }: KeyEpoch): SequencePayload | undefined {
    const known = this.#known.get(keyOf(token));
    return known?.keys === keys && known.epoch === epoch && known.shard === shard && known.token === token
      ? known.payload
      : undefined;
  }

  /** @param known its token must be a string of its own, not a part of a header, which would be kept with it */
  set(known: Known): void {
    this.#known.set(keyOf(known.token), known);
  }
}

function keyOf(token: string): string {
  return token.slice(-KEY_CHARACTERS);
}
