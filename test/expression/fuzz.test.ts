/**
 * Random and mutated expressions: each is an answer or an `ExpressionError`, soon, and leaves JavaScript's
 * own objects alone. Seeded; `FUZZ_RUNS` sets how many, `FUZZ_SEED` where to start.
 */
import { expect, test } from "vitest";
import {
  compileFilter,
  compileValue,
  explainFilter,
  ExpressionError,
  parseFilter,
  parseValue,
  printExpression,
  type FieldValues,
} from "../../src/expression/index.ts";
import { FIELD_TYPES, SCHEME, valuesOf, VECTORS, withoutSpans } from "./support.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 20_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_121);
const LIMIT_MS = 50;

/** mulberry32: small, seeded, good enough to wander. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const FIELDS = Object.entries(FIELD_TYPES);
const SHORT = VECTORS.map(({ expr }) => expr).filter(({ length }) => length < 2000);
const FRAGMENTS = [
  Array.from("()[]{}\"\\*$#!&|^~<>=,.;:'-+/ \n\t\0é😀_09afzr"),
  ["and", "or", "xor", "not", "any(", "all(", "in {", "in $a", "eq", "==", "!=", "contains", "matches"],
  [
    "wildcard",
    "strict wildcard",
    "[*]",
    "[0]",
    '["a"]',
    '"a"',
    'r"a"',
    'r#"',
    '"#',
    "1.2.3.4",
    "::/0",
    "0x1f",
  ],
  ["-1", "..", "lower(", "len(", "concat(", "split(", "true", "false", "__proto__", "constructor", "(?i)"],
  ["(?u)", "\\d", "{2,}", "[[:alpha:]]", "(a+)+$", "**", "\\x00", "\\777", "61:62", "9223372036854775808"],
  ["\u2028", "\ufeff"],
].flat();

function createGenerator(random: () => number) {
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;

  const literal = (type: string): string => {
    switch (type) {
      case "Int":
        return pick(["0", "1", "-5", "0x10", "017", "9223372036854775807"]);
      case "Ip":
        return pick(["1.2.3.4", "::1", "10.0.0.0"]);
      default:
        return pick(['"a"', '"aaaaaaaa"', 'r"b"', '""', "61:62", '"\\xff"', '"é"']);
    }
  };
  const operand = (depth: number): readonly [text: string, type: string] => {
    const [name, type] = pick(FIELDS);
    let text = name;
    let element = type;
    while (/^(?:Array|Map)</.test(element) && random() < 0.9) {
      text +=
        random() < 0.4
          ? "[*]"
          : element.startsWith("Map")
            ? pick(['["a"]', '["aaaaaaaa"]'])
            : `[${below(3)}]`;
      element = element.replace(/^(?:Array|Map)<(.*)>$/, "$1");
    }
    if (element === "Bytes" && depth > 0 && random() < 0.3) {
      return [
        `${pick(["lower", "upper", "url_decode", "decode_base64"])}(${text})${text.includes("[*]") ? "[*]" : ""}`,
        element,
      ];
    }
    return element === "Bytes" && random() < 0.1
      ? [`len(${text})${text.includes("[*]") ? "[*]" : ""}`, "Int"]
      : [text, element];
  };
  const comparison = (depth: number): string => {
    const [text, type] = operand(depth);
    if (type === "Bool") {
      return text;
    }
    const bytesChoices = [
      `${text} contains ${literal(type)}`,
      `${text} matches ${pick(['"a+"', 'r"^(a|b)*$"', '"[a-z&&[^b]]"', '"(?i)x"', '"\\\\.(js|css)$"'])}`,
      `${text} ${pick(["wildcard", "strict wildcard"])} ${pick(['"*a*"', '"a*b"', 'r"\\*"'])}`,
    ];
    const choices = [
      [
        `${text} ${pick(["eq", "ne", "lt", "le", "gt", "ge", "==", "!=", "<", ">="])} ${literal(type)}`,
        `${text} in {${literal(type)} ${literal(type)}}`,
        `${text} in $list`,
      ],
      type === "Bytes" ? bytesChoices : [],
      type === "Int" ? [`${text} & ${literal(type)}`, `${text} in {1..5 -3..0x10}`] : [],
      type === "Ip" ? [`${text} in {10.0.0.0/8 ::/0}`] : [],
    ].flat();
    const chosen = pick(choices);
    return text.includes("[*]") && random() < 0.9 ? `${pick(["any", "all"])}(${chosen})` : chosen;
  };
  const expression = (depth: number): string => {
    if (depth === 0 || random() < 0.4) {
      return comparison(depth);
    }
    const inner = () => expression(depth - 1);
    return pick([
      () => `${inner()} ${pick(["and", "or", "xor", "&&", "||", "^^"])} ${inner()}`,
      () => `(${inner()})`,
      () => `${pick(["not ", "!"])}${inner()}`,
    ])();
  };
  const mutate = (source: string): string => {
    const at = below(source.length + 1);
    const to = Math.min(source.length, at + below(12));
    const other = pick(SHORT);
    const cut = below(other.length + 1);
    return pick([
      () => source.slice(0, at) + source.slice(to),
      () => source.slice(0, at) + pick(FRAGMENTS) + source.slice(at),
      () => source.slice(0, at) + pick(FRAGMENTS) + source.slice(to),
      () => source.slice(0, at) + other.slice(cut),
      () => source.slice(0, at) + other.slice(cut, cut + 20) + source.slice(to),
      () => source.slice(0, to) + source.slice(at, to).repeat(below(6)) + source.slice(to),
    ])();
  };
  return (): string => {
    const kind = random();
    if (kind < 0.05) {
      return Array.from({ length: below(40) }, () => pick(FRAGMENTS)).join(pick(["", " "]));
    }
    let source = kind < 0.5 ? expression(below(5)) : pick(SHORT);
    for (let count = kind < 0.25 ? 0 : 1 + below(3); count > 0; count -= 1) {
      source = mutate(source);
    }
    return source;
  };
}

const RICH = VECTORS.filter(({ ctx }) => Object.keys(ctx).length > 1).slice(0, 20);

const CONTEXTS: readonly FieldValues[] = [
  valuesOf({}),
  ...RICH.map(({ ctx }) => valuesOf(ctx)),
  valuesOf({
    ssl: true,
    "http.host": "a",
    "http.request.headers": { a: ["a", "b"], __proto__: ["x"] },
    "cf.sequence.previous_ops": ["aaaaaaaa", "a"],
    "cf.sequence.msec_since_op": { a: 5, constructor: 6 },
    "http.request.body.multipart.names": [["a"], [], ["b", "c"]],
    "ip.src": "10.1.2.3",
  }),
];

const LISTS = { lists: () => (value: unknown) => value === "a" };

/** What the filter gives; `undefined` when the source is none. */
function evaluateFilter(source: string, values: FieldValues): boolean | undefined {
  try {
    return compileFilter(parseFilter(source, SCHEME), LISTS)(values);
  } catch (error) {
    expectExpressionError(error, source);
    return undefined;
  }
}

