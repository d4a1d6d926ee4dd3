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
  /** A field without subscripts, and further terms: how rules about one operation begin. */
  readonly fieldAnd?: (slot: number, literal: Scalar, terms: readonly Predicate[]) => Predicate;
  /** A map field with one key. */
  readonly key: (member: KeyMember, literal: Scalar, whenMissing: boolean) => Predicate;
  /** An array field with one index. */
  readonly at: (member: IndexMember, literal: Scalar, whenMissing: boolean) => Predicate;
  /** `any(field[*] op literal)` of an array field. */
  readonly anyOf: (slot: number, literal: Scalar) => Predicate;
}

export type ComparisonTable = Readonly<Record<OrderOperator, ComparisonRow>>;

export interface KeyMember {
  readonly slot: number;
  readonly key: string;
}

export interface IndexMember {
  readonly slot: number;
  readonly index: number;
}

/* The readers below say `number` for what may also be a string or a bigint: it only serves the type
   checker, which allows `<` between numbers but not between members of a union. */
const readField = (values: FieldValues, slot: number) => values.get(slot) as number | undefined;
const readKey = (values: FieldValues, slot: number, key: string) =>
  (values.get(slot) as ReadonlyMap<string, number> | undefined)?.get(key);
const readAt = (values: FieldValues, slot: number, index: number) =>
  (values.get(slot) as readonly number[] | undefined)?.[index];
const readList = (values: FieldValues, slot: number) => values.get(slot) as readonly number[] | undefined;

export const COMPARISONS: ComparisonTable = {
  eq: {
    holds: (left, right) => left === right,
    value: (literal) => (value) => value === literal,
    // No literal is `undefined`: a missing value equals none.
    field: (slot, literal) => (values) => values.get(slot) === literal,
    fieldAnd: fieldEqualsAnd,
    key:
      ({ slot, key }, literal) =>
      (values) =>
        readKey(values, slot, key) === literal,
    at:
      ({ slot, index }, literal) =>
      (values) =>
        readAt(values, slot, index) === literal,
    anyOf: (slot, literal) => (values) => {
      const list = readList(values, slot);
      return list !== undefined && list.includes(literal as number);
    },
  },
  ne: {
    holds: (left, right) => left !== right,
    value: (literal) => (value) => value !== literal,
    field: (slot, literal, whenMissing) => (values) => {
      const value = readField(values, slot);
      return value === undefined ? whenMissing : value !== literal;
    },
    key:
      ({ slot, key }, literal, whenMissing) =>
      (values) => {
        const value = readKey(values, slot, key);
        return value === undefined ? whenMissing : value !== literal;
      },
    at:
      ({ slot, index }, literal, whenMissing) =>
      (values) => {
        const value = readAt(values, slot, index);
        return value === undefined ? whenMissing : value !== literal;
      },
    anyOf: (slot, literal) => (values) => {
      const list = readList(values, slot);
      return list !== undefined && list.some((value) => value !== literal);
    },
  },
  ge: {
    holds: (left, right) => left >= right,
    value: (literal) => (value) => value >= literal,
    field: (slot, literal) => (values) => {
      const value = readField(values, slot);
      return value !== undefined && value >= (literal as number);
    },
    key:
      ({ slot, key }, literal) =>
      (values) => {
        const value = readKey(values, slot, key);
        return value !== undefined && value >= (literal as number);
      },
    at:
      ({ slot, index }, literal) =>
      (values) => {
        const value = readAt(values, slot, index);
        return value !== undefined && value >= (literal as number);
      },
    anyOf: (slot, literal) => (values) => {
      const list = readList(values, slot);
      return list !== undefined && list.some((value) => value >= (literal as number));
    },
  },
  le: {
    holds: (left, right) => left <= right,
    value: (literal) => (value) => value <= literal,
    field: (slot, literal) => (values) => {
      const value = readField(values, slot);
      return value !== undefined && value <= (literal as number);
    },
    key:
      ({ slot, key }, literal) =>
      (values) => {
        const value = readKey(values, slot, key);
        return value !== undefined && value <= (literal as number);
      },
    at:
      ({ slot, index }, literal) =>
      (values) => {
        const value = readAt(values, slot, index);
        return value !== undefined && value <= (literal as number);
      },
    anyOf: (slot, literal) => (values) => {
      const list = readList(values, slot);
      return list !== undefined && list.some((value) => value <= (literal as number));
    },
  },
  gt: {
    holds: (left, right) => left > right,
    value: (literal) => (value) => value > literal,
    field: (slot, literal) => (values) => {
      const value = readField(values, slot);
      return value !== undefined && value > (literal as number);
    },
    key:
      ({ slot, key }, literal) =>
      (values) => {
        const value = readKey(values, slot, key);
        return value !== undefined && value > (literal as number);
      },
    at:
      ({ slot, index }, literal) =>
      (values) => {
        const value = readAt(values, slot, index);
        return value !== undefined && value > (literal as number);
      },
    anyOf: (slot, literal) => (values) => {
      const list = readList(values, slot);
      return list !== undefined && list.some((value) => value > (literal as number));
    },
  },
  lt: {
    holds: (left, right) => left < right,
    value: (literal) => (value) => value < literal,
    field: (slot, literal) => (values) => {
      const value = readField(values, slot);
      return value !== undefined && value < (literal as number);
    },
    key:
      ({ slot, key }, literal) =>
      (values) => {
        const value = readKey(values, slot, key);
        return value !== undefined && value < (literal as number);
      },
    at:
      ({ slot, index }, literal) =>
      (values) => {
        const value = readAt(values, slot, index);
        return value !== undefined && value < (literal as number);
      },
    anyOf: (slot, literal) => (values) => {
      const list = readList(values, slot);
      return list !== undefined && list.some((value) => value < (literal as number));
    },
  },
};

function fieldEqualsAnd(slot: number, literal: Scalar, terms: readonly Predicate[]): Predicate {
  const [second, third, further] = terms;
  if (second === undefined) {
    return (values) => values.get(slot) === literal;
  }
  if (third === undefined) {
    return (values) => values.get(slot) === literal && second(values);
  }
  if (further === undefined) {
    return (values) => values.get(slot) === literal && second(values) && third(values);
  }
  return (values) => values.get(slot) === literal && terms.every((term) => term(values));
}

/** Addresses of the two families do not compare: only `ne` holds between them. */
export function compareIp(row: ComparisonRow, literal: Ip, differs: boolean): ValueTest {
  const { bytes } = literal;
  return (value) => {
    const other = (value as Ip).bytes;
    return other.length === bytes.length ? row.holds(other, bytes) : differs;
  };
}
