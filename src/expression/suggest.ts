/** "Did you mean": the known name nearest to an unknown one. */

/** Names longer than this are not compared: the cost grows with the product of the lengths. */
const MAX_COMPARED_LENGTH = 80;

/** The nearest of `known` that differs in at most a third of its letters; ties go to the first. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_COMPARED_LENGTH) {
    return undefined;
  }
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
  return nearest;
}

/** Letters to insert, remove or replace; `limit` when that many or more. */
function editDistance(left: string, right: string, limit: number): number {
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const removed = (previous[column] ?? 0) + 1;
      const inserted = (current[column - 1] ?? 0) + 1;
      current.push(Math.min(replaced, removed, inserted));
    }
    if (Math.min(...current) >= limit) {
      return limit;
    }
    previous = current;
  }
  return previous[right.length] ?? limit;
}
