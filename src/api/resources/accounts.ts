/** Accounts, and what happened in them: https://developers.cloudflare.com/api/resources/audit_logs/ */
import { z } from "zod";
import type { AccountRow, AuditEntry } from "../../store/index.ts";
import { ok } from "../envelope.ts";
import { instantOf } from "../instant.ts";
import { pageQuery, toPage } from "../paging.ts";
import { ANY_TOKEN, permission, route } from "../route.ts";
import type { Route } from "../route.ts";
import { direction, queryText } from "../schemas/common.ts";
import { timestamp } from "../wire.ts";

const accountShape = z.object({ id: z.string(), name: z.string(), type: z.string(), created_on: z.string() });

const auditQuery = z.object({
  ...pageQuery,
  id: queryText.optional(),
  "action.type": queryText.optional(),
  "actor.ip": queryText.optional(),
  "actor.email": queryText.optional(),
  "zone.name": queryText.optional(),
  before: queryText.optional(),
  since: queryText.optional(),
  direction: direction.default("desc"),
});

const auditShape = z.looseObject({
  id: z.string(),
  action: z.object({ type: z.string(), result: z.boolean() }),
  actor: z.looseObject({ id: z.string() }),
  when: z.string(),
});

export const accountRoutes: readonly Route[] = [
  route("GET", {
    path: "/accounts",
    summary: "List the accounts that the token may read",
    access: ANY_TOKEN,
    query: z.object(pageQuery),
    result: z.array(accountShape),
    run: ({ query, store, isAllowed }) =>
      toPage(
        store
          .all("accounts")
          .filter(({ id }) => isAllowed(["Account Settings"], "Read", { kind: "account", id })),
        query,
        toWireAccount,
      ),
  }),
  route("GET", {
    path: "/accounts/{account_id}",
    summary: "Get an account",
    access: permission("account", "Read", "Account Settings"),
    result: accountShape,
    // The access check found it.
    run: ({ params, store }) => ok(toWireAccount(store.get("accounts", params.account_id) as AccountRow)),
  }),
  route("GET", {
    path: "/accounts/{account_id}/audit_logs",
    summary: "List who changed what",
    access: permission("account", "Read", "Account Settings"),
    query: auditQuery,
    result: z.array(auditShape),
    run: ({ params, query, store }) => {
      const { page, per_page: perPage } = query;
      const zoneName = query["zone.name"];
      // A zone of an unknown name has done nothing; nobody has an email address here.
      const zone = zoneName === undefined ? undefined : store.find("zones", zoneName);
      const isEmpty = (zoneName !== undefined && zone === undefined) || query["actor.email"] !== undefined;
      const entries = isEmpty
        ? []
        : store.auditLog({
            accountId: params.account_id,
            ...(query.id === undefined ? {} : { id: query.id }),
            ...(query["action.type"] === undefined ? {} : { action: query["action.type"] }),
            ...(query["actor.ip"] === undefined ? {} : { actorIp: query["actor.ip"] }),
            ...(zone === undefined ? {} : { zoneId: zone.id }),
            ...(query.since === undefined ? {} : { since: instantOf("since", query.since) }),
            ...(query.before === undefined ? {} : { before: instantOf("before", query.before) }),
            direction: query.direction,
            offset: (page - 1) * perPage,
            limit: perPage,
          });
      return ok(entries.map(toWireEntry), {
        resultInfo: { page, per_page: perPage, count: entries.length },
      });
    },
  }),
];

function toWireAccount({ id, name, createdAt }: AccountRow) {
  return { id, name, type: "standard", created_on: timestamp(createdAt) };
}

function toWireEntry(entry: AuditEntry) {
  return {
    id: entry.id,
    when: timestamp(entry.at),
    action: { type: entry.action, result: true },
    actor: {
      id: entry.actor.id,
      type: entry.actor.type === "token" ? "user" : "Cloudflare",
      ...(entry.actor.ip === null ? {} : { ip: entry.actor.ip }),
    },
    interface: entry.actor.type === "token" ? "API" : "CLI",
    owner: { id: entry.accountId },
    resource: { id: entry.resource.id, type: entry.resource.type },
    metadata: entry.zoneId === null ? {} : { zone_id: entry.zoneId },
    // Text in the original; the JSON of the value is in the members beside it.
    oldValue: entry.before === null ? "" : JSON.stringify(entry.before),
    newValue: entry.after === null ? "" : JSON.stringify(entry.after),
    oldValueJson: entry.before,
    newValueJson: entry.after,
  };
}
