/** Token configurations of a zone: how its session tokens are found and verified. */
import type { TokenConfig } from "../engine/index.ts";
import { checkTokenSources } from "../session/index.ts";
import type { ZoneRow } from "../store/index.ts";
import { API_ERRORS, ApiError, apiError } from "./errors.ts";
import { invalidValue } from "./issues.ts";
import { MAX_REPORTED_ERRORS, MAX_TOKEN_CONFIGS } from "./limits.ts";
import type { ApiDependencies } from "./route.ts";
import type { TokenConfigBody } from "./schemas/token-configs.ts";
import { timestamp } from "./wire.ts";

type Key = TokenConfig["keys"][number];

/** As it is answered: of a shared secret only its name and algorithm. */
export function toWireTokenConfig(config: TokenConfig) {
  const { id, title, description, tokenSources, audience, issuer } = config;
  return {
    id,
    title,
    description,
    token_type: "JWT" as const,
    token_sources: [...tokenSources],
    credentials: toWireCredentials(config),
    audience: [...audience],
    issuer,
    created_at: timestamp(config.createdAt),
    last_updated: timestamp(config.lastUpdatedAt),
  };
}

export function toWireCredentials({ keys }: Pick<TokenConfig, "keys">) {
  return { keys: keys.map(withoutSecret) };
}

function withoutSecret(key: Key): Key & { readonly kid: string; readonly alg: string } {
  const members = Object.entries(key).filter(([name]) => name !== "k");
  return Object.fromEntries(members) as ReturnType<typeof withoutSecret>;
}

export const tokenConfigsOf = ({ settings }: ZoneRow): readonly TokenConfig[] => settings.tokenConfigs ?? [];

/** @throws {ApiError} `no_object` */
export function tokenConfigOf(zone: ZoneRow, id: string): TokenConfig {
  const config = tokenConfigsOf(zone).find((known) => known.id === id.toLowerCase());
  if (config === undefined)
    throw apiError("no_object", "could not find token configuration: the zone has none with this id");
  return config;
}

/** The zone with one configuration added or, where its id is known, replaced. */
export function withTokenConfig(zone: ZoneRow, config: TokenConfig): ZoneRow {
  const known = tokenConfigsOf(zone);
  const isKnown = known.some(({ id }) => id === config.id);
  if (!isKnown && known.length >= MAX_TOKEN_CONFIGS) {
    throw invalidValue(
      "",
      config.title,
      `a zone has at most ${MAX_TOKEN_CONFIGS} token configurations`,
      "limit_reached",
    );
  }
  const tokenConfigs = isKnown
    ? known.map((other) => (other.id === config.id ? config : other))
    : [...known, config];
  return { ...zone, settings: { ...zone.settings, tokenConfigs } };
}

/** @throws {ApiError} `in_use` while a session identifier reads its tokens */
export function withoutTokenConfig(zone: ZoneRow, config: TokenConfig): ZoneRow {
  const user = zone.settings.authIdCharacteristics.find(
    ({ type, name }) => type === "jwt" && name.startsWith(`${config.id}:`),
  );
  if (user !== undefined) {
    throw invalidValue(
      "",
      config.id,
      `the session identifier \`${user.name}\` reads its tokens; remove that first`,
      "in_use",
    );
  }
  const tokenConfigs = tokenConfigsOf(zone).filter((other) => other !== config);
  return { ...zone, settings: { ...zone.settings, tokenConfigs } };
}

/** What an edit leaves out stays. @throws {ApiError} for sources that are none */
export function editedTokenConfig(config: TokenConfig, body: TokenConfigBody, nowMs: number): TokenConfig {
  const { title, description, audience, issuer, token_sources } = body;
  return {
    ...config,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(audience === undefined ? {} : { audience }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(token_sources === undefined ? {} : { tokenSources: checkedSources(token_sources) }),
    lastUpdatedAt: nowMs,
  };
}

/** @throws {ApiError} with everything that is wrong */
export function checkedSources(value: unknown, pointer = "/token_sources"): readonly string[] {
  const { errors } = checkTokenSources(value, pointer);
  if (errors.length > 0) throw problems(errors);
  return value as readonly string[];
}

/**
 * @param value `keys` as they were sent
 * @throws {ApiError} with everything that is wrong; key material is not quoted
 */
export async function checkedKeys(
  value: unknown,
  { checkTokenKeys }: Pick<ApiDependencies, "checkTokenKeys">,
  pointer: string,
): Promise<readonly Key[]> {
  if (checkTokenKeys === undefined) {
    throw apiError(
      "not_supported",
      "this process verifies no tokens: use a header or a cookie as session identifier",
    );
  }
  const found = await checkTokenKeys(value, pointer);
  if (found.length > 0) throw problems(found);
  return value as readonly Key[];
}

function problems(found: readonly { readonly pointer: string; readonly message: string }[]): ApiError {
  const { code, status } = API_ERRORS.invalid_value;
  const items = found.slice(0, MAX_REPORTED_ERRORS);
  return new ApiError(
    status,
    items.map(({ pointer, message }) => ({ code, message, source: { pointer } })),
  );
}
