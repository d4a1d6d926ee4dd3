/** Session identifiers as they are configured (spec: API Shield, session identifiers). */
import type { AuthIdCharacteristic, TokenConfig } from "../engine/index.ts";
import { checkCharacteristics } from "../session/index.ts";
import { API_ERRORS, ApiError } from "./errors.ts";
import type { ApiErrorName } from "./errors.ts";
import { MAX_REPORTED_ERRORS } from "./limits.ts";

/**
 * @param value as it was sent
 * @param tokenConfigs those of the zone
 * @throws {ApiError} with every mistake in any of them
 */
export function checkAuthIds(
  value: unknown,
  tokenConfigs: readonly Pick<TokenConfig, "id">[],
  pointer = "/auth_id_characteristics",
): readonly AuthIdCharacteristic[] {
  const checked = checkCharacteristics(value, new Set(tokenConfigs.map(({ id }) => id)), pointer);
  if (checked.kind === "valid") return checked.characteristics;
  const items = checked.errors.slice(0, MAX_REPORTED_ERRORS).map(({ code, message, ...source }) => {
    const name = NAMES[code] ?? "invalid_value";
    return { code: API_ERRORS[name].code, message, source };
  });
  throw new ApiError(API_ERRORS.invalid_value.status, items);
}

const NAMES: Readonly<Record<string, ApiErrorName>> = {
  ERR_AUTH_ID_DUPLICATE: "duplicate_value",
  ERR_AUTH_ID_TOKEN_CONFIG: "unknown_reference",
};
