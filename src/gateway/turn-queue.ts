/** Does costly things one per turn of the event loop, so that whatever else has come in gets its turn between them. */

/** Things that wait, those of one source in order, the sources by turns: a crowd of one delays only itself. */
export class TurnQueue<T> {
  readonly #carryOut: (item: T) => boolean;
  readonly #waiting = new Map<string, T[]>();
  #isScheduled = false;

  /** @param carryOut says whether there was anything to do; when not, the next one is taken in the same turn */
  constructor(carryOut: (item: T) => boolean) {
    this.#carryOut = carryOut;
  }

  add(source: string, item: T): void {
    const items = this.#waiting.get(source);
    if (items === undefined) this.#waiting.set(source, [item]);
    else items.push(item);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      for (const item of this.#inTurn()) if (this.#carryOut(item)) break;
      this.#schedule();
    });
  }

  *#inTurn(): Generator<T> {
    for (const [source, items] of this.#waiting) {
      this.#waiting.delete(source);
      const item = items.shift();
      // At the end of the map, where the loop comes to it again.
      if (items.length > 0) this.#waiting.set(source, items);
      if (item !== undefined) yield item;
    }
  }
}
