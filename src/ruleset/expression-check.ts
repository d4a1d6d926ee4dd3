/** Expressions inside rules, checked at the place where they stand. */
import {
  compileFilter,
  compileValue,
  ExpressionError,
  MAX_EXPRESSION_CHARACTERS,
  parseFilter,
  parseValue,
} from "../expression/index.ts";
import type { CompileOptions, ListLookup } from "../expression/index.ts";
import { schemeFor } from "./fields.ts";
import type { ListKind } from "./list-types.ts";
import type { Place } from "./report.ts";
import type { Phase } from "./types.ts";

/** Checks expressions of one account: its lists can be named. */
export interface ExpressionChecker {
  /** Reports what is wrong with a rule's `expression`. */
  filter(place: Place, source: string, phase: Phase): void;
  /** Reports what is wrong with a `counting_expression`, which may name fields of the response. */
  counting(place: Place, source: string): void;
  /** Reports what is wrong with an expression that gives a text, in rewrites and redirects. */
  text(place: Place, source: string, phase: Phase): void;
}

/** Values that a list of a kind is asked for. */
const LIST_TYPES: Readonly<Record<ListKind, "Bytes" | "Int" | "Ip">> = {
  ip: "Ip",
  asn: "Int",
  hostname: "Bytes",
  redirect: "Bytes",
};

const LIMITS = { maxCharacters: MAX_EXPRESSION_CHARACTERS };

/** @param listKinds the lists of the account by name */
export function createExpressionChecker(listKinds: ReadonlyMap<string, ListKind>): ExpressionChecker {
  // Compiling is part of the check: it finds lists that do not exist, and programs that are too large.
  const compiling = (phase: Phase): CompileOptions => ({ lists: lookupFor(listKinds, phase) });
  return {
    filter(place, source, phase) {
      if (isBlank(place, source)) return;
      attempt(place, () => compileFilter(parseFilter(source, schemeFor(phase), LIMITS), compiling(phase)));
    },
    counting(place, source) {
      // Left empty, it counts what the rule's own expression matches.
      if (source === "") return;
      if (isBlank(place, source)) return;
      const scheme = schemeFor("http_ratelimit", { counting: true });
      attempt(place, () => compileFilter(parseFilter(source, scheme, LIMITS), compiling("http_ratelimit")));
    },
    text(place, source, phase) {
      if (isBlank(place, source)) return;
      attempt(place, () => {
        const value = parseValue(source, schemeFor(phase), LIMITS);
        if (value.type !== "Bytes") {
          place.report(`expected an expression that gives a String, found one that gives ${value.type}`);
        }
        compileValue(value, compiling(phase));
      });
    },
  };
}

function isBlank(place: Place, source: string): boolean {
  if (source.trim() !== "") return false;
  place.report("the expression cannot be blank", "blank_expression");
  return true;
}

function attempt(place: Place, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const { line, column, length, code } = error;
    place.report(`could not parse filter expression: ${error.render()}`, "expression", {
      line,
      column,
      length,
      code,
    });
  }
}

/** Redirect lists are for bulk redirects only. */
function lookupFor(listKinds: ReadonlyMap<string, ListKind>, phase: Phase): ListLookup {
  return (name, type) => {
    const kind = listKinds.get(name);
    if (kind === undefined || LIST_TYPES[kind] !== type) return undefined;
    if (kind === "redirect" && phase !== "http_request_redirect") return undefined;
    return () => false;
  };
}
