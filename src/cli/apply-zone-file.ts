/** A zone's document from a file into a store: what `stepgate import` and `stepgate start --apply` share. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ApiError, importZone } from "../api/index.ts";
import type { ImportSummary } from "../api/index.ts";
import type { Store } from "../store/index.ts";
import { reasonOf, UserError } from "./user-error.ts";

/**
 * @param zoneName unless given, the document says it
 * @throws {UserError} with the pointer of everything that is wrong with the document
 */
export async function applyZoneFile(
  store: Store,
  file: string,
  zoneName: string | undefined,
): Promise<ImportSummary> {
  let document: unknown;
  try {
    document = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new UserError(`cannot read the zone document \`${file}\`: ${reasonOf(error)}`);
  }
  try {
    return importZone(store, document, {
      ...(zoneName === undefined ? {} : { zoneName }),
      random: (lengthBytes) => randomBytes(lengthBytes),
      // Who can write to the data directory decides about origins anyway.
      isOriginAllowed: () => true,
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const problems = error.items.map(({ message, source }) => `  ${source?.pointer ?? ""}: ${message}`);
    throw new UserError(`\`${file}\` is not a zone document that can be applied:\n${problems.join("\n")}`);
  }
}
