/** Session identifiers as they are configured (spec: API Shield, session identifiers). */
import type { AuthIdCharacteristic } from "../engine/index.ts";
import { invalid } from "./issues.ts";
import type { Issue } from "./issues.ts";
import type { CharacteristicBody } from "./schemas/zone-settings.ts";

/** RFC 9110 section 5.6.2; cookie names are tokens too (RFC 6265 section 4.1.1). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Id of a token configuration, then a JSONPath of literal keys and indexes. */
const JWT = /^[a-z0-9-]{32,36}:\$(?:\.[A-Za-z0-9_-]+|\[(?:\d{1,4}|"[^"\\\]]{1,64}"|'[^'\\\]]{1,64}')\])+$/;

/** @throws {ApiError} with every mistake in any of them */
export function checkAuthIds(bodies: readonly CharacteristicBody[]): readonly AuthIdCharacteristic[] {
  const issues: Issue[] = [];
  const seen = new Set<string>();
  for (const [index, { type, name }] of bodies.entries()) {
    const pointer = `/auth_id_characteristics/${index}/name`;
    const reason =
      type === "jwt"
        ? JWT.test(name)
          ? undefined
          : "expected `<token configuration id>:$.<claim>`, with literal keys and indexes only"
        : TOKEN.test(name)
          ? undefined
          : `it is no name of a ${type}`;
    if (reason !== undefined) issues.push({ name: "invalid_value", pointer, value: name, reason });
    // Header names are the same in any case.
    const key = `${type} ${type === "header" ? name.toLowerCase() : name}`;
    if (seen.has(key)) {
      issues.push({ name: "duplicate_value", pointer, value: name, reason: "the list has it twice" });
    }
    seen.add(key);
  }
  if (issues.length > 0) throw invalid(issues);
  return bodies.map(({ type, name }) => ({ type, name }));
}
