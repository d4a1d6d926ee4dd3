/** Redirect rules: single ones with a target of their own, and bulk ones through a list. */
import { compileValue, parseValue, referencedFields } from "../expression/index.ts";
import type { CheckedValue, FieldValues, Reader } from "../expression/index.ts";
import { fieldSlot, schemeFor } from "../ruleset/index.ts";
import type { Phase } from "../ruleset/index.ts";
import type { CompiledLists } from "./lists.ts";
import { splitUrl } from "./redirect-list.ts";
import type { RedirectIndex } from "./redirect-list.ts";
import { judgeComputedTarget, listTarget, staticTarget } from "./redirect-target.ts";
import type { RedirectTarget, TargetContext } from "./redirect-target.ts";

/** Default of both kinds (product pages "Single Redirects" and "Bulk Redirects"). */
const DEFAULT_STATUS = 301;

/** `action_parameters` of the two kinds; wire names, checked when the rule was stored. */
export interface RedirectParameters {
  readonly from_value?: {
    readonly target_url: { readonly value?: string; readonly expression?: string };
    readonly status_code?: number;
    readonly preserve_query_string?: boolean;
    /** Hosts that a computed target may lead to, beside the site's own and those written in it. Our own. */
    readonly allowed_hosts?: readonly string[];
  };
  readonly from_list?: { readonly name: string; readonly key: string };
}

type Target = Omit<TargetContext, "preserveQuery">;

export interface ResolvedRedirect {
  readonly status: number;
  readonly target: RedirectTarget;
}

/** A redirect made ready. */
export interface PreparedRedirect {
  readonly reads: ReadonlySet<string>;
  /** `undefined` when the list has nothing for the request: the rule does not fire then. */
  resolve(values: FieldValues, target: Target): ResolvedRedirect | undefined;
}

/** @throws {ExpressionError} for a target that cannot be compiled; {TypeError} for a list that does not exist */
export function prepareRedirect(
  parameters: RedirectParameters,
  phase: Phase,
  lists: CompiledLists,
): PreparedRedirect {
  const { from_value: value, from_list: list } = parameters;
  if (list !== undefined) return prepareFromList(list, lists);
  if (value === undefined) throw new TypeError("expected `from_value` or `from_list`, found neither");
  const status = value.status_code ?? DEFAULT_STATUS;
  const preserveQuery = value.preserve_query_string ?? false;
  const { expression, value: text = "" } = value.target_url;
  if (expression === undefined) {
    return {
      reads: new Set(),
      resolve: (_values, target) => ({ status, target: staticTarget(text, { ...target, preserveQuery }) }),
    };
  }
  const checked = parseValue(expression, schemeFor(phase));
  const read = compileValue(checked, { lists: lists.lookupFor(phase) });
  const written = new Set([...literalHosts(checked), ...(value.allowed_hosts ?? [])]);
  return {
    reads: referencedFields(checked),
    resolve: (values, target) => ({
      status,
      target: judgeComputedTarget(readText(read, values), {
        ...target,
        preserveQuery,
        allowsHost: (host) => written.has(host) || target.allowsHost(host),
      }),
    }),
  };
}

function prepareFromList(
  { name, key }: NonNullable<RedirectParameters["from_list"]>,
  lists: CompiledLists,
): PreparedRedirect {
  const index: RedirectIndex | undefined = lists.redirects(name);
  if (index === undefined) throw new TypeError(`expected the name of a redirect list, found \`${name}\``);
  const slot = fieldSlot(key);
  return {
    reads: new Set([key]),
    resolve(values, target) {
      // INVARIANT: both keys are texts that every request has.
      const match = index.find(splitUrl(values.get(slot) as string));
      if (match === undefined) return undefined;
      return {
        status: match.redirect.status_code,
        target: listTarget(match, { ...target, preserveQuery: match.redirect.preserve_query_string }),
      };
    },
  };
}

function readText(read: Reader, values: FieldValues): string | undefined {
  const value = read(values);
  return typeof value === "string" ? value : undefined;
}

/** Hosts of the URLs that an expression has as literals: where the operator, not the visitor, wants to lead. */
function literalHosts(value: CheckedValue): readonly string[] {
  return [...literals(value.root)].flatMap((text) => {
    const authority = /^https?:\/\/([^/?#\\]+)/i.exec(text)?.[1];
    const host = authority === undefined ? undefined : URL.parse(`https://${authority}`)?.hostname;
    return host === undefined || host === "" ? [] : [host];
  });
}

type Argument = Extract<CheckedValue["root"]["target"], { readonly kind: "call" }>["arguments"][number];

function* literals(node: CheckedValue["root"] | Argument): Iterable<string> {
  if (node.kind === "literal") {
    if (node.literal.type === "Bytes") yield node.literal.value;
  } else if (node.kind === "index" && node.target.kind === "call") {
    for (const argument of node.target.arguments) yield* literals(argument);
  }
}
