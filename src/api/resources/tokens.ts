/** Tokens of users and accounts: https://developers.cloudflare.com/api/resources/user/subresources/tokens/ */
import { z } from "zod";
import { newTokenText, randomId, tokenHash } from "../../store/index.ts";
import type { Scope, TokenPolicy, TokenRow, View } from "../../store/index.ts";
import { audit } from "../audit.ts";
import { tokenStatus } from "../auth.ts";
import { ok } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { apiError } from "../errors.ts";
import { etagOf } from "../etag.ts";
import { invalidValue } from "../issues.ts";
import { MAX_TOKENS } from "../limits.ts";
import { toPage, toSinglePage } from "../paging.ts";
import { isWithin, PERMISSION_GROUPS } from "../permissions.ts";
import { permission, route } from "../route.ts";
import type { Access, Call, Route } from "../route.ts";
import {
  createTokenBody,
  permissionGroup as permissionGroupShape,
  permissionGroupQuery,
  token as tokenShape,
  tokenListQuery,
  updateTokenBody,
} from "../schemas/tokens.ts";
import type { TokenBody } from "../schemas/tokens.ts";
import { requireManager } from "../token-managers.ts";
import { checkInstants, toPolicies, toTokenFacts, toWireToken } from "../tokens.ts";

export const tokenRoutes: readonly Route[] = (["user", "account"] as const).flatMap((owner) =>
  collectionRoutes(owner).concat(tokenRoutesOf(owner)),
);

type Owner = "user" | "account";

function pathOf(owner: Owner, rest = ""): string {
  return (owner === "user" ? "/user/tokens" : "/accounts/{account_id}/tokens") + rest;
}

function accessOf(owner: Owner, level: "Read" | "Write"): Access {
  return owner === "user"
    ? permission("user", level, "API Tokens")
    : permission("account", level, "Account API Tokens");
}

function scopeOf({ params }: Call, owner: Owner): Scope {
  return owner === "user" ? "user" : `account:${params["account_id"] ?? ""}`;
}

function collectionRoutes(owner: Owner): readonly Route[] {
  return [
    route("GET", {
      path: pathOf(owner, "/permission_groups"),
      summary: "List the permissions that tokens can have",
      access: accessOf(owner, "Read"),
      query: permissionGroupQuery,
      result: z.array(permissionGroupShape),
      run: ({ query }) => toSinglePage(permissionGroups(query)),
    }),
    route("GET", {
      path: pathOf(owner),
      summary: `List the tokens of the ${owner}`,
      access: accessOf(owner, "Read"),
      query: tokenListQuery,
      result: z.array(tokenShape),
      run: (call) => {
        const { query, store, at } = call;
        const rows = store
          .group("tokens", scopeOf(call, owner))
          .filter((token) => query.include_expired === "true" || tokenStatus(token, at) !== "expired")
          .toSorted((left, right) => left.issuedAt - right.issuedAt || (left.id < right.id ? -1 : 1));
        return toPage(query.direction === "desc" ? rows.toReversed() : rows, query, (token) =>
          toWireToken(token, at),
        );
      },
    }),
    route("POST", {
      path: pathOf(owner),
      summary: "Create a token; its text is in this answer and nowhere else",
      access: accessOf(owner, "Write"),
      body: createTokenBody,
      result: tokenShape.extend({ value: z.string() }),
      run: (call) => create(call, scopeOf(call, owner), call.body),
    }),
  ];
}

function tokenRoutesOf(owner: Owner): readonly Route[] {
  return [
    route("GET", {
      path: pathOf(owner, "/{token_id}"),
      summary: "Get a token without its text",
      access: accessOf(owner, "Read"),
      result: tokenShape,
      run: (call) => okToken(tokenOf(call, call.store, owner), call.at),
    }),
    route("PUT", {
      path: pathOf(owner, "/{token_id}"),
      summary: "Replace what a token is called and may do",
      access: accessOf(owner, "Write"),
      body: updateTokenBody,
      result: tokenShape,
      run: (call) => update(call, owner, call.body),
    }),
    route("DELETE", {
      path: pathOf(owner, "/{token_id}"),
      summary: "Delete a token",
      access: accessOf(owner, "Write"),
      run: (call) =>
        call.write((transaction) => {
          const token = ownedToken(call, transaction, owner);
          transaction.delete("tokens", token.id);
          requireManager(transaction, token);
          auditToken(call, transaction, { action: "delete", before: token, after: undefined });
          return ok({ id: token.id });
        }),
    }),
    route("PUT", {
      path: pathOf(owner, "/{token_id}/value"),
      summary: "Give a token a new text; the old one ends at once",
      access: accessOf(owner, "Write"),
      result: z.string(),
      run: (call) =>
        call.write((transaction) => {
          const token = ownedToken(call, transaction, owner);
          const text = newTokenText(call.deps.random);
          const after = { ...token, hash: tokenHash(text), modifiedAt: transaction.at };
          transaction.put("tokens", after);
          auditToken(call, transaction, { action: "roll", before: token, after });
          return ok(text);
        }),
    }),
  ];
}

