/**
 * A map of bounded size that keeps what was used lately, in two halves: when the younger one is full it becomes the
 * older one, whose content is dropped as a whole unless it was asked for in the meantime. A list by last use would be
 * rewritten with every look; this one only with a look at the older half.
 */
export class RecentMap<Key, Value extends object | string | number> {
  readonly #maxYoung: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  /** @param maxEntries at least 2; the last half of it that was used is never dropped */
  constructor(maxEntries: number) {
    this.#maxYoung = Math.floor(maxEntries / 2);
  }

  get(key: Key): Value | undefined {
    const known = this.#young.get(key);
    if (known !== undefined) return known;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#old.delete(key);
    this.set(key, old);
    return old;
  }

  set(key: Key, value: Value): void {
    if (this.#young.size >= this.#maxYoung && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  /** Entries kept, never more than there may be; one that is in both halves counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
