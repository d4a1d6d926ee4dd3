/** A home directory whose browser trusts one CA, by the trust store that Chromium reads on Linux. */
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const TIMEOUT_MS = 20_000;

/**
 * @param home an empty directory
 * @param certutil the program of NSS
 * @param caFile PEM file of the CA's certificate; without one the browser of this home trusts no local CA
 */
export async function prepareHome(home: string, certutil: string, caFile?: string): Promise<void> {
  const database = join(home, ".pki/nssdb");
  await mkdir(database, { recursive: true });
  const run = promisify(execFile);
  await run(certutil, ["-d", `sql:${database}`, "-N", "--empty-password"], { timeout: TIMEOUT_MS });
  if (caFile === undefined) return;
  // `C`: trusted to issue server certificates. Nothing about the leaf is taken on trust.
  const add = ["-A", "-t", "C,,", "-n", "stepgate", "-i", caFile];
  await run(certutil, ["-d", `sql:${database}`, ...add], { timeout: TIMEOUT_MS });
}
