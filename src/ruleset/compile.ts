/** Rules made ready for requests: compiled once per configuration, found by the operation they ask for. */
import {
  compileFilter,
  couldBeTrue,
  ExpressionError,
  MAX_EXPRESSION_CHARACTERS,
  necessaryValues,
  parseFilter,
  referencedFields,
  type FieldValues,
  type ListLookup,
  type Predicate,
  type Scheme,
} from "../expression/index.ts";
import { schemeFor } from "./fields.ts";
import type { Phase, Rule } from "./types.ts";

/** Part of a rule that compiling needs: any rule, or just its expression. */
export interface CompilableRule extends Pick<Rule, "expression" | "enabled" | "on_state_error"> {
  /** Names of fields that are read when the rule matches, beside those of its expression. */
  readonly reads?: ReadonlySet<string>;
}

export interface CompiledRule<R extends CompilableRule = Rule> {
  readonly rule: R;
  /** Position among all rules given, those that are off included. */
  readonly index: number;
  /** Asked while the sequence is known. */
  readonly matches: Predicate;
  /** Asked in its place while it is not. */
  readonly whenUnknown: Predicate;
  /** Whether it reads what nobody knows while the state of the sequence cannot be had. */
  readonly asksHistory: boolean;
}

export interface CompiledRules<R extends CompilableRule = Rule> {
  /**
   * Calls `visit` for each rule that matches, in the order of the rules, until it returns `true`.
   *
   * @param currentOp value of `cf.sequence.current_op`; rules that need another one are not evaluated
   * @returns whether `visit` stopped
   */
  match(values: RuleValues, currentOp: string, visit: (rule: CompiledRule<R>) => boolean): boolean;
  /** The compiled rules, in order, without those that are off. */
  readonly rules: readonly CompiledRule<R>[];
  /** Names of all fields that the compiled rules read. */
  readonly fields: ReadonlySet<string>;
  /** Those of them that may be read for a request that is no operation. */
  readonly fieldsWithoutOp: ReadonlySet<string>;
  /** What was compiled, by expression; for {@link CompileRulesOptions.previous}. */
  readonly partsOf: ReadonlyMap<string, RuleParts>;
}

export interface CompileRulesOptions {
  readonly phase: Phase;
  /** Fields the expressions may name; those of the phase unless given. */
  readonly scheme?: Scheme;
  /** Lists the expressions may name; none unless given. */
  readonly lists?: ListLookup;
  /** What `missing != x` gives; default false. */
  readonly missingNotEqual?: boolean;
  /**
   * An earlier result with the same other options, lists included: expressions that it has are not compiled again.
   * Editing one rule of thousands then costs one expression.
   */
  readonly previous?: Pick<CompiledRules<never>, "partsOf">;
}

/** A rule whose expression cannot be used. */
export class RuleCompileError extends Error {
  override readonly name = "RuleCompileError";
  /** Position of the rule among those given. */
  readonly index: number;
  override readonly cause: ExpressionError;

  constructor(index: number, cause: ExpressionError) {
    super(`rule ${index + 1}: ${cause.message}`);
    this.index = index;
    this.cause = cause;
  }
}

const CURRENT_OP = "cf.sequence.current_op";

/**
 * Compiles rules of one phase. Rules that are off are left out, but their expressions are checked.
 *
 * @throws {RuleCompileError} for the first rule whose expression cannot be used.
 */
export function compileRules<R extends CompilableRule>(
  rules: readonly R[],
  options: CompileRulesOptions,
): CompiledRules<R> {
  const scheme = options.scheme ?? schemeFor(options.phase);
  const compiled: CompiledRule<R>[] = [];
  const indexed = new RuleIndex<R>();
  const fields = new Set<string>();
  const fieldsWithoutOp = new Set<string>();
  const partsOf = new Map<string, RuleParts>();
  for (const [index, rule] of rules.entries()) {
    const { expression } = rule;
    const parts =
      partsOf.get(expression) ??
      options.previous?.partsOf.get(expression) ??
      compileRule(rule, index, { ...options, scheme });
    partsOf.set(expression, parts);
    const { ops, reads } = parts;
    if (rule.enabled) {
      const asksHistory = parts.couldMatch !== undefined;
      const entry = {
        rule,
        index,
        matches: parts.matches,
        whenUnknown: whenUnknown(rule, parts),
        asksHistory,
      };
      compiled.push(entry);
      indexed.add(entry, ops);
      for (const name of rule.reads === undefined ? reads : reads.union(rule.reads)) {
        fields.add(name);
        if (ops === undefined || ops.has("")) {
          fieldsWithoutOp.add(name);
        }
      }
    }
  }
  return {
    rules: compiled,
    fields,
    fieldsWithoutOp,
    partsOf,
    match: (values, currentOp, visit) => indexed.match(values, currentOp, visit),
  };
}

