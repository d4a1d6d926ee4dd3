/** `stepgate eval 'EXPR'`: one expression for a person at a terminal. */
import { styleText } from "node:util";
import {
  compileFilter,
  compileValue,
  elementType,
  ExpressionError,
  parseFilter,
  parseValue,
  printExpression,
  type Scheme,
  type Trace,
  type Type,
} from "../expression/index.ts";
import { traceCase, type EvalCase } from "./eval-case.ts";
import { CaseError, parseJson, toFieldValues, toJson, toLists, type Json } from "./eval-json.ts";

export interface PersonOptions {
  readonly scheme: Scheme;
  readonly mode: "filter" | "value";
  /** `name=value` each. */
  readonly fields: readonly string[];
  /** `name=member,member` each. */
  readonly lists: readonly string[];
  readonly missingNotEqual: boolean;
  readonly explain: boolean;
  readonly format: boolean;
  readonly colours: boolean;
}

export interface PersonAnswer {
  readonly output: string;
  readonly errorOutput: string;
  readonly exitCode: 0 | 1 | 2;
}

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

/** Exit code 0: true, or a value; 1: false, or missing; 2: the expression or a field cannot be used. */
export function answerPerson(expression: string, options: PersonOptions): PersonAnswer {
  const paint: Paint = (style, text) =>
    options.colours ? styleText(style, text, { validateStream: false }) : text;
  try {
    const context = { ...toContext(options), ...toListContext(options.lists) };
    return evaluate({ expression, context, mode: options.mode }, options, paint);
  } catch (error) {
    if (error instanceof ExpressionError) {
      return { output: "", errorOutput: `${paintCarets(error.render(), paint)}\n`, exitCode: 2 };
    }
    if (error instanceof CaseError) {
      return { output: "", errorOutput: `${paint("red", "error:")} ${error.message}\n`, exitCode: 2 };
    }
    throw error;
  }
}

function evaluate(given: EvalCase, options: PersonOptions, paint: Paint): PersonAnswer {
  const { expression, context, mode } = given;
  const { scheme, missingNotEqual } = options;
  const compileOptions = { lists: toLists(context), missingNotEqual };
  if (options.format) {
    const checked = mode === "value" ? parseValue(expression, scheme) : parseFilter(expression, scheme);
    return { output: `${printExpression(checked)}\n`, errorOutput: "", exitCode: 0 };
  }
  const run =
    mode === "value"
      ? compileValue(parseValue(expression, scheme), compileOptions)
      : compileFilter(parseFilter(expression, scheme), compileOptions);
  const value = run(toFieldValues(context, scheme));
  const lines = options.explain ? paintTrace(traceCase(given, scheme, compileOptions), paint) : [];
  lines.push(paintValue(toJson(value), paint));
  return {
    output: `${lines.join("\n")}\n`,
    errorOutput: "",
    exitCode: value === undefined || (mode === "filter" && value === false) ? 1 : 0,
  };
}

/** @throws {CaseError} for an unknown field, with the nearest known name. */
function toContext({ fields, scheme }: PersonOptions): Record<string, Json> {
  const entries = fields.map((given): [string, Json] => {
    const [name, text] = splitOption(given, "field");
    const field = scheme.fields.get(name);
    if (field === undefined) {
      const nearest = scheme.nearest("field", name);
      const hint = nearest === undefined ? "" : `, did you mean \`${nearest}\`?`;
      throw new CaseError(`expected the name of a field, found \`${name}\`${hint}`);
    }
    const isText = field.type === "Bytes" || field.type === "Ip";
    if (field.type === "Array<Bytes>" && !text.startsWith("[")) {
      return [name, splitMembers(text)];
    }
    const isJson = !isText || elementType(field.type) !== undefined;
    return [name, isJson ? parseMember(name, field.type, text) : text];
  });
  return Object.fromEntries(entries);
}

function parseMember(name: string, type: Type, text: string): Json {
  try {
    return parseJson(text);
  } catch {
    throw new CaseError(
      `expected a value of type \`${type}\` as JSON for field \`${name}\`, found \`${text}\``,
    );
  }
}

function toListContext(lists: readonly string[]): Record<string, Json> {
  return Object.fromEntries(
    lists.map((given) => {
      const [name, text] = splitOption(given, "list");
      const members = splitMembers(text).map((member): Json =>
        /^-?\d+$/.test(member) ? parseJson(member) : member,
      );
      return [`$${name.replace(/^\$/, "")}`, members];
    }),
  );
}

function splitMembers(text: string): readonly string[] {
  return text === "" ? [] : text.split(",").map((member) => member.trim());
}

function splitOption(given: string, option: string): readonly [string, string] {
  const at = given.indexOf("=");
  if (at < 1) {
    throw new CaseError(`expected \`--${option} name=value\`, found \`${given}\``);
  }
  return [given.slice(0, at), given.slice(at + 1)];
}

function paintValue(json: Json, paint: Paint): string {
  if (json === null) {
    return paint("yellow", "missing");
  }
  const style = json === true ? "green" : json === false ? "red" : "cyan";
  return paint(style, JSON.stringify(json));
}

/** One line per part, indented by depth: the text, what it gave, and why. */
function paintTrace(trace: Trace, paint: Paint, depth = 0): string[] {
  const text = trace.text.replaceAll(/\s+/g, " ");
  const gave =
    trace.outcome === "value"
      ? paintValue(toJson(trace.value), paint)
      : paint("yellow", trace.outcome === "missing" ? "missing" : "not evaluated");
  const reason = trace.reason === undefined ? "" : paint("dim", ` (${trace.reason})`);
  const own = `${"  ".repeat(depth)}${text} ${paint("dim", "→")} ${gave}${reason}`;
  // A literal is its own value: its line would say nothing.
  const parts = trace.parts.filter(({ kind }) => kind !== "literal");
  return [own, ...parts.flatMap((part) => paintTrace(part, paint, depth + 1))];
}

function paintCarets(rendered: string, paint: Paint): string {
  return rendered
    .split("\n")
    .map((line) =>
      line.replace(/^(\s*)(\^+ .*)$/, (_, space: string, rest: string) => space + paint("red", rest)),
    )
    .map((line) => line.replace(/^Filter parsing error .*$/, (header) => paint("bold", header)))
    .join("\n");
}
