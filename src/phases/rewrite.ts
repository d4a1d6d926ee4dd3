/** Header modification rules (product pages "Request/Response Header Modification"). */
import { compileValue, parseValue, referencedFields } from "../expression/index.ts";
import type { FieldValues, Reader } from "../expression/index.ts";
import { schemeFor } from "../ruleset/index.ts";
import type { Phase } from "../ruleset/index.ts";
import { isHeaderName, toHeaderValue } from "./header-edits.ts";
import type { HeaderEdit } from "./header-edits.ts";
import { MAX_HEADER_VALUE_BYTES } from "./limits.ts";
import type { CompiledLists } from "./lists.ts";

/** `action_parameters` of a rewrite; wire names, checked when the rule was stored. */
export interface RewriteParameters {
  readonly headers: Readonly<
    Record<
      string,
      {
        readonly operation: "set" | "add" | "remove";
        readonly value?: string;
        readonly expression?: string;
      }
    >
  >;
}

/** A rule's header modifications made ready. */
export interface PreparedRewrite {
  readonly reads: ReadonlySet<string>;
  resolve(values: FieldValues): ResolvedRewrite;
}

export interface ResolvedRewrite {
  readonly edits: readonly HeaderEdit[];
  /** Headers whose value was no valid one, with the reason. A `set` removes them: what a visitor sent must not stay. */
  readonly failures: readonly string[];
}

interface PreparedEdit {
  readonly name: string;
  readonly operation: "set" | "add" | "remove";
  readonly read: Reader;
}

/** @throws {ExpressionError} for a value that cannot be compiled; {TypeError} for a name that is no token */
export function prepareRewrite(
  { headers }: RewriteParameters,
  phase: Phase,
  lists: CompiledLists,
): PreparedRewrite {
  const reads = new Set<string>();
  const prepared = Object.entries(headers).map(
    ([name, { operation, value = "", expression }]): PreparedEdit => {
      if (!isHeaderName(name)) throw new TypeError(`expected a header name, found \`${name}\``);
      if (expression === undefined) return { name, operation, read: () => value };
      const checked = parseValue(expression, schemeFor(phase));
      for (const field of referencedFields(checked)) reads.add(field);
      return { name, operation, read: compileValue(checked, { lists: lists.lookupFor(phase) }) };
    },
  );
  return { reads, resolve: (values) => resolveAll(prepared, values) };
}

function resolveAll(prepared: readonly PreparedEdit[], values: FieldValues): ResolvedRewrite {
  const edits: HeaderEdit[] = [];
  const failures: string[] = [];
  for (const edit of prepared) {
    const resolved = resolve(edit, values);
    if (typeof resolved === "string") {
      failures.push(resolved);
      if (edit.operation === "set") edits.push({ operation: "remove", name: edit.name });
    } else if (resolved !== undefined) edits.push(resolved);
  }
  return { edits, failures };
}

/** The edit; the reason why there is none; `undefined` when there is nothing to add. */
function resolve(
  { name, operation, read }: PreparedEdit,
  values: FieldValues,
): HeaderEdit | string | undefined {
  if (operation === "remove") return { operation, name };
  const value = read(values);
  if (value !== undefined && typeof value !== "string") return `\`${name}\`: the value is no text`;
  // The product removes a header for which there is no value; adding none leaves what is there.
  if (value === undefined || value === "")
    return operation === "add" ? undefined : { operation: "remove", name };
  if (value.length > MAX_HEADER_VALUE_BYTES) {
    return `\`${name}\`: the value has more than ${MAX_HEADER_VALUE_BYTES} bytes`;
  }
  const safe = toHeaderValue(value);
  return safe === undefined
    ? `\`${name}\`: the value has a control character`
    : { operation, name, value: safe };
}
