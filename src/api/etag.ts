/** Entity tags, for clients that must not overwrite each other's changes (RFC 9110 section 13). */
import { createHash } from "node:crypto";
import { apiError } from "./errors.ts";

/** A strong tag of an object as it is answered. */
export function etagOf(value: unknown): string {
  return `"${createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 22)}"`;
}

/** Rulesets have a version that changes with everything in them; hashing thousands of rules would be waste. */
export function rulesetEtag({ id, version }: { readonly id: string; readonly version: string }): string {
  return `"${id}.${version}"`;
}

/** @throws {ApiError} `precondition_failed` */
export function checkPreconditions(headers: Headers, tag: string | undefined): void {
  const [match, noneMatch] = [headers.get("if-match"), headers.get("if-none-match")];
  if (match !== null && !names(match, tag)) {
    throw apiError(
      "precondition_failed",
      `expected the object with ETag ${match}, found ${tag ?? "none"}; read it again`,
    );
  }
  if (noneMatch !== null && names(noneMatch, tag)) {
    throw apiError("precondition_failed", `expected no object with ETag ${noneMatch}, found ${tag ?? "one"}`);
  }
}

/** Whether a list of tags has `tag`; `*` stands for any. Weak tags never match: comparison is strong. */
function names(list: string, tag: string | undefined): boolean {
  if (tag === undefined) return false;
  return list.trim() === "*" || list.split(",").some((entry) => entry.trim() === tag);
}
