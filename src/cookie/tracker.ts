/**
 * The sequence cookies as an engine uses them, whichever build seals them: a reader per zone, and what recognises
 * our cookies among those of the application. Runtime-neutral.
 */
import type { Sequence, SequenceState } from "../sequence/index.ts";
import { isOwnSetCookie, stripCookies } from "./header.ts";

/** A sequence id is 48 bits. */
const SID_HEX_LENGTH = 12;

/** What is asked of a request. */
interface CookieRequest {
  /** Value of a field, `name` in lower case. */
  header(name: string): string | undefined;
}

/** The sequence that one request brought along. */
interface TrackedCookies<Lines> {
  readonly sequence: Sequence;
  /** Names the sequence, not the visitor; empty when there is none yet. */
  readonly id: string;
  /** @returns `Set-Cookie` lines in the order in which they must be sent */
  record(op: string, atMs: number): Lines;
}

export interface CookieTracker {
  read(request: CookieRequest, nowMs: number): TrackedCookies<readonly string[]>;
}

/** As {@link CookieTracker}, on WebCrypto. */
export interface PortableCookieTracker {
  read(request: CookieRequest, nowMs: number): Promise<TrackedCookies<Promise<readonly string[]>>>;
}

interface Cookies<State, Lines> {
  read(cookieHeader: string | undefined, nowMs: number, bindValue?: string): State;
  write(state: SequenceState, op: string, nowMs: number): Lines;
}

export function createCookieTracker(cookies: Cookies<SequenceState, readonly string[]>): CookieTracker {
  return {
    read: (request, nowMs) => new Tracked(cookies, cookies.read(request.header("cookie"), nowMs)),
  };
}

/** As {@link CookieTracker}, for cookies that say something in the session only that they were made in. */
export interface BoundCookieTracker<Identity> {
  read(request: CookieRequest, nowMs: number, identity?: Identity): TrackedCookies<readonly string[]>;
}

/**
 * @param bindValueOf the session identifier as text. Empty for nobody: visitors without a session can use each
 *   other's cookies, but not those of a session, and their sequences have no id of their own
 */
export function createBoundCookieTracker<Identity>(
  cookies: Cookies<SequenceState, readonly string[]>,
  bindValueOf: (identity: Identity | undefined) => string,
): BoundCookieTracker<Identity> {
  return {
    read(request, nowMs, identity) {
      const bindValue = bindValueOf(identity);
      const state = cookies.read(request.header("cookie"), nowMs, bindValue);
      return bindValue === "" ? new NamelessTracked(cookies, state) : new Tracked(cookies, state);
    },
  };
}

export function createPortableCookieTracker(
  cookies: Cookies<Promise<SequenceState>, Promise<readonly string[]>>,
): PortableCookieTracker {
  return {
    read: async (request, nowMs) => new Tracked(cookies, await cookies.read(request.header("cookie"), nowMs)),
  };
}

type Writer<Lines> = Pick<Cookies<unknown, Lines>, "write">;

class Tracked<Lines> implements TrackedCookies<Lines> {
  readonly sequence: Sequence;
  readonly #cookies: Writer<Lines>;
  readonly #state: SequenceState;

  constructor(cookies: Writer<Lines>, state: SequenceState) {
    this.sequence = state.sequence;
    this.#cookies = cookies;
    this.#state = state;
  }

  /** Written out only where somebody asks. */
  get id(): string {
    const { sid } = this.#state;
    return sid === undefined ? "" : sid.toString(16).padStart(SID_HEX_LENGTH, "0");
  }

  record(op: string, atMs: number): Lines {
    return this.#cookies.write(this.#state, op, atMs);
  }
}

class NamelessTracked<Lines> extends Tracked<Lines> {
  override get id(): string {
    return "";
  }
}

/** What tells our cookies from those of the application. */
export const OWN_COOKIES = { strip: stripCookies, isOwnSetCookie } as const;
