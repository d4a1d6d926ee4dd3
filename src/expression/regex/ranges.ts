/** Sets of bytes or code points as sorted, disjoint, inclusive ranges. */

export type Range = readonly [first: number, last: number];
export type Ranges = readonly Range[];

export const MAX_BYTE = 0xff;
export const MAX_CODE_POINT = 0x10ffff;

/** Sorted and merged. */
export function normalise(ranges: Iterable<Range>): Ranges {
  const merged: [number, number][] = [];
  for (const [first, last] of [...ranges].toSorted(([left], [right]) => left - right)) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) {
      previous[1] = Math.max(previous[1], last);
    } else {
      merged.push([first, last]);
    }
  }
  return merged;
}

export function union(left: Ranges, right: Ranges): Ranges {
  return normalise([...left, ...right]);
}

/** Everything from 0 to `max` that is not in the set. */
export function complement(ranges: Ranges, max: number): Ranges {
  const gaps: Range[] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    if (first > next) {
      gaps.push([next, first - 1]);
    }
    next = last + 1;
  }
  if (next <= max) {
    gaps.push([next, max]);
  }
  return gaps;
}

export function intersection(left: Ranges, right: Ranges): Ranges {
  const common: Range[] = [];
  let l = 0;
  let r = 0;
  for (let a = left[l], b = right[r]; a !== undefined && b !== undefined; a = left[l], b = right[r]) {
    const first = Math.max(a[0], b[0]);
    const last = Math.min(a[1], b[1]);
    if (first <= last) {
      common.push([first, last]);
    }
    if (a[1] < b[1]) {
      l += 1;
    } else {
      r += 1;
    }
  }
  return common;
}

export function difference(left: Ranges, right: Ranges): Ranges {
  return intersection(left, complement(right, MAX_CODE_POINT));
}

export function symmetricDifference(left: Ranges, right: Ranges): Ranges {
  return union(difference(left, right), difference(right, left));
}

/** The set with the other ASCII case of every ASCII letter in it. */
export function foldAscii(ranges: Ranges): Ranges {
  const lower = intersection(ranges, [[0x61, 0x7a]]).map(([first, last]): Range => [first - 32, last - 32]);
  const upper = intersection(ranges, [[0x41, 0x5a]]).map(([first, last]): Range => [first + 32, last + 32]);
  return normalise([...ranges, ...lower, ...upper]);
}
