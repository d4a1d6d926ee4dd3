/** Rules quote operations by their short ids, as text: nothing keeps the two together but these hints. */
import type { Operation } from "../operation/index.ts";
import type { Ruleset } from "../ruleset/index.ts";
import type { View } from "../store/index.ts";
import type { Message } from "./envelope.ts";
import { API_ERRORS } from "./errors.ts";

/** More of them would say nothing new. */
const MAX_HINTS = 20;
const SEQUENCE_FIELD = /\bcf\.sequence\./;
const QUOTED_SHORT_ID = /"([0-9a-f]{8})"/g;

/** Says which rules of a zone ask for operations that the zone does not have: what they wait for never comes. */
export function unknownShortIds(view: View, zoneId: string, { rules }: Ruleset): readonly Message[] {
  const quoted = rules.flatMap((rule) => shortIdsOf(rule.expression).map((shortId) => ({ rule, shortId })));
  if (quoted.length === 0) return [];
  const known = new Set(view.group("operations", zoneId).map(({ operation }) => operation.shortId));
  return quoted
    .filter(({ shortId }) => !known.has(shortId))
    .slice(0, MAX_HINTS)
    .map(({ rule, shortId }) =>
      hint(
        `rule ${rule.id} asks for operation \`${shortId}\`, and the zone has no operation with this short id`,
      ),
    );
}

/** Says which rules of a zone ask for an operation that is no longer there. */
export function rulesQuoting(view: View, zoneId: string, { shortId }: Operation): readonly Message[] {
  return view
    .group("rulesets", `zone:${zoneId}`)
    .flatMap(({ ruleset }) =>
      ruleset.rules.filter(({ expression }) => shortIdsOf(expression).includes(shortId)),
    )
    .slice(0, MAX_HINTS)
    .map(({ id }) => hint(`rule ${id} still asks for operation \`${shortId}\`, which is no longer there`));
}

function shortIdsOf(expression: string): readonly string[] {
  if (!SEQUENCE_FIELD.test(expression)) return [];
  return [...new Set(Array.from(expression.matchAll(QUOTED_SHORT_ID), ([, shortId = ""]) => shortId))];
}

const hint = (message: string): Message => ({ code: API_ERRORS.unknown_reference.code, message, type: null });
