/** Operations and rules declared in code, and operations from an OpenAPI document. */
import { describe, expect, test } from "vitest";
import { defineOperations } from "../../src/adapters/define-operations.ts";
import { toMilliseconds } from "../../src/adapters/duration.ts";
import { operationsFromOpenApi } from "../../src/adapters/openapi.ts";
import { toRulesets } from "../../src/adapters/rulesets.ts";
import { operationIds } from "../../src/adapters/stable-ids.ts";
import { derivedId } from "../../src/store/ids.ts";
import { zoneIdOf } from "../../src/adapters/stable-ids.ts";
import { compileFilter, parseFilter } from "../../src/expression/index.ts";
import { fieldSlot, schemeFor } from "../../src/ruleset/index.ts";

const operations = defineOperations({
  a: "GET /a",
  b: "POST /b/{id}",
  c: { operation: "DELETE /c", record: "success", prefetch: "ignore" },
});
const { shortIds, require: needs, requireAny, forbid } = operations;

describe("ids", () => {
  test("are the hash of the definition: the same tomorrow and elsewhere", () => {
    expect(operations.operations.a.id).toBe("e5fcd45f-6218-8213-9bb6-6194932a4ae4");
    expect(operations.operations.a.id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(operations.nameOf(shortIds.b)).toBe("b");
    expect(operations.nameOf("00000000")).toBeUndefined();
  });

  test("change with method and path, not with the names of variables", () => {
    const other = defineOperations({ x: "POST /b/{other}", y: "PUT /b/{id}" });
    expect(other.shortIds.x).toBe(shortIds.b);
    expect(other.shortIds.y).not.toBe(shortIds.b);
  });

  test("never share their first eight characters, whatever the order", () => {
    const keys = Array.from({ length: 2000 }, (_, index) => `GET /${index}`);
    const ids = operationIds(keys);
    expect(new Set([...ids.values()].map((id) => id.slice(0, 8))).size).toBe(keys.length);
    expect(operationIds(keys.toReversed())).toEqual(ids);
  });

  test("of zones are those of the store", () => {
    expect(zoneIdOf("shop.example")).toBe(derivedId("zone", "shop.example"));
  });
});

describe("what is refused", () => {
  test.each([
    [{ x: "FETCH /a" }, /operation `x`: expected a method .* found `FETCH \/a`/],
    [{ x: "GET a" }, /operation `x`: .*does not start with `\/`/],
    [{ x: "GET /a{b}" }, /is not a variable as a whole/],
    [{ x: "GET /a/{b}", y: "GET /a/{c}" }, /each operation once, found it as `x` and `y`/],
  ])("%j", (definitions, message) => {
    expect(() => defineOperations(definitions as never)).toThrow(message);
  });

  test("names that were not declared", () => {
    expect(() => needs("toString" as never)).not.toThrow();
    expect(() => needs("toString" as never).before("a")).toThrow(/expected one of a, b, c, found `toString`/);
  });

  test.each(["10", "10 m", "-1s", "0s", "1d", "25h", "1e3s"])("the span %s", (span) => {
    expect(() => toMilliseconds(span as never)).toThrow(/expected a span of at most a day/);
  });
});

/** Whether a rule fires for a request of `op` after `before` (newest first, with ages in milliseconds). */
function fires(expression: string, op: string, before: readonly (readonly [string, number])[]): boolean {
  const values = new Map<number, unknown>([
    [fieldSlot("cf.sequence.current_op"), op],
    [fieldSlot("cf.sequence.previous_ops"), before.map(([name]) => name)],
    [fieldSlot("cf.sequence.msec_since_op"), new Map(before.toReversed().map(([name, age]) => [name, age]))],
  ]);
  const predicate = compileFilter(parseFilter(expression, schemeFor("http_request_firewall_custom")));
  return predicate({ get: (slot) => values.get(slot) as never });
}

const ids = (rules: Parameters<typeof toRulesets>[0]) => toRulesets(rules)[0]?.rules.map(({ id }) => id);

describe("sentences", () => {
  const { a, b, c } = shortIds;

  test.each([
    [
      "a before b",
      needs("a").before("b"),
      "b needs a before it",
      [
        [b, [], true],
        [b, [[a, 5]], false],
        [a, [], false],
      ],
    ],
    [
      "a within a minute before b",
      needs("a").before("b").within("1m"),
      "b needs a at most 1 min before it",
      [
        [b, [[a, 60_000]], false],
        [b, [[a, 60_001]], true],
        [b, [], true],
      ],
    ],
    [
      "a two seconds before b",
      needs("a").before("b").atLeast("2s"),
      "b needs a at least 2 s before it",
      [
        [b, [[a, 1999]], true],
        [b, [[a, 2000]], false],
      ],
    ],
    [
      "a and c before b",
      needs("a", "c").before("b"),
      "b needs a and c before it",
      [
        [b, [[a, 1]], true],
        [
          b,
          [
            [c, 1],
            [a, 2],
          ],
          false,
        ],
      ],
    ],
    [
      "a then c directly before b",
      needs("a", "c").before("b").directly(),
      "b needs a and c directly before it",
      [
        [
          b,
          [
            [c, 1],
            [a, 2],
          ],
          false,
        ],
        [
          b,
          [
            [a, 1],
            [c, 2],
          ],
          true,
        ],
        [
          b,
          [
            [b, 1],
            [c, 2],
            [a, 3],
          ],
          true,
        ],
      ],
    ],
    [
      "a or c before b",
      requireAny("a", "c").before("b"),
      "b needs a or c before it",
      [
        [b, [[c, 1]], false],
        [b, [], true],
      ],
    ],
    [
      "a or c in time before b",
      requireAny("a", "c").before("b").within("1s").atLeast(500),
      "b needs a or c at least 500 ms and at most 1 s before it",
      [
        [b, [[c, 700]], false],
        [
          b,
          [
            [c, 400],
            [a, 900],
          ],
          false,
        ],
        [
          b,
          [
            [c, 400],
            [a, 2000],
          ],
          true,
        ],
      ],
    ],
    [
      "no b after a or c",
      forbid("b").after("a", "c"),
      "b must not come after a or c",
      [
        [b, [[c, 1]], true],
        [b, [], false],
        [c, [[a, 1]], false],
      ],
    ],
    [
      "no b within a second after a",
      forbid("b").after("a").within("1s"),
      "b must not come at most 1 s after a",
      [
        [b, [[a, 900]], true],
        [b, [[a, 1100]], false],
      ],
    ],
  ] as const)("%s", (_name, rule, description, cases) => {
    expect(rule.description).toBe(description);
    expect(cases.map(([op, before]) => [op, before, fires(rule.expression, op, before)])).toEqual(cases);
  });

  test("are plain rules of the API", () => {
    const rule = needs("a").before("b").within("10m").named("order");
    expect(JSON.parse(JSON.stringify(rule))).toEqual({
      action: "block",
      description: "b needs a at most 10 min before it",
      expression: `cf.sequence.current_op eq "${b}" and not cf.sequence.msec_since_op["${a}"] le 600000`,
      ref: "order",
    });
    expect(needs("a").before("b").logOnly().action).toBe("log");
  });

  test("refuse what cannot be", () => {
    expect(() => needs("a").before("b").atLeast("2m").within("1m")).toThrow(/swap the two/);
    expect(() => requireAny("a", "c").before("b").directly()).toThrow(/a rule for each/);
  });

  test("keep their ids as long as they say the same", () => {
    const rule = needs("a").before("b");
    expect(ids([rule])).toEqual(ids([needs("a").before("b")]));
    expect(ids([rule])).not.toEqual(ids([rule.within("1m")]));
  });
});

test("every mistake in rules is told at once, with its place", () => {
  const mistaken = [
    { expression: "cf.sequence.current_op eq" },
    { expression: 'http.host eq "a"', action: "fly" as never },
  ];
  expect(() => toRulesets(mistaken)).toThrow(/rule 1 of .*`\/expression`.*rule 2 of .*`\/action`/s);
  expect(() =>
    toRulesets([
      { expression: 'http.host eq "a"', ref: "x" },
      { expression: 'http.host eq "b"', ref: "x" },
    ]),
  ).toThrow(/found `x` again/);
});

test("an OpenAPI document gives what it can, and says what it cannot", () => {
  const { definitions, skipped } = operationsFromOpenApi({
    openapi: "3.1.0",
    servers: [{ url: "https://api.example/v1/" }],
    paths: {
      "/pets": { get: { operationId: "listPets" }, post: {}, parameters: [] },
      "/pets/{id}": {
        get: { operationId: "getPet" },
        delete: { servers: [{ url: "https://other.example" }] },
      },
      "/pets/{name}": { get: { operationId: "again" } },
      "/files/{name}.json": { get: {} },
      "/elsewhere": { $ref: "other.yaml" },
    },
    webhooks: { paid: {} },
  });
  expect(definitions).toEqual({
    listPets: "GET /v1/pets",
    "POST /pets": "POST /v1/pets",
    getPet: "GET /v1/pets/{var1}",
  });
  expect(skipped.map(({ pointer }) => pointer)).toEqual([
    "/paths/~1pets~1{id}/delete",
    "/paths/~1pets~1{name}/get",
    "/paths/~1files~1{name}.json/get",
    "/paths/~1elsewhere",
    "/webhooks",
  ]);
  expect(defineOperations(definitions).shortIds["getPet"]).toMatch(/^[0-9a-f]{8}$/);
  expect(() => operationsFromOpenApi({ swagger: "2.0" })).toThrow(/OpenAPI document of version 3/);
});
