/** Fields, calls and subscripts as readers of values. */
import type { Argument, CallNode, IndexNode, LogicalNode, Subscript } from "../ast.ts";
import { FUNCTIONS } from "../functions/functions.ts";
import type { Implementation } from "../functions/definition.ts";
import {
  isMap,
  membersOf,
  type FieldValues,
  type Predicate,
  type Predicates,
  type Reader,
  type Value,
} from "../value.ts";

/** How logical sub-expressions compile: handed in, because they in turn hold indexes. */
export interface LogicalCompiler {
  readonly predicate: (node: LogicalNode) => Predicate;
  readonly predicates: (node: LogicalNode) => Predicates;
}

/** Reads the members under the `[*]` of an index, flat and in order; `undefined` when missing. */
export type MembersReader = (values: FieldValues) => readonly Value[] | undefined;

/** An index without `[*]`. */
export function compileIndex(index: IndexNode, logical: LogicalCompiler): Reader {
  const target = compileTarget(index, logical);
  return index.path.reduce(compileStep, target);
}

function compileTarget({ target }: IndexNode, logical: LogicalCompiler): Reader {
  if (target.kind === "call") {
    return compileCall(target, logical);
  }
  const { slot } = target;
  return (values) => values.get(slot);
}

function compileStep(read: Reader, subscript: Subscript): Reader {
  if (subscript.kind === "key") {
    const { key } = subscript;
    return (values) => (read(values) as ReadonlyMap<string, Value> | undefined)?.get(key);
  }
  const at = subscript.kind === "at" ? subscript.index : 0;
  return (values) => (read(values) as readonly Value[] | undefined)?.[at];
}

/**
 * An index with `[*]`. With a single `[*]` at the end, a missing container is missing; with any other
 * path, what is not there is skipped (language.md section 5.1).
 */
export function compileMembers(index: IndexNode, logical: LogicalCompiler): MembersReader {
  const { path } = index;
  const firstEach = path.findIndex(({ kind }) => kind === "each");
  const before = path.slice(0, firstEach).reduce(compileStep, compileTarget(index, logical));
  const after = path.slice(firstEach + 1);
  if (after.length === 0) {
    return (values) => {
      const container = before(values);
      return container === undefined ? undefined : membersOf(container);
    };
  }
  const target = compileTarget(index, logical);
  return (values) => {
    if (target(values) === undefined) {
      return undefined;
    }
    const container = before(values);
    return container === undefined ? [] : membersOf(container).flatMap((member) => expand(member, after));
  };
}

/** The values at the end of a path, depth first. */
function expand(value: Value, path: readonly Subscript[]): readonly Value[] {
  const [step, ...rest] = path;
  if (step === undefined) {
    return [value];
  }
  if (step.kind === "each") {
    return membersOf(value).flatMap((member) => expand(member, rest));
  }
  const member =
    step.kind === "key" && isMap(value)
      ? value.get(step.key)
      : (value as readonly Value[])[step.kind === "at" ? step.index : 0];
  return member === undefined ? [] : expand(member, rest);
}

function compileCall(call: CallNode, logical: LogicalCompiler): Reader {
  const definition = FUNCTIONS.get(call.name);
  if (definition === undefined) {
    // INVARIANT: the parser has found the function.
    throw new TypeError(`expected the name of a function, found \`${call.name}\``);
  }
  const literals = call.arguments.map((argument) =>
    argument.kind === "literal" ? argument.literal.value : undefined,
  );
  const run = definition.bind(literals);
  const [first, ...others] = call.arguments;
  if (call.isMapped && first?.kind === "index") {
    return compileMappedCall(run, compileMembers(first, logical), compileArguments(others, logical));
  }
  return compilePlainCall(run, compileArguments(call.arguments, logical));
}

function compileArguments(args: readonly Argument[], logical: LogicalCompiler): readonly Reader[] {
  return args.map((argument) => compileArgument(argument, logical));
}

/** The argument of a call or quantifier as a value. */
export function compileArgument(argument: Argument, logical: LogicalCompiler): Reader {
  if (argument.kind === "literal") {
    const { value } = argument.literal;
    return () => value;
  }
  if (argument.kind === "index") {
    return compileIndex(argument, logical);
  }
  return argument.type === "Bool" ? logical.predicate(argument) : logical.predicates(argument);
}

function compilePlainCall(run: Implementation, [first, second, ...others]: readonly Reader[]): Reader {
  if (first === undefined) {
    return () => run();
  }
  if (second === undefined) {
    return (values) => run(first(values));
  }
  if (others.length === 0) {
    return (values) => run(first(values), second(values));
  }
  return (values) => run(first(values), second(values), ...others.map((read) => read(values)));
}

/** Once per member; members for which the function returns missing are dropped. */
function compileMappedCall(run: Implementation, members: MembersReader, others: readonly Reader[]): Reader {
  return (values) => {
    const read = members(values);
    if (read === undefined) {
      return undefined;
    }
    const fixed = others.map((other) => other(values));
    return read.map((member) => run(member, ...fixed)).filter((result) => result !== undefined);
  };
}
