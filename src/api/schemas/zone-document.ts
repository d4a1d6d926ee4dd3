/** A whole zone as one JSON document, for version control. */
import { z } from "zod";
import { LIST_KINDS, PHASES } from "../../ruleset/index.ts";
import { configurationBody, urlNormalization } from "./zone-settings.ts";
import { operationInput } from "./operations.ts";
import { analyticsBody, sequenceBody } from "./zones.ts";

export const FORMAT = "stepgate-zone";
export const FORMAT_VERSION = 1;

const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "it must be a lower-case UUID");

export const zoneDocument = z.strictObject({
  format: z.literal(FORMAT),
  format_version: z.literal(FORMAT_VERSION),
  zone: z.strictObject({
    name: z.string().min(1).max(253),
    /** Only of zones made through the API: for others the configuration file says them. */
    hosts: z.array(z.string()).min(1).max(100).optional(),
    origin: z.string().max(2048).nullable().optional(),
    paused: z.boolean(),
    sequence_cookies: z.strictObject({ enabled: z.boolean() }),
    cookie_scope: z.strictObject({
      same_site: z.enum(["Lax", "Strict", "None"]),
      partitioned: z.boolean(),
      domain: z.string().nullable(),
    }),
    /** What is left out has its default. */
    sequence: sequenceBody.optional(),
    analytics: analyticsBody.optional(),
    auth_id_characteristics: configurationBody.shape.auth_id_characteristics,
    url_normalization: urlNormalization,
  }),
  operations: z.array(operationInput.extend({ operation_id: uuid })),
  rulesets: z.array(
    z.strictObject({
      phase: z.enum(PHASES),
      name: z.string().min(1).max(1000),
      description: z.string().max(4096),
      simulate: z.boolean().optional(),
      rules: z.array(z.looseObject({})),
    }),
  ),
  seqrules: z.array(z.looseObject({ id: uuid })),
  /** Lists of the account that the rules name. */
  lists: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(LIST_KINDS),
      description: z.string(),
      items: z.array(z.looseObject({})),
    }),
  ),
});

export type ZoneDocument = z.output<typeof zoneDocument>;
