/** What every store has to do; run once for SQLite and once for memory. */
import { describe, expect, test } from "vitest";
import { entrypointUnique, listUnique, operationKey, operationUnique } from "../../src/store/index.ts";
import type { FileZone, OperationRow, Store, Transaction, ZoneRow } from "../../src/store/index.ts";
import type { Rule, Ruleset } from "../../src/ruleset/index.ts";

export const SHOP: FileZone = {
  name: "shop.example",
  hosts: ["shop.example"],
  origin: "http://127.0.0.1:3000",
};
const BANK: FileZone = {
  name: "bank.example",
  hosts: ["bank.example"],
  origin: "http://127.0.0.1:4000",
};

export function operationRow(zoneId: string, number: number): OperationRow {
  const shortId = number.toString(16).padStart(8, "0");
  return {
    zoneId,
    operation: {
      id: `${shortId}-0000-4000-8000-000000000000`,
      shortId,
      method: "GET",
      host: "shop.example",
      endpoint: `/op${number}`,
      lastUpdatedAt: 1000,
      record: "forwarded",
      prefetch: "record",
    },
  };
}

export function ruleset(id: number, version: number, expressions: readonly string[]): Ruleset {
  return {
    id: id.toString(16).padStart(32, "0"),
    name: "default",
    description: `version ${version}`,
    kind: "zone",
    phase: "http_request_firewall_custom",
    version: String(version),
    last_updated: "2026-11-21T00:00:00.000Z",
    rules: expressions.map((expression, index) => ({
      id: (1000 * id + index).toString(16).padStart(32, "0"),
      version: "1",
      action: "log",
      expression,
      description: "",
      enabled: true,
      ref: `r${index}`,
      last_updated: "2026-11-21T00:00:00.000Z",
    })),
  };
}

const shopOf = (store: Store): ZoneRow => store.ensureZones([SHOP])[0] as ZoneRow;

const putRuleset = (store: Store, zoneId: string, value: Ruleset): void =>
  store.write((transaction) => transaction.put("rulesets", { scope: `zone:${zoneId}`, ruleset: value }));

const entry = (accountId: string, id: string, action: string) => ({
  accountId,
  zoneId: null,
  actor: { id: "token", type: "token" as const, ip: "127.0.0.1" },
  action,
  resource: { type: "operation", id },
  before: null,
  after: { id },
});

const fail = (): void => {
  throw new Error("disk full");
};

const withFirstRule = (version: Ruleset, first: Rule): Ruleset => ({
  ...version,
  rules: [first, ...version.rules.slice(1)],
});

export interface ContractOptions {
  /** A new, empty store. */
  readonly open: () => Store;
  /** The same store as a new process would find it; left out where nothing outlives the process. */
  readonly reopen?: (store: Store) => Store;
}

