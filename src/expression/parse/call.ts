/** Function calls: arguments and their checks, in the order of the reference engine. */
import type { Argument, CallNode } from "../ast.ts";
import type { FunctionDefinition, Parameter } from "../functions/definition.ts";
import type { ParseState } from "./state.ts";
import { arrayOf, type ParsedType } from "../types.ts";

/** Parses the call of `name`, which starts at `start` and ends at the cursor; it may be unknown. */
export function parseCall(state: ParseState, name: string, start: number): CallNode {
  state.cursor.skipSpace();
  const definition = state.scheme.functions.get(name);
  const args = state.nested(() => parseArguments(state, definition));
  const isMapped = eachCountOf(args[0]) > 0;
  const result = definition?.returns(args.map(({ type }) => type)) ?? "Unknown";
  return {
    kind: "call",
    name,
    arguments: args,
    isMapped,
    type: isMapped && result !== "Unknown" ? arrayOf(result) : result,
    span: state.spanFrom(start),
  };
}

/** `[*]` in an argument's own path; those inside a nested call do not count. */
function eachCountOf(argument: Argument | undefined): number {
  return argument?.kind === "index" ? argument.eachCount : 0;
}

function parseArguments(state: ParseState, definition: FunctionDefinition | undefined): readonly Argument[] {
  const { cursor } = state;
  const args: Argument[] = [];
  cursor.expect("(");
  cursor.skipSpace();
  while (!cursor.isAtEnd && !cursor.startsWith(")")) {
    if (args.length > 0) {
      cursor.expect(",");
      cursor.skipSpace();
    }
    const start = cursor.at;
    const argument = state.grammar.argument(state);
    if (definition !== undefined) {
      checkArgument(state, definition, { argument, args, start });
    }
    args.push(argument);
    cursor.skipSpace();
  }
  if (definition !== undefined && args.length < definition.required) {
    state.report("argument_count", countMessage(definition, args.length), state.spanToEnd(cursor.at));
  }
  cursor.expect(")");
  return args;
}

interface GivenArgument {
  readonly argument: Argument;
  /** Those before it. */
  readonly args: readonly Argument[];
  readonly start: number;
}

function checkArgument(
  state: ParseState,
  definition: FunctionDefinition,
  { argument, args, start }: GivenArgument,
): void {
  const index = args.length;
  const span = state.spanFrom(start);
  if (index > 0 && eachCountOf(argument) > 0) {
    state.report("mapped_argument", "expected `[*]` in the first argument only", span);
  }
  const parameter = definition.parameters[index] ?? definition.rest;
  if (parameter === undefined) {
    // Once is enough, however many arguments are too many.
    if (index === definition.parameters.length) {
      state.report("argument_count", countMessage(definition, index + 1), state.spanToEnd(start));
    }
    return;
  }
  const first = args[0]?.type ?? argument.type;
  const place = `argument ${index + 1} of \`${definition.name}\``;
  const found = `\`${state.cursor.source.slice(start, span.end)}\``;
  if (hasWrongKind(parameter, argument)) {
    const wanted = parameter.kind === "literal" ? "a literal" : "a field or an expression";
    state.report("argument_kind", `expected ${wanted} as ${place}, found ${found}`, span);
  } else if (!parameter.accepts(argument.type, first)) {
    state.report(
      "argument_type",
      `expected type ${expectedType(parameter, first)} as ${place}, found type \`${argument.type}\``,
      span,
    );
  } else if (argument.kind === "literal") {
    const reason = parameter.refuses?.(argument.literal.value);
    if (reason !== undefined) {
      state.report("argument_value", `expected ${reason} as ${place}, found ${found}`, span);
    }
  }
}

function hasWrongKind(parameter: Parameter, argument: Argument): boolean {
  const isLiteral = argument.kind === "literal";
  return parameter.kind !== "both" && (parameter.kind === "literal") !== isLiteral;
}

function expectedType(parameter: Parameter, first: ParsedType): string {
  return parameter.expected === "" ? `\`${first}\`` : parameter.expected;
}

function countMessage({ name, parameters, required, rest }: FunctionDefinition, given: number): string {
  const most = rest === undefined ? parameters.length : Number.POSITIVE_INFINITY;
  const count =
    required === most
      ? `${required}`
      : most === Number.POSITIVE_INFINITY
        ? `at least ${required}`
        : `${required} to ${most}`;
  return `expected ${count} ${count === "1" ? "argument" : "arguments"} of \`${name}\`, found ${given}`;
}
