/** Where the master keys come from: the configuration, `STEPGATE_KEYS`, or a file made at first start. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { exportKeySet, generateMasterKey, importKeySet } from "../cookie/index.ts";
import type { MasterKey } from "../cookie/index.ts";
import { writePrivateFile } from "./private-file.ts";
import { reasonOf, UserError } from "./user-error.ts";

/**
 * @param configured JWK set of the configuration, if it has one
 * @param environment JSON text of `STEPGATE_KEYS`, if set
 * @throws {UserError} naming the source, when a set cannot be read or used
 */
export async function loadMasterKeys(
  dataDir: string,
  configured: unknown,
  environment: string | undefined,
): Promise<readonly MasterKey[]> {
  if (configured !== undefined) return importFrom(configured, "configuration, keys");
  if (environment !== undefined) return importFrom(environment, "STEPGATE_KEYS");
  const file = join(dataDir, "keys.json");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw new UserError(`cannot read the keys in \`${file}\`: ${reasonOf(error)}`);
    }
    const masters = [generateMasterKey((lengthBytes) => randomBytes(lengthBytes))];
    const set = `${JSON.stringify(await exportKeySet(masters), null, 2)}\n`;
    // Another process may have been first: its keys are the ones in force then.
    text = (await writePrivateFile(file, set, "keep-existing")) ? set : await readFile(file, "utf8");
  }
  return importFrom(text, file);
}

async function importFrom(set: unknown, source: string): Promise<readonly MasterKey[]> {
  try {
    return await importKeySet(set);
  } catch (error) {
    throw new UserError(`${source}: ${(error as Error).message}`);
  }
}
