/** Scenario files, recorded traffic, and what the command says of them. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseHar } from "../../src/testing/har.ts";
import { renderJunit } from "../../src/testing/report.ts";
import { readScenario } from "../../src/testing/scenario-file.ts";
import { createVisitor } from "../../src/testing/visitor.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

const LOOK = "aaaaaaaa-0000-4000-8000-000000000001";
const GO = "bbbbbbbb-0000-4000-8000-000000000002";

const ZONE = {
  format: "stepgate-zone",
  format_version: 1,
  zone: { name: "shop.example", paused: false, sequence_cookies: { enabled: true } },
  operations: [
    { operation_id: LOOK, method: "GET", host: "shop.example", endpoint: "/look" },
    { operation_id: GO, method: "POST", host: "shop.example", endpoint: "/go" },
  ],
  rulesets: [
    {
      phase: "http_request_firewall_custom",
      rules: [
        {
          id: "c".repeat(32),
          ref: "look-first",
          description: "go needs a look",
          action: "block",
          expression: `cf.sequence.current_op eq "bbbbbbbb" and not cf.sequence.msec_since_op["aaaaaaaa"] le 600000`,
        },
      ],
    },
  ],
};

const SCENARIO = `
zone: zone.json
headers: { accept: application/json }
journeys:
  - name: go needs a look
    steps:
      - { request: POST /go, expect: blocked }
      - { request: GET /look, expect: { status: 200, decision: passed, contains: "200" } }
      - wait: 9m
      - { request: POST /go, answer: 201, expect: 201 }
      - wait: 2m
      - { request: POST /go, expect: blocked }
  - name: another visitor has another past
    steps:
      - { request: GET /look, visitor: ann }
      - { request: POST /go, visitor: bob, expect: blocked }
      - { request: POST /go, visitor: ann }
`;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "stepgate-scenarios-"));
  await writeFile(join(dir, "zone.json"), JSON.stringify(ZONE));
  await writeFile(join(dir, "wait.yaml"), "journeys: [{ name: x, steps: [{ wait: 20m }] }]\n");
});
afterAll(() => rm(dir, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runTest(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, "test", ...args], { cwd: dir }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** One entry of a recording, `ms` after its beginning. */
function entry(ms: number, request: string, status: number, host = "shop.example") {
  const [method, path] = request.split(" ");
  return {
    startedDateTime: new Date(1_790_000_000_000 + ms).toISOString(),
    request: { method, url: `https://${host}${path}`, headers: [{ name: "Cookie", value: "old=1" }] },
    response: { status },
  };
}

const steps = (step: string): string => `journeys:\n  - name: x\n    steps:\n      - ${step}\n`;

