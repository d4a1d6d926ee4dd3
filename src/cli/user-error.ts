/** A mistake of the person at the terminal: shown as one line, without a stack, exit code 1. */
export class UserError extends Error {
  /** As errors are told apart in logs. */
  override readonly name = "UserError";
}

/** `ENOENT` and its like in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Readonly<Record<string, string>> = {
    ENOENT: "it does not exist",
    EACCES: "permission denied",
    EISDIR: "it is a directory",
    ENOTDIR: "a part of its path is not a directory",
  };
  return (code === undefined ? undefined : words[code]) ?? message;
}

/** citty ignores options it does not know; a misspelt one would silently leave a default in force. */
export function refuseUnknownOptions(
  rawArgs: readonly string[],
  known: Readonly<Record<string, unknown>>,
): void {
  for (const argument of rawArgs) {
    if (argument === "--") return;
    if (!argument.startsWith("-") || argument === "-") continue;
    const name = argument.replace(/^--?/, "").replace(/=.*$/, "");
    if (!Object.hasOwn(known, name)) {
      throw new UserError(
        `unknown option \`${argument}\`: expected one of ${Object.keys(known)
          .map((option) => `--${option}`)
          .join(", ")}`,
      );
    }
  }
}
