/** Arrays and maps of Bool, which no field of a request has, but a scheme may. */
import { describe, expect, test } from "vitest";
import {
  compileFilter,
  createScheme,
  explainFilter,
  parseFilter,
  printExpression,
  type FieldValues,
  type Value,
} from "../../src/expression/index.ts";
import { errorOf } from "./support.ts";

const SCHEME = createScheme({
  fields: [
    { name: "flag", type: "Bool" },
    { name: "flags", type: "Array<Bool>" },
    { name: "others", type: "Array<Bool>" },
    { name: "named", type: "Map<Bool>" },
    { name: "deep", type: "Array<Array<Bool>>" },
    { name: "maps", type: "Map<Map<Int>>" },
  ],
});

const VALUES: Readonly<Record<string, Value>> = {
  flag: true,
  flags: [true, false, true],
  others: [true, true],
  named: new Map([
    ["b", false],
    ["a", true],
  ]),
  deep: [[true], [], [false, true]],
  maps: new Map([
    ["b", new Map([["y", 2]])],
    [
      "a",
      new Map([
        ["x", 1],
        ["y", 3],
      ]),
    ],
  ]),
};

function valuesOf(values: Readonly<Record<string, Value>>): FieldValues {
  const bySlot = new Map(Object.entries(values).map(([name, value]) => [SCHEME.slotOf(name), value]));
  return { get: (slot) => bySlot.get(slot) };
}

const evaluate = (source: string, values = VALUES) =>
  compileFilter(parseFilter(source, SCHEME))(valuesOf(values));

describe("bare arrays and maps of Bool stand for their members", () => {
  test.each([
    ["any(flags)", true],
    ["all(flags)", false],
    ["all(others)", true],
    ["any((flags))", true],
    ["any((named))", true],
    ["all((named))", false],
    ["any(not flags)", true],
    ["all(not (others))", false],
    ["all((flags) or (others))", true],
    ["all((flags) and (others))", false],
    ["any((flags) xor (others))", true],
    ["all((flags) xor (named))", false],
    ["any(deep[2])", true],
    ["all(deep[1])", true],
    ["any(deep[7])", false],
    ["all(deep[7])", false],
    ["all((deep[7]))", true],
    ["flags[0] and not flags[1]", true],
    ["flags[5]", false],
    ['named["a"]', true],
    ["any((deep[*][0]))", true],
    ["all((deep[*][1]))", true],
    ["any((deep[*][*]))", true],
    ["all((deep[*][*]))", false],
    ["any(maps[*][*] eq 3)", true],
    ['all(maps[*]["y"] ge 2)', true],
    ['all(maps[*]["x"] eq 1)', true],
    ['any(maps["a"][*] eq 2)', false],
  ])("%s: %s", (source, result) => {
    expect(evaluate(source)).toBe(result);
    const filter = parseFilter(source, SCHEME);
    expect(explainFilter(filter)(valuesOf(VALUES)).value).toBe(result);
    expect(printExpression(parseFilter(printExpression(filter), SCHEME))).toBe(printExpression(filter));
  });

  test.each([
    ["any(flags)", false],
    ["all(flags)", false],
    ["any((flags))", false],
    ["all((flags))", true],
    ["all((deep[*][*]))", true],
    ["flags[0]", false],
  ])("%s without a value: %s", (source, result) => {
    expect(evaluate(source, {})).toBe(result);
  });
});

describe("mistakes", () => {
  test.each([
    ["flags", "type_mismatch"],
    ["named", "type_mismatch"],
    ["not flags", "type_mismatch"],
    ["flag and flags", "type_mismatch"],
    ["any(flags[*])", "type_mismatch"],
    ["any((deep[*]))", "unsupported_operator"],
    ["any(deep)", "type_mismatch"],
    // A map is no array: as a value it is refused, in parentheses it stands for its members.
    ["any(named)", "type_mismatch"],
    ["deep", "expected_name"],
    ["flag eq 1", "unrecognised_input"],
    ["flags eq 1", "type_mismatch"],
    ["flag[0]", "invalid_index"],
    ["named[0]", "invalid_index"],
  ])("%s: %s", (source, code) => {
    expect(errorOf(source, SCHEME).code).toBe(code);
  });
});
