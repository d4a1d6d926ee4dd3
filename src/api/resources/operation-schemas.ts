/** Saved operations as OpenAPI documents: https://developers.cloudflare.com/api/resources/api_gateway/subresources/schemas/ */
import { z } from "zod";
import { ok } from "../envelope.ts";
import { toOpenApiDocuments } from "../openapi-documents.ts";
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
      return ok({
        schemas: toOpenApiDocuments(operations, `Saved operations of zone ${name}`),
        timestamp: microTimestamp(at),
      });
    },
  }),
];
