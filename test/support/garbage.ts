/** The garbage collector at the call of a test, which Node shows to nobody unless asked. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collect = (options?: { readonly type: "minor" }) => void;

let collect: Collect | undefined;

/** A full collection, or with `minor` one of the young. */
export const collectGarbage: Collect = (options) => {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as Collect;
  }
  collect(options);
};

const ROUNDS = 5_000;
const UNDER_WAY = 32;

/**
 * Starts 5,000 things and ends them, 32 being under way at any time, of which the first have grown old.
 *
 * @param end of one that `start` made
 * @returns bytes that collections of the young have left
 */
export function bytesLeftBehind<Thing>(start: () => Thing, end: (thing: Thing) => void): number {
  const underWay = Array.from({ length: UNDER_WAY }, start);
  collectGarbage();
  const usedBefore = process.memoryUsage().heapUsed;
  for (let round = 0; round < ROUNDS; round += 1) {
    end(underWay.shift() as Thing);
    underWay.push(start());
    if (round % 500 === 0) collectGarbage({ type: "minor" });
  }
  collectGarbage({ type: "minor" });
  collectGarbage({ type: "minor" });
  return process.memoryUsage().heapUsed - usedBefore;
}

/** What one of them may hold, so that it shows when it stays: some 4 KB. */
export function ballast(): readonly string[] {
  return Array.from({ length: 500 }, () => "");
}
