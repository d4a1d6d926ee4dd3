/** Operations out of an uploaded OpenAPI document: first what would be created, then creating it (extension of Stepgate). */
import { ok } from "../envelope.ts";
import { invalid } from "../issues.ts";
import { saveAudited } from "../operation-changes.ts";
import { permission, route } from "../route.ts";
import type { Route } from "../route.ts";
import { createdFromSchema, createFromSchemaBody, preview, previewQuery } from "../schemas/schemas.ts";
import { schemaOf, schemaOperations } from "../uploaded-schemas.ts";
import type { SchemaOperation } from "../uploaded-schemas.ts";
import { toWireOperation } from "../wire.ts";

const path = "/zones/{zone_id}/stepgate/schemas/{schema_id}/operations";

export const schemaOperationRoutes: readonly Route[] = [
  route("GET", {
    path,
    summary: "Preview the operations that an uploaded OpenAPI document makes (extension of Stepgate)",
    access: permission("zone", "Read", "API Gateway"),
    query: previewQuery,
    result: preview,
    run: ({ params, query, store }) => {
      const row = schemaOf(store, params.zone_id, params.schema_id);
      const operations = schemaOperations(store, row, query.host);
      return ok({
        new: operations
          .filter(({ saved }) => saved === undefined)
          .map(({ method, host, endpoint, pointer }) => ({ method, host, endpoint, pointer })),
        existing: operations.flatMap(({ saved, pointer }) =>
          saved === undefined ? [] : toWireOperation(saved, { pointer }),
        ),
        skipped: row.contents.skipped,
      });
    },
  }),
  route("POST", {
    path,
    summary: "Create the operations of an uploaded OpenAPI document (extension of Stepgate)",
    access: permission("zone", "Write", "API Gateway"),
    body: createFromSchemaBody,
    result: createdFromSchema,
    run: (call) =>
      call.write((transaction) => {
        const row = schemaOf(transaction, call.params.zone_id, call.params.schema_id);
        const wanted = chosen(schemaOperations(transaction, row, call.body?.host), call.body?.pointers);
        const fresh = wanted.filter(({ saved }) => saved === undefined);
        const created = saveAudited(
          call,
          transaction,
          fresh.map(({ method, host, endpoint }) => ({ kind: "operation_input", method, host, endpoint })),
        );
        return ok({
          created: created.map((operation) => toWireOperation(operation)),
          existing: wanted.flatMap(({ saved }) => (saved === undefined ? [] : toWireOperation(saved))),
          skipped: row.contents.skipped,
        });
      }),
  }),
];

/** @throws {ApiError} `unknown_reference` for pointers that no operation of the document has */
function chosen(
  operations: readonly SchemaOperation[],
  pointers: readonly string[] | undefined,
): readonly SchemaOperation[] {
  if (pointers === undefined) return operations;
  const known = new Set(operations.map(({ pointer }) => pointer));
  const issues = pointers.flatMap((pointer, index) =>
    known.has(pointer)
      ? []
      : [
          {
            name: "unknown_reference" as const,
            pointer: `/pointers/${index}`,
            value: pointer,
            reason: "no operation is made of this part of the schema; see its preview",
          },
        ],
  );
  if (issues.length > 0) throw invalid(issues);
  const wanted = new Set(pointers);
  return operations.filter(({ pointer }) => wanted.has(pointer));
}
