/** "Did you mean": the known name nearest to an unknown one. */

/** Names longer than this are not compared: the cost grows with the product of the lengths. */
const MAX_COMPARED_LENGTH = 80;

/** Names this short begin too many others to be taken for their beginning. */
const MIN_PREFIX_LENGTH = 3;

/**
 * The nearest of `known`: one that differs in at most a third of its letters, else the longest that the
 * name begins with. Ties go to the first.
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  if (name.length > MAX_COMPARED_LENGTH) {
    return undefined;
  }
  const known = [...names];
  let nearest: string | undefined;
  let best = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) < best) {
      const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), best);
      if (distance < best) {
        best = distance;
        nearest = candidate;
      }
    }
  }
  return nearest ?? longestBeginning(name, known);
}

/** `lowercase` begins with `lower`. */
function longestBeginning(name: string, known: readonly string[]): string | undefined {
  let longest = "";
  for (const candidate of known) {
    if (
      candidate.length >= MIN_PREFIX_LENGTH &&
      candidate.length > longest.length &&
      name.startsWith(candidate)
    ) {
      longest = candidate;
    }
  }
  return longest === "" ? undefined : longest;
}

/** Letters to insert, remove, replace, or swap with their neighbour; `limit` when that many or more. */
function editDistance(left: string, right: string, limit: number): number {
  let beforePrevious: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const isSame = left[row - 1] === right[column - 1];
      const isSwapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(
        Math.min(
          (previous[column - 1] ?? limit) + (isSame ? 0 : 1),
          (previous[column] ?? limit) + 1,
          (current[column - 1] ?? limit) + 1,
          isSwapped ? (beforePrevious[column - 2] ?? limit) + 1 : limit,
        ),
      );
    }
    if (Math.min(...current) >= limit) {
      return limit;
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[right.length] ?? limit;
}
