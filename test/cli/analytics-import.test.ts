/** A log with known truth, imported by the command, against a count made independently of it. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStore } from "../../src/store/index.ts";
import { createRandom } from "../analytics/markov.ts";

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, "../../src/main.ts");
const START = Date.UTC(2019, 0, 22, 3, 56, 14);
const REQUESTS = 30_000;

/** What visitors do next, and how likely. */
const NEXT: Readonly<Record<string, readonly (readonly [step: string, share: number])[]>> = {
  start: [
    ["GET /", 0.7],
    ["GET /products", 0.3],
  ],
  "GET /": [
    ["GET /products", 0.6],
    ["GET /", 0.1],
    ["POST /login", 0.2],
    ["end", 0.1],
  ],
  "GET /products": [
    ["GET /products/{}", 0.7],
    ["GET /products", 0.1],
    ["end", 0.2],
  ],
  "GET /products/{}": [
    ["POST /cart/items", 0.3],
    ["GET /products", 0.3],
    ["GET /products/{}", 0.3],
    ["end", 0.1],
  ],
  "POST /cart/items": [
    ["GET /cart", 0.8],
    ["GET /products", 0.1],
    ["end", 0.1],
  ],
  "GET /cart": [
    ["POST /checkout", 0.6],
    ["GET /products", 0.2],
    ["DELETE /cart/items/{}", 0.1],
    ["end", 0.1],
  ],
  "DELETE /cart/items/{}": [
    ["GET /cart", 0.9],
    ["end", 0.1],
  ],
  "POST /login": [
    ["GET /", 0.5],
    ["GET /account/orders", 0.4],
    ["end", 0.1],
  ],
  "GET /account/orders": [
    ["GET /products", 0.5],
    ["end", 0.5],
  ],
  "POST /checkout": [
    ["GET /account/orders", 0.5],
    ["end", 0.5],
  ],
};

interface Row {
  readonly second: number;
  readonly address: string;
  /** `undefined` for noise. */
  readonly step: string | undefined;
  readonly line: string;
}

