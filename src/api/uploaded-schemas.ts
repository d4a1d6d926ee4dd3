/** Uploaded OpenAPI documents: kept as they came, and what they say about a zone's operations. */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { drawOperationId, normalizeHostTemplate } from "../operation/index.ts";
import type { CheckedOperationInput, Operation, SkippedPart } from "../operation/index.ts";
import { operationKey, operationUnique } from "../store/index.ts";
import type { SchemaRow, Transaction, View, ZoneRow } from "../store/index.ts";
import { API_ERRORS, ApiError, apiError } from "./errors.ts";
import { invalidValue } from "./issues.ts";
import { MAX_SCHEMAS } from "./limits.ts";
import { audit } from "./audit.ts";
import { readOpenApi } from "./read-openapi.ts";
import type { TypedCall } from "./route.ts";
import { microTimestamp } from "./wire.ts";
import { zoneOf } from "./zone-access.ts";

type ZoneCall = Pick<TypedCall<"/{zone_id}", unknown, unknown>, "params" | "deps" | "principal" | "write">;

export interface SchemaUpload {
  readonly name: string;
  readonly source: string;
  readonly validationEnabled: boolean;
  /** JSON pointer of the member that the text came in. */
  readonly pointer: string;
}

/** @throws {ApiError} `invalid_schema` with everything that is wrong with the document, or `limit_reached` */
export async function uploadSchema(call: ZoneCall, upload: SchemaUpload): Promise<SchemaRow> {
  refuseValidation(upload.validationEnabled);
  const read = await readOpenApi(upload.source);
  if (read.kind === "error") {
    const { code, status } = API_ERRORS.invalid_schema;
    throw new ApiError(
      status,
      read.problems.map(({ pointer, reason }) => ({
        code,
        message: `the schema is not valid${pointer === undefined ? "" : ` at \`${pointer}\``}: ${reason}`,
        source: { pointer: upload.pointer },
      })),
    );
  }
  const { params, deps } = call;
  const { operations, skipped } = read;
  const deflated = new Uint8Array(deflateRawSync(upload.source));
  return call.write((transaction) => {
    const zone = zoneOf(transaction, params.zone_id);
    if (transaction.count("schemas", zone.id) >= MAX_SCHEMAS) {
      throw invalidValue("", upload.name, `a zone has at most ${MAX_SCHEMAS} schemas`, "limit_reached");
    }
    const row: SchemaRow = {
      id: drawOperationId(deps.random, new Set()),
      zoneId: zone.id,
      name: upload.name,
      createdAt: transaction.at,
      deflated,
      contents: { operations, skipped },
    };
    transaction.put("schemas", row);
    auditSchema(call, transaction, "create", row);
    return row;
  });
}

/**
 * Requests are not checked against schemas. Whoever asks for that must not believe that it happens.
 *
 * @throws {ApiError} `not_supported`
 */
export function refuseValidation(validationEnabled: boolean | undefined): void {
  if (validationEnabled !== true) return;
  throw invalidValue(
    "/validation_enabled",
    true,
    "schemas are taken to make operations of them, and requests are not validated against them; write `false`",
    "not_supported",
  );
}

export function deleteSchema(call: ZoneCall, schemaId: string): void {
  call.write((transaction) => {
    const row = schemaOf(transaction, call.params.zone_id, schemaId);
    transaction.delete("schemas", operationKey(row.zoneId, row.id));
    auditSchema(call, transaction, "delete", row);
  });
}

/** @throws {ApiError} `no_schema` */
export function schemaOf(view: View, zoneId: string, schemaId: string): SchemaRow {
  const row = view.get("schemas", operationKey(zoneId, schemaId.toLowerCase()));
  if (row === undefined) throw apiError("no_schema", "schema not found: no schema has this id");
  return row;
}

/** Oldest first. */
export function schemasOf(view: View, zoneId: string): readonly SchemaRow[] {
  return view
    .group("schemas", zoneId)
    .toSorted((left, right) => left.createdAt - right.createdAt || (left.id < right.id ? -1 : 1));
}

export function toWireSchema({ id, name, createdAt, deflated }: SchemaRow, omitSource = false) {
  return {
    schema_id: id,
    name,
    kind: "openapi_v3",
    ...(omitSource ? {} : { source: inflateRawSync(deflated).toString() }),
    created_at: microTimestamp(createdAt),
    validation_enabled: false,
  };
}

/** What can be told apart about one operation of a document. */
export interface SchemaOperation extends Omit<CheckedOperationInput, "kind"> {
  readonly pointer: string;
  /** The saved operation that it is. */
  readonly saved: Operation | undefined;
}

/**
 * @param host where the operations lie, whatever the document says; its own hosts unless given, and the zone's where
 *   it names none
 * @throws {ApiError} `invalid_value` for text that is no host
 */
export function schemaOperations(view: View, row: SchemaRow, host?: string): readonly SchemaOperation[] {
  const given = host === undefined ? undefined : checkedHost(host);
  const fallback = hostOf(zoneOf(view, row.zoneId));
  const seen = new Set<string>();
  return row.contents.operations.flatMap(({ pointer, method, endpoint, host: own }) => {
    const place = { method, host: given ?? own ?? fallback, endpoint };
    const unique = operationUnique(row.zoneId, place);
    if (seen.has(unique)) return [];
    seen.add(unique);
    return { ...place, pointer, saved: view.find("operations", unique)?.operation };
  });
}

/** Hosts of a document's operations, as they would be saved. */
export function schemaHostsOf(view: View, row: SchemaRow): readonly string[] {
  return [...new Set(schemaOperations(view, row).map(({ host }) => host))].toSorted();
}

function checkedHost(text: string): string {
  const normalized = normalizeHostTemplate(text);
  if (normalized.kind === "error") throw invalidValue("/host", text, normalized.reason);
  return normalized.host;
}

function hostOf({ name, hosts }: ZoneRow): string {
  return hosts.includes(name) ? name : (hosts[0] ?? name);
}

/** Parts of a document that no operation can be made of, as diagnostics of the original: with JSONPath locations. */
export function toWarnings(skipped: readonly SkippedPart[]) {
  return skipped.map(({ pointer, reason }) => ({
    code: API_ERRORS.not_supported.code,
    locations: [toJsonPath(pointer)],
    message: reason,
  }));
}

/** `/paths/~1a/get` → `$['paths']['/a']['get']` (RFC 9535, normalized paths). */
function toJsonPath(pointer: string): string {
  const parts = pointer.split("/").slice(1);
  return `$${parts
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~").replaceAll(/['\\]/g, "\\$&"))
    .map((member) => `['${member}']`)
    .join("")}`;
}

function auditSchema(
  call: ZoneCall,
  transaction: Transaction,
  action: "create" | "delete",
  row: SchemaRow,
): void {
  const zone = zoneOf(transaction, row.zoneId);
  const wire = toWireSchema(row, true);
  audit(call, transaction, {
    action,
    type: "schema",
    id: row.id,
    accountId: zone.accountId,
    zoneId: zone.id,
    ...(action === "create" ? { after: wire } : { before: wire }),
  });
}
