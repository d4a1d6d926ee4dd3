/** Fields, calls and their subscripts: what can stand on the left of an operator. */
import type { CallNode, FieldNode, IndexNode, Subscript } from "../ast.ts";
import { fromUtf8 } from "../bytes.ts";
import { SyntaxFault } from "./cursor.ts";
import { nameHint } from "./hints.ts";
import { lexInt } from "./lex-number.ts";
import { lexBytes } from "./lex-string.ts";
import { MAX_INDEX } from "../limits.ts";
import { parseCall } from "./call.ts";
import type { ParseState } from "./state.ts";
import { elementType, isArrayType, isMapType, type ParsedType } from "../types.ts";

export function parseIndex(state: ParseState): IndexNode {
  const { cursor } = state;
  const start = cursor.at;
  const target = parseTarget(state);
  const path: Subscript[] = [];
  let type = target.type;
  while (cursor.startsWith("[")) {
    const subscriptStart = cursor.at;
    const subscript = parseSubscript(state);
    const element = memberType(type, subscript);
    if (element === undefined) {
      state.report(
        "invalid_index",
        `expected ${subscriptsOf(type)}, found \`${cursor.source.slice(subscriptStart, cursor.at)}\``,
        state.spanFrom(subscriptStart),
      );
    }
    type = element ?? "Unknown";
    path.push(subscript);
  }
  const eachCount = path.filter(({ kind }) => kind === "each").length;
  return { kind: "index", target, path, eachCount, type, span: state.spanFrom(start) };
}

function parseTarget(state: ParseState): FieldNode | CallNode {
  const { cursor, scheme } = state;
  const start = cursor.at;
  const name = lexIdentifier(state);
  const span = state.spanFrom(start);
  const refusal = scheme.refusedFunctions.get(name);
  if (refusal !== undefined) {
    state.report("unavailable_function", `\`${name}\` is not available: ${refusal}`, span);
  }
  if (refusal !== undefined || scheme.functions.has(name)) {
    return parseCall(state, name, start);
  }
  const field = scheme.fields.get(name);
  if (field !== undefined) {
    if (field.unavailable !== undefined) {
      state.report("unavailable_field", `\`${name}\` is not available: ${field.unavailable}`, span);
    }
    return { kind: "field", name, slot: field.slot, type: field.type, span };
  }
  return parseUnknown(state, name, start);
}

/** An unknown name is noted, and read as what it looks like, so that later mistakes are found too. */
function parseUnknown(state: ParseState, name: string, start: number): FieldNode | CallNode {
  const { cursor, scheme } = state;
  const span = state.spanFrom(start);
  cursor.skipSpace();
  const isCall = cursor.startsWith("(");
  cursor.at = span.end;
  const kind = isCall ? "function" : "field";
  const nearest = scheme.nearest(kind, name);
  const shown = name.length <= MAX_SHOWN_NAME ? name : `${name.slice(0, MAX_SHOWN_NAME)}…`;
  state.report(
    isCall ? "unknown_function" : "unknown_field",
    `unknown identifier: expected the name of a ${kind}, found \`${shown}\`${nameHint(name, isCall) ?? hintFor(name, nearest)}`,
    span,
  );
  return isCall ? parseCall(state, name, start) : { kind: "field", name, slot: -1, type: "Unknown", span };
}

const MAX_SHOWN_NAME = 64;

function hintFor(name: string, nearest: string | undefined): string {
  if (name === "true" || name === "false") {
    return `; \`${name}\` stands alone as a whole expression`;
  }
  return nearest === undefined ? "" : `, did you mean \`${nearest}\`?`;
}

/** Runs of letters, digits and `_` joined by single dots; the longest run is the name. */
function lexIdentifier(state: ParseState): string {
  const { cursor } = state;
  const start = cursor.at;
  do {
    const found = cursor.found();
    if (cursor.takeWhile(isIdentifierUnit) === "") {
      throw cursor.fault("expected_name", `expected a field or function, found ${found}`);
    }
  } while (cursor.accept("."));
  return cursor.source.slice(start, cursor.at);
}

export function isIdentifierUnit(unit: number): boolean {
  return (
    (unit >= 0x61 && unit <= 0x7a) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    (unit >= 0x30 && unit <= 0x39) ||
    unit === 0x5f
  );
}

function parseSubscript(state: ParseState): Subscript {
  const { cursor } = state;
  cursor.expect("[");
  cursor.skipSpace();
  const subscript = cursor.accept("*") ? ({ kind: "each" } as const) : parseKeyOrIndex(state);
  cursor.skipSpace();
  cursor.expect("]");
  return subscript;
}

function parseKeyOrIndex(state: ParseState): Subscript {
  const { cursor } = state;
  const start = cursor.at;
  const found = cursor.found();
  try {
    if (cursor.startsWith('"')) {
      const key = lexBytes(cursor);
      if (fromUtf8(key) !== undefined) {
        return { kind: "key", key };
      }
    } else {
      const index = lexInt(cursor);
      if (index >= 0 && index <= MAX_INDEX) {
        return { kind: "at", index: Number(index) };
      }
    }
  } catch (error) {
    if (!(error instanceof SyntaxFault)) {
      throw error;
    }
  }
  throw cursor.fault(
    "expected_literal",
    `expected an index such as \`0\`, a quoted UTF-8 key or \`*\`, found ${found}`,
    start,
  );
}

function memberType(type: ParsedType, subscript: Subscript): ParsedType | undefined {
  if (type === "Unknown") {
    return type;
  }
  const fits = subscript.kind === "each" || (subscript.kind === "at" ? isArrayType(type) : isMapType(type));
  return fits ? elementType(type) : undefined;
}

function subscriptsOf(type: ParsedType): string {
  if (isArrayType(type)) {
    return `\`[0]\` or \`[*]\` on type \`${type}\``;
  }
  return isMapType(type) ? `\`["key"]\` or \`[*]\` on type \`${type}\`` : `no subscript on type \`${type}\``;
}
