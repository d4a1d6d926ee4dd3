import { describe, expect, test } from "vitest";
import { createOperationTable } from "../../src/analytics/index.ts";

describe("an operation table", () => {
  test("numbers operations from 1 in the order they were added, for good", () => {
    const table = createOperationTable(["0000000b", "0000000a", "0000000b"]);
    expect([table.size, table.version]).toEqual([2, 1]);
    table.add(["0000000a", "ffffffff"]);
    expect(["0000000b", "0000000a", "ffffffff"].map((id) => table.indexOf(id))).toEqual([1, 2, 3]);
    expect([1, 2, 3].map((index) => table.shortIdAt(index))).toEqual(["0000000b", "0000000a", "ffffffff"]);
    expect([table.size, table.version]).toEqual([3, 2]);
    table.add(["0000000a"]);
    expect(table.version).toBe(2);
  });

  test("knows nothing of anything else", () => {
    const table = createOperationTable(["0000000a"], 9);
    expect(table.version).toBe(9);
    for (const id of ["", "0000000A", "a", "__proto__", "constructor", "0000000a "])
      expect(table.indexOf(id)).toBe(0);
    for (const index of [0, 2, -1, 0.5, Number.NaN]) expect(table.shortIdAt(index)).toBe("");
  });

  test("refuses text that is no short id, and then adds nothing", () => {
    const table = createOperationTable([]);
    expect(() => table.add(["0000000a", "0000000G"])).toThrow(
      "expected a short id of 8 lower-case hex characters, found `0000000G`",
    );
    expect(table.size).toBe(0);
  });

  test("holds 65,535 operations and leaves out the rest", () => {
    const ids = Array.from({ length: 70_000 }, (_, at) => at.toString(16).padStart(8, "0"));
    const table = createOperationTable(ids);
    expect(table.size).toBe(65_535);
    expect(table.indexOf(ids[65_534]!)).toBe(65_535);
    expect(table.indexOf(ids[65_535]!)).toBe(0);
  });
});
