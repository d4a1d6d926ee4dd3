/** Whether a token is good: https://developers.cloudflare.com/api/resources/user/subresources/tokens/methods/verify/ */
import type { H3Event } from "h3";
import type { Scope } from "../../store/index.ts";
import { identify, tokenStatus } from "../auth.ts";
import type { AuthContext } from "../auth.ts";
import { ok, toResponse } from "../envelope.ts";
import { ApiError, apiError } from "../errors.ts";
import { timestamp } from "../wire.ts";

/**
 * Unlike every other path it tells an unknown token from one that is not (any more) active: who holds the text may
 * know. A token of the other kind of owner counts as unknown.
 */
export function verifyToken(event: H3Event, context: AuthContext, scope: Scope): Response {
  if (!event.req.headers.has("authorization")) {
    throw apiError("missing_authorization", 'Missing "Authorization" header');
  }
  const { token } = identifyOrRefuse(event, context);
  if (token.scope !== scope) throw apiError("invalid_token", "Invalid API Token");
  event.context["tokenId"] = token.id;
  const status = tokenStatus(token, context.now());
  const message = status === "active" ? "This API Token is valid and active" : `This API Token is ${status}`;
  return toResponse(
    ok(
      {
        id: token.id,
        status,
        ...(token.notBeforeAt === null ? {} : { not_before: timestamp(token.notBeforeAt) }),
        ...(token.expiresAt === null ? {} : { expires_on: timestamp(token.expiresAt) }),
      },
      { messages: [{ code: 10000, message, type: null }] },
    ),
  );
}

function identifyOrRefuse(event: H3Event, context: AuthContext) {
  try {
    return identify(event, context);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) {
      throw apiError("invalid_token", "Invalid API Token");
    }
    throw error;
  }
}
