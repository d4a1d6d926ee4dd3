/** What can go wrong with the store itself. */

/**
 * - `ERR_STORE_OPEN`: the database cannot be opened (path, rights, not a database);
 * - `ERR_STORE_VERSION`: it was written by a newer Stepgate;
 * - `ERR_STORE_WRITE`: a change could not be written; nothing has changed;
 * - `ERR_STORE_CONFLICT`: what was asked contradicts what is stored (two zones with one host).
 */
export type StoreErrorCode =
  | "ERR_STORE_OPEN"
  | "ERR_STORE_VERSION"
  | "ERR_STORE_WRITE"
  | "ERR_STORE_CONFLICT";

export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "StoreError";
    this.code = code;
  }
}
