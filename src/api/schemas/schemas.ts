/** Shapes of uploaded schemas and of what is made of them. */
import { z } from "zod";
import { OPERATION_METHODS } from "../../operation/index.ts";
import { MAX_SCHEMA_CHARACTERS } from "../limits.ts";
import { pageQuery } from "../paging.ts";
import { oneOrMore, queryText } from "./common.ts";
import { operation } from "./operations.ts";

const kind = z.literal("openapi_v3");
const name = z.string().min(1).max(256);
const source = z.string().min(1).max(MAX_SCHEMA_CHARACTERS);

export const createSchemaBody = z.looseObject({ kind, name, source, validation_enabled: z.boolean() });

/** Fields of a form are texts. */
export const createSchemaForm = z.looseObject({
  file: source,
  kind,
  name: name.optional(),
  validation_enabled: z.enum(["true", "false"]).default("false"),
});

export const editSchemaBody = z.looseObject({ validation_enabled: z.boolean().optional() }).optional();

export const schema = z.object({
  schema_id: z.string(),
  name: z.string(),
  kind,
  source: z.string().optional(),
  created_at: z.string(),
  validation_enabled: z.literal(false),
});

const queryFlag = z.enum(["true", "false"]).transform((text) => text === "true");

export const schemaGetQuery = z.object({ omit_source: queryFlag.default(false) });

export const schemaListQuery = z.object({
  ...pageQuery,
  omit_source: queryFlag.default(false),
  validation_enabled: queryFlag.optional(),
});

export const schemaHosts = z.object({
  schema_id: z.string(),
  name: z.string(),
  created_at: z.string(),
  hosts: z.array(z.string()),
});

export const schemaOperationsQuery = z.object({
  ...pageQuery,
  operation_status: z.enum(["new", "existing"]).optional(),
  host: oneOrMore(queryText).optional(),
  method: oneOrMore(queryText).optional(),
  endpoint: queryText.optional(),
  feature: oneOrMore(queryText).optional(),
});

const basicOperation = z.object({
  method: z.enum(OPERATION_METHODS),
  host: z.string(),
  endpoint: z.string(),
});

export const schemaOperation = z.union([operation, basicOperation]);

export const uploadedSchema = z.object({
  schema,
  upload_details: z.object({
    warnings: z.array(z.object({ code: z.int(), locations: z.array(z.string()), message: z.string() })),
  }),
});

const skipped = z.array(z.object({ pointer: z.string(), reason: z.string() }));
const pointer = { pointer: z.string() };

/** The host that the operations are saved on in the place of those that the schema names. */
export const previewQuery = z.object({ host: queryText.optional() });

export const preview = z.object({
  new: z.array(basicOperation.extend(pointer)),
  existing: z.array(operation.extend(pointer)),
  skipped,
});

export const createFromSchemaBody = z
  .looseObject({
    host: z.string().optional(),
    /** Pointers of the operations to create; all of them unless given. */
    pointers: z.array(z.string()).max(10_000).optional(),
  })
  .optional();

export const createdFromSchema = z.object({
  created: z.array(operation),
  existing: z.array(operation),
  skipped,
});
