/** Shapes of token configurations. */
import { z } from "zod";
import { pageQuery } from "../paging.ts";

const sources = z.unknown().meta({
  override: { type: "array", items: { type: "string" }, minItems: 1, maxItems: 8 },
});

/** Checked key by key, so that every mistake is told at once. */
const keys = z.unknown().meta({
  override: { type: "array", items: { type: "object" }, minItems: 1, maxItems: 16 },
});

const text = (maxLength: number) => z.string().max(maxLength);

/** Audiences of which a token must name one, and the issuer it must name; any when empty. Our own. */
const claims = {
  audience: z.array(text(255).min(1)).max(16).optional(),
  issuer: text(255).optional(),
};

export const createTokenConfigBody = z.looseObject({
  title: text(50).min(1),
  description: text(500).default(""),
  token_type: z.literal("JWT"),
  token_sources: sources,
  credentials: z.looseObject({ keys }),
  ...claims,
});

export const editTokenConfigBody = z.looseObject({
  title: text(50).min(1).optional(),
  description: text(500).optional(),
  token_sources: sources.optional(),
  ...claims,
});

export const credentialsBody = z.looseObject({ keys });

export type TokenConfigBody = z.output<typeof editTokenConfigBody>;

const credentials = z.object({ keys: z.array(z.looseObject({ kid: z.string(), alg: z.string() })) });

export const tokenConfig = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  token_type: z.literal("JWT"),
  token_sources: z.array(z.string()),
  credentials,
  audience: z.array(z.string()),
  issuer: z.string(),
  created_at: z.string(),
  last_updated: z.string(),
});

export const credentialsShape = credentials;

export const tokenConfigListQuery = z.object(pageQuery);
