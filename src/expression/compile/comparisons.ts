/**
 * What the comparison operators mean, one row each, for Bytes and Int alike: JavaScript compares binary
 * strings byte by byte, and numbers with bigints exactly.
 *
 * A row has one closure per shape instead of one predicate that all shapes call: a closure of its own is
 * what the runtime can inline, and rules spend most of their time here.
 */
import type { OrderOperator } from "../ast.ts";
import type { Ip } from "../ip.ts";
import type { FieldValues, Predicate, Value } from "../value.ts";

export type Scalar = string | number | bigint;
export type ValueTest = (value: Value) => boolean;

export interface ComparisonRow {
  /** The bare relation. */
  readonly holds: (left: Scalar, right: Scalar) => boolean;
  /** A value that is there. */
  readonly value: (literal: Scalar) => (value: Scalar) => boolean;
  /** A field without subscripts. `whenMissing` is the answer for a missing field. */
  readonly field: (slot: number, literal: Scalar, whenMissing: boolean) => Predicate;
  /** A field with one map key or array index. */
  readonly member: (read: MemberReader, literal: Scalar, whenMissing: boolean) => Predicate;
  /** `any(field[*] op literal)` of an array field. */
  readonly anyOf: (slot: number, literal: Scalar) => Predicate;
}

export type ComparisonTable = Readonly<Record<OrderOperator, ComparisonRow>>;

/** Reads one member of one field. */
export type MemberReader = (values: FieldValues) => Scalar | undefined;

type Numbers = number;

/** `undefined < x` and its kin are false for every `x`, which is just what missing has to give. */
const get = (values: FieldValues, slot: number) => values.get(slot) as Numbers;
const list = (values: FieldValues, slot: number) => (values.get(slot) ?? EMPTY) as readonly Numbers[];
const EMPTY: readonly Numbers[] = [];

/* The casts to `number` below only serve the type checker, which allows `<` between numbers but not
   between members of a union; strings and bigints take the same operators. */
export const COMPARISONS: ComparisonTable = {
  eq: {
    holds: (left, right) => left === right,
    value: (literal) => (value) => value === literal,
    field: (slot, literal) => (values) => values.get(slot) === literal,
    member: (read, literal) => (values) => read(values) === literal,
    anyOf: (slot, literal) => (values) => list(values, slot).includes(literal as Numbers),
  },
  ne: {
    holds: (left, right) => left !== right,
    value: (literal) => (value) => value !== literal,
    field: (slot, literal, whenMissing) => (values) => {
      const value = values.get(slot);
      return value === undefined ? whenMissing : value !== literal;
    },
    member: (read, literal, whenMissing) => (values) => {
      const value = read(values);
      return value === undefined ? whenMissing : value !== literal;
    },
    anyOf: (slot, literal) => (values) => list(values, slot).some((value) => value !== literal),
  },
  ge: {
    holds: (left, right) => left >= right,
    value: (literal) => (value) => value >= literal,
    field: (slot, literal) => (values) => get(values, slot) >= (literal as Numbers),
    member: (read, literal) => (values) => (read(values) as Numbers) >= (literal as Numbers),
    anyOf: (slot, literal) => (values) => list(values, slot).some((value) => value >= (literal as Numbers)),
  },
  le: {
    holds: (left, right) => left <= right,
    value: (literal) => (value) => value <= literal,
    field: (slot, literal) => (values) => get(values, slot) <= (literal as Numbers),
    member: (read, literal) => (values) => (read(values) as Numbers) <= (literal as Numbers),
    anyOf: (slot, literal) => (values) => list(values, slot).some((value) => value <= (literal as Numbers)),
  },
  gt: {
    holds: (left, right) => left > right,
    value: (literal) => (value) => value > literal,
    field: (slot, literal) => (values) => get(values, slot) > (literal as Numbers),
    member: (read, literal) => (values) => (read(values) as Numbers) > (literal as Numbers),
    anyOf: (slot, literal) => (values) => list(values, slot).some((value) => value > (literal as Numbers)),
  },
  lt: {
    holds: (left, right) => left < right,
    value: (literal) => (value) => value < literal,
    field: (slot, literal) => (values) => get(values, slot) < (literal as Numbers),
    member: (read, literal) => (values) => (read(values) as Numbers) < (literal as Numbers),
    anyOf: (slot, literal) => (values) => list(values, slot).some((value) => value < (literal as Numbers)),
  },
};

/** Addresses of the two families do not compare: only `ne` holds between them. */
export function compareIp(row: ComparisonRow, literal: Ip, differs: boolean): ValueTest {
  const { bytes } = literal;
  return (value) => {
    const other = (value as Ip).bytes;
    return other.length === bytes.length ? row.holds(other, bytes) : differs;
  };
}
