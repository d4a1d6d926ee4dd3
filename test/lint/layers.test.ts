/**
 * The layers of the source tree are only as good as the rules that keep them: oxlint's overrides have vanished
 * silently before (a configuration in another folder, a glob that is ignored). So forbidden code is fed to the
 * real configuration here, and each piece has to be refused.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layeredFolders } from "../../.oxlint.config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Refused {
  readonly title: string;
  readonly file: string;
  readonly code: string;
  readonly rule: string;
  readonly message: RegExp;
}

const REFUSED: readonly Refused[] = [
  {
    title: "a pure folder importing a Node module",
    file: "src/engine/reads-files.ts",
    code: 'import { readFileSync } from "node:fs";\nexport const read = readFileSync;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/engine may use only these libraries/,
  },
  {
    title: "a pure folder importing a Node module without its prefix",
    file: "src/sequence/reads-files.ts",
    code: 'import { readFileSync } from "fs";\nexport const read = readFileSync;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/sequence may use only these libraries/,
  },
  {
    title: "a pure folder importing another folder's library",
    file: "src/ruleset/seals.ts",
    code: 'import { jwtVerify } from "jose";\nexport const verify = jwtVerify;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/ruleset may use only these libraries/,
  },
  {
    title: "an edge folder importing a subpath of a library that is not its own",
    file: "src/proxy/serves.ts",
    code: 'import { tracing } from "h3/tracing";\nexport const t = tracing;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/proxy may use only these libraries/,
  },
  {
    title: "a package that no layer names",
    file: "src/gateway/new-package.ts",
    code: 'import thing from "left-pad";\nexport const pad = thing;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/gateway may use only these libraries/,
  },
  {
    title: "reaching past another folder's door",
    file: "src/engine/past-the-door.ts",
    code: 'import { merge } from "../sequence/sequence.ts";\nexport const join = merge;\n',
    rule: "eslint(no-restricted-imports)",
    message: /through its index\.ts/,
  },
  {
    title: "a folder that its layer may not import, door or not",
    file: "src/expression/knows-too-much.ts",
    code: 'import { createEngine } from "../engine/index.ts";\nexport const engine = createEngine;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/expression may import only/,
  },
  {
    title: "the data plane importing the control plane",
    file: "src/gateway/administers.ts",
    code: 'import { createApi } from "../api/index.ts";\nexport const api = createApi;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/gateway may import only/,
  },
  {
    title: "a forbidden folder from a nested file",
    file: "src/api/resources/deep.ts",
    code: 'import { createGateway } from "../../gateway/index.ts";\nexport const gateway = createGateway;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/api may import only/,
  },
  {
    title: "a forbidden folder by a detour over src",
    file: "src/expression/detour.ts",
    code: 'import { createEngine } from "../../src/engine/index.ts";\nexport const engine = createEngine;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/expression may import only/,
  },
  {
    title: "a re-export of a forbidden folder",
    file: "src/phases/re-exports.ts",
    code: 'export { createStore } from "../store/index.ts";\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/phases may import only/,
  },
  {
    title: "a type of a forbidden folder",
    file: "src/sequence/type-of-engine.ts",
    code: 'import type { Engine } from "../engine/index.ts";\nexport type E = Engine;\n',
    rule: "eslint(no-restricted-imports)",
    message: /src\/sequence may import only/,
  },
  {
    title: "a folder's file importing its own door",
    file: "src/operation/own-door.ts",
    code: 'import { match } from "./index.ts";\nexport const m = match;\n',
    rule: "eslint(no-restricted-imports)",
    message: /not the door/,
  },
  ...(
    [
      ["the clock", "export const now = (): number => Date.now();\n", "Date"],
      ["the clock as a constructor", "export const now = (): unknown => new Date();\n", "Date"],
      [
        "the clock by way of globalThis",
        "export const now = (): number => globalThis.Date.now();\n",
        "globalThis",
      ],
      ["the process", "export const env = process.env;\n", "process"],
      ["Node's bytes", 'export const bytes = Buffer.from("a");\n', "Buffer"],
      ["randomness of WebCrypto", "export const id = (): string => crypto.randomUUID();\n", "crypto"],
      ["a timer", "export const later = (f: () => void): unknown => setTimeout(f, 1);\n", "setTimeout"],
      ["the network", 'export const get = (): unknown => fetch("https://localhost");\n', "fetch"],
    ] as const
  ).map(([what, code, name]) => ({
    title: `a pure folder using ${what}`,
    file: `src/ratelimit/uses-${what.replaceAll(/[^a-z]+/gi, "-").toLowerCase()}.ts`,
    code,
    rule: "eslint(no-restricted-globals)",
    message: new RegExp(`\\b${name}\\b`),
  })),
  {
    title: "a pure folder using Math.random",
    file: "src/analytics/rolls-dice.ts",
    code: "export const dice = (): number => Math.random();\n",
    rule: "eslint(no-restricted-properties)",
    message: /Math\.random/,
  },
  {
    title: "a circle of types",
    file: "src/phases/circle-a.ts",
    code: 'import type { B } from "./circle-b.ts";\nexport interface A {\n  readonly b: B;\n}\n',
    rule: "import(no-cycle)",
    message: /cycle/i,
  },
  {
    title: "any",
    file: "src/cookie/anything.ts",
    code: "export const anything = (value: any): unknown => value;\n",
    rule: "typescript(no-explicit-any)",
    message: /any/,
  },
];

/** Code that keeps the rules, one file per kind of permission, and what it imports. */
const ACCEPTED: Readonly<Record<string, string>> = {
  "src/sequence/index.ts": 'export { merge } from "./sequence.ts";\n',
  "src/sequence/sequence.ts": "export const merge = (a: number, b: number): number => Math.max(a, b);\n",
  "src/engine/engine.ts": 'import { merge } from "../sequence/index.ts";\nexport const join = merge;\n',
  "src/cookie/index.ts": 'export { decrypt } from "./open.ts";\n',
  "src/cookie/open.ts":
    'import { createDecipheriv } from "node:crypto";\nimport { compactDecrypt } from "jose";\nexport const decrypt = [compactDecrypt, createDecipheriv];\n',
  // The folder `cookie` and the library `cookie` share a name: the gateway may import the one, not the other.
  "src/gateway/carries.ts": 'import { decrypt } from "../cookie/index.ts";\nexport const open = decrypt;\n',
  "src/api/resources/zone.ts":
    'import { z } from "zod";\nimport { id } from "../ids.ts";\nexport const zone = [z, id];\n',
  "src/api/ids.ts": 'export const id = "0";\n',
  "src/phases/circle-b.ts":
    'import type { A } from "./circle-a.ts";\nexport interface B {\n  readonly a?: A;\n}\n',
};

interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  readonly filename: string;
}

const run = (file: string, args: readonly string[], cwd: string): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(file, args, { cwd, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      // Exit code 1 is what is asked for here: it means that something was found.
      if (error !== null && error.code !== 1)
        reject(new Error(`oxlint failed: ${stderr}${stdout}`, { cause: error }));
      else resolve(stdout);
    });
  });

let folder = "";
let diagnostics: readonly Diagnostic[] = [];
let fileCount = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepgate-layers-"));
  await cp(join(ROOT, ".oxlint.config.ts"), join(folder, ".oxlint.config.ts"));
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"), "dir");
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  const files = { ...ACCEPTED, ...Object.fromEntries(REFUSED.map(({ file, code }) => [file, code])) };
  for (const [file, code] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), code);
  }
  const stdout = await run(
    join(ROOT, "node_modules/.bin/oxlint"),
    ["-c", ".oxlint.config.ts", "--format", "json", "src"],
    folder,
  );
  const report = JSON.parse(stdout) as { diagnostics: readonly Diagnostic[]; number_of_files: number };
  diagnostics = report.diagnostics;
  fileCount = report.number_of_files;
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const found = (file: string): readonly Diagnostic[] =>
  diagnostics.filter((diagnostic) => diagnostic.filename.replaceAll("\\", "/").endsWith(file));

describe("what the lint configuration refuses", () => {
  test.each(REFUSED)("$title", ({ file, rule, message }) => {
    const hits = found(file).filter((diagnostic) => diagnostic.code === rule);
    expect(
      hits.map((hit) => `${hit.message} ${hit.help ?? ""}`),
      `${rule} in ${file}`,
    ).toContainEqual(expect.stringMatching(message));
  });

  test("every file was looked at", () => {
    expect(fileCount).toBe(REFUSED.length + Object.keys(ACCEPTED).length);
  });
});

describe("what it accepts", () => {
  test.each(Object.keys(ACCEPTED).filter((file) => !file.includes("circle")))("%s", (file) => {
    expect(found(file)).toEqual([]);
  });
});

test("every folder of src stands in the table of layers", async () => {
  const entries = await readdir(join(ROOT, "src"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  expect(folders.length).toBeGreaterThan(0);
  expect(folders.filter((name) => !layeredFolders.includes(name))).toEqual([]);
});
