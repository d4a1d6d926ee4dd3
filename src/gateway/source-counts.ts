/** How many of something each source of connections has at the moment. */
import { sourceOf } from "../session/index.ts";

export class SourceCounts {
  readonly #counts = new Map<string, number>();

  /** @param address of a client, textual */
  of(address: string): number {
    return this.#counts.get(sourceOf(address)) ?? 0;
  }

  /** @returns the source, for {@link remove} */
  add(address: string): string {
    const source = sourceOf(address);
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1);
    return source;
  }

  remove(source: string): void {
    const left = (this.#counts.get(source) ?? 1) - 1;
    if (left === 0) this.#counts.delete(source);
    else this.#counts.set(source, left);
  }
}