function permissionGroups({ name, scope }: z.output<typeof permissionGroupQuery>): readonly unknown[] {
  return PERMISSION_GROUPS.map((group) => ({
    id: group.id,
    name: group.name,
    scopes: [SCOPES[group.kind]] as readonly string[],
    is_selectable: true,
  })).filter(
    (group) =>
      (name === undefined || group.name === decoded(name)) &&
      (scope === undefined || group.scopes.includes(scope)),
  );
}

/** The original wants this name percent-encoded once more than a query has it. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const SCOPES = {
  zone: "com.cloudflare.api.account.zone",
  account: "com.cloudflare.api.account",
  user: "com.cloudflare.api.user",
} as const;

function create(call: Call, scope: Scope, body: TokenBody): Reply {
  checkInstants(body, call.at);
  return call.write((transaction) => {
    if (transaction.all("tokens").length >= MAX_TOKENS) {
      throw invalidValue("", body.name, `there are at most ${MAX_TOKENS} tokens`, "limit_reached");
    }
    const policies = toPolicies(body.policies, { view: transaction, scope, random: call.deps.random });
    requireWithin(call, policies);
    const text = newTokenText(call.deps.random);
    const token: TokenRow = {
      id: randomId(call.deps.random),
      scope,
      hash: tokenHash(text),
      disabled: false,
      ...toTokenFacts(body, policies),
      issuedAt: transaction.at,
      modifiedAt: transaction.at,
    };
    transaction.put("tokens", token);
    auditToken(call, transaction, { action: "create", before: undefined, after: token });
    return ok({ ...toWireToken(token, transaction.at), value: text });
  });
}

function update(call: Call, owner: Owner, body: TokenBody): Reply {
  return call.write((transaction) => {
    const before = ownedToken(call, transaction, owner);
    // An expiry that has passed may stay as it was: the token can still be renamed or disabled.
    if (body.expires_on !== before.expiresAt) checkInstants(body, call.at);
    const context = { view: transaction, scope: before.scope, random: call.deps.random };
    const policies = toPolicies(body.policies, context);
    requireWithin(call, policies);
    const after: TokenRow = {
      ...before,
      ...toTokenFacts(body, policies),
      disabled: body.status === undefined ? before.disabled : body.status === "disabled",
      modifiedAt: transaction.at,
    };
    transaction.put("tokens", after);
    requireManager(transaction, before);
    auditToken(call, transaction, { action: "update", before, after });
    return okToken(after, call.at);
  });
}

function okToken(token: TokenRow, at: number): Reply {
  return ok(toWireToken(token, at), { etag: tokenEtag(token, at) });
}

const tokenEtag = (token: TokenRow, at: number): string => etagOf(toWireToken(token, at));

function tokenOf(call: Call, view: View, owner: Owner): TokenRow {
  const token = view.get("tokens", call.params["token_id"] ?? "");
  if (token === undefined || token.scope !== scopeOf(call, owner)) {
    throw apiError("no_token", "could not find token: no token has this id");
  }
  return token;
}

/** A token that the caller may change: rolling one with more permissions would hand those over. */
function ownedToken(call: Call, view: View, owner: Owner): TokenRow {
  const token = tokenOf(call, view, owner);
  call.checkPreconditions(tokenEtag(token, call.at));
  requireWithin(call, token.policies);
  return token;
}

/** Nobody hands out, or takes over, permissions that they do not have. */
function requireWithin({ principal }: Call, policies: readonly TokenPolicy[]): void {
  if (isWithin(policies, principal.token.policies)) return;
  throw apiError("not_permitted", "Authentication error: the token has permissions that yours lacks");
}

function auditToken(
  call: Call,
  transaction: Parameters<Parameters<Call["write"]>[0]>[0],
  change: {
    readonly action: "create" | "update" | "delete" | "roll";
    readonly before: TokenRow | undefined;
    readonly after: TokenRow | undefined;
  },
): void {
  const { action, before, after } = change;
  const token = after ?? before;
  if (token === undefined) return;
  audit(call, transaction, {
    action,
    type: "token",
    id: token.id,
    // Users belong to no account here; what they do is shown in the default one.
    accountId: token.scope === "user" ? call.store.defaultAccountId : token.scope.slice("account:".length),
    before: before && toWireToken(before, transaction.at),
    after: after && toWireToken(after, transaction.at),
  });
}
