/** Who made a logged request, and what they had called before: as much of it as sequences reach back. */
import { createHash } from "node:crypto";
import { EMPTY_SEQUENCE, prune } from "../sequence/index.ts";
import type { Sequence, SequenceLimits } from "../sequence/index.ts";
import type { LoggedRequest } from "./types.ts";

/** What tells the visitors of a log apart. */
export type SessionSource =
  | { readonly kind: "address" | "user" | "session" }
  | { readonly kind: "cookie" | "header"; readonly name: string };

/** @returns `undefined` for text that is none of `address`, `user`, `session`, `cookie:NAME` and `header:NAME` */
export function parseSessionSource(text: string): SessionSource | undefined {
  if (text === "address" || text === "user" || text === "session") return { kind: text };
  const [, kind, name] = /^(cookie|header):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  return kind === "cookie" ? { kind, name } : { kind: "header", name: name.toLowerCase() };
}

/** @returns what names the session, `undefined` for a request that belongs to none */
export function sessionOf(request: LoggedRequest, source: SessionSource): string | undefined {
  const text = textOf(request, source);
  if (text === undefined || text === "") return undefined;
  // Long values are tokens: a hash is enough to tell them apart.
  return text.length <= MAX_NAME_LENGTH ? text : createHash("sha256").update(text).digest("base64");
}

const MAX_NAME_LENGTH = 64;

function textOf(request: LoggedRequest, source: SessionSource): string | undefined {
  switch (source.kind) {
    case "address":
    case "user":
    case "session":
      return request[source.kind];
    case "header":
      return request.header(source.name);
    case "cookie":
      return cookieValue(request.header("cookie") ?? "", source.name);
  }
}

function cookieValue(header: string, name: string): string | undefined {
  const pair = header.split(";").find((part) => part.trimStart().startsWith(`${name}=`));
  return pair?.slice(pair.indexOf("=") + 1).trim();
}

export interface Histories {
  /** The operations of a session before a moment, newest first. */
  before(session: string | undefined, at: number): Sequence;
  /** Adds one to them; requests of a session are added in the order of their times. */
  append(session: string | undefined, op: string, at: number): void;
  /** Sessions that were forgotten although they reached far enough back to matter. */
  readonly forgotten: number;
}

/** Sessions remembered at a time: below 100 MB with ten operations each. */
const MAX_SESSIONS = 100_000;

/**
 * Times are kept as they are logged: other than in cookies, which clocks of several machines write, an operation of
 * the same second is no later than another.
 */
export function createHistories(limits: SequenceLimits, maxSessions = MAX_SESSIONS): Histories {
  const sessions = new Map<string, Sequence>();
  let forgotten = 0;
  const before = (session: string | undefined, at: number): Sequence =>
    session === undefined ? EMPTY_SEQUENCE : prune(sessions.get(session) ?? EMPTY_SEQUENCE, at, limits);
  return {
    get forgotten() {
      return forgotten;
    },
    before,
    append(session, op, at) {
      if (session === undefined) return;
      const entries = [{ op, at }, ...before(session, at).entries.slice(0, limits.maxEntries - 1)];
      // The one that was quiet for longest comes first.
      sessions.delete(session);
      sessions.set(session, { entries });
      if (sessions.size <= maxSessions) return;
      const [oldest = "", sequence = EMPTY_SEQUENCE] = sessions.entries().next().value ?? [];
      sessions.delete(oldest);
      if (prune(sequence, at, limits).entries.length > 0) forgotten += 1;
    },
  };
}
