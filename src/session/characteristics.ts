/** The configuration of a zone's session identifiers, checked before it is stored. */
import { parseClaimPath } from "./claim-path.ts";
import type { ClaimPath } from "./claim-path.ts";
import { inputError } from "./input-error.ts";
import type { SessionInputError } from "./input-error.ts";
import { MAX_CHARACTERISTICS, MAX_NAME_LENGTH } from "./limits.ts";
import { TOKEN_CHARACTERS } from "./token-source.ts";
import { CHARACTERISTIC_TYPES } from "./types.ts";
import type { AuthIdCharacteristic } from "./types.ts";

export type CheckedCharacteristics =
  | { readonly kind: "valid"; readonly characteristics: readonly AuthIdCharacteristic[] }
  | { readonly kind: "errors"; readonly errors: readonly SessionInputError[] };

/** `<token configuration id>:$.<path>`, as API Shield documents it. */
const JWT_NAME = /^(?<tokenConfigId>[a-z0-9-]{32,36}):(?<path>\$.*)$/s;

/** Header fields that name a connection or carry several things at once: none of them names a user. */
const UNFIT_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "cookie",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Our own cookies are sealed anew with each response, and taken out before anything else is read. */
const OWN_COOKIES = /^__(?:Host|Secure)-sq\./;

/**
 * @param input the list as it was sent
 * @param tokenConfigIds ids of the zone's token configurations
 * @param pointer JSON pointer of the list in the body
 * @returns header names in lower case, the rest as written; or everything there is to correct
 */
export function checkCharacteristics(
  input: unknown,
  tokenConfigIds: ReadonlySet<string>,
  pointer = "/auth_id_characteristics",
): CheckedCharacteristics {
  if (!Array.isArray(input)) {
    return errors([inputError("ERR_AUTH_ID_TYPE", pointer, input, "it must be a list, empty for none")]);
  }
  if (input.length > MAX_CHARACTERISTICS) {
    const reason = `a zone has at most ${MAX_CHARACTERISTICS} session identifiers, and these are ${input.length}`;
    return errors([inputError("ERR_AUTH_ID_COUNT", pointer, `${input.length} items`, reason)]);
  }
  const found: SessionInputError[] = [];
  const characteristics: AuthIdCharacteristic[] = [];
  const seen = new Set<string>();
  for (const [index, item] of (input as readonly unknown[]).entries()) {
    const at = `${pointer}/${index}`;
    const checked = checkOne(item, tokenConfigIds, at);
    if ("code" in checked) {
      found.push(checked);
      continue;
    }
    const identity = `${checked.type} ${checked.name}`;
    if (seen.has(identity)) {
      const reason = "it stands in the list before; each session identifier may be named once";
      found.push(inputError("ERR_AUTH_ID_DUPLICATE", `${at}/name`, checked.name, reason));
    }
    seen.add(identity);
    characteristics.push(checked);
  }
  return found.length > 0 ? errors(found) : { kind: "valid", characteristics };
}

/** @returns the parts of the name of a `jwt` characteristic, `undefined` when it has another form */
export function parseJwtName(
  name: string,
): { readonly tokenConfigId: string; readonly path: ClaimPath } | undefined {
  const { tokenConfigId, path = "" } = JWT_NAME.exec(name)?.groups ?? {};
  const parsed = parseClaimPath(path);
  if (tokenConfigId === undefined || parsed.kind === "error") return undefined;
  return { tokenConfigId, path: parsed.path };
}

function errors(found: readonly SessionInputError[]): CheckedCharacteristics {
  return { kind: "errors", errors: found };
}

function checkOne(
  item: unknown,
  tokenConfigIds: ReadonlySet<string>,
  pointer: string,
): AuthIdCharacteristic | SessionInputError {
  if (typeof item !== "object" || item === null) {
    const reason =
      'each item must be an object with `type` and `name`, such as `{"type":"header","name":"x-api-key"}`';
    return inputError("ERR_AUTH_ID_TYPE", pointer, item, reason);
  }
  const { type, name } = item as { readonly type?: unknown; readonly name?: unknown };
  const knownType = CHARACTERISTIC_TYPES.find((known) => known === type);
  if (knownType === undefined) {
    const reason = `the type must be one of ${CHARACTERISTIC_TYPES.join(", ")}`;
    return inputError("ERR_AUTH_ID_TYPE", `${pointer}/type`, type, reason);
  }
  if (typeof name !== "string" || name === "" || name.length > MAX_NAME_LENGTH) {
    const reason = `the name must be a text of 1 to ${MAX_NAME_LENGTH} characters`;
    return inputError("ERR_AUTH_ID_NAME", `${pointer}/name`, name, reason);
  }
  if (knownType === "jwt") return checkJwt(name, tokenConfigIds, `${pointer}/name`);
  const reason = knownType === "header" ? unfitHeader(name) : unfitCookie(name);
  if (reason !== undefined) return inputError("ERR_AUTH_ID_NAME", `${pointer}/name`, name, reason);
  return { type: knownType, name: knownType === "header" ? name.toLowerCase() : name };
}

function checkJwt(
  name: string,
  tokenConfigIds: ReadonlySet<string>,
  pointer: string,
): AuthIdCharacteristic | SessionInputError {
  const { tokenConfigId, path = "" } = JWT_NAME.exec(name)?.groups ?? {};
  if (tokenConfigId === undefined) {
    const reason =
      "it must be the id of a token configuration, `:` and a claim path, such as `<token_config_id>:$.sub`";
    return inputError("ERR_AUTH_ID_NAME", pointer, name, reason);
  }
  const parsed = parseClaimPath(path);
  if (parsed.kind === "error") return inputError("ERR_AUTH_ID_CLAIM_PATH", pointer, name, parsed.reason);
  if (!tokenConfigIds.has(tokenConfigId)) {
    const reason =
      "the zone has no token configuration with this id; create it under `token_validation/config` first";
    return inputError("ERR_AUTH_ID_TOKEN_CONFIG", pointer, name, reason);
  }
  return { type: "jwt", name };
}

function unfitHeader(name: string): string | undefined {
  if (!TOKEN_CHARACTERS.test(name)) return "it is no name of a header (RFC 9110 section 5.1)";
  return UNFIT_HEADERS.has(name.toLowerCase())
    ? "this header does not name a user; use one that carries a credential or an id"
    : undefined;
}

function unfitCookie(name: string): string | undefined {
  if (!TOKEN_CHARACTERS.test(name)) return "it is no name of a cookie (RFC 6265 section 4.1.1)";
  return OWN_COOKIES.test(name)
    ? "sequence cookies do not name a session; use a cookie of the application"
    : undefined;
}
