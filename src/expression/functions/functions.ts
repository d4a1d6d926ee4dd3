/** Every function of the language, by name. */
import { ADDRESS_FUNCTIONS } from "./address.ts";
import { CRYPTO_FUNCTIONS } from "./crypto.ts";
import { COLLECTION_FUNCTIONS } from "./collection.ts";
import { CODING_FUNCTIONS } from "./coding.ts";
import { JSON_FUNCTIONS } from "./json.ts";
import { REPLACE_FUNCTIONS } from "./replace.ts";
import { TEXT_FUNCTIONS } from "./text.ts";
import type { FunctionDefinition } from "./definition.ts";

export const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(
  [
    ...TEXT_FUNCTIONS,
    ...COLLECTION_FUNCTIONS,
    ...CODING_FUNCTIONS,
    ...REPLACE_FUNCTIONS,
    ...JSON_FUNCTIONS,
    ...ADDRESS_FUNCTIONS,
    ...CRYPTO_FUNCTIONS,
  ].map((definition) => [definition.name, definition]),
);

/** Functions of the product that Stepgate does not have, with the reason. */
export const REFUSED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["bit_slice", "it reads packets, and Stepgate sees requests only"],
  ["is_jwt_present", "it needs the token validation of API Shield, which Stepgate does not have"],
  ["is_jwt_valid", "it needs the token validation of API Shield, which Stepgate does not have"],
]);
