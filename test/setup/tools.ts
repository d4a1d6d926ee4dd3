/** What the tests need beside npm packages, as `npm run setup` found it on this machine. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const RUNTIME_NAMES = ["deno", "bun", "workerd"] as const;
export type RuntimeName = (typeof RUNTIME_NAMES)[number];

/** A runtime beside Node that was seen to start, or why there is none. */
export type FoundRuntime =
  | { readonly file: string; readonly version: string }
  | { readonly file: null; readonly reason: string };

export interface TestTools {
  /** Executable of a Chromium that was seen to start. */
  readonly chromium: string;
  /** `certutil` of NSS: puts a CA into the trust store of a browser profile. */
  readonly certutil: string;
  /** `redis-server`, for the tests of state that several nodes share; null when there is none. */
  readonly redisServer: string | null;
  /** The journeys are run on each of these. */
  readonly runtimes: Readonly<Record<RuntimeName, FoundRuntime>>;
}

// Below node_modules: ignored by git, of this machine only, and gone together with what was installed.
export const FOLDER = new URL("../../node_modules/.cache/stepgate/", import.meta.url);
const FILE = new URL("test-tools.json", FOLDER);

export function writeTestTools(tools: TestTools): string {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(FILE, `${JSON.stringify(tools, undefined, 2)}\n`);
  return fileURLToPath(FILE);
}

/** @throws {Error} when `npm run setup` has not been run since the packages were installed */
export function readTestTools(): TestTools {
  try {
    return JSON.parse(readFileSync(FILE, "utf8")) as TestTools;
  } catch (error) {
    throw new Error("the tools of the tests are not known yet: run `npm run setup` first", { cause: error });
  }
}
