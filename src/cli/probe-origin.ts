/** `stepgate probe-origin`: which spellings of a path an origin takes for the same, and the zone's options for it. */
import { readFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { canonicalTarget } from "../operation/index.ts";
import { askOrigin } from "./probe-origin-ask.ts";
import { probe } from "./probe-origin-report.ts";
import type { ProbeReport } from "./probe-origin-report.ts";
import { reasonOf, refuseUnknownOptions, UserError } from "./user-error.ts";

const args = {
  url: {
    type: "positional",
    required: true,
    description: "harmless endpoint of the origin itself, asked some 60 times with GET",
  },
  ca: {
    type: "string",
    valueHint: "FILE",
    description: "PEM file to check the origin's certificate against",
  },
  json: { type: "boolean", description: "print the report as JSON" },
} as const;

export const probeOriginCommand = defineCommand({
  meta: {
    name: "probe-origin",
    description: `Ask an origin for one endpoint in many spellings, and propose the zone's pathOptions.
  exit code 0: no spelling gets past the operation · 1: one does, or the endpoint cannot be probed`,
  },
  args,
  async run({ args: given, rawArgs }) {
    refuseUnknownOptions(rawArgs, args);
    const url = URL.parse(given.url);
    if (url === null || !/^https?:$/.test(url.protocol))
      throw new UserError(`expected an http or https URL, found \`${given.url}\``);
    const target = canonicalTarget(url.pathname);
    if (target.kind !== "path" || !/^\/(?:[^;]*\/)?[^/;]+$/.test(target.path))
      throw new UserError(
        `expected a URL with a plain path to an endpoint, such as \`${url.origin}/api/status\``,
      );
    const ca = given.ca === undefined ? undefined : await readCa(given.ca);
    let report: ProbeReport;
    try {
      report = await probe(target.path, (spelled) => askOrigin(url, spelled, ca));
    } catch (error) {
      throw new UserError((error as Error).message);
    }
    process.stdout.write(given.json === true ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
    if (report.dodges.length > 0) process.exitCode = 1;
  },
});

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UserError(`cannot read \`${file}\`: ${reasonOf(error)}`);
  }
}

function textOf({ path, spellings, profile, reasons, dodges }: ProbeReport): string {
  const lines = [
    `GET ${path}`,
    "",
    "The origin takes these for the same:",
    ...spellings.filter(({ isHit }) => isHit).map(({ name, target }) => `  ${name.padEnd(38)} ${target}`),
    "",
    "and not these:",
    ...spellings
      .filter(({ isHit }) => !isHit)
      .map(({ name, target, status }) => `  ${name.padEnd(38)} ${target}  ${status || "no answer"}`),
    "",
  ];
  const members = Object.entries(profile);
  if (members.length === 0) lines.push("The default path options fit.");
  else {
    lines.push(
      "Path options that fit this origin (each may be left out; the defaults are safe):",
      "",
      "  pathOptions: {",
    );
    for (const [name, value] of members)
      lines.push(`    ${name}: ${JSON.stringify(value)}, // ${reasons[name] ?? ""}`);
    lines.push("  },");
  }
  lines.push("");
  if (dodges.length === 0) lines.push("With them no spelling reaches the endpoint past its operation.");
  else {
    lines.push(
      "These reach the endpoint past its operation all the same; save them as operations of their own:",
    );
    for (const { name, canonical } of dodges) lines.push(`  ${name.padEnd(38)} ${canonical}`);
  }
  return `${lines.join("\n")}\n`;
}
