/** Files that hold keys: bounded reads, atomic writes, and one writer at a time. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CertificateError, systemReason } from "./errors.ts";
import { LOCK_STALE_MS, LOCK_WAIT_MS, MAX_PEM_BYTES } from "./limits.ts";

/** @throws the system's error, or a `RangeError` when the file is larger than any PEM file should be */
export async function readPem(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MAX_PEM_BYTES) throw new RangeError(`more than ${MAX_PEM_BYTES} bytes`);
  return readFile(file, "utf8");
}

/**
 * Writes under a temporary name and renames, so that no reader ever sees half a file.
 *
 * @param mode the mode that the file is created with: a key is never readable by others, not even for a moment
 */
export async function writeAtomically(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Takes from a private key the permissions that others have on it, where a copy or an unpacking gave some. */
export async function keepPrivate(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) await chmod(file, 0o600);
}

/** Makes the folder, and keeps git from taking what is in it. An existing `.gitignore` is left as it is. */
export async function prepareFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, ".gitignore"), "*\n", { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw new CertificateError(
      "ERR_CERTIFICATE_FILE",
      `cannot keep certificates in \`${dir}\`: ${systemReason(error)}`,
      { cause: error },
    );
  }
}

/**
 * Runs `work` while no other process does so in the same folder.
 *
 * @throws CertificateError ERR_CERTIFICATE_BUSY when another process keeps the lock for longer than `LOCK_WAIT_MS`
 */
export async function withFolderLock<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const lock = join(dir, ".lock");
  const token = await acquire(lock);
  try {
    return await work();
  } finally {
    // Only our own lock: one that was taken from us as stale belongs to another process by now.
    if ((await readFile(lock, "utf8").catch(() => "")) === token) await rm(lock, { force: true });
  }
}

async function acquire(lock: string): Promise<string> {
  const token = `${process.pid} ${randomBytes(8).toString("hex")}`;
  const pauseMs = 50;
  for (let waitedMs = 0; waitedMs <= LOCK_WAIT_MS; waitedMs += pauseMs) {
    try {
      await writeFile(lock, token, { flag: "wx", mode: 0o600 });
      return token;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (await isStale(lock)) await rm(lock, { force: true });
    else await delay(pauseMs);
  }
  throw new CertificateError(
    "ERR_CERTIFICATE_BUSY",
    `another process has kept \`${lock}\` for ${LOCK_WAIT_MS / 1000} s: remove the file if none is running`,
  );
}

async function isStale(lock: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(lock)).mtimeMs > LOCK_STALE_MS;
  } catch {
    return false;
  }
}
