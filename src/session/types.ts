/** Session identifiers: where they are looked for, and what a request says about them. */

export const CHARACTERISTIC_TYPES = ["header", "cookie", "jwt"] as const;

/** Where a session identifier is read from (API Shield's `auth_id_characteristics`, wire shape). */
export interface AuthIdCharacteristic {
  readonly type: (typeof CHARACTERISTIC_TYPES)[number];
  /** Name of the header or cookie; for `jwt` `<token configuration id>:$.<claim path>`. */
  readonly name: string;
}

/** The request, as far as identifiers are concerned. */
export interface SessionRequest {
  /** Header section, flat: name, value, name, value; names in any letter case. */
  readonly rawHeaders: readonly string[];
}

/** The claims of a verified token. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/**
 * Verifies a token of a request: signature, times and audience.
 *
 * @param token hostile text
 * @param nowMs epoch milliseconds
 * @returns the claims, or `undefined` for a token that is not valid, whatever the reason
 */
export type VerifyToken = (
  tokenConfigId: string,
  token: string,
  nowMs: number,
) => Promise<TokenClaims | undefined>;

/** What a request says about whose session it is. */
export type SessionIdentity =
  | {
      readonly kind: "present";
      readonly characteristic: AuthIdCharacteristic;
      /** The identifier, in one spelling for all that mean the same. Secret: it goes through `sessionKey` before it is kept anywhere. */
      readonly value: string;
    }
  | { readonly kind: "absent" }
  | {
      /** The identifier stands in the request more than once, with different values: the origin may see another one. */
      readonly kind: "ambiguous";
      readonly characteristic: AuthIdCharacteristic;
    };
