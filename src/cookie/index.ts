export { isOwnSetCookie, stripCookies, stripOwnSetCookies } from "./header.ts";
export { createKeyRing } from "./key-ring.ts";
export { exportKeySet, generateMasterKey, importKeySet, KeySetError } from "./key-set.ts";
export type { MasterKey } from "./master-keys.ts";
export { createRandomSource } from "./random.ts";
export { checkCookieScope } from "./scope.ts";
export type { SequenceCookieScope } from "./scope.ts";
export { createSequenceCookies } from "./sequence-cookies.ts";
export type { SequenceCookiesOptions } from "./sequence-cookies.ts";
