/** `stepgate backup`: the whole store in one file, also while Stepgate runs. */
import { defineCommand } from "citty";
import { StoreError } from "../store/index.ts";
import { dataDirOption, withStore } from "./open-data-dir.ts";
import { refuseUnknownOptions, UserError } from "./user-error.ts";

const args = {
  file: { type: "positional", required: true, description: "new file for the copy" },
  "data-dir": dataDirOption,
} as const;

export const backupCommand = defineCommand({
  meta: {
    name: "backup",
    description: "Copy the store to a new file; to restore, stop Stepgate and put the copy in its place",
  },
  args,
  async run({ args: given, rawArgs }) {
    refuseUnknownOptions(rawArgs, args);
    await withStore(given["data-dir"], (store) => {
      try {
        store.backup(given.file);
      } catch (error) {
        throw error instanceof StoreError ? new UserError(error.message) : error;
      }
    });
    process.stdout.write(`${given.file}\n`);
  },
});
