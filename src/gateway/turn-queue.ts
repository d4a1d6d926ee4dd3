/** Does costly things one per turn of the event loop, so that whatever else has come in gets its turn between them. */

/** Milliseconds until a source that had to wait is looked at again. */
const HOLD_MS = 50;

/** Things that wait, those of one source in order, the sources by turns: a crowd of one delays only itself. */
export class TurnQueue<T> {
  readonly #carryOut: (item: T) => boolean;
  readonly #mayTake: (item: T) => boolean;
  readonly #waiting = new Map<string, Set<T>>();
  /** Of sources that are not looked at for a while. */
  readonly #held = new Map<string, Set<T>>();
  #isScheduled = false;

  /**
   * @param carryOut says whether there was anything to do; when not, the next one is taken in the same turn
   * @param mayTake whether a thing can be carried out now; when not, its source has to wait for a while
   */
  constructor(carryOut: (item: T) => boolean, mayTake: (item: T) => boolean = () => true) {
    this.#carryOut = carryOut;
    this.#mayTake = mayTake;
  }

  add(source: string, item: T): void {
    const items = this.#itemsOf(source);
    if (items === undefined) this.#waiting.set(source, new Set([item]));
    else items.add(item);
    this.#schedule();
  }

  /** Takes back what waits. */
  remove(source: string, item: T): void {
    this.#itemsOf(source)?.delete(item);
  }

  #itemsOf(source: string): Set<T> | undefined {
    return this.#waiting.get(source) ?? this.#held.get(source);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#takeTurn();
      this.#schedule();
    });
  }

  #takeTurn(): void {
    for (const [source, items] of this.#waiting) {
      this.#waiting.delete(source);
      const [item] = items;
      if (item === undefined) continue;
      if (!this.#mayTake(item)) {
        this.#hold(source, items);
        continue;
      }
      items.delete(item);
      // At the end of the map, where the loop comes to it again.
      if (items.size > 0) this.#waiting.set(source, items);
      if (this.#carryOut(item)) return;
    }
  }

  #hold(source: string, items: Set<T>): void {
    this.#held.set(source, items);
    setTimeout(() => {
      this.#held.delete(source);
      this.#waiting.set(source, items);
      this.#schedule();
    }, HOLD_MS);
  }
}
