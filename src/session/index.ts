export { checkCharacteristics } from "./characteristics.ts";
export type { CheckedCharacteristics } from "./characteristics.ts";
export { createSessionReader } from "./identify.ts";
export type { DuplicatePolicy, SessionReader, SessionReaderOptions } from "./identify.ts";
export type { SessionInputError, SessionInputErrorCode } from "./input-error.ts";
export { identityText, sessionKey } from "./session-key.ts";
export type { SessionHmac } from "./session-key.ts";
export { sourceOf } from "./source.ts";
export { checkTokenSources } from "./token-source.ts";
export type { TokenSource } from "./token-source.ts";
export type {
  AuthIdCharacteristic,
  SessionIdentity,
  SessionRequest,
  TokenClaims,
  VerifyToken,
} from "./types.ts";
