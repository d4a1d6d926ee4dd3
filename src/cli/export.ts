/** `stepgate export`: a zone as one JSON document, for version control. */
import { writeFile } from "node:fs/promises";
import { defineCommand } from "citty";
import { exportZone, zoneDocumentText } from "../api/index.ts";
import { dataDirOption, withStore, zoneNamed } from "./open-data-dir.ts";
import { reasonOf, refuseUnknownOptions, UserError } from "./user-error.ts";

const args = {
  zone: { type: "string", valueHint: "NAME", description: "zone to write (default: the only one)" },
  out: { type: "string", valueHint: "FILE", description: "file to write (default: standard output)" },
  "data-dir": dataDirOption,
} as const;

export const exportCommand = defineCommand({
  meta: {
    name: "export",
    description: "Write a zone with its operations, rules, sequence rules, lists and settings as JSON",
  },
  args,
  async run({ args: given, rawArgs }) {
    refuseUnknownOptions(rawArgs, args);
    const text = await withStore(given["data-dir"], (store) =>
      zoneDocumentText(exportZone(store, zoneNamed(store, given.zone))),
    );
    if (given.out === undefined) {
      process.stdout.write(text);
      return;
    }
    try {
      await writeFile(given.out, text);
    } catch (error) {
      throw new UserError(`cannot write \`${given.out}\`: ${reasonOf(error)}`);
    }
  },
});