describe("stepgate test", () => {
  test("tries the rules of a zone in no time", async () => {
    await writeFile(join(dir, "good.yaml"), SCENARIO);
    const { code, stdout } = await runTest("good.yaml");
    expect(stdout).toMatch(
      /✓ go needs a look \(4 requests, \d+ ms\)\n✓ another visitor has another past \(3 requests/,
    );
    expect(stdout).toContain("2 journeys, 0 failed");
    expect(code).toBe(0);
  });

  test("says which step went wrong, and which rule did it", async () => {
    await writeFile(join(dir, "bad.yaml"), SCENARIO.replace("wait: 9m", "wait: 11m"));
    const { code, stdout } = await runTest("bad.yaml", "--junit", "junit.xml");
    expect(code).toBe(1);
    expect(stdout).toContain("✗ go needs a look");
    expect(stdout).toContain("    step 4: POST /go\n      expected status 201, found blocked (403)\n");
    expect(stdout).toContain(
      "block by rule look-first (go needs a look); before it: GET /look 660000 ms ago",
    );
    const junit = await readFile(join(dir, "junit.xml"), "utf8");
    expect(junit).toContain('<testsuite name="bad.yaml" tests="2" failures="1"');
    expect(junit).toContain('<failure message="expected status 201, found blocked (403)">');
  });

  test("the journeys of the documentation", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const journeys = /^```yaml\n(# journeys\.yaml\n[^]*?)^```$/m.exec(readme)?.[1] ?? "";
    const paths: Readonly<Record<string, string>> = {
      "/look": "/api/v1/accounts/{id}/balance",
      "/go": "/api/v1/transferFunds",
    };
    const operations = ZONE.operations.map((operation) => ({
      ...operation,
      endpoint: paths[operation.endpoint],
    }));
    await writeFile(join(dir, "documented.json"), JSON.stringify({ ...ZONE, operations }));
    await writeFile(join(dir, "documented.yaml"), journeys.replace("zone.json", "documented.json"));
    expect(await runTest("documented.yaml")).toMatchObject({ code: 0, stderr: "" });
  });

  test("asks an application in this process, on its clock", async () => {
    const testing = new URL("../../src/testing/client.ts", import.meta.url).href;
    const adapter = new URL("../../src/adapters/fetch.ts", import.meta.url).href;
    const keys = {
      keys: [
        { kty: "oct", kid: "a", k: Buffer.from("0123456789abcdef0123456789abcdef").toString("base64url") },
      ],
    };
    await writeFile(
      join(dir, "app.mjs"),
      `import { createTestClock } from ${JSON.stringify(testing)};
       import { defineOperations, stepgate } from ${JSON.stringify(adapter)};
       export const clock = createTestClock();
       const operations = defineOperations({ look: "GET /look", go: "POST /go" });
       const rules = [operations.require("look").before("go").within("10m")];
       const guard = stepgate({ operations, rules, keys: ${JSON.stringify(keys)}, now: clock.now });
       export default { fetch: (request) => guard(request, () => new Response("200")) };`,
    );
    await writeFile(
      join(dir, "app.yaml"),
      SCENARIO.replace("zone: zone.json", "app: app.mjs").replace("answer: 201, expect: 201", "expect: 200"),
    );
    expect(await runTest("app.yaml")).toMatchObject({ code: 0, stderr: "" });
  });

  test("asks a server", async () => {
    const server = createServer((req, res) => res.end(`saw ${req.url}`));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await writeFile(
      join(dir, "url.yaml"),
      `journeys:\n  - name: a page\n    steps:\n      - { request: GET /page, expect: { contains: saw /page } }\n`,
    );
    expect((await runTest("url.yaml", "--url", url)).code).toBe(0);
    await new Promise((resolve) => server.close(resolve));
    const gone = await runTest("url.yaml", "--url", url);
    expect(gone.code).toBe(1);
    expect(gone.stdout).toMatch(/no answer: .*ECONNREFUSED/);
  });

  test("replays recorded traffic", async () => {
    const har = {
      log: {
        entries: [
          entry(0, "GET /look", 200),
          entry(5, "GET /font", 200, "cdn.example"),
          entry(1000, "POST /go", 201),
        ],
      },
    };
    await writeFile(join(dir, "good.har"), JSON.stringify(har));
    const good = await runTest("good.har", "--zone", "zone.json");
    expect(good.stdout).toContain("1 journeys, 0 failed\n1 recorded requests left out");
    har.log.entries.shift();
    har.log.entries.shift();
    await writeFile(join(dir, "bad.har"), JSON.stringify(har));
    const bad = await runTest("bad.har", "--zone", "zone.json");
    expect(bad.stdout).toContain("expected status 201, found blocked (403)");
    expect(bad.code).toBe(1);
  });

  test.each([
    [["none.yaml"], "none.yaml: it does not exist"],
    [["good.yaml", "--urll", "x"], "unknown option `--urll`"],
    [["good.yaml", "--url", "http://x", "--zone", "y"], "expected one of --url, --zone and --app"],
    [["wait.yaml", "--url", "http://127.0.0.1:9"], "wait.yaml: expected a wait of at most 600000 ms"],
  ])("%j is one line", async (args, message) => {
    const { code, stderr } = await runTest(...args);
    expect(stderr).toContain(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
  });
});

describe("a mistake is named by its place", () => {
  test.each([
    ["journeys: []", /journeys: expected a list/],
    ["journey: []", /the file: expected .*, found `journey`/],
    [steps("{ request: GET }"), /journeys\[0\]\.steps\[0\]\.request: expected a method and a path/],
    [steps("{ request: GET /a, wait: 1s }"), /expected `wait` or `request`, found both/],
    [steps("{ wait: soon }"), /steps\[0\]\.wait: expected a span/],
    [steps("{ request: GET /a, expect: maybe }"), /expected one of passed, blocked/],
    [steps("{ request: GET /a, expect: 99 }"), /expected 200 to 599/],
    [steps("{ request: GET /a, expects: 200 }"), /found `expects`/],
    ["journeys: [", /^line 1, column 12: Flow sequence .* \(the file is no YAML\)$/],
    [
      "journeys:\n\t- name: a",
      /^line 2, column 1: Tabs are not allowed as indentation \(the file is no YAML\)$/,
    ],
    [
      "a: &a [x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]",
      /Excessive alias count/,
    ],
  ])("%s", (text, message) => {
    expect(() => readScenario(text, "x.yaml")).toThrow(message);
  });

  test.each(["{}", '{"log":{"entries":[]}}', '{"log":{"entries":[{}]}}', "["])("recording %s", (text) => {
    expect(() => readScenario(text, "x.har")).toThrow(/HAR document|at least one request/);
  });
});

test.each([
  [
    "journeys:\n  - name: x\n    steps:\n      - { request: GET /a }\n      - { wait: soon }",
    /^line 5, journeys/,
  ],
  ["journeys:\n  - steps: []\n", /^line 2, journeys\[0\]\.name/],
])("and by its line: %j", (text, message) => {
  expect(() => readScenario(text, "x.yaml")).toThrow(message);
});

test.each([
  ["no-store", "passed"],
  ["private, no-store", "blocked"],
])("a 404 with `%s` is %s: an application has a `no-store` of its own", async (cacheControl, decision) => {
  const headers = { "stepgate-ray": "0123456789abcdef", "cache-control": cacheControl };
  const visitor = createVisitor({ target: () => new Response("none", { status: 404, headers }) });
  expect((await visitor.get("/")).decision).toBe(decision);
});

const request = (method: string, path: string, more: object = {}): object => ({
  method,
  url: `https://shop.example${path}`,
  ...more,
});

test("recordings of browsers are replayed as they can be sent", () => {
  const headers = [
    { name: ":authority", value: "shop.example" },
    { name: "X-Tag", value: "1" },
    { name: "x-tag", value: "2" },
    { name: "If-None-Match", value: '"1"' },
    { name: "Expect", value: "100-continue" },
    { name: "Cookie", value: "a=1" },
    { name: 7 },
    null,
  ];
  const entries = [
    { request: request("GET", "/cached", { headers, postData: { text: "" } }), response: { status: 304 } },
    { request: request("GET", "/disk"), response: { status: 200 }, _fromCache: "disk" },
    { request: request("CONNECT", "/"), response: { status: 200 } },
    { request: request("GET", "/socket"), response: { status: 101 } },
    { request: request("GET", "/gone"), response: { status: -1 } },
    null,
    { request: request("POST", "/form", { postData: { params: [] } }), response: { status: 200 } },
  ];
  const { journey, skipped } = parseHar({ log: { entries } }, "x");
  expect(skipped).toBe(5);
  expect(journey.steps).toMatchObject([
    { path: "/cached", headers: { "x-tag": "1, 2" }, body: undefined, expected: { status: 200 } },
    { path: "/form", headers: {}, body: undefined, expected: { status: 200 } },
  ]);
  expect(Object.keys((journey.steps[0] as { readonly headers: object }).headers)).toEqual(["x-tag"]);
  const marked = `\ufeff${JSON.stringify({ log: { entries } })}`;
  expect(readScenario(marked, "x.har").scenario.journeys).toHaveLength(1);
});

test("recordings keep their order and pauses", () => {
  const { journey } = parseHar(
    { log: { entries: [entry(3000, "GET /b", 200), entry(1000, "GET /a", 200)] } },
    "x",
  );
  expect(journey.steps).toMatchObject([{ path: "/a" }, { kind: "wait", waitMs: 2000 }, { path: "/b" }]);
});

test("whatever is in a name, the JUnit file is XML", () => {
  const hostile = '<a b="c">&\u0000\ud800]]>';
  const xml = renderJunit([{ name: hostile, steps: [], hasPassed: true, durationMs: 1 }], hostile);
  expect(xml).toContain('name="&lt;a b=&quot;c&quot;&gt;&amp;\ufffd\ufffd]]&gt;"');
});
