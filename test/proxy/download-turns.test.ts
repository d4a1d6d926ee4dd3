import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { DownloadTurns } from "../../src/proxy/download-turns.ts";

test("few downloads go on at once", () => {
  const turns = new DownloadTurns();
  const download = { goOn: () => expect.unreachable() };
  expect(Array.from({ length: 4 }, () => turns.admits(download))).not.toContain(false);
});

test("many go on by turns, in the order in which they came, and others get theirs between them", async () => {
  const turns = new DownloadTurns();
  const gone: number[] = [];
  const start = (name: number): void => {
    if (turns.admits({ goOn: () => void gone.push(name) })) gone.push(name);
  };
  for (let name = 0; name < 30; name += 1) start(name);
  const sizes = [gone.length];
  while (gone.length < 30) {
    await nextTurn();
    sizes.push(gone.length);
  }
  expect(sizes).toEqual([4, 8, 12, 16, 20, 24, 28, 30]);
  expect(gone).toEqual(Array.from({ length: 30 }, (_, name) => name));
  await nextTurn();
  await nextTurn();
  start(30);
  expect(gone.at(-1)).toBe(30);
});

test("one that comes while others wait does not overtake them", async () => {
  const turns = new DownloadTurns();
  const gone: string[] = [];
  const start = (name: string): boolean => turns.admits({ goOn: () => void gone.push(name) });
  for (let index = 0; index < 9; index += 1) start("first");
  await nextTurn();
  expect(start("late")).toBe(false);
  await nextTurn();
  expect(gone.slice(4)).toEqual(["first", "late"]);
});
