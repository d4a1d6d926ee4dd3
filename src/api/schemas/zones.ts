/** Shapes of zones and of our own settings of a zone. */
import { z } from "zod";
import { TRACKINGS } from "../../engine/index.ts";
import { pageQuery } from "../paging.ts";
import { direction, queryText } from "./common.ts";

export const zoneListQuery = z.object({
  ...pageQuery,
  name: queryText.optional(),
  status: queryText.optional(),
  "account.id": queryText.optional(),
  "account.name": queryText.optional(),
  order: z.enum(["name", "status", "account.id", "account.name"]).default("name"),
  direction: direction.default("asc"),
  match: z.enum(["any", "all"]).default("all"),
});

export type ZoneFilters = z.output<typeof zoneListQuery>;

export const createZoneBody = z.looseObject({
  name: z.string().min(1).max(253),
  account: z.looseObject({ id: z.string().optional() }).optional(),
  type: z.string().optional(),
});

export const editZoneBody = z.looseObject({
  paused: z.boolean().optional(),
  type: z.string().optional(),
  vanity_name_servers: z.array(z.string()).optional(),
  plan: z.unknown().optional(),
});

export const zone = z.looseObject({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  paused: z.boolean(),
  account: z.object({ id: z.string(), name: z.string() }),
});

const cookieScope = z.strictObject({
  same_site: z.enum(["Lax", "Strict", "None"]).optional(),
  partitioned: z.boolean().optional(),
  domain: z.string().min(1).max(253).nullable().optional(),
});

/** How sequences are kept; what is left out stays. */
export const sequenceBody = z.strictObject({
  tracking: z.enum(TRACKINGS).optional(),
  bind: z.boolean().optional(),
  strict: z.boolean().optional(),
  duplicates: z.enum(["reject", "first", "last"]).optional(),
  allow_fires_without_identity: z.boolean().nullable().optional(),
  lookback_requests: z.int().min(1).max(64).optional(),
  lookback_seconds: z.int().min(1).max(86_400).optional(),
});

/** What is kept of requests beside counts; what is left out stays. */
export const analyticsBody = z.strictObject({ sample_decisions: z.boolean().optional() });

export const settingsBody = z.strictObject({
  origin: z.string().min(1).max(2048).optional(),
  hosts: z.array(z.string().min(1).max(255)).min(1).max(100).optional(),
  cookie_scope: cookieScope.optional(),
  sequence: sequenceBody.optional(),
  analytics: analyticsBody.optional(),
});

export type SettingsBody = z.output<typeof settingsBody>;

export const settings = z.object({
  owner: z.enum(["file", "api"]),
  origin: z.string().nullable(),
  hosts: z.array(z.string()),
  cookie_scope: z.object({
    same_site: z.string(),
    partitioned: z.boolean(),
    domain: z.string().nullable(),
  }),
  sequence: sequenceBody.required(),
  analytics: analyticsBody.required(),
});
