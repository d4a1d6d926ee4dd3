/** The package as it is published: packed, unpacked into an empty project, and used as the documentation says. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXPECTED_JOURNEY, visitProgram } from "./programs.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SNIPPETS = fileURLToPath(new URL("snippets/", import.meta.url));
const BIN = join(ROOT, "node_modules/.bin");
const env = { ...process.env, PATH: `${BIN}:${process.env["PATH"] ?? ""}` };

/** What the build reads; a copy, so that nothing is written into the checkout. */
const SOURCES = [
  "src",
  "package.json",
  "tsconfig.json",
  ".tsconfig.build.json",
  ".ci",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
];

/** Tarball and unpacked bytes. */
const MAX_PACKED_BYTES = 760_000;

let work: string;
let project: string;
let tarball: string;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}
let packed: Packed;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "stepgate-package-"));
  const copy = join(work, "copy");
  for (const source of SOURCES) await cp(join(ROOT, source), join(copy, source), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
  const { stdout } = await run("npm", ["pack", "--json", "--silent", "--pack-destination", work], {
    cwd: copy,
    env,
  });
  // npm 11 gives a list, npm 12 an object by name.
  const answer = JSON.parse(stdout.slice(stdout.search(/[[{]/))) as Packed[] | Record<string, Packed>;
  const [first] = Object.values(answer);
  if (first === undefined) throw new Error(`expected one package, found ${stdout}`);
  packed = first;
  tarball = join(work, packed.filename);
  project = join(work, "project");
  await unpack();
}, 120_000);

afterAll(() => rm(work, { recursive: true, force: true }));

/** As `npm install` would leave it, with the packages that are installed here. */
async function unpack(): Promise<void> {
  const modules = join(project, "node_modules");
  await mkdir(join(modules, "stepgate"), { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", join(modules, "stepgate"), "--strip-components=1"]);
  for (const name of await readdir(join(ROOT, "node_modules"))) {
    if (!name.startsWith(".")) await symlink(join(ROOT, "node_modules", name), join(modules, name));
  }
  await writeFile(join(project, "package.json"), JSON.stringify({ type: "module" }));
}

test("holds the build and nothing else", async () => {
  const paths = packed.files.map(({ path }) => path);
  const others = paths.filter(
    (path) =>
      !/^dist\/.+\.(?:js|d\.ts|html|css|svg|json)$/.test(path) &&
      !/^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(path),
  );
  expect(others).toEqual([]);
  expect(paths).toContain("LICENSE");
  expect(packed.size).toBeLessThan(MAX_PACKED_BYTES);
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly exports: Record<string, unknown>;
  };
  const targets = JSON.stringify(manifest.exports).match(/\.\/dist\/[^"]+/g) ?? [];
  for (const target of targets) expect(paths).toContain(target.slice(2));
});

test("publint has nothing to say", async () => {
  const pkgDir = join(project, "node_modules/stepgate");
  const { messages, pkg } = await publint({ pkgDir, strict: true, pack: false });
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
});

test("the types resolve for every import of ES modules", async () => {
  const { stdout } = await run(join(BIN, "attw"), [tarball, "--profile", "esm-only", "--format", "json"], {
    env,
    maxBuffer: 64 << 20,
  });
  const report = JSON.parse(stdout) as {
    readonly analysis: {
      readonly entrypoints: object;
      readonly problems: readonly { readonly resolutionKind?: string; readonly kind: string }[];
    };
  };
  expect(Object.keys(report.analysis.entrypoints).toSorted()).toEqual([
    ".",
    "./fetch",
    "./h3",
    "./node",
    "./package.json",
    "./testing",
  ]);
  // Packages of ES modules cannot be had by the resolution of Node 10, and by `require` only since Node 22.
  const accepted = new Set(["node10", "node16-cjs"]);
  expect(report.analysis.problems.filter(({ resolutionKind = "" }) => !accepted.has(resolutionKind))).toEqual(
    [],
  );
});

/** What a program of TypeScript gets: names that are known, and mistakes that do not compile. */
const CONSUMER = `
import express from "express";
import fastify from "fastify";
import { H3 } from "h3";
import Koa from "koa";
import { defineOperations, stepgate } from "stepgate/h3";
import { fastifyStepgate, koaStepgate, sequenceOf, stepgate as onNode } from "stepgate/node";
import type { SequenceContext } from "stepgate/node";
import { stepgate as onFetch } from "stepgate/fetch";
import { createTestClock, createVisitor } from "stepgate/testing";
import { defineConfig } from "stepgate";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const proves = <Claim extends true>(claim?: Claim): void => void claim;

const operations = defineOperations({ balance: "GET /accounts/{id}/balance", transfer: "POST /transfer" });
type Name = "balance" | "transfer";
proves<Equal<Parameters<typeof operations.require>[0], Name>>();
proves<Equal<Parameters<ReturnType<typeof operations.require>["before"]>[0], Name>>();
proves<Equal<Parameters<typeof operations.forbid>[0], Name>>();
proves<Equal<keyof typeof operations.shortIds, Name>>();
const rule = operations.require("balance").before("transfer").within("10m");
export const expression: string = rule.expression;
// @ts-expect-error: no operation has this name
operations.require("ballance");
// @ts-expect-error: nor this one
operations.require("balance").before("transfr");
// @ts-expect-error: not a span
operations.require("balance").before("transfer").within("10 minutes");
// @ts-expect-error: not a method and a path
defineOperations({ wrong: "FETCH accounts" });
// @ts-expect-error: no such option
onNode({ operation: operations });
// @ts-expect-error: keys are asked for where processes come and go
onFetch({ operations });

new H3().use(stepgate({ operations })).get("/", (event) => {
  proves<Equal<typeof event.context.sequence, SequenceContext | undefined>>();
  // @ts-expect-error: it is previousOps
  return event.context.sequence?.previousOp;
});
express()
  .use(onNode({ operations }))
  .get("/", (req, res) => {
    const sequence = sequenceOf(req);
    proves<Equal<typeof sequence, SequenceContext | undefined>>();
    proves<Equal<SequenceContext["previousOps"], readonly string[]>>();
    res.json(sequence?.msecSinceOp[operations.shortIds.balance]);
  });
new Koa().use(koaStepgate({ operations }));
const app = fastify();
fastifyStepgate(app, { operations });
app.get("/", (request) => sequenceOf(request.raw)?.currentOp);

export const all = [stepgate({ operations, rules: [rule] }), onNode({ operations }), onFetch({ operations, keys: "" })];
export const visitor = createVisitor({ target: "http://127.0.0.1", now: createTestClock().now });
export { defineConfig };
`;

describe.each([
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
])("a program with module %s and moduleResolution %s", (module, moduleResolution) => {
  test("gets typed names", async () => {
    await writeFile(join(project, "consumer.ts"), CONSUMER);
    const options = {
      module,
      moduleResolution,
      strict: true,
      noEmit: true,
      target: "es2024",
      skipLibCheck: true,
      types: ["node"],
    };
    await writeFile(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions: options, files: ["consumer.ts"] }),
    );
    const { stdout } = await run(join(BIN, "tsc"), ["-p", project], { env }).catch(
      (error: unknown) => error as { readonly stdout: string },
    );
    expect(stdout).toBe("");
  });
});

test("the command runs from the package", async () => {
  const command = join(project, "node_modules/stepgate/dist/main.js");
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly version: string;
  };
  expect((await run(process.execPath, [command, "--version"])).stdout.trim()).toBe(version);
  const { stdout } = await run(process.execPath, [
    command,
    "eval",
    "ip.src in {192.0.2.0/24}",
    "--field",
    "ip.src=192.0.2.1",
  ]);
  expect(stdout.trim()).toBe("true");
  expect((await stat(command)).mode & 0o111).not.toBe(0);
});

describe("the snippets of the documentation", async () => {
  const snippets = (await readdir(SNIPPETS)).filter((file) => file.endsWith(".js"));

  test.each(snippets)("%s", async (snippet) => {
    await cp(join(SNIPPETS, snippet), join(project, snippet));
    const journey = await visitProgram({ node: process.execPath, cwd: project, file: snippet });
    expect(journey).toEqual(EXPECTED_JOURNEY);
  });
});
