/** Files that hold secrets: mode 0600 from the first moment, and whole or not at all. */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { link, open, rename, rm } from "node:fs/promises";

/**
 * Writes a file that only its owner can read.
 *
 * @param onExisting `replace` overwrites; `keep-existing` leaves a file alone that is already there
 * @returns whether `content` is what the file now holds
 */
export async function writePrivateFile(
  file: string,
  content: string,
  onExisting: "replace" | "keep-existing",
): Promise<boolean> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (onExisting === "replace") {
    await rename(temporary, file);
    return true;
  }
  try {
    // A hard link fails where rename would overwrite: the first of two processes wins.
    await link(temporary, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Writes, or replaces, a file that only its owner can read, before it returns: for a step inside a transaction. */
export function writePrivateFileSync(file: string, content: string): void {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  const descriptor = openSync(temporary, "wx", 0o600);
  try {
    writeSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}
