/** The bank's routes: the API of the four operations, the log-in of its app, and its pages. */
import { assertBodySize, H3 } from "h3";
import type { H3Event, HTTPError } from "h3";
import { jsonAnswer, problemAnswer } from "./answers.ts";
import { actsFor, callerOf, login, LOGIN_PATH, notYours, owns } from "./app-access.ts";
import type { Caller } from "./app-access.ts";
import type { AppTokens } from "./app-tokens.ts";
import { CURRENCY, CUSTOMERS } from "./customers.ts";
import type { Customer } from "./customers.ts";
import type { Ledger } from "./ledger.ts";
import { MAX_BODY_BYTES } from "./limits.ts";
import { BANK_OPERATIONS } from "./operations.ts";
import type { Pages } from "./pages.ts";
import { parseTransfer } from "./transfer-body.ts";

export interface BankParts {
  readonly ledger: Ledger;
  readonly pages: Pages;
  readonly tokens: AppTokens;
  /** Epoch ms. */
  readonly now: () => number;
  readonly random: (lengthBytes: number) => Uint8Array;
}

const API_PREFIX = "/api/";

interface Request {
  readonly event: H3Event;
  readonly caller: Caller;
}

type Handler = (request: Request, parts: BankParts) => Response | Promise<Response>;

const HANDLERS: Readonly<Record<(typeof BANK_OPERATIONS)[number]["endpoint"], Handler>> = {
  "/api/v1/users/{user_id}/accounts": (request) => withCustomer(request, accountsOf),
  "/api/v1/users/{user_id}/profile": (request) => withCustomer(request, profileOf),
  "/api/v1/accounts/{account_id}/balance": balance,
  "/api/v1/transferFunds": transferFunds,
};

export function createBankApp(parts: BankParts): H3 {
  const app = new H3({ silent: true, onError: answerError });
  for (const { method, endpoint } of BANK_OPERATIONS) {
    const handle = HANDLERS[endpoint];
    const allow = method === "GET" ? "GET, HEAD" : method;
    app.all(endpoint.replaceAll(/\{(\w+)\}/g, ":$1"), async (event) => {
      if (!isAllowed(event, allow)) return methodNotAllowed(allow);
      const caller = await callerOf(event, parts.tokens);
      return caller instanceof Response ? caller : handle({ event, caller }, parts);
    });
  }
  app.all(LOGIN_PATH, async (event) => {
    if (!isAllowed(event, "POST")) return methodNotAllowed("POST");
    const body = await readJson(event);
    return body instanceof Response ? body : login(event, body.value, parts.tokens);
  });
  app.all("/**", (event) => other(event, parts.pages));
  return app;
}

function withCustomer({ event, caller }: Request, show: (customer: Customer) => unknown): Response {
  const customer = CUSTOMERS.find(({ id }) => id === event.context.params?.["user_id"]);
  if (customer === undefined) return notFound("no such user");
  return actsFor(caller, customer.id) ? jsonAnswer(200, show(customer)) : notYours();
}

function accountsOf(customer: Customer): unknown {
  return {
    user_id: customer.id,
    accounts: customer.accounts.map(({ id, name }) => ({ account_id: id, name, currency: CURRENCY })),
  };
}

function profileOf(customer: Customer): unknown {
  return {
    user_id: customer.id,
    name: customer.name,
    email: customer.email,
    member_since: customer.memberSince,
    account_ids: customer.accounts.map(({ id }) => id),
  };
}

function balance({ event, caller }: Request, { ledger, now }: BankParts): Response {
  const accountId = event.context.params?.["account_id"] ?? "";
  if (!owns(caller, accountId)) return notYours();
  const cents = ledger.balanceOf(accountId);
  return cents === undefined
    ? notFound("no such account")
    : jsonAnswer(200, {
        account_id: accountId,
        balance: cents,
        currency: CURRENCY,
        as_of: new Date(now()).toISOString(),
      });
}

async function transferFunds({ event, caller }: Request, parts: BankParts): Promise<Response> {
  const { ledger, now, random } = parts;
  const body = await readJson(event);
  if (body instanceof Response) return body;
  const parsed = parseTransfer(body.value);
  if (parsed.kind === "violations") {
    return problemAnswer({
      status: 400,
      title: "The transfer is not valid",
      detail: parsed.violations.map(({ pointer, detail }) => `\`${pointer}\`: ${detail}`).join("; "),
      errors: parsed.violations,
    });
  }
  const { from, to, cents } = parsed.transfer;
  if (!owns(caller, from)) return notYours();
  const outcome = ledger.transfer(parsed.transfer);
  if (outcome.kind === "unknown-account") {
    return problemAnswer({
      status: 422,
      title: "No such account",
      detail: `\`/${outcome.side}\`: no such account`,
      errors: [{ pointer: `/${outcome.side}`, detail: "no such account" }],
    });
  }
  if (outcome.kind === "insufficient-funds") {
    return problemAnswer({
      status: 422,
      title: "Insufficient funds",
      detail: "the account does not hold that much",
      errors: [{ pointer: "/amount", detail: "more than the account holds" }],
    });
  }
  return jsonAnswer(200, {
    transfer_id: Buffer.from(random(8)).toString("hex"),
    from,
    to,
    amount: cents,
    currency: CURRENCY,
    completed_at: new Date(now()).toISOString(),
  });
}

/** Only JSON: a form on another site cannot send it without the bank's consent (no CORS headers are given). */
async function readJson(event: H3Event): Promise<{ readonly value: unknown } | Response> {
  if (!/^application\/json\s*(?:;|$)/i.test(event.req.headers.get("content-type") ?? "")) {
    return problemAnswer({
      status: 415,
      title: "Unsupported media type",
      detail: "expected a body of type `application/json`",
    });
  }
  assertBodySize(event, MAX_BODY_BYTES);
  return { value: parseJson(await event.req.text()) };
}

/** @returns undefined for text that is no JSON, which is nothing that the bank understands either */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Pages, and what is not there. */
function other(event: H3Event, pages: Pages): Response {
  const path = event.url.pathname;
  if (path.startsWith(API_PREFIX)) return notFound("no such resource");
  const allow = "GET, HEAD";
  if (!isAllowed(event, allow)) return methodNotAllowed(allow);
  return pages.find(path, event.req.headers.get("if-none-match")) ?? pages.notFound();
}

function isAllowed(event: H3Event, allow: string): boolean {
  return allow.split(", ").includes(event.req.method);
}

function methodNotAllowed(allow: string): Response {
  const detail = `expected one of: ${allow}`;
  return problemAnswer({ status: 405, title: "Method not allowed", detail }, { allow });
}

function notFound(detail: string): Response {
  return problemAnswer({ status: 404, title: "Not found", detail });
}

/** Errors of the framework (a body over the bound, a malformed path) and our own mistakes, without their text. */
function answerError(error: HTTPError): Response {
  const isOwnFault = error.unhandled === true || error.status >= 500;
  return isOwnFault
    ? problemAnswer({ status: 500, title: "Internal error", detail: "the bank made a mistake" })
    : problemAnswer({
        status: error.status,
        title: error.status === 413 ? "Body too large" : "Bad request",
        detail:
          error.status === 413
            ? `expected at most ${MAX_BODY_BYTES} bytes`
            : "the request is not well-formed",
      });
}
