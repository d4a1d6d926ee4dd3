/** Shapes of the Rulesets API. What depends on the phase is checked by `checkRule`. */
import { z } from "zod";
import { cursorQuery } from "../paging.ts";

const position = z
  .strictObject({
    before: z.string().max(32).optional(),
    after: z.string().max(32).optional(),
    index: z.int().min(1).optional(),
  })
  .refine(
    (value) => Object.values(value).filter((member) => member !== undefined).length === 1,
    "it must have exactly one of `before`, `after` and `index`",
  );

/** Members of any JSON object: unknown ones are kept and given back. */
const anyObject = z.looseObject({});

export const ruleBody = z.looseObject({ position: position.optional() });

/** What can be written of a ruleset that exists; name, kind and phase are compared only. */
export const updateRulesetBody = z.looseObject({
  name: z.string().max(1000).optional(),
  description: z.string().max(4096).optional(),
  simulate: z.boolean().optional(),
  kind: z.string().max(100).optional(),
  phase: z.string().max(100).optional(),
  rules: z.array(anyObject).optional(),
});

export const createRulesetBody = z.looseObject({
  name: z.string().min(1).max(1000),
  description: z.string().max(4096).optional(),
  simulate: z.boolean().optional(),
  kind: z.string().max(100),
  phase: z.string().max(100),
  rules: z.array(anyObject).optional(),
});

export const rulesetListQuery = z.object(cursorQuery);

const rule = z.looseObject({
  id: z.string(),
  version: z.string(),
  action: z.string(),
  action_parameters: anyObject.optional(),
  expression: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  ref: z.string(),
  last_updated: z.string(),
  on_state_error: z.enum(["allow", "block"]).optional().meta({
    description:
      "Our own. What becomes of a rule that asks for the sequence while the state it is kept in cannot be had: it does not match (`allow`, the default), or it matches what it would match with some sequence (`block`).",
  }),
});

export const rulesetHead = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  kind: z.string(),
  phase: z.string(),
  version: z.string(),
  last_updated: z.string(),
  /** Our own: only there when the ruleset is on trial. */
  simulate: z.literal(true).optional(),
});

export const ruleset = rulesetHead.extend({ rules: z.array(rule) });
