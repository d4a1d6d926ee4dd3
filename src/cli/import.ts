/** `stepgate import`: makes a zone what a document says. */
import { defineCommand } from "citty";
import { applyZoneFile } from "./apply-zone-file.ts";
import { dataDirOption, withStore } from "./open-data-dir.ts";
import { refuseUnknownOptions } from "./user-error.ts";

const args = {
  file: { type: "positional", required: true, description: "document, as `stepgate export` writes it" },
  zone: { type: "string", valueHint: "NAME", description: "zone to change (default: the one it names)" },
  "data-dir": dataDirOption,
} as const;

export const importCommand = defineCommand({
  meta: {
    name: "import",
    description: "Replace a zone's operations, rules, sequence rules and settings by those of a document",
  },
  args,
  async run({ args: given, rawArgs }) {
    refuseUnknownOptions(rawArgs, args);
    const summary = await withStore(given["data-dir"], (store) =>
      applyZoneFile(store, given.file, given.zone),
    );
    const { zoneId, operations, rules, seqrules, lists } = summary;
    process.stdout.write(
      `zone ${zoneId}: ${operations} operations, ${rules} rules, ${seqrules} sequence rules, ${lists} lists\n`,
    );
  },
});
