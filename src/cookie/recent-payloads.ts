/**
 * What was sealed or opened lately. A visitor's next request nearly always brings the cookie that this process sealed
 * for it a moment ago, and opening it is most of what reading costs.
 *
 * A hint, as any cache: it says what opening would say, and only of the very same bytes under the very same key. What
 * it has forgotten is opened again.
 */
import { RecentMap } from "../sequence/index.ts";
import type { SequencePayload } from "../sequence/index.ts";

/** Cookies remembered; of ten entries each they take some 6 MB. */
const MAX_PAYLOADS = 8192;

interface Known {
  /** The zone's keys that sealed or opened it: a rotation makes others. */
  readonly keys: object;
  /** The hour that the cookie's name meant; the same name means another one 64 hours later. */
  readonly epoch: number;
  readonly payload: SequencePayload;
}

/** Payloads by cookie, as it stands in a header: name, `=`, value. */
export class RecentPayloads {
  readonly #known = new RecentMap<string, Known>(MAX_PAYLOADS);

  get(cookie: string, keys: object, epoch: number): SequencePayload | undefined {
    const known = this.#known.get(cookie);
    return known?.keys === keys && known.epoch === epoch ? known.payload : undefined;
  }

  set(cookie: string, known: Known): void {
    this.#known.set(cookie, known);
  }
}
