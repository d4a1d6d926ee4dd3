/** The bank's mobile app: how it signs in, and what it may see. The web page is a demo without a log-in. */
import type { H3Event } from "h3";
import { answer, jsonAnswer, problemAnswer } from "./answers.ts";
import type { AppTokens } from "./app-tokens.ts";
import { CUSTOMERS } from "./customers.ts";
import type { Customer } from "./customers.ts";
import { TOKEN_SECONDS } from "./limits.ts";

export const LOGIN_PATH = "/api/v1/login";

/** Whoever a request is made for: a customer with a token, or the page, which may show every customer. */
export type Caller = { readonly kind: "app"; readonly customer: Customer } | { readonly kind: "page" };

/**
 * `{ "user_id": "mara", "pin": "2580" }` → a token, as JSON (RFC 6749 section 5.1) or, where `application/jwt` is asked
 * for, as it is.
 *
 * @param body hostile
 */
export async function login(event: H3Event, body: unknown, tokens: AppTokens): Promise<Response> {
  const { user_id: id, pin } = (typeof body === "object" && body !== null ? body : {}) as Readonly<
    Record<string, unknown>
  >;
  const customer = CUSTOMERS.find((known) => known.id === id && known.pin === pin);
  if (customer === undefined) {
    return problemAnswer({ status: 401, title: "Not signed in", detail: "the user or the PIN is wrong" });
  }
  const token = await tokens.issue(customer);
  return event.req.headers.get("accept")?.includes("application/jwt") === true
    ? answer(200, token, { "content-type": "application/jwt", "cache-control": "no-store" })
    : jsonAnswer(200, { access_token: token, token_type: "Bearer", expires_in: TOKEN_SECONDS });
}

/** @returns the refusal of a token that is not valid (RFC 6750 section 3) */
export async function callerOf(event: H3Event, tokens: AppTokens): Promise<Caller | Response> {
  const authorization = event.req.headers.get("authorization");
  if (authorization === null) return { kind: "page" };
  const token = /^bearer +(?<token>[\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.groups?.["token"];
  const customer = token === undefined ? undefined : await tokens.holderOf(token);
  if (customer !== undefined) return { kind: "app", customer };
  return problemAnswer(
    { status: 401, title: "Not signed in", detail: "expected a valid token; sign in again" },
    { "www-authenticate": 'Bearer realm="harbour-app", error="invalid_token"' },
  );
}

/** Whether the caller may act for a customer. */
export function actsFor(caller: Caller, customerId: string): boolean {
  return caller.kind === "page" || caller.customer.id === customerId;
}

/** Whether the caller may look into an account, or take from it. An account that nobody has is everybody's question. */
export function owns(caller: Caller, accountId: string): boolean {
  const owner = CUSTOMERS.find(({ accounts }) => accounts.some(({ id }) => id === accountId));
  return owner === undefined || actsFor(caller, owner.id);
}

export function notYours(): Response {
  return problemAnswer({ status: 403, title: "Not allowed", detail: "this belongs to another customer" });
}
