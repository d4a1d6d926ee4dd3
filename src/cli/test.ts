/** `stepgate test`: runs scenario files and recorded traffic, and tells what is not as expected. */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { defineCommand } from "citty";
import type { ZoneDocument } from "../adapters/index.ts";
import {
  appStage,
  readScenario,
  renderJunit,
  renderReport,
  runJourney,
  urlStage,
  zoneStage,
} from "../testing/index.ts";
import type { JourneyResult, Stage, TestClock, TestTarget } from "../testing/index.ts";
import { reasonOf, refuseUnknownOptions, UserError } from "./user-error.ts";

const args = {
  file: {
    type: "positional",
    required: true,
    description: "scenario (YAML or JSON), or recorded traffic (.har)",
  },
  url: { type: "string", valueHint: "URL", description: "ask this server; in place of what the file names" },
  zone: {
    type: "string",
    valueHint: "FILE",
    description: "try the rules of an exported zone, without an application",
  },
  app: { type: "string", valueHint: "FILE", description: "ask the fetch handler that this module exports" },
  junit: { type: "string", valueHint: "FILE", description: "write the results as JUnit XML too" },
} as const;

export const testCommand = defineCommand({
  meta: {
    name: "test",
    description: `Run journeys of visitors and compare what becomes of them.
  exit code 0: everything as expected · 1: something is not, or the file is wrong`,
  },
  args,
  async run({ args: given, rawArgs }) {
    refuseUnknownOptions(rawArgs, args);
    const name = basename(given.file);
    const { scenario, skipped } = await readFrom(given.file, (text) => readScenario(text, name));
    const stage = await stageOf(given, scenario, given.file);
    const results: JourneyResult[] = [];
    for (const journey of scenario.journeys) {
      results.push(await inOneLine(given.file, () => runJourney(journey, stage, scenario.headers)));
    }
    process.stdout.write(renderReport(results));
    if (skipped > 0)
      process.stdout.write(
        `${skipped} recorded requests left out: other hosts, a cache of the browser, or no answer\n`,
      );
    if (given.junit !== undefined) await writeFile(given.junit, renderJunit(results, given.file));
    if (results.some(({ hasPassed }) => !hasPassed)) process.exitCode = 1;
  },
});

/** A wait that nobody would sit through is a mistake of the file. */
async function inOneLine<Result>(file: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw new UserError(`${file}: ${reasonOf(error)}`);
  }
}

interface TargetNames {
  readonly url?: string | undefined;
  readonly zone?: string | undefined;
  readonly app?: string | undefined;
}

/** What the command names goes before what the file names; paths in the file start at the file. */
async function stageOf(
  given: TargetNames,
  scenario: { readonly target?: string; readonly zone?: string; readonly app?: string },
  file: string,
): Promise<Stage> {
  const { url, zone, app } = given;
  const count = [url, zone, app].filter((name) => name !== undefined).length;
  if (count > 1) throw new UserError("expected one of --url, --zone and --app");
  const beside = (path: string): string => resolve(dirname(file), path);
  const named: TargetNames =
    count === 1
      ? given
      : {
          url: scenario.target,
          zone: scenario.zone === undefined ? undefined : beside(scenario.zone),
          app: scenario.app === undefined ? undefined : beside(scenario.app),
        };
  if (named.url !== undefined) return urlStage(named.url);
  if (named.zone !== undefined) {
    return readFrom(named.zone, (text) => {
      const document = JSON.parse(text) as ZoneDocument;
      const stage = zoneStage(document, (size) => randomBytes(size));
      if (!document.zone.sequence_cookies.enabled) {
        process.stderr.write(`${named.zone}: sequence cookies are off, so rules see no sequence\n`);
      }
      return stage;
    });
  }
  if (named.app !== undefined) return loadApp(named.app);
  throw new UserError(`${file}: expected \`target\`, \`zone\` or \`app\`, or one of --url, --zone and --app`);
}

/** Default export: a fetch handler, or an object with one. Export `clock`: a test clock that the application goes by. */
async function loadApp(file: string): Promise<Stage> {
  let module: { readonly default?: unknown; readonly clock?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as typeof module;
  } catch (error) {
    throw new UserError(`cannot load the application \`${file}\`: ${reasonOf(error).split("\n")[0]}`);
  }
  const exported = module.default as TestTarget | { readonly fetch?: TestTarget } | undefined;
  const handler = typeof exported === "function" ? exported : exported?.fetch?.bind(exported);
  if (handler === undefined) {
    throw new UserError(`${file}: expected a fetch handler as default export, or an object with \`fetch\``);
  }
  return appStage(handler, module.clock as TestClock | undefined);
}

async function readFrom<Result>(file: string, read: (text: string) => Result): Promise<Result> {
  try {
    return read(await readFile(file, "utf8"));
  } catch (error) {
    throw new UserError(`${file}: ${reasonOf(error)}`);
  }
}
