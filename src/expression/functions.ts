/** Every function of the language, by name. */
import { ADDRESS_FUNCTIONS } from "./functions-address.ts";
import { COLLECTION_FUNCTIONS } from "./functions-collection.ts";
import { CODING_FUNCTIONS } from "./functions-coding.ts";
import { JSON_FUNCTIONS } from "./functions-json.ts";
import { REPLACE_FUNCTIONS } from "./functions-replace.ts";
import { TEXT_FUNCTIONS } from "./functions-text.ts";
import type { FunctionDefinition } from "./function-types.ts";

export const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(
  [
    ...TEXT_FUNCTIONS,
    ...COLLECTION_FUNCTIONS,
    ...CODING_FUNCTIONS,
    ...REPLACE_FUNCTIONS,
    ...JSON_FUNCTIONS,
    ...ADDRESS_FUNCTIONS,
  ].map((definition) => [definition.name, definition]),
);
