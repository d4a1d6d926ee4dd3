/** Tokens for the bank's mobile app: signed by the bank, verified by anybody who has its public key. */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import type { JWK } from "jose";
import { CUSTOMERS } from "./customers.ts";
import type { Customer } from "./customers.ts";
import { TOKEN_SECONDS } from "./limits.ts";

/** Who issues the tokens, and whom they are for. */
export const APP_ISSUER = "https://harbour.example";
export const APP_AUDIENCE = "harbour-app";

const ALGORITHM = "ES256";

export interface AppTokens {
  /** The public key, for `credentials` of a token configuration. */
  readonly keys: readonly JWK[];
  issue(customer: Customer): Promise<string>;
  /** @returns whose token it is, `undefined` for one that is not valid */
  holderOf(token: string): Promise<Customer | undefined>;
}

/**
 * The key lives as long as the bank is open: its books do not live longer either.
 *
 * @param now epoch ms
 */
export async function createAppTokens(now: () => number): Promise<AppTokens> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM);
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return {
    keys: [{ ...jwk, kid, alg: ALGORITHM, use: "sig" }],
    issue(customer) {
      const seconds = Math.floor(now() / 1000);
      return new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: "JWT" })
        .setSubject(customer.id)
        .setIssuer(APP_ISSUER)
        .setAudience(APP_AUDIENCE)
        .setIssuedAt(seconds)
        .setExpirationTime(seconds + TOKEN_SECONDS)
        .sign(privateKey);
    },
    async holderOf(token) {
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          algorithms: [ALGORITHM],
          issuer: APP_ISSUER,
          audience: APP_AUDIENCE,
          requiredClaims: ["exp", "sub"],
          currentDate: new Date(now()),
        });
        return CUSTOMERS.find(({ id }) => id === payload.sub);
      } catch {
        // Why a token is not valid is nobody's business.
        return undefined;
      }
    },
  };
}
