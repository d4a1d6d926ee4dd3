/** The checked tree of an expression: every node has its static type and its span in the source. */
import type { Int } from "./int.ts";
import type { Ip, IpRange } from "./ip.ts";
import type { Span } from "./position.ts";
import type { ParsedType } from "./types.ts";

interface Node {
  readonly span: Span;
  readonly type: ParsedType;
}

/** A constant in the source. */
export type Literal =
  | { readonly type: "Bytes"; readonly value: string }
  | { readonly type: "Int"; readonly value: Int }
  | { readonly type: "Ip"; readonly value: Ip };

export interface IntRange {
  readonly first: Int;
  readonly last: Int;
}

/** What stands in `{…}`, by the type on the left. */
export type Items =
  | { readonly type: "Bytes"; readonly members: readonly string[] }
  | { readonly type: "Int"; readonly ranges: readonly IntRange[] }
  | { readonly type: "Ip"; readonly ranges: readonly IpRange[] };

export type OrderOperator = "eq" | "ne" | "ge" | "le" | "gt" | "lt";

/** What a comparison asks of the value on its left. */
export type Test =
  | { readonly kind: "truth" }
  | { readonly kind: "order"; readonly operator: OrderOperator; readonly literal: Literal }
  | { readonly kind: "bits"; readonly mask: Int }
  | { readonly kind: "contains"; readonly needle: string }
  | { readonly kind: "matches"; readonly pattern: string }
  | { readonly kind: "wildcard"; readonly strict: boolean; readonly pattern: string }
  | { readonly kind: "in"; readonly items: Items }
  | { readonly kind: "list"; readonly name: string; readonly type: "Bytes" | "Int" | "Ip" };

export type Subscript =
  | { readonly kind: "each" }
  | { readonly kind: "at"; readonly index: number }
  /** `key` is a binary string. */
  | { readonly kind: "key"; readonly key: string };

export interface FieldNode extends Node {
  readonly kind: "field";
  readonly name: string;
  readonly slot: number;
}

export interface CallNode extends Node {
  readonly kind: "call";
  readonly name: string;
  readonly arguments: readonly Argument[];
  /** The first argument has `[*]`: the function runs per element, and the type is an Array. */
  readonly isMapped: boolean;
}

/** A field or call with its subscripts. `type` is that of one element when `[*]` is among them. */
export interface IndexNode extends Node {
  readonly kind: "index";
  readonly target: FieldNode | CallNode;
  readonly path: readonly Subscript[];
  /** How many `[*]` the path has. */
  readonly eachCount: number;
}

export interface LiteralNode extends Node {
  readonly kind: "literal";
  readonly literal: Literal;
}

export type Argument = LiteralNode | IndexNode | LogicalNode;

export interface ComparisonNode extends Node {
  readonly kind: "comparison";
  readonly left: IndexNode;
  readonly test: Test;
}

export type CombineOperator = "and" | "xor" | "or";

export interface CombineNode extends Node {
  readonly kind: "combine";
  readonly operator: CombineOperator;
  /** Two or more. */
  readonly terms: readonly LogicalNode[];
}

export interface NotNode extends Node {
  readonly kind: "not";
  readonly term: LogicalNode;
}

/** Parentheses, kept so that an expression prints as it was grouped. */
export interface GroupNode extends Node {
  readonly kind: "group";
  readonly inner: LogicalNode;
}

export interface QuantifierNode extends Node {
  readonly kind: "quantifier";
  readonly quantifier: "any" | "all";
  readonly argument: Argument;
}

/** `true` or `false` as a whole expression. */
export interface ConstantNode extends Node {
  readonly kind: "constant";
  readonly value: boolean;
}

export type LogicalNode = CombineNode | NotNode | GroupNode | QuantifierNode | ComparisonNode | ConstantNode;
