/** A list through fields of its nodes: no memory of its own, and every step takes the same time however long it is. */

/** A node has two fields for each list it may lie in; `undefined` while it lies in none. */
export type LinkedNode<Older extends string, Newer extends string, Node> = {
  [Field in Older | Newer]: Node | undefined;
};

/** Oldest first. INVARIANT: a node lies in at most one list that uses the same fields. */
export class LinkedList<
  Older extends string,
  Newer extends string,
  Node extends LinkedNode<Older, Newer, Node>,
> {
  readonly #olderField: Older;
  readonly #newerField: Newer;
  #oldest: Node | undefined = undefined;
  #newest: Node | undefined = undefined;
  #size = 0;

  constructor(olderField: Older, newerField: Newer) {
    this.#olderField = olderField;
    this.#newerField = newerField;
  }

  get oldest(): Node | undefined {
    return this.#oldest;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a node that lies in no list, as the newest. */
  add(node: Node): void {
    this.#setOlder(node, this.#newest);
    if (this.#newest === undefined) this.#oldest = node;
    else this.#setNewer(this.#newest, node);
    this.#newest = node;
    this.#size += 1;
  }

  /** Takes out a node of this list. */
  remove(node: Node): void {
    const older: Node | undefined = node[this.#olderField];
    const newer: Node | undefined = node[this.#newerField];
    if (older === undefined) this.#oldest = newer;
    else this.#setNewer(older, newer);
    if (newer === undefined) this.#newest = older;
    else this.#setOlder(newer, older);
    this.#setOlder(node, undefined);
    this.#setNewer(node, undefined);
    this.#size -= 1;
  }

  /** Makes a node of this list the newest. */
  renew(node: Node): void {
    if (node === this.#newest) return;
    this.remove(node);
    this.add(node);
  }

  #setOlder(node: Node, older: Node | undefined): void {
    (node as LinkedNode<Older, Newer, Node>)[this.#olderField] = older;
  }

  #setNewer(node: Node, newer: Node | undefined): void {
    (node as LinkedNode<Older, Newer, Node>)[this.#newerField] = newer;
  }
}
