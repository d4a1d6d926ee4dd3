/** Installs Debian packages where that is possible without asking anyone. */
import { findProgram, run } from "./run.ts";

const UPDATE_TIMEOUT_MS = 180_000;
const INSTALL_TIMEOUT_MS = 600_000;

let isUpdated = false;

/** @returns whether the packages are installed now; what stood in the way is printed by `say` */
export async function installPackages(
  packages: readonly string[],
  say: (line: string) => void,
): Promise<boolean> {
  const [aptGet] = findProgram(["apt-get"]);
  if (aptGet === undefined) {
    say("apt-get is not there: this system installs packages in another way");
    return false;
  }
  const prefix = await rootPrefix();
  if (prefix === undefined) {
    say("not root, and sudo asks for a password");
    return false;
  }
  const apt = async (timeoutMs: number, ...args: readonly string[]): Promise<boolean> => {
    const [program = aptGet, ...rest] = [...prefix, aptGet, "-o", "Dpkg::Use-Pty=0", ...args];
    say([program, ...rest].join(" "));
    const { code, output } = await run(program, rest, {
      timeoutMs,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    if (code !== 0) say(`that failed: ${output.trim().split("\n").slice(-3).join(" | ")}`);
    return code === 0;
  };
  // A failed update is no reason to give up: the lists that are there may be enough.
  if (!isUpdated) isUpdated = await apt(UPDATE_TIMEOUT_MS, "update", "-q");
  return apt(INSTALL_TIMEOUT_MS, "install", "-y", "-q", "--no-install-recommends", ...packages);
}

/** @returns what to put before a command to run it as root; undefined when that cannot be had silently */
async function rootPrefix(): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  const [sudo] = findProgram(["sudo"]);
  if (sudo === undefined) return undefined;
  const { code } = await run(sudo, ["-n", "true"], { timeoutMs: 10_000 });
  return code === 0 ? [sudo, "-n"] : undefined;
}
