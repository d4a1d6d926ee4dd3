/** How rows of the field table are written. */
import type { Type } from "../expression/index.ts";

export type Names = readonly (readonly [name: string, type: Type])[];

export const MAP = "Map<Array<Bytes>>";
export const LIST = "Array<Bytes>";

/** A map of lists with its `.names` and `.values`. */
export const multimap = (name: string): Names => [
  [name, MAP],
  [`${name}.names`, LIST],
  [`${name}.values`, LIST],
];
