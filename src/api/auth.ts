/** Who is asking: bearer tokens, their state and their address conditions. */
import { BlockList, isIPv4, isIPv6 } from "node:net";
import type { H3Event } from "h3";
import { isSameHash, tokenHash } from "../store/index.ts";
import type { TokenRow, View } from "../store/index.ts";
import type { AuthLimiter } from "./auth-limiter.ts";
import { API_ERRORS, ApiError, apiError } from "./errors.ts";
import { AUTH_WINDOW_MS } from "./limits.ts";

export type TokenStatus = "active" | "disabled" | "expired";

/** The caller of one request. */
export interface Principal {
  readonly token: TokenRow;
  /** Address of the client. */
  readonly ip: string;
}

export interface AuthContext {
  readonly store: View;
  readonly limiter: AuthLimiter;
  readonly now: () => number;
}

/** RFC 6750 section 2.1, with the scheme in any case (RFC 9110 section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

/** @throws {ApiError} in the words of the original, see the catalogue */
export function authenticate(event: H3Event, context: AuthContext): Principal {
  const principal = identify(event, context);
  const { token, ip } = principal;
  const status = tokenStatus(token, context.now());
  if (status !== "active") throw apiError("unauthorized", `Invalid access token: it is ${status}`);
  if (token.notBeforeAt !== null && context.now() < token.notBeforeAt) {
    throw apiError("unauthorized", "Invalid access token: it is not valid yet");
  }
  if (!isAddressAllowed(token, ip)) {
    throw apiError("unauthorized", `Cannot use the access token from location: ${ip}`);
  }
  return principal;
}

/** Finds the token, whatever its state. */
export function identify(event: H3Event, { store, limiter }: AuthContext): Principal {
  const text = bearerToken(event.req.headers);
  const ip = clientAddress(event);
  const hash = tokenHash(text);
  const token = store.find("tokens", hash);
  if (token !== undefined && isSameHash(token.hash, hash)) return { token, ip };
  if (limiter.fail(ip)) throw tooManyFailures();
  throw apiError("unauthorized", "Invalid access token");
}

export function tokenStatus(token: TokenRow, at: number): TokenStatus {
  if (token.disabled) return "disabled";
  return token.expiresAt !== null && at >= token.expiresAt ? "expired" : "active";
}

function bearerToken(headers: Headers): string {
  const authorization = headers.get("authorization");
  if (authorization === null) {
    if (headers.has("x-auth-key") || headers.has("x-auth-user-service-key")) {
      throw apiError(
        "unknown_key",
        "Unknown X-Auth-Key or X-Auth-Email: use `Authorization: Bearer <token>`",
      );
    }
    throw apiError("not_authenticated", "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
  }
  const text = BEARER.exec(authorization)?.[1];
  if (text !== undefined) return text;
  throw apiError("malformed_headers", "Invalid request headers", {
    error_chain: [{ code: 6111, message: "Invalid format for Authorization header" }],
  });
}

/** The official client would try again at once; there is no point in that. */
function tooManyFailures(): ApiError {
  const { code, status } = API_ERRORS.too_many_failures;
  return new ApiError(status, [{ code, message: "Too many failed authentications" }], {
    "retry-after": String(AUTH_WINDOW_MS / 1000),
    "x-should-retry": "false",
  });
}

/** The address of the connection; no header can change it. IPv4 clients of a dual-stack listener count as IPv4. */
function clientAddress(event: H3Event): string {
  const address = (event.req as { readonly ip?: string }).ip ?? "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

const conditions = new WeakMap<TokenRow, { readonly isIn: BlockList; readonly isNotIn: BlockList }>();

function isAddressAllowed(token: TokenRow, ip: string): boolean {
  if (token.ipIn.length === 0 && token.ipNotIn.length === 0) return true;
  let lists = conditions.get(token);
  if (lists === undefined) {
    lists = { isIn: blockList(token.ipIn), isNotIn: blockList(token.ipNotIn) };
    conditions.set(token, lists);
  }
  const family = isIPv4(ip) ? "ipv4" : isIPv6(ip) ? "ipv6" : undefined;
  // A client without an address cannot be shown to meet a condition.
  if (family === undefined) return false;
  return (token.ipIn.length === 0 || lists.isIn.check(ip, family)) && !lists.isNotIn.check(ip, family);
}

/** @param cidrs checked when the token was saved */
function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address, bits] = cidr.split("/") as [string, string | undefined];
    const family = isIPv4(address) ? "ipv4" : "ipv6";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