export function describeStore(name: string, { open, reopen = (store) => store }: ContractOptions): void {
  describe(`${name}: zones of the file`, () => {
    test("get ids that depend on their names only", () => {
      const [first, second] = [open(), open()];
      expect(shopOf(first).id).toBe(second.ensureZones([BANK, SHOP])[1]?.id);
      expect(shopOf(first).id).toMatch(/^[0-9a-f]{32}$/);
    });

    test("change nothing, not even the version, when the file says the same again", () => {
      const store = open();
      shopOf(store);
      const before = store.current();
      shopOf(store);
      expect(store.current()).toBe(before);
    });

    test("take hosts and origin from the file and keep their settings", () => {
      const store = open();
      const { id } = shopOf(store);
      store.write((transaction) => {
        const zone = transaction.get("zones", id) as ZoneRow;
        transaction.put("zones", {
          ...zone,
          settings: { ...zone.settings, sequenceCookies: { enabled: true } },
        });
      });
      store.ensureZones([
        { ...SHOP, hosts: ["shop.example", "www.shop.example"], origin: "http://127.0.0.1:5" },
      ]);
      const [zone] = reopen(store).current().zones;
      expect(zone?.hosts).toEqual(["shop.example", "www.shop.example"]);
      expect(zone?.origin).toBe("http://127.0.0.1:5");
      expect(zone?.settings.sequenceCookies).toEqual({ enabled: true });
    });

    test("left out of the file are kept but not served, and served again when they come back", () => {
      const store = open();
      const { id } = shopOf(store);
      store.write((transaction) => transaction.put("operations", operationRow(id, 1)));
      store.ensureZones([BANK]);
      expect(store.current().zones.map((zone) => zone.name)).toEqual(["bank.example"]);
      expect(store.get("zones", id)?.served).toBe(false);
      store.ensureZones([BANK, SHOP]);
      const shop = store.current().zones.find((zone) => zone.id === id);
      expect(shop?.operations).toHaveLength(1);
    });

    test("may spell their hosts as they like, as long as they are hosts", () => {
      const store = open();
      const [zone] = store.ensureZones([{ ...SHOP, hosts: ["Shop.Example.", "[2001:DB8:0::1]"] }]);
      expect(zone?.hosts).toEqual(["shop.example", "[2001:db8::1]"]);
      expect(() => store.ensureZones([{ ...SHOP, hosts: ["not a host"] }])).toThrow(/`not a host`/);
    });

    test("with a host in two zones are refused, and nothing changes", () => {
      const store = open();
      const before = store.current();
      const twin = { ...BANK, hosts: ["shop.example"] };
      expect(() => store.ensureZones([SHOP, twin])).toThrow(
        /`shop\.example` in `shop\.example` and `bank\.example`/,
      );
      expect(store.current()).toBe(before);
      expect(store.all("zones")).toHaveLength(0);
    });
  });

  describe(`${name}: the admin token`, () => {
    test("is made once, and only its hash is kept", () => {
      const store = open();
      const text = store.ensureAdminToken() as string;
      expect(text).toMatch(/^sg_[\w-]{43}$/);
      expect(reopen(store).ensureAdminToken()).toBeUndefined();
      expect(JSON.stringify(store.all("tokens"))).not.toContain(text.slice(3));
    });

    test("is not stored when it could not be published", () => {
      const store = open();
      expect(() => store.ensureAdminToken(fail)).toThrow("disk full");
      expect(store.all("tokens")).toHaveLength(0);
      expect(store.ensureAdminToken()).toBeDefined();
    });
  });

  describe(`${name}: transactions`, () => {
    test("see their own changes; others see them afterwards, all at once", () => {
      const store = open();
      const { id } = shopOf(store);
      store.write((transaction) => {
        transaction.put("operations", operationRow(id, 1));
        transaction.put("operations", operationRow(id, 2));
        expect(transaction.count("operations", id)).toBe(2);
        expect(store.current().zones[0]?.operations).toHaveLength(0);
      });
      expect(reopen(store).current().zones[0]?.operations).toHaveLength(2);
    });

    test("that throw leave everything as it was: rows, indexes, version, subscribers", () => {
      const store = open();
      const { id } = shopOf(store);
      store.write((transaction) => {
        transaction.put("operations", operationRow(id, 1));
        transaction.put("operations", operationRow(id, 2));
      });
      const before = store.current();
      let calls = 0;
      store.subscribe(() => (calls += 1));
      const renamed = {
        ...operationRow(id, 1),
        operation: { ...operationRow(id, 1).operation, endpoint: "/new" },
      };
      expect(() =>
        store.write((transaction) => {
          transaction.put("operations", renamed);
          transaction.delete("operations", operationKey(id, operationRow(id, 2).operation.id));
          // Takes the place in the unique index that the deleted one had.
          transaction.put("operations", {
            zoneId: id,
            operation: { ...operationRow(id, 3).operation, endpoint: "/op2" },
          });
          throw new Error("changed my mind");
        }),
      ).toThrow("changed my mind");
      expect(store.current()).toBe(before);
      expect(calls).toBe(0);
      expect(store.find("operations", operationUnique(id, operationRow(id, 1).operation))).toBeDefined();
      expect(store.find("operations", operationUnique(id, renamed.operation))).toBeUndefined();
      expect(
        store.find("operations", operationUnique(id, operationRow(id, 2).operation))?.operation.shortId,
      ).toBe("00000002");
      expect(store.count("operations", id)).toBe(2);
    });

    test("as dry runs give their result and leave nothing behind", () => {
      const store = open();
      const { id } = shopOf(store);
      const before = store.current();
      const count = store.write(
        (transaction) => {
          transaction.put("operations", operationRow(id, 1));
          return transaction.count("operations", id);
        },
        { dryRun: true },
      );
      expect(count).toBe(1);
      expect(store.current()).toBe(before);
      expect(reopen(store).count("operations", id)).toBe(0);
    });

    test("cannot be used after their end, nor inside each other", () => {
      const store = open();
      const { id } = shopOf(store);
      const kept = store.write((transaction) => transaction);
      expect(() => kept.put("operations", operationRow(id, 1))).toThrow(TypeError);
      expect(() => store.write(() => store.write(() => 1))).toThrow("no write inside a write");
      expect(store.write(() => 2)).toBe(2);
    });

    test("refuse a second row with the same unique text", () => {
      const store = open();
      const { id } = shopOf(store);
      const twin = { zoneId: id, operation: { ...operationRow(id, 2).operation, endpoint: "/OP1/" } };
      expect(() =>
        store.write((transaction) => {
          transaction.put("operations", operationRow(id, 1));
          transaction.put("operations", twin);
        }),
      ).toThrow(TypeError);
      expect(store.count("operations", id)).toBe(0);
    });
  });

  describe(`${name}: snapshots`, () => {
    test("share every part that did not change", () => {
      const store = open();
      const [shop, bank] = store.ensureZones([SHOP, BANK]) as [ZoneRow, ZoneRow];
      store.write((transaction) => {
        transaction.put("operations", operationRow(shop.id, 1));
        transaction.put("rulesets", { scope: `zone:${shop.id}`, ruleset: ruleset(1, 1, ["ssl"]) });
      });
      const before = store.current();
      store.write((transaction) => transaction.put("operations", operationRow(shop.id, 2)));
      const after = store.current();
      const [shopBefore, shopAfter] = [before, after].map(({ zones }) =>
        zones.find(({ id }) => id === shop.id),
      );
      expect(after.version).toBe(before.version + 1);
      expect(after.zones.find(({ id }) => id === bank.id)).toBe(
        before.zones.find(({ id }) => id === bank.id),
      );
      expect(after.accounts?.[0]).toBe(before.accounts?.[0]);
      expect(shopAfter?.rulesets).toBe(shopBefore?.rulesets);
      expect(shopAfter?.operations[0]).toBe(shopBefore?.operations[0]);
      expect(shopBefore?.operations).toHaveLength(1);
      expect(shopAfter?.operations).toHaveLength(2);
    });

    test("are told to every subscriber before the write returns, whatever another one throws", () => {
      const store = open();
      const { id } = shopOf(store);
      const versions: number[] = [];
      store.subscribe(() => {
        throw new Error("broken listener");
      });
      const stop = store.subscribe(({ version }) => versions.push(version));
      store.write((transaction) => transaction.put("operations", operationRow(id, 1)));
      expect(versions).toEqual([store.current().version]);
      stop();
      store.write((transaction) => transaction.put("operations", operationRow(id, 2)));
      expect(versions).toHaveLength(1);
    });

    test("hold lists with their items in order, and account rulesets", () => {
      const store = open();
      const accountId = store.defaultAccountId;
      const list = {
        id: "a".repeat(32),
        accountId,
        name: "office",
        description: "",
        createdAt: 1,
        modifiedAt: 1,
      };
      const item = (position: number) => ({
        listId: list.id,
        position,
        item: {
          id: String(position).padStart(32, "0"),
          ip: `192.0.2.${position}`,
          created_on: "2026-11-21T00:00:00Z",
          modified_on: "2026-11-21T00:00:00Z",
        },
      });
      store.write((transaction) => {
        transaction.put("lists", { ...list, kind: "ip" });
        for (const position of [3, 1, 2]) transaction.put("listItems", item(position));
        transaction.put("rulesets", {
          scope: `account:${accountId}`,
          ruleset: { ...ruleset(1, 1, []), kind: "root", phase: "http_request_redirect" },
        });
      });
      const [account] = reopen(store).current().accounts ?? [];
      expect(account?.lists[0]?.items.map((each) => "ip" in each && each.ip)).toEqual([
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.3",
      ]);
      expect(account?.rulesets[0]?.kind).toBe("root");
      expect(store.find("lists", listUnique(accountId, "office"))?.id).toBe(list.id);
    });

    test("keep the order of items that change places", () => {
      const store = open();
      const accountId = store.defaultAccountId;
      const times = { createdAt: 1, modifiedAt: 1 };
      const list = { id: "b".repeat(32), accountId, name: "numbers", description: "", ...times };
      const putItem = (transaction: Transaction, asn: number, position: number): void =>
        transaction.put("listItems", {
          listId: list.id,
          position,
          item: { id: String(asn).padStart(32, "0"), asn, created_on: "", modified_on: "" },
        });
      store.write((transaction) => {
        transaction.put("lists", { ...list, kind: "asn" });
        for (const asn of [1, 2, 3, 4]) putItem(transaction, asn, asn);
      });
      store.write((transaction) => {
        transaction.delete("listItems", "2".padStart(32, "0"));
        putItem(transaction, 1, 3);
        putItem(transaction, 3, 1);
        putItem(transaction, 5, 2);
      });
      const items = reopen(store).current().accounts?.[0]?.lists[0]?.items ?? [];
      expect(items.map((item) => "asn" in item && item.asn)).toEqual([3, 5, 1, 4]);
    });
  });

  describe(`${name}: ruleset versions`, () => {
    test("are all kept, with the rules they had", () => {
      const store = open();
      const { id } = shopOf(store);
      const first = ruleset(1, 1, ["ssl", "not ssl"]);
      putRuleset(store, id, first);
      const second: Ruleset = {
        ...first,
        version: "2",
        description: "version 2",
        rules: [...first.rules.slice(1), ...ruleset(2, 1, ["true"]).rules],
      };
      putRuleset(store, id, second);
      const again = reopen(store);
      expect(again.rulesetVersions(first.id).map(({ version }) => version)).toEqual(["1", "2"]);
      expect(again.rulesetVersion(first.id, "1")).toEqual(first);
      expect(again.rulesetVersion(first.id, "2")).toEqual(second);
      expect(again.rulesetVersion(first.id, "3")).toBeUndefined();
      expect(again.find("rulesets", entrypointUnique(`zone:${id}`, first.phase))?.ruleset).toEqual(second);
    });

    test("can be forgotten one by one without harm to the others", () => {
      const store = open();
      const { id } = shopOf(store);
      const versions = [1, 2, 3, 4].map((version) => ruleset(1, version, ["ssl", `true`]));
      // Each version keeps the first rule object of the one before.
      const kept = versions[0]?.rules[0];
      const chained = versions.map((each) => withFirstRule(each, kept as Rule));
      for (const each of chained) putRuleset(store, id, each);
      expect(store.deleteRulesetVersion(chained[0]?.id ?? "", "2")).toBe(true);
      expect(store.deleteRulesetVersion(chained[0]?.id ?? "", "2")).toBe(false);
      const again = reopen(store);
      for (const version of ["1", "3", "4"]) {
        expect(again.rulesetVersion(chained[0]?.id ?? "", version)).toEqual(
          chained.find((each) => each.version === version),
        );
      }
    });

    test("are bounded: the oldest go", () => {
      const store = open();
      const { id } = shopOf(store);
      for (let version = 1; version <= 130; version += 1) putRuleset(store, id, ruleset(1, version, ["ssl"]));
      const kept = store.rulesetVersions(ruleset(1, 1, []).id).map(({ version }) => Number(version));
      expect(kept).toHaveLength(100);
      expect([kept[0], kept.at(-1)]).toEqual([31, 130]);
      expect(reopen(store).rulesetVersion(ruleset(1, 1, []).id, "31")?.rules).toHaveLength(1);
    });

    test("go with their ruleset", () => {
      const store = open();
      const { id } = shopOf(store);
      putRuleset(store, id, ruleset(1, 1, ["ssl"]));
      store.write((transaction) => transaction.delete("rulesets", ruleset(1, 1, []).id));
      expect(store.rulesetVersions(ruleset(1, 1, []).id)).toEqual([]);
      expect(reopen(store).current().zones[0]?.rulesets).toEqual([]);
    });
  });

  describe(`${name}: audit log`, () => {
    test("holds what a transaction said, and nothing of one that failed", () => {
      const store = open();
      const accountId = store.defaultAccountId;
      const { id } = shopOf(store);
      for (const number of [1, 2, 3]) {
        store.write((transaction) => {
          transaction.put("operations", operationRow(id, number));
          transaction.audit(entry(accountId, String(number), number === 2 ? "delete" : "create"));
        });
      }
      expect(() =>
        store.write((transaction) => {
          transaction.audit(entry(accountId, "4", "create"));
          throw new Error("no");
        }),
      ).toThrow("no");
      const log = reopen(store);
      const query = { accountId, direction: "desc" as const, offset: 0, limit: 10 };
      const ids = (extra: object): string[] =>
        log.auditLog({ ...query, ...extra }).map(({ resource }) => resource.id);
      expect(ids({})).toEqual(["3", "2", "1"]);
      expect(ids({ direction: "asc", offset: 1, limit: 1 })).toEqual(["2"]);
      expect(ids({ action: "delete" })).toEqual(["2"]);
      expect(ids({ accountId: "other" })).toEqual([]);
      expect(ids({ actorIp: "127.0.0.2" })).toEqual([]);
      expect(log.auditLog(query)[0]?.after).toEqual({ id: "3" });
    });
  });
}
