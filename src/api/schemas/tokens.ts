/** Shapes of tokens. */
import { z } from "zod";
import { canonicalCidr } from "../../ruleset/index.ts";
import { pageQuery } from "../paging.ts";
import { direction, queryText } from "./common.ts";

const instant = z.iso
  .datetime({ offset: true, error: "it must be an instant of RFC 3339, like `2027-01-01T00:00:00Z`" })
  .transform((text) => Date.parse(text));

/** Networks of any size are fine for a condition; lists are stricter about short prefixes. */
const cidr = z
  .string()
  .max(50)
  .transform((text, context) => {
    const canonical = /^(?:0\.0\.0\.0|::)\/0$/.test(text) ? text : canonicalCidr(text);
    if (canonical !== undefined) return canonical;
    context.addIssue({ code: "custom", message: "it is no IP address or CIDR" });
    return z.NEVER;
  });

const resources = z.record(
  z.string().max(300),
  z.union([z.string(), z.record(z.string().max(300), z.string())]),
);

export const policyBody = z.looseObject({
  id: z.string().optional(),
  effect: z.enum(["allow", "deny"]),
  permission_groups: z
    .array(z.looseObject({ id: z.string() }))
    .min(1)
    .max(100),
  resources,
});

export type PolicyBody = z.output<typeof policyBody>;

const tokenMembers = {
  name: z.string().min(1).max(120),
  policies: z.array(policyBody).min(1).max(50),
  condition: z
    .looseObject({
      request_ip: z
        .looseObject({ in: z.array(cidr).max(100).optional(), not_in: z.array(cidr).max(100).optional() })
        .optional(),
    })
    .optional(),
  expires_on: instant.optional(),
  not_before: instant.optional(),
};

export const createTokenBody = z.looseObject(tokenMembers);

export const updateTokenBody = z.looseObject({
  ...tokenMembers,
  status: z.enum(["active", "disabled", "expired"]).optional(),
});

export type TokenBody = z.output<typeof updateTokenBody>;

export const tokenListQuery = z.object({
  ...pageQuery,
  direction: direction.default("desc"),
  include_expired: z.enum(["true", "false"]).default("true"),
});

export const permissionGroupQuery = z.object({
  name: queryText.optional(),
  scope: queryText.optional(),
});

export const token = z.looseObject({
  id: z.string(),
  name: z.string(),
  status: z.enum(["active", "disabled", "expired"]),
  issued_on: z.string(),
  modified_on: z.string(),
  policies: z.array(z.looseObject({ id: z.string() })),
});

export const permissionGroup = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  is_selectable: z.boolean(),
});
