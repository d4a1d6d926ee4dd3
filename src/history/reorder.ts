/** Puts what comes nearly in the order of its times into that order, in bounded memory. */

interface Waiting<Item> {
  readonly at: number;
  /** Of two at the same time the one that came first is the first. */
  readonly number: number;
  readonly item: Item;
}

export interface Reorder<Item> {
  /** Takes an item; calls `take` for the earliest one when there are too many. */
  push(at: number, item: Item): void;
  /** Calls `take` for all that are left. */
  flush(): void;
  /** Items that came after a later one had been handed on already. */
  readonly late: number;
}

/**
 * @param size items that wait at most
 * @param take called in the order of times, but for late items
 */
export function createReorder<Item>(size: number, take: (item: Item, at: number) => void): Reorder<Item> {
  const heap: Waiting<Item>[] = [];
  let pushed = 0;
  let handedOnAt = Number.NEGATIVE_INFINITY;
  let late = 0;

  return {
    get late() {
      return late;
    },
    push(at, item) {
      if (at < handedOnAt) late += 1;
      heap.push({ at, number: pushed, item });
      pushed += 1;
      rise(heap);
      if (heap.length > size) handOn();
    },
    flush() {
      while (heap.length > 0) handOn();
    },
  };

  function handOn(): void {
    const first = heap[0] as Waiting<Item>;
    const last = heap.pop() as Waiting<Item>;
    if (heap.length > 0) {
      heap[0] = last;
      sink(heap);
    }
    handedOnAt = Math.max(handedOnAt, first.at);
    take(first.item, first.at);
  }
}

function isBefore<Item>(left: Waiting<Item>, right: Waiting<Item>): boolean {
  return left.at === right.at ? left.number < right.number : left.at < right.at;
}

/** Moves the last item up to its place in the binary heap. */
function rise<Item>(heap: Waiting<Item>[]): void {
  let index = heap.length - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isBefore(heap[index] as Waiting<Item>, heap[parent] as Waiting<Item>)) return;
    swap(heap, index, parent);
    index = parent;
  }
}

/** Moves the first item down to its place. */
function sink<Item>(heap: Waiting<Item>[]): void {
  let index = 0;
  for (;;) {
    let least = index;
    for (const child of [2 * index + 1, 2 * index + 2]) {
      const candidate = heap[child];
      if (candidate !== undefined && isBefore(candidate, heap[least] as Waiting<Item>)) least = child;
    }
    if (least === index) return;
    swap(heap, index, least);
    index = least;
  }
}

function swap<Item>(heap: Waiting<Item>[], left: number, right: number): void {
  const item = heap[left] as Waiting<Item>;
  heap[left] = heap[right] as Waiting<Item>;
  heap[right] = item;
}