/** Rows in the order of the log: a few of them seconds too late, as servers write slow answers. */
function makeLog(): readonly Row[] {
  const random = createRandom(11);
  const whole = (below: number): number => Math.floor(random() * below);
  const visitors = Array.from({ length: 90 }, (_, at) => ({
    address: `10.0.${at % 7}.${at}`,
    step: "start",
    second: whole(4000),
  }));
  const rows: Row[] = [];
  while (rows.length < REQUESTS) {
    const visitor = visitors[whole(visitors.length)]!;
    const choice = random();
    let sum = 0;
    const step = NEXT[visitor.step]!.find(([, share]) => (sum += share) > choice)?.[0] ?? "end";
    // Some pauses are longer than an hour: what was before them does not count any more.
    visitor.second += visitor.step === "start" ? whole(9000) : whole(random() < 0.02 ? 5000 : 40);
    visitor.step = step === "end" ? "start" : step;
    if (step === "end") continue;
    const [method, template = ""] = step.split(" ");
    rows.push(
      toRow(visitor, {
        step,
        request: `${method} ${template.replace("{}", String(1 + whole(5000)))}`,
        status: 200,
      }),
    );
    if (random() < 0.3)
      rows.push(toRow(visitor, { step: undefined, request: "GET /static/app.css", status: 200 }));
    if (random() < 0.05)
      rows.push(toRow(visitor, { step: undefined, request: `GET /wp-${whole(1e9)}.php`, status: 404 }));
  }
  const delayed = rows
    .toSorted((a, b) => a.second - b.second)
    .map((row, at) => ({ row, key: at + (random() < 0.05 ? whole(200) : 0) }));
  return delayed.toSorted((a, b) => a.key - b.key).map(({ row }) => row);
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

const two = (value: number): string => String(value).padStart(2, "0");

function toRow(
  { address, second }: { readonly address: string; readonly second: number },
  {
    step,
    request,
    status,
  }: { readonly step: string | undefined; readonly request: string; readonly status: number },
): Row {
  const at = new Date(START + second * 1000 + 3.5 * 3_600_000);
  const time = `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0330`;
  return {
    second,
    address,
    step,
    line: `${address} - - [${time}] "${request} HTTP/1.1" ${status} 512 "-" "Mozilla/5.0" "-"`,
  };
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Definitions of the analytics of sequences, the slow and obvious way; knows nothing of the program's parts. */
function countExactly(log: readonly Row[]) {
  const requests = new Map<string, number>();
  const sequences = new Map<string, number>();
  const passed = new Map<string, number>();
  const pasts = new Map<string, { step: string; second: number }[]>();
  for (const { second, address, step } of log.toSorted((a, b) => a.second - b.second)) {
    if (step === undefined) continue;
    const past = (pasts.get(address) ?? []).filter((entry) => second - entry.second < 3600).slice(-10);
    add(requests, step);
    for (const earlier of new Set(past.map((entry) => entry.step))) add(passed, `${earlier} > ${step}`);
    const steps = [...past.map((entry) => entry.step), step];
    const collapsed = steps.filter((each, index) => each !== steps[index - 1]);
    if (past.at(-1)?.step !== step)
      for (let length = 1; length <= 9 && length <= collapsed.length; length += 1)
        add(sequences, collapsed.slice(-length).join(" > "));
    pasts.set(address, [...past, { step, second }]);
  }
  return { requests, sequences, passed };
}

interface Report {
  readonly requests: number;
  readonly counted: number;
  readonly unreadable: number;
  readonly unreadableLines: readonly { readonly number: number; readonly reason: string }[];
  readonly late: number;
  readonly from: string;
  readonly operations: readonly {
    readonly shortId: string;
    readonly method: string;
    readonly endpoint: string;
  }[];
  readonly sequences: readonly {
    readonly operations: readonly string[];
    readonly count: number;
    readonly precedence: number;
    readonly follow: number;
  }[];
  readonly pairs: readonly {
    readonly first: string;
    readonly second: string;
    readonly requests: number;
    readonly passed: number;
    readonly passRate: number;
    readonly isExact: boolean;
  }[];
  readonly saved: readonly { readonly method: string; readonly endpoint: string }[];
  readonly unsaved: readonly {
    readonly method: string;
    readonly endpoint: string;
    readonly requests: number;
  }[];
  readonly suggestions: readonly unknown[];
}

let folder: string;
let log: readonly Row[];

async function importLog(...options: readonly string[]): Promise<Report> {
  const { stdout } = await run(
    process.execPath,
    [MAIN, "analytics", "import", "--data-dir", folder, "--json", ...options],
    { maxBuffer: 1e9 },
  );
  return JSON.parse(stdout) as Report;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "import-"));
  const store = openStore({
    path: join(folder, "stepgate.db"),
    now: Date.now,
    random: (length) => randomBytes(length),
  });
  store.ensureZones([{ name: "shop.example", hosts: ["shop.example"], origin: "http://127.0.0.1:9" }]);
  store.close();
  log = makeLog();
  const lines = log.map(({ line }) => line);
  lines.splice(100, 0, "not a line of a log");
  lines.splice(200, 0, '10.0.0.1 - - [22/Jan/2019:03:56:14 +0330] "-" 408 0 "-" "-"');
  await writeFile(join(folder, "access.log.gz"), gzipSync(lines.join("\n")));
});
afterAll(() => rm(folder, { recursive: true }));

