/** Regular expressions: linear in the length of the input, whatever the pattern. */
import { RE2JS } from "re2js";
import { MAX_REGEX_INSTRUCTIONS } from "../limits.ts";
import { parseRegex } from "./parse.ts";
import { countInstructions, printRegex } from "./print.ts";
import { RegexProblem, type RegexNode } from "./syntax.ts";

export interface CompiledRegex {
  /** Whether the pattern matches somewhere in a binary string. */
  test(bytes: string): boolean;
  /** Bounds of the first match and its groups, two per group, -1 for a group that took no part. */
  find(bytes: string): readonly number[] | undefined;
}

/** Compiles a pattern, or says what is wrong with it. */
export function compileRegex(pattern: string): CompiledRegex | { readonly problem: string } {
  try {
    const tree = parseRegex(pattern);
    const instructions = countInstructions(tree);
    if (instructions > MAX_REGEX_INSTRUCTIONS) {
      const found = Number.isFinite(instructions) ? `about ${instructions}` : "far more";
      return {
        problem: `compiled regex exceeds the size limit of ${MAX_REGEX_INSTRUCTIONS} instructions, found ${found}`,
      };
    }
    return compileTree(tree);
  } catch (error) {
    if (error instanceof RegexProblem) {
      return { problem: error.message };
    }
    throw error;
  }
}

function compileTree(tree: RegexNode): CompiledRegex {
  const matcher = RE2JS.compile(printRegex(tree, false));
  let finder: RE2JS | undefined;
  return {
    test: (bytes) => matcher.test(bytes),
    find(bytes) {
      finder ??= RE2JS.compile(printRegex(tree, true));
      const match = finder.matcher(bytes);
      if (!match.find()) {
        return undefined;
      }
      const bounds: number[] = [];
      for (let group = 0; group <= match.groupCount(); group += 1) {
        bounds.push(match.start(group), match.end(group));
      }
      return bounds;
    },
  };
}
