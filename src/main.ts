#!/usr/bin/env node
/** The `stepgate` command. */
import { defineCommand, runCommand, showUsage } from "citty";
import type { CommandDef, SubCommandsDef } from "citty";
import packageJson from "../package.json" with { type: "json" };
import { UserError } from "./cli/user-error.ts";

/** Loaded when asked for: `eval` needs neither a store nor a server. */
const SUB_COMMANDS: SubCommandsDef = {
  start: async () => (await import("./cli/start-command.ts")).startCommand,
  "probe-origin": async () => (await import("./cli/probe-origin.ts")).probeOriginCommand,
  eval: async () => (await import("./cli/eval.ts")).evalCommand,
  backup: async () => (await import("./cli/backup.ts")).backupCommand,
  export: async () => (await import("./cli/export.ts")).exportCommand,
  import: async () => (await import("./cli/import.ts")).importCommand,
  analytics: async () => (await import("./cli/analytics.ts")).analyticsCommand,
  test: async () => (await import("./cli/test.ts")).testCommand,
};

const main = defineCommand({
  meta: {
    name: "stepgate",
    version: packageJson.version,
    description: "A self-hosted sequence firewall: enforce the order in which your API is called",
  },
  subCommands: SUB_COMMANDS,
});

/** The commands with the first line of their descriptions: the rest is for their own `--help`. */
function summaries(): Promise<[string, CommandDef]>[] {
  return Object.entries(SUB_COMMANDS).map(async ([name, load]): Promise<[string, CommandDef]> => {
    const { meta } = await (typeof load === "function" ? load() : load);
    const { description = "" } = await (typeof meta === "function" ? meta() : (meta ?? {}));
    return [name, { meta: { name, description: description.split("\n", 1)[0] ?? "" } }];
  });
}

async function run(rawArgs: readonly string[]): Promise<void> {
  const [name, ...rest] = rawArgs;
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${packageJson.version}\n`);
    return;
  }
  if (name === undefined || name === "--help" || name === "-h") {
    await showUsage({ ...main, subCommands: Object.fromEntries(await Promise.all(summaries())) });
    return;
  }
  const load = Object.hasOwn(SUB_COMMANDS, name) ? SUB_COMMANDS[name] : undefined;
  if (load === undefined) {
    throw new UserError(
      `unknown command \`${name}\`: expected one of ${Object.keys(SUB_COMMANDS).join(", ")}`,
    );
  }
  const command = await (typeof load === "function" ? load() : load);
  if (rest.includes("--help") || rest.includes("-h")) await showHelp(command, rest[0]);
  else await runCommand(command, { rawArgs: rest });
}

/** @param name of a command below this one, if it has any */
async function showHelp(command: CommandDef, name = ""): Promise<void> {
  const below = await (typeof command.subCommands === "function"
    ? command.subCommands()
    : command.subCommands);
  const load = below !== undefined && Object.hasOwn(below, name) ? below[name] : undefined;
  if (load === undefined) await showUsage(command, main);
  else await showUsage(await (typeof load === "function" ? load() : load), command);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  // A person's mistake is one line; anything else is ours and keeps its stack.
  const text =
    error instanceof UserError || (error as Error).name === "CLIError"
      ? (error as Error).message
      : String((error as Error).stack);
  process.stderr.write(`stepgate: ${text}\n`);
  process.exitCode = 1;
}
