/** Token configurations (`token_validation/config`): the tokens that session identifiers of type `jwt` read. */
import type { TokenConfig } from "../../engine/index.ts";
import { drawOperationId } from "../../operation/index.ts";
import type { Transaction, ZoneRow } from "../../store/index.ts";
import { audit } from "../audit.ts";
import { ok } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { etagOf } from "../etag.ts";
import { toPage } from "../paging.ts";
import { permission, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import {
  createTokenConfigBody,
  credentialsBody,
  credentialsShape,
  editTokenConfigBody,
  tokenConfig as shape,
  tokenConfigListQuery,
} from "../schemas/token-configs.ts";
import {
  checkedKeys,
  checkedSources,
  editedTokenConfig,
  tokenConfigOf,
  tokenConfigsOf,
  toWireCredentials,
  toWireTokenConfig,
  withoutTokenConfig,
  withTokenConfig,
} from "../token-configs.ts";
import { zoneOf } from "../zone-access.ts";

const READ = permission("zone", "Read", "API Gateway");
const WRITE = permission("zone", "Write", "API Gateway");
const all = "/zones/{zone_id}/token_validation/config";
const one = "/zones/{zone_id}/token_validation/config/{config_id}";
const credentials = "/zones/{zone_id}/token_validation/config/{config_id}/credentials";

export const tokenConfigRoutes: readonly Route[] = [
  route("GET", {
    path: all,
    summary: "List the token configurations",
    access: READ,
    query: tokenConfigListQuery,
    result: shape.array(),
    run: ({ params, store, query }) =>
      toPage(tokenConfigsOf(zoneOf(store, params.zone_id)), query, toWireTokenConfig),
  }),
  route("POST", {
    path: all,
    summary: "Create a token configuration",
    access: WRITE,
    body: createTokenConfigBody,
    result: shape,
    run: async (call) => {
      const { body } = call;
      const keys = await checkedKeys(body.credentials.keys, call.deps, "/credentials/keys");
      const created: TokenConfig = {
        id: drawOperationId(call.deps.random, new Set()),
        title: body.title,
        description: body.description,
        tokenSources: checkedSources(body.token_sources),
        keys,
        audience: body.audience ?? [],
        issuer: body.issuer ?? "",
        createdAt: call.at,
        lastUpdatedAt: call.at,
      };
      return change(call, (zone) => ({
        before: undefined,
        after: created,
        zone: withTokenConfig(zone, created),
      }));
    },
  }),
  route("GET", {
    path: one,
    summary: "Get a token configuration",
    access: READ,
    result: shape,
    run: ({ params, store }) => tagged(tokenConfigOf(zoneOf(store, params.zone_id), params.config_id)),
  }),
  route("PATCH", {
    path: one,
    summary: "Change a token configuration, its keys aside",
    access: WRITE,
    body: editTokenConfigBody,
    result: shape,
    run: (call) => edit(call, (before) => editedTokenConfig(before, call.body, call.at)),
  }),
  route("DELETE", {
    path: one,
    summary: "Delete a token configuration",
    access: WRITE,
    run: (call) =>
      change(call, (zone) => {
        const before = tokenConfigOf(zone, call.params.config_id);
        return { before, after: undefined, zone: withoutTokenConfig(zone, before) };
      }),
  }),
  ...(["PUT", "PATCH"] as const).map((method) =>
    route(method, {
      path: credentials,
      summary: "Replace the keys of a token configuration",
      access: WRITE,
      body: credentialsBody,
      result: credentialsShape,
      run: async (call) => {
        const keys = await checkedKeys(call.body.keys, call.deps, "/keys");
        edit(call, (before) => ({ ...before, keys, lastUpdatedAt: call.at }));
        return ok(toWireCredentials({ keys }));
      },
    }),
  ),
];

type ZoneCall = Pick<Call, "principal" | "write" | "checkPreconditions"> & {
  readonly params: { readonly zone_id: string };
};

interface Changed {
  readonly before: TokenConfig | undefined;
  readonly after: TokenConfig | undefined;
  readonly zone: ZoneRow;
}

function edit(
  call: ZoneCall & { readonly params: { readonly config_id: string } },
  change_: (before: TokenConfig) => TokenConfig,
): Reply {
  return change(call, (zone) => {
    const before = tokenConfigOf(zone, call.params.config_id);
    const after = change_(before);
    return { before, after, zone: withTokenConfig(zone, after) };
  });
}

function change(call: ZoneCall, work: (zone: ZoneRow, transaction: Transaction) => Changed): Reply {
  return call.write((transaction) => {
    const { before, after, zone } = work(zoneOf(transaction, call.params.zone_id), transaction);
    call.checkPreconditions(before === undefined ? undefined : etagOf(toWireTokenConfig(before)));
    transaction.put("zones", { ...zone, modifiedAt: transaction.at });
    const id = (after ?? before)?.id ?? "";
    audit(call, transaction, {
      action: before === undefined ? "create" : after === undefined ? "delete" : "update",
      type: "token_config",
      id,
      accountId: zone.accountId,
      zoneId: zone.id,
      before: before && toWireTokenConfig(before),
      after: after && toWireTokenConfig(after),
    });
    return after === undefined ? ok({ id }) : tagged(after);
  });
}

function tagged(config: TokenConfig): Reply {
  const wire = toWireTokenConfig(config);
  return ok(wire, { etag: etagOf(wire) });
}
