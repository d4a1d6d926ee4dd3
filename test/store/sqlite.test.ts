import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import { openStore } from "../../src/store/index.ts";
import type { Store, ZoneRow } from "../../src/store/index.ts";
import { describeStore, operationRow, ruleset, SHOP } from "./contract.ts";

const dir = mkdtempSync(join(tmpdir(), "stepgate-store-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let files = 0;
const pathOf = new WeakMap<Store, string>();

function openAt(path: string): Store {
  const store = openStore({ path, now: Date.now, random: (lengthBytes) => randomBytes(lengthBytes) });
  pathOf.set(store, path);
  return store;
}
const freshPath = (): string => join(dir, `store-${(files += 1)}.db`);

describeStore("sqlite", {
  open: () => openAt(freshPath()),
  // A second connection: it sees what a process started now would see.
  reopen: (store) => openAt(pathOf.get(store) ?? ""),
});

describe("sqlite: the file", () => {
  test("is readable for its owner only", () => {
    const path = freshPath();
    openAt(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("that is no database is refused with its name", () => {
    const path = freshPath();
    writeFileSync(path, "not a database at all, but long enough to look at".repeat(20));
    expect(() => openAt(path)).toThrow(expect.objectContaining({ code: "ERR_STORE_OPEN" }));
    expect(() => openAt(join(dir, "no", "such", "dir.db"))).toThrow(/no\/such\/dir\.db/);
  });

  test("of a newer version is left alone", () => {
    const path = freshPath();
    openAt(path).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(() => openAt(path)).toThrow(expect.objectContaining({ code: "ERR_STORE_VERSION" }));
  });

  test("has strict tables, foreign keys and a log that is synced with every commit", () => {
    const path = freshPath();
    openAt(path).close();
    const database = new DatabaseSync(path, { readOnly: true });
    const tables = database.prepare("PRAGMA table_list").all() as {
      name: string;
      schema: string;
      strict: number;
    }[];
    const own = tables.filter(({ name, schema }) => schema === "main" && !name.startsWith("sqlite_"));
    expect(own.length).toBeGreaterThan(8);
    expect(own.filter(({ strict }) => strict !== 1)).toEqual([]);
    expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(database.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
    database.close();
  });

  test("can be copied while it is used, but over no other file", () => {
    const store = openAt(freshPath());
    const [zone] = store.ensureZones([SHOP]) as [ZoneRow];
    for (let number = 0; number < 50; number += 1) {
      store.write((transaction) => transaction.put("operations", operationRow(zone.id, number)));
    }
    const copy = freshPath();
    store.backup(copy);
    store.write((transaction) => transaction.put("operations", operationRow(zone.id, 99)));
    expect(openAt(copy).count("operations", zone.id)).toBe(50);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(() => store.backup(copy)).toThrow(expect.objectContaining({ code: "ERR_STORE_WRITE" }));
  });
});

describe("sqlite: two processes on one file", () => {
  test("a write takes over first what the other wrote", () => {
    const one = openAt(freshPath());
    const two = openAt(pathOf.get(one) ?? "");
    const [zone] = one.ensureZones([SHOP]) as [ZoneRow];
    two.write((transaction) => {
      expect(transaction.get("zones", zone.id)).toBeDefined();
      transaction.put("operations", operationRow(zone.id, 1));
    });
    one.write((transaction) => transaction.put("operations", operationRow(zone.id, 2)));
    expect(one.count("operations", zone.id)).toBe(2);
    expect(one.current().version).toBe(two.current().version + 1);
  });

  test("refresh takes over changes, keeps what is the same, and tells subscribers", () => {
    const one = openAt(freshPath());
    const [zone] = one.ensureZones([SHOP]) as [ZoneRow];
    one.write((transaction) => {
      transaction.put("operations", operationRow(zone.id, 1));
      transaction.put("rulesets", { scope: `zone:${zone.id}`, ruleset: ruleset(1, 1, ["ssl"]) });
    });
    const two = openAt(pathOf.get(one) ?? "");
    const before = one.current();
    expect(one.refresh()).toBe(false);
    two.write((transaction) => transaction.put("operations", operationRow(zone.id, 2)));
    const seen: number[] = [];
    one.subscribe(({ version }) => seen.push(version));
    expect(one.refresh()).toBe(true);
    expect(seen).toEqual([two.current().version]);
    expect(one.current().zones[0]?.rulesets).toBe(before.zones[0]?.rulesets);
    expect(one.current().zones[0]?.operations).toHaveLength(2);
  });
});
