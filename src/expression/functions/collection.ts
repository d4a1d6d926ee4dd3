/** Functions of arrays and maps, and `concat`, which joins text as well as arrays. */
import { parameter, type FunctionDefinition, type Parameter } from "./definition.ts";
import { elementType, isArrayType, isMapType, type ParsedType } from "../types.ts";
import { membersOf, sameValue, type Value } from "../value.ts";

const isUnknown = (type: ParsedType) => type === "Unknown";

/** Joins Bytes, or arrays of one type. All arguments have the first one's type. */
const PART: Parameter = {
  kind: "both",
  expected: "",
  accepts: (type, first) =>
    isUnknown(type) || isUnknown(first) || (type === first && (type === "Bytes" || isArrayType(type))),
};

const FIRST_PART: Parameter = {
  kind: "both",
  expected: "`Bytes` or `Array<…>`",
  accepts: (type) => isUnknown(type) || type === "Bytes" || isArrayType(type),
};

const COLLECTION: Parameter = {
  kind: "field",
  expected: "`Array<…>` or `Map<…>`",
  accepts: (type) => isUnknown(type) || isArrayType(type) || isMapType(type),
};

/** A value of the type of the members of the first argument. */
const MEMBER: Parameter = {
  kind: "both",
  expected: "of the members",
  accepts: (type, first) => isUnknown(type) || isUnknown(first) || elementType(first) === type,
};

const SEPARATOR = parameter("literal", ["Bytes"], (value) =>
  value === "" ? "a separator that is not empty" : undefined,
);

const LIMIT = parameter("literal", ["Int"], (value) =>
  (value as number) >= 1 && (value as number) <= 128 ? undefined : "a limit from 1 to 128",
);

export const COLLECTION_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "concat",
    parameters: [FIRST_PART, PART],
    required: 2,
    rest: PART,
    returns: ([first]) => first ?? "Unknown",
    bind: () => concat,
  },
  {
    name: "split",
    parameters: [parameter("field", ["Bytes"]), SEPARATOR, LIMIT],
    required: 3,
    returns: () => "Array<Bytes>",
    bind: () => (source, separator, limit) =>
      source === undefined ? undefined : split(source as string, separator as string, Number(limit)),
  },
  {
    name: "join",
    parameters: [parameter("field", ["Array<Bytes>"]), parameter("both", ["Bytes"])],
    required: 2,
    returns: () => "Bytes",
    bind: () => (parts, separator) =>
      parts === undefined || separator === undefined
        ? undefined
        : (parts as readonly string[]).join(separator as string),
  },
  {
    name: "has_key",
    parameters: [
      {
        kind: "field",
        expected: "`Map<…>`",
        accepts: (type) => isUnknown(type) || isMapType(type),
      },
      parameter("both", ["Bytes"]),
    ],
    required: 2,
    returns: () => "Bool",
    bind: () => (map, key) =>
      map === undefined || key === undefined
        ? undefined
        : (map as ReadonlyMap<string, Value>).has(key as string),
  },
  {
    name: "has_value",
    parameters: [COLLECTION, MEMBER],
    required: 2,
    returns: () => "Bool",
    bind: () => (collection, wanted) =>
      collection === undefined || wanted === undefined
        ? undefined
        : membersOf(collection).some((member) => sameValue(member, wanted)),
  },
];

/** Missing parts are skipped; nothing but missing parts makes a missing result. */
function concat(...parts: readonly (Value | undefined)[]): Value | undefined {
  const present = parts.filter((part) => part !== undefined);
  if (present.length === 0) {
    return undefined;
  }
  return typeof present[0] === "string"
    ? (present as readonly string[]).join("")
    : (present as readonly (readonly Value[])[]).flat();
}

/** At most `limit` parts; the last keeps the rest, separators and all. */
function split(source: string, separator: string, limit: number): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  while (parts.length < limit - 1) {
    const at = source.indexOf(separator, start);
    if (at === -1) {
      break;
    }
    parts.push(source.slice(start, at));
    start = at + separator.length;
  }
  parts.push(source.slice(start));
  return parts;
}
