import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { DownloadTurns, PER_TURN } from "../../src/proxy/download-turns.ts";

test("few downloads go on at once", () => {
  const turns = new DownloadTurns();
  const download = { goOn: () => expect.unreachable() };
  expect(Array.from({ length: PER_TURN }, () => turns.admits(download))).not.toContain(false);
});

test("many go on by turns, in the order in which they came, and others get theirs between them", async () => {
  const turns = new DownloadTurns();
  const gone: number[] = [];
  const start = (name: number): void => {
    if (turns.admits({ goOn: () => void gone.push(name) })) gone.push(name);
  };
  const count = 4 * PER_TURN - 1;
  for (let name = 0; name < count; name += 1) start(name);
  const sizes = [gone.length];
  while (gone.length < count) {
    await nextTurn();
    sizes.push(gone.length);
  }
  expect(sizes).toEqual([PER_TURN, 2 * PER_TURN, 3 * PER_TURN, count]);
  expect(gone).toEqual(Array.from({ length: count }, (_, name) => name));
  await nextTurn();
  await nextTurn();
  start(count);
  expect(gone.at(-1)).toBe(count);
});

test("one that comes while others wait does not overtake them", async () => {
  const turns = new DownloadTurns();
  const gone: string[] = [];
  const start = (name: string): boolean => turns.admits({ goOn: () => void gone.push(name) });
  for (let index = 0; index < 2 * PER_TURN + 1; index += 1) start("first");
  await nextTurn();
  expect(start("late")).toBe(false);
  await nextTurn();
  expect(gone.slice(PER_TURN)).toEqual(["first", "late"]);
});
