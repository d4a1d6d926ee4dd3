/** One request as a log has it. */
export interface LoggedRequest {
  /** When it was logged, epoch milliseconds. */
  readonly at: number;
  /** Upper case. */
  readonly method: string;
  /** Request target, as it came: origin form or absolute form. */
  readonly target: string;
  readonly status: number;
  /** Host, perhaps with a port; `undefined` where the log has none. */
  readonly host?: string | undefined;
  readonly address?: string | undefined;
  /** Name of an authenticated user. */
  readonly user?: string | undefined;
  /** Value of a header, by lower-case name; of `cookie`, all of them as they came. */
  header(name: string): string | undefined;
  /** Text that the log itself names the session with. */
  readonly session?: string | undefined;
}

/** What one line turned out to be. */
export type ReadLine =
  | { readonly kind: "request"; readonly request: LoggedRequest }
  /** Blank, or a comment. */
  | { readonly kind: "nothing" }
  | { readonly kind: "error"; readonly reason: string };

export type LineReader = (line: string) => ReadLine;

export const NOTHING: ReadLine = { kind: "nothing" };

export function unreadable(reason: string): ReadLine {
  return { kind: "error", reason };
}