/** A filter prints to itself, and explains what it gives. */
function checkFilter(source: string, values: FieldValues, result: boolean): void {
  const filter = parseFilter(source, SCHEME);
  const printed = printExpression(filter);
  const again = parseFilter(printed, SCHEME);
  const isSame = JSON.stringify(comparable(again.root)) === JSON.stringify(comparable(filter.root));
  const explained = explainFilter(filter, LISTS)(values).value;
  if (typeof result !== "boolean" || !isSame || explained !== result) {
    throw new Error(`${JSON.stringify(source)}: explained otherwise, or printed as ${printed}`);
  }
}

function comparable(node: unknown): unknown {
  return JSON.parse(
    JSON.stringify(withoutSpans(node), (_, value: unknown) =>
      typeof value === "bigint" ? `${value}n` : value,
    ),
  );
}

function tryValue(source: string, values: FieldValues): void {
  try {
    compileValue(parseValue(source, SCHEME), LISTS)(values);
  } catch (error) {
    expectExpressionError(error, source);
  }
}

function expectExpressionError(error: unknown, source: string): void {
  if (!(error instanceof ExpressionError)) {
    throw new Error(`${JSON.stringify(source)} crashed`, { cause: error });
  }
  const { line, column, length } = error;
  const lines = source.split("\n");
  const lineBytes = Buffer.byteLength(lines[line - 1] ?? "");
  if (line < 1 || line > lines.length || column < 1 || column - 1 + length > lineBytes) {
    throw new Error(`${JSON.stringify(source)}: error outside of its line, ${line}:${column}+${length}`);
  }
  error.render();
}

/** CPU time, for others use this machine too. */
function cpuMsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Whether it is slow again and again: the first time may have been that of the garbage collector. */
function isSlow(source: string, values: FieldValues): boolean {
  return [1, 2, 3].every(() => {
    const start = process.cpuUsage();
    evaluateFilter(source, values);
    return cpuMsSince(start) > LIMIT_MS;
  });
}

/** What hostile names might have added to. */
function ownNames(): string {
  return [Object.prototype, Array.prototype, Map.prototype, String.prototype, Function.prototype]
    .map((prototype) => Object.getOwnPropertyNames(prototype).join())
    .join(";");
}

test(
  `${RUNS} random and mutated expressions`,
  () => {
    const before = ownNames();
    const random = createRandom(SEED);
    const generate = createGenerator(random);
    let valid = 0;
    const slow: string[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const source = generate();
      const values = CONTEXTS[Math.floor(random() * CONTEXTS.length)] as FieldValues;
      const start = process.cpuUsage();
      const result = evaluateFilter(source, values);
      if (cpuMsSince(start) > LIMIT_MS && isSlow(source, values)) {
        slow.push(source);
      }
      tryValue(source, values);
      if (result !== undefined) {
        valid += 1;
        checkFilter(source, values, result);
      }
    }
    expect(slow).toEqual([]);
    expect(ownNames()).toBe(before);
    // Both kinds have to come up, or the run says little.
    expect(valid / RUNS).toBeGreaterThan(0.2);
    expect(valid / RUNS).toBeLessThan(0.8);
  },
  Math.max(60_000, RUNS * 3),
);