/** A request's values, and whether the sequence among them is empty because nobody knows it. */
export interface RuleValues extends FieldValues {
  readonly isHistoryUnknown?: boolean;
}

/** Fields without a value while the state of the sequence cannot be had. What the sequence is called is known. */
const HISTORY_FIELDS: ReadonlySet<string> = new Set([
  "cf.sequence.previous_ops",
  "cf.sequence.msec_since_op",
]);

/** What a rule says while the sequence cannot be had is for its `on_state_error` to say, not for an empty sequence. */
function whenUnknown(rule: CompilableRule, { matches, couldMatch }: RuleParts): Predicate {
  if (couldMatch === undefined) return matches;
  return rule.on_state_error === "block" ? couldMatch() : never;
}

const never: Predicate = () => false;

export interface RuleParts {
  readonly matches: Predicate;
  /**
   * Compiles whether some sequence would make it match, which few rules want to know; `undefined` for an expression
   * that does not ask for the sequence.
   */
  readonly couldMatch: (() => Predicate) | undefined;
  /** Operations of which one has to be the current one; `undefined` when any may be. */
  readonly ops: ReadonlySet<string> | undefined;
  readonly reads: ReadonlySet<string>;
}

function compileRule(
  { expression }: CompilableRule,
  index: number,
  { scheme, ...options }: CompileRulesOptions & { readonly scheme: Scheme },
): RuleParts {
  const parse = () => parseFilter(expression, scheme, { maxCharacters: MAX_EXPRESSION_CHARACTERS });
  try {
    const filter = parse();
    const reads = referencedFields(filter);
    return {
      matches: compileFilter(filter, options),
      couldMatch: reads.isDisjointFrom(HISTORY_FIELDS)
        ? undefined
        : () => compileFilter(couldBeTrue(parse(), HISTORY_FIELDS), options),
      ops: necessaryValues(filter, CURRENT_OP),
      reads,
    };
  } catch (error) {
    if (error instanceof ExpressionError) {
      throw new RuleCompileError(index, error);
    }
    throw error;
  }
}

/**
 * Rules by the operation that is a necessary condition of theirs. Most rules of a sequence firewall ask
 * for one; those that do not are tried on every request.
 */
class RuleIndex<R extends CompilableRule> {
  readonly #byOp = new Map<string, CompiledRule<R>[]>();
  readonly #always: CompiledRule<R>[] = [];

  /** Rules have to come in order. */
  add(rule: CompiledRule<R>, ops: ReadonlySet<string> | undefined): void {
    if (ops === undefined) {
      this.#always.push(rule);
      return;
    }
    for (const op of ops) {
      const rules = this.#byOp.get(op);
      if (rules === undefined) {
        this.#byOp.set(op, [rule]);
      } else {
        rules.push(rule);
      }
    }
  }

  match(values: RuleValues, currentOp: string, visit: (rule: CompiledRule<R>) => boolean): boolean {
    const isUnknown = values.isHistoryUnknown === true;
    const always = this.#always;
    const ofOp = this.#byOp.get(currentOp) ?? always;
    if (ofOp === always || always.length === 0) {
      return matchInOrder(ofOp, { values, isUnknown }, visit);
    }
    // Both lists are in order: the one whose head comes first is asked first.
    let a = 0;
    let o = 0;
    for (let left = always.length + ofOp.length; left > 0; left -= 1) {
      const next = always[a];
      const other = ofOp[o];
      const isAlways = other === undefined || (next !== undefined && next.index < other.index);
      const rule = (isAlways ? next : other) as CompiledRule<R>;
      if (isAlways) {
        a += 1;
      } else {
        o += 1;
      }
      if ((isUnknown ? rule.whenUnknown : rule.matches)(values) && visit(rule)) {
        return true;
      }
    }
    return false;
  }
}

function matchInOrder<R extends CompilableRule>(
  rules: readonly CompiledRule<R>[],
  { values, isUnknown }: { readonly values: RuleValues; readonly isUnknown: boolean },
  visit: (rule: CompiledRule<R>) => boolean,
): boolean {
  for (let at = 0; at < rules.length; at += 1) {
    const rule = rules[at] as CompiledRule<R>;
    if ((isUnknown ? rule.whenUnknown : rule.matches)(values) && visit(rule)) {
      return true;
    }
  }
  return false;
}
