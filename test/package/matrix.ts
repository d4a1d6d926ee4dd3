/**
 * `node test/package/matrix.ts`: the packed package in empty projects, each with one framework, under each release of
 * Node, with npm's real installation. Needs the registry and some minutes, so it is no part of the tests.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { EXPECTED_JOURNEY, visitProgram } from "./programs.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SNIPPETS = fileURLToPath(new URL("snippets/", import.meta.url));

const NODES = ["24", "26"];

interface Row {
  readonly name: string;
  /** What the project has beside the package. */
  readonly packages: readonly string[];
  /** Below `snippets/`; a folder is the whole project. */
  readonly source: string;
  /** What to run before the program. */
  readonly build?: readonly string[];
  readonly file: string;
}

const ROWS: readonly Row[] = [
  { name: "h3", packages: ["h3@2"], source: "h3.js", file: "h3.js" },
  { name: "Express 4", packages: ["express@4"], source: "express.js", file: "express.js" },
  { name: "Express 5", packages: ["express@5"], source: "express.js", file: "express.js" },
  { name: "Fastify", packages: ["fastify@5"], source: "fastify.js", file: "fastify.js" },
  { name: "Koa", packages: ["koa@3"], source: "koa.js", file: "koa.js" },
  { name: "node:http", packages: [], source: "node.js", file: "node.js" },
  { name: "Hono", packages: ["hono@4", "@hono/node-server@2"], source: "hono.js", file: "hono.js" },
  {
    name: "Nitro",
    packages: ["nitro@3"],
    source: "nitro",
    build: ["node_modules/nitro/dist/cli/index.mjs", "build"],
    file: ".output/server/index.mjs",
  },
];

const TYPES = `import { defineOperations, stepgate } from "stepgate/h3";
import { stepgate as onNode } from "stepgate/node";
import { stepgate as onFetch } from "stepgate/fetch";
import { createVisitor } from "stepgate/testing";
import { defineConfig } from "stepgate";
const operations = defineOperations({ look: "GET /look", go: "POST /go" });
const rules = [operations.require("look").before("go")];
export const all = [stepgate({ operations, rules }), onNode({ operations }), onFetch({ operations, keys: "" })];
export const others = [createVisitor, defineConfig];
`;

const work = await mkdtemp(join(tmpdir(), "stepgate-matrix-"));
let failures = 0;

function say(isFine: boolean, what: string): void {
  if (!isFine) failures += 1;
  process.stdout.write(`${isFine ? "✓" : "✗"} ${what}\n`);
}

/** Runs a command with one release of Node before all others. */
async function withNode(node: string, cwd: string, command: readonly [string, ...string[]]): Promise<string> {
  const [program, ...args] = command;
  const env = { ...process.env, PATH: `${join(node, "..")}:${process.env["PATH"] ?? ""}` };
  const { stdout } = await run(program, args, { cwd, env, maxBuffer: 64 << 20 });
  return stdout;
}

async function installNode(version: string): Promise<string> {
  const dir = join(work, `node-${version}`);
  await mkdir(dir);
  await writeFile(join(dir, "package.json"), JSON.stringify({ allowScripts: { node: true } }));
  await run("npm", ["install", `node@${version}`, "--no-audit", "--no-fund"], { cwd: dir });
  return join(dir, "node_modules/node/bin/node");
}

async function install(node: string, dir: string, packages: readonly string[]): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "package.json"), JSON.stringify({ type: "module", private: true }));
  await withNode(node, dir, ["npm", "install", "--no-audit", "--no-fund", ...packages]);
}

async function tryProgram(node: string, dir: string, row: Row): Promise<string> {
  const source = join(SNIPPETS, row.source);
  await cp(source, row.source.endsWith(".js") ? join(dir, row.source) : dir, { recursive: true });
  if (row.build !== undefined) await withNode(node, dir, [node, ...row.build]);
  const journey = await visitProgram({ node, cwd: dir, file: row.file });
  return journey.join(" · ").replaceAll(/\s/g, "");
}

/** Under the compiler that most projects have, with and without a bundler. */
async function tryTypes(node: string, dir: string): Promise<void> {
  await writeFile(join(dir, "consumer.ts"), TYPES);
  for (const [module, resolution] of [
    ["nodenext", "nodenext"],
    ["esnext", "bundler"],
  ] as const) {
    const flags = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2024", "--types", "node"];
    const args = ["--module", module, "--moduleResolution", resolution, ...flags, "consumer.ts"];
    const found = await withNode(node, dir, [join(dir, "node_modules/.bin/tsc"), ...args]).catch(
      (error: unknown) => (error as { readonly stdout: string }).stdout,
    );
    say(found === "", `types under ${resolution} ${found}`);
  }
}

try {
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", work], { cwd: ROOT });
  const tarball = join(work, stdout.trim().split("\n").at(-1) ?? "");
  for (const version of NODES) {
    const node = await installNode(version);
    const release = (await withNode(node, work, [node, "--version"])).trim();
    for (const row of ROWS) {
      const dir = join(work, `${version}-${row.name.replaceAll(/\W/g, "-")}`);
      try {
        await install(node, dir, [tarball, ...row.packages]);
        const journey = await tryProgram(node, dir, row);
        const expected = EXPECTED_JOURNEY.join(" · ").replaceAll(/\s/g, "");
        say(journey === expected, `${row.name} under ${release}: ${journey}`);
      } catch (error) {
        say(false, `${row.name} under ${release}: ${(error as Error).message}`);
      }
      await rm(dir, { recursive: true, force: true });
    }
    const dir = join(work, `${version}-types`);
    await install(node, dir, [tarball, "typescript@6", "@types/node@24"]);
    say(true, `installed with ${(await readdir(join(dir, "node_modules"))).length} packages at its top`);
    await tryTypes(node, dir);
  }
} finally {
  await rm(work, { recursive: true, force: true, maxRetries: 3 });
}
process.stdout.write(failures === 0 ? "all as expected\n" : `${failures} failed\n`);
process.exitCode = failures === 0 ? 0 : 1;
