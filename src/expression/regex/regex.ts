/** Regular expressions: linear in the length of the input, whatever the pattern. */
import { RE2JS, RE2JSException } from "re2js";
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

/** What is wrong with a pattern, `undefined` when nothing is. Far cheaper than compiling it. */
export function checkRegex(pattern: string): string | undefined {
  const parsed = parseChecked(pattern);
  return "problem" in parsed ? parsed.problem : undefined;
}

/** Compiles a pattern, or says what is wrong with it. */
export function compileRegex(pattern: string): CompiledRegex | { readonly problem: string } {
  const parsed = parseChecked(pattern);
  if ("problem" in parsed) {
    return parsed;
  }
  try {
    return compileTree(parsed.tree);
  } catch (error) {
    // The trees are printed so that RE2 takes them; should it not, the pattern is refused, not the process lost.
    if (error instanceof RE2JSException) {
      return { problem: error.message };
    }
    throw error;
  }
}

function parseChecked(pattern: string): { readonly tree: RegexNode } | { readonly problem: string } {
  let tree: RegexNode;
  try {
    tree = parseRegex(pattern);
  } catch (error) {
    if (error instanceof RegexProblem) {
      return { problem: error.message };
    }
    throw error;
  }
  const instructions = countInstructions(tree);
  if (instructions <= MAX_REGEX_INSTRUCTIONS) {
    return { tree };
  }
  const found = instructions < Number.MAX_SAFE_INTEGER ? `about ${instructions}` : "far more";
  return {
    problem: `compiled regex exceeds the size limit of ${MAX_REGEX_INSTRUCTIONS} instructions, found ${found}`,
  };
}

function compileTree(tree: RegexNode): CompiledRegex {
  const matcher = RE2JS.compile(printRegex(tree, false));
  let finder: RE2JS | undefined;
  return {
    test: (bytes) => matcher.test(bytes),
    find(bytes) {
      // Without groups the answer comes from an automaton; most values do not match.
      if (!matcher.test(bytes)) {
        return undefined;
      }
      finder ??= RE2JS.compile(printRegex(tree, true));
      const match = finder.matcher(bytes);
      match.find();
      const bounds: number[] = [];
      for (let group = 0; group <= match.groupCount(); group += 1) {
        bounds.push(match.start(group), match.end(group));
      }
      return bounds;
    },
  };
}
