/** Saved operations as OpenAPI documents: https://developers.cloudflare.com/api/resources/api_gateway/subresources/schemas/ */
import { z } from "zod";
import type { Operation } from "../../operation/index.ts";
import { ok } from "../envelope.ts";
import { permission, route } from "../route.ts";
import type { Route } from "../route.ts";
import { oneOrMore, queryText } from "../schemas/common.ts";
import { microTimestamp } from "../wire.ts";
import { zoneOf } from "../zone-access.ts";

export const operationSchemaRoutes: readonly Route[] = [
  route("GET", {
    path: "/zones/{zone_id}/api_gateway/schemas",
    summary: "Get the saved operations as OpenAPI documents, one for each host",
    access: permission("zone", "Read", "API Gateway"),
    query: z.object({
      host: oneOrMore(queryText).optional(),
      feature: oneOrMore(queryText).optional(),
      include_schema_kind: oneOrMore(queryText).optional(),
    }),
    result: z.object({ schemas: z.array(z.looseObject({})), timestamp: z.string() }),
    run: ({ params, query, store, at }) => {
      const { name } = zoneOf(store, params.zone_id);
      const operations = store
        .group("operations", params.zone_id)
        .map(({ operation }) => operation)
        .filter(({ host }) => query.host === undefined || query.host.includes(host));
      const byHost = Map.groupBy(operations, ({ host }) => host);
      const hosts = [...byHost.keys()].toSorted();
      return ok({
        schemas: hosts.map((host) => toDocument(name, host, byHost.get(host) ?? [])),
        timestamp: microTimestamp(at),
      });
    },
  }),
];

/** CONNECT is no method of a path item in OpenAPI 3.0: its operations are left out. */
function toDocument(zoneName: string, host: string, operations: readonly Operation[]) {
  const paths: Record<string, Record<string, unknown>> = Object.create(null) as Record<string, never>;
  const sorted = operations.toSorted((left, right) => (sortKey(left) < sortKey(right) ? -1 : 1));
  for (const operation of sorted) {
    if (operation.method === "CONNECT") continue;
    const item = (paths[operation.endpoint] ??= {});
    item[operation.method.toLowerCase()] = toPathOperation(operation);
  }
  return {
    openapi: "3.0.0",
    info: {
      title: `Schema of ${host}`,
      description: `Saved operations of zone ${zoneName}`,
      version: "1.0.0",
    },
    servers: [toServer(host)],
    paths,
  };
}

const sortKey = ({ endpoint, method }: Operation): string => `${endpoint} ${method}`;

function toPathOperation({ id, endpoint }: Operation) {
  const parameters = [...endpoint.matchAll(/\{(var\d+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  return {
    operationId: id,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: { default: { description: "any response" } },
  };
}

/** Variable labels of a host are variables of the server; OpenAPI wants a default for each. */
function toServer(host: string) {
  const names = [...host.matchAll(/\{(hostVar\d+)\}/g)].map(([, name]) => name ?? "");
  const variables = Object.fromEntries(names.map((name) => [name, { default: "www" }]));
  return { url: `https://${host}`, ...(names.length === 0 ? {} : { variables }) };
}
