/** Opens listeners, and says in one line why one cannot be opened. */
import type { ListenAddress, Listener } from "../gateway/index.ts";
import { reasonOf, UserError } from "./user-error.ts";

/**
 * @param option of the command line or the configuration that says where
 * @throws {UserError} naming port and option
 */
export async function openListener(
  option: string,
  address: ListenAddress,
  start: () => Promise<Listener>,
): Promise<Listener> {
  try {
    return await start();
  } catch (error) {
    throw listenError(option, address, error);
  }
}

function listenError(option: string, { port, hostname }: ListenAddress, error: unknown): UserError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") {
    return new UserError(
      `port ${port} on ${hostname} is in use: end what listens there, or choose another with --${option}`,
    );
  }
  if (code === "EACCES") {
    return new UserError(
      `port ${port} needs privileges this process does not have: choose one from 1024 with --${option}`,
    );
  }
  return new UserError(`cannot listen on ${hostname} port ${port}: ${reasonOf(error)}`);
}