describe("a log of 30,000 requests", () => {
  let report: Report;

  test(
    "without operations, the templates are proposed, and nothing is saved",
    { timeout: 60_000 },
    async () => {
      const proposed = await importLog(join(folder, "access.log.gz"));
      expect(proposed).toMatchObject({
        requests: log.length,
        counted: 0,
        unreadable: 2,
        unreadableLines: [{ number: 101 }, { number: 201 }],
        late: 0,
        sequences: [],
        saved: [],
      });
      const steps = [...new Set(log.flatMap(({ step }) => step ?? []))].map((step) =>
        step.replace("{}", "{var1}"),
      );
      expect(proposed.unsaved.map(({ method, endpoint }) => `${method} ${endpoint}`).toSorted()).toEqual(
        steps.toSorted(),
      );
    },
  );

  test(
    "saved and counted: sequences and scores are those of an independent count",
    { timeout: 60_000 },
    async () => {
      report = await importLog(
        join(folder, "access.log.gz"),
        "--save",
        "--min-count",
        "1",
        "--limit",
        "100000",
      );
      const exact = countExactly(log);
      const names = new Map(
        report.operations.map(({ shortId, method, endpoint }) => [
          shortId,
          `${method} ${endpoint.replace("{var1}", "{}")}`,
        ]),
      );
      const nameOf = (shortId: string): string => names.get(shortId) ?? "";
      expect(report.saved).toHaveLength(exact.requests.size);
      expect(report.counted).toBe([...exact.requests.values()].reduce((sum, count) => sum + count, 0));
      expect(report.sequences.length).toBeGreaterThan(500);
      for (const { operations, count, precedence, follow } of report.sequences) {
        const steps = operations.map(nameOf);
        const expected = exact.sequences.get(steps.join(" > "));
        expect(count).toBe(expected);
        expect(precedence).toBeCloseTo(count / exact.sequences.get(steps.at(-1)!)!, 12);
        // What follows several parallel requests can outnumber what came before.
        const before = Math.max(exact.sequences.get(steps.slice(0, -1).join(" > "))!, count);
        expect(follow).toBeCloseTo(count / before, 12);
      }
      // What is not reported is folded into a longer sequence that keeps nine tenths of it.
      const reported = new Set(report.sequences.map(({ operations }) => operations.map(nameOf).join(" > ")));
      for (const [steps, count] of exact.sequences) {
        if (!steps.includes(" > ") || reported.has(steps)) continue;
        const longer = [...exact.requests.keys()].map(
          (step) => exact.sequences.get(`${step} > ${steps}`) ?? 0,
        );
        expect(Math.max(...longer)).toBeGreaterThanOrEqual(0.9 * count);
      }
    },
  );

  test("pairs are exact", () => {
    const exact = countExactly(log);
    const names = new Map(
      report.operations.map(({ shortId, method, endpoint }) => [
        shortId,
        `${method} ${endpoint.replace("{var1}", "{}")}`,
      ]),
    );
    const found = new Map(
      report.pairs.map(({ first, second, passed, requests, passRate, isExact }) => {
        expect(isExact).toBe(true);
        expect(passRate).toBe(passed / requests);
        expect(requests).toBe(exact.requests.get(names.get(second)!));
        return [`${names.get(first)} > ${names.get(second)}`, passed] as const;
      }),
    );
    const wanted = [...exact.passed].filter(([pair]) => pair.split(" > ")[0] !== pair.split(" > ")[1]);
    expect(found).toEqual(new Map(wanted));
    expect(report.suggestions.length).toBeGreaterThan(0);
  });

  test(
    "the same as JSON lines with sessions by a header, from standard input",
    { timeout: 60_000 },
    async () => {
      const lines = log.map(({ line, address, second }) => {
        const [, request = "", status] = /"([^"]*) HTTP\/1\.1" (\d+)/.exec(line) ?? [];
        const [verb, target] = request.split(" ");
        return JSON.stringify({
          when: START / 1000 + second,
          verb,
          path: target,
          code: status,
          headers: { "X-Who": address },
        });
      });
      const file = join(folder, "log.jsonl");
      await writeFile(file, lines.join("\n"));
      const other = await importLog(
        file,
        "--field",
        "time=when,method=verb,status=code",
        "--session",
        "header:x-who",
        "--min-count",
        "1",
        "--limit",
        "100000",
      );
      expect(other.sequences).toEqual(report.sequences);
      expect(other.pairs).toEqual(report.pairs);
    },
  );
});

test("as text, for people", { timeout: 30_000 }, async () => {
  const { stdout } = await run(process.execPath, [
    MAIN,
    "analytics",
    "import",
    join(folder, "access.log.gz"),
    "--data-dir",
    folder,
  ]);
  expect(stdout).toMatch(/^\d+ requests from 2019-01-2\d\S+ to 2019/);
  expect(stdout).toMatch(/line 101: expected an address/);
  expect(stdout).toMatch(/GET \/cart → POST \/checkout/);
});

test.each([
  [["nothing.log"], /cannot read `nothing\.log`: it does not exist/],
  [["x", "--session", "ip"], /--session: expected address/],
  [["x", "--format", "xml"], /--format/],
  [["x", "--field", "when=time"], /--field/],
  [["x", "--min-count", "none"], /--min-count/],
  [["x", "--zone", "other"], /no zone `other`/],
  [["-", "--save"], /standard input/],
])("%j is refused in one line", { timeout: 30_000 }, async (options, message) => {
  const failed = run(process.execPath, [MAIN, "analytics", "import", "--data-dir", folder, ...options]);
  failed.child.stdin?.end();
  await expect(failed).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(message) as string });
});
