/**
 * Uploaded schemas, at their present place and at the deprecated one:
 * https://developers.cloudflare.com/api/resources/schema_validation/subresources/schemas/ and
 * https://developers.cloudflare.com/api/resources/api_gateway/subresources/user_schemas/
 */
import { z } from "zod";
import type { SchemaRow } from "../../store/index.ts";
import { bare, ok } from "../envelope.ts";
import type { Message, Reply } from "../envelope.ts";
import { API_ERRORS } from "../errors.ts";
import { MAX_SCHEMA_BODY_BYTES } from "../limits.ts";
import { toPage } from "../paging.ts";
import { permission, route } from "../route.ts";
import type { Route } from "../route.ts";
import {
  createSchemaBody,
  createSchemaForm,
  editSchemaBody,
  schema as shape,
  schemaGetQuery,
  schemaHosts,
  schemaListQuery,
  schemaOperation,
  schemaOperationsQuery,
  uploadedSchema,
} from "../schemas/schemas.ts";
import {
  deleteSchema,
  refuseValidation,
  schemaHostsOf,
  schemaOf,
  schemaOperations,
  schemasOf,
  toWarnings,
  toWireSchema,
  uploadSchema,
} from "../uploaded-schemas.ts";
import { microTimestamp, toWireOperation } from "../wire.ts";

const READ = permission("zone", "Read", "API Gateway");
const WRITE = permission("zone", "Write", "API Gateway");
const current = "/zones/{zone_id}/schema_validation/schemas";
const older = "/zones/{zone_id}/api_gateway/user_schemas";

/** Parts of a document that are told of beside the answer; the preview has all of them. */
const MAX_MESSAGES = 50;

export const schemaRoutes: readonly Route[] = [
  route("POST", {
    path: current,
    summary: "Upload an OpenAPI document; it creates no operations yet",
    access: WRITE,
    body: createSchemaBody,
    result: shape,
    maxBodyBytes: MAX_SCHEMA_BODY_BYTES,
    run: async (call) => {
      const { name, source, validation_enabled: validationEnabled } = call.body;
      const row = await uploadSchema(call, { name, source, validationEnabled, pointer: "/source" });
      return ok(toWireSchema(row), { messages: messagesOf(row) });
    },
  }),
  route("POST", {
    path: older,
    summary: "Upload an OpenAPI document as a form (deprecated by the original)",
    access: WRITE,
    body: createSchemaForm,
    takesForm: true,
    result: uploadedSchema,
    maxBodyBytes: MAX_SCHEMA_BODY_BYTES,
    run: async (call) => {
      const { file: source, name = "schema", validation_enabled: enabled } = call.body;
      const validationEnabled = enabled === "true";
      const row = await uploadSchema(call, { name, source, validationEnabled, pointer: "/file" });
      return ok({
        schema: toWireSchema(row),
        upload_details: { warnings: toWarnings(row.contents.skipped) },
      });
    },
  }),
  ...listRoutes(current),
  ...listRoutes(older),
  ...documentRoutes(current, ok(null)),
  ...documentRoutes(older, bare([])),
];

/** Everything else is the same at both places. */
function listRoutes(all: typeof current | typeof older): readonly Route[] {
  return [
    route("GET", {
      path: all,
      summary: "List the uploaded OpenAPI documents",
      access: READ,
      query: schemaListQuery,
      result: z.array(shape),
      run: ({ params, query, store }) => {
        const rows = query.validation_enabled === true ? [] : schemasOf(store, params.zone_id);
        return toPage(rows, query, (row) => toWireSchema(row, query.omit_source));
      },
    }),
    route("GET", {
      path: `${all}/hosts`,
      summary: "List the hosts of each uploaded OpenAPI document",
      access: READ,
      query: schemaListQuery,
      result: z.array(schemaHosts),
      run: ({ params, query, store }) =>
        toPage(schemasOf(store, params.zone_id), query, (row) => ({
          schema_id: row.id,
          name: row.name,
          created_at: microTimestamp(row.createdAt),
          hosts: schemaHostsOf(store, row),
        })),
    }),
  ];
}

function documentRoutes(all: typeof current | typeof older, afterDelete: Reply): readonly Route[] {
  const one = `${all}/{schema_id}` as const;
  return [
    route("GET", {
      path: one,
      summary: "Get an uploaded OpenAPI document",
      access: READ,
      query: schemaGetQuery,
      result: shape,
      run: ({ params, query, store }) =>
        ok(toWireSchema(schemaOf(store, params.zone_id, params.schema_id), query.omit_source)),
    }),
    route("PATCH", {
      path: one,
      summary: "Switch validation, which stays off: requests are not validated against schemas",
      access: WRITE,
      body: editSchemaBody,
      result: shape,
      run: ({ params, body, store }) => {
        const row = schemaOf(store, params.zone_id, params.schema_id);
        refuseValidation(body?.validation_enabled);
        return ok(toWireSchema(row));
      },
    }),
    route("DELETE", {
      path: one,
      summary: "Delete an uploaded OpenAPI document; operations made of it stay",
      access: WRITE,
      run: (call) => {
        deleteSchema(call, call.params.schema_id);
        return afterDelete;
      },
    }),
    route("GET", {
      path: `${one}/operations`,
      summary: "List the operations of an uploaded OpenAPI document, saved or not",
      access: READ,
      query: schemaOperationsQuery,
      result: z.array(schemaOperation),
      run: ({ params, query, store }) => {
        const row = schemaOf(store, params.zone_id, params.schema_id);
        const wanted = schemaOperations(store, row).filter((operation) => matches(operation, query));
        const features = query.feature === undefined ? {} : { features: {} };
        return toPage(wanted, query, ({ saved, method, host, endpoint }) =>
          saved === undefined ? { method, host, endpoint } : toWireOperation(saved, features),
        );
      },
    }),
  ];
}

function matches(
  { method, host, endpoint, saved }: ReturnType<typeof schemaOperations>[number],
  query: z.output<typeof schemaOperationsQuery>,
): boolean {
  const { operation_status: status, host: hosts, method: methods, endpoint: part } = query;
  return (
    (status === undefined || (status === "existing") === (saved !== undefined)) &&
    (hosts === undefined || hosts.includes(host)) &&
    (methods === undefined || methods.includes(method)) &&
    (part === undefined || endpoint.includes(part))
  );
}

function messagesOf({ contents }: SchemaRow): readonly Message[] {
  return contents.skipped.slice(0, MAX_MESSAGES).map(({ pointer, reason }) => ({
    code: API_ERRORS.not_supported.code,
    message: `no operation is made of \`${pointer}\`: ${reason}`,
  }));
}
