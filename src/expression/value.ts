/** Values at run time. */
import type { Int } from "./int.ts";
import type { Ip } from "./ip.ts";

/**
 * A value of the language. Bytes are binary strings (each code unit one byte), Int is a `number` while
 * safe and a `bigint` beyond, keys of maps are binary strings. Missing is `undefined`, which is no value.
 */
export type Value = boolean | Int | string | Ip | readonly Value[] | ReadonlyMap<string, Value>;

/**
 * The fields of one request. Slots come from {@link Scheme.slotOf}; a field is asked for only when an
 * expression needs it, so that a host can compute it lazily.
 *
 * INVARIANT for hosts: the value has the field's static type; nothing checks it again.
 */
export interface FieldValues {
  /** The value of the field in this slot, `undefined` when it is missing. */
  get(slot: number): Value | undefined;
}

export type Reader = (values: FieldValues) => Value | undefined;
export type Predicate = (values: FieldValues) => boolean;
/** A predicate per element, in order. */
export type Predicates = (values: FieldValues) => readonly boolean[];

export function isIp(value: Value): value is Ip {
  return typeof value === "object" && "kind" in value;
}

export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map;
}

/** Members of an Array in order, of a Map in byte order of its keys. */
export function membersOf(value: Value): readonly Value[] {
  if (!isMap(value)) {
    return value as readonly Value[];
  }
  if (value.size < 2) {
    return [...value.values()];
  }
  // Binary strings sort by code unit, which is the byte.
  return [...value].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, member]) => member);
}

/** Whether two values of one static type are the same value. */
export function sameValue(left: Value, right: Value): boolean {
  if (left === right) {
    return true;
  }
  if (typeof left !== "object" || typeof right !== "object") {
    return false;
  }
  if (isIp(left) || isIp(right)) {
    return isIp(left) && isIp(right) && left.bytes === right.bytes;
  }
  if (isMap(left) && isMap(right)) {
    return left.size === right.size && [...left].every(([key, member]) => sameMember(member, right.get(key)));
  }
  const [leftMembers, rightMembers] = [membersOf(left), membersOf(right)];
  return (
    leftMembers.length === rightMembers.length &&
    leftMembers.every((member, index) => sameMember(member, rightMembers[index]))
  );
}

function sameMember(left: Value, right: Value | undefined): boolean {
  return right !== undefined && sameValue(left, right);
}
