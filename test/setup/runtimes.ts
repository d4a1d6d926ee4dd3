/** Finds Deno, Bun and workerd, or installs their binaries from npm: no install scripts, versions and hashes locked. */
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, run } from "./run.ts";
import { FOLDER, RUNTIME_NAMES } from "./tools.ts";
import type { FoundRuntime, RuntimeName } from "./tools.ts";

const LOCKED = fileURLToPath(new URL("runtimes/", import.meta.url));
const INSTALLED = fileURLToPath(new URL("runtimes/", FOLDER));

const INSTALL_TIMEOUT_MS = 240_000;
const START_TIMEOUT_MS = 30_000;

/** What they say about themselves, so that another program of the same name is not taken for one. */
const VERSIONS: Readonly<Record<RuntimeName, RegExp>> = {
  deno: /^deno \d+\.\d+\.\d+/m,
  bun: /^\d+\.\d+\.\d+/m,
  workerd: /^workerd \d{4}-\d\d-\d\d/m,
};

export async function provideRuntimes(
  say: (line: string) => void,
): Promise<Readonly<Record<RuntimeName, FoundRuntime>>> {
  const found = new Map<RuntimeName, FoundRuntime>();
  for (const name of RUNTIME_NAMES) found.set(name, await firstThatStarts(name));
  if ([...found.values()].some(({ file }) => file === null)) {
    const problem = await install(say);
    for (const [name, { file }] of found) {
      if (file !== null) continue;
      found.set(name, problem === undefined ? await firstThatStarts(name) : { file: null, reason: problem });
    }
  }
  return Object.fromEntries(found) as Record<RuntimeName, FoundRuntime>;
}

/** @returns what stood in the way, `undefined` when npm is content */
async function install(say: (line: string) => void): Promise<string | undefined> {
  const [npm] = findProgram(["npm"]);
  if (npm === undefined) return "npm is not there to install it";
  say("installing Deno, Bun and workerd from npm (some 130 megabytes)");
  mkdirSync(INSTALLED, { recursive: true });
  cpSync(LOCKED, INSTALLED, { recursive: true });
  // Under `npm run -s` npm would keep the reason of a failure to itself.
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const flags = ["--ignore-scripts", "--fetch-retries=1", ...quiet, "--prefix", INSTALLED];
  const { code, output } = await run(npm, ["ci", ...flags], { timeoutMs: INSTALL_TIMEOUT_MS });
  if (code === 0) return undefined;
  const reason = /^npm error (?:code )?(.*)$/m.exec(output)?.[1] ?? `it ended with ${code}`;
  say(`that failed: ${reason}`);
  return `npm could not install it: ${reason}`;
}

async function firstThatStarts(name: RuntimeName): Promise<FoundRuntime> {
  const files = [...installedBinaries(name), ...findProgram([name])];
  for (const file of files) {
    const { output } = await run(file, ["--version"], { timeoutMs: START_TIMEOUT_MS });
    const version = VERSIONS[name].exec(output)?.[0];
    if (version !== undefined) return { file, version };
  }
  const [first] = files;
  return {
    file: null,
    reason:
      first === undefined
        ? `npm has no binary of it for ${process.platform}-${process.arch}`
        : `its binary does not start here`,
  };
}

/** The package of a runtime names one package for each platform; npm has installed those that fit. */
function installedBinaries(name: RuntimeName): readonly string[] {
  const modules = join(INSTALLED, "node_modules");
  const manifest = join(modules, name, "package.json");
  if (!existsSync(manifest)) return [];
  const { optionalDependencies = {} } = JSON.parse(readFileSync(manifest, "utf8")) as {
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  };
  return Object.keys(optionalDependencies)
    .flatMap((platform) => [join(modules, platform, name), join(modules, platform, "bin", name)])
    .filter((file) => existsSync(file));
}
