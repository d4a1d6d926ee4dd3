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
  // V8 takes an argument that is `undefined` for another kind of collection than none at all.
  if (options === undefined) collect();
  else collect(options);
};
