/**
 * The protocol of the sequence cookies without its cryptography, so that the synchronous Node build and the
 * portable one differ in nothing else. Its rules:
 *
 * 1. A cookie is written once, under a name that was not used before.
 * 2. A response deletes only cookies that its own request carried, and only together with a cookie that holds
 *    their merged content, which stands before the deletions.
 * 3. A lead response writes the full state and deletes; a follow response writes its own entry only.
 *
 * INVARIANT: after each response that reaches the browser, its entry is in a live cookie, or as many newer
 * entries are as a sequence holds.
 */
import {
  DEFAULT_LIMITS,
  EMPTY_SEQUENCE,
  INVALID_REASONS,
  MAX_DELETED_COOKIES,
  SID_RANDOM_BYTES,
  append,
  checkLimits,
  createViewHints,
  decideRole,
  mintSid,
  prune,
  selectChain,
  viewOf,
} from "../sequence/index.ts";
import type {
  InvalidReason,
  LeadOptions,
  ReadCookie,
  Sequence,
  SequenceLimits,
  SequencePayload,
  SequenceState,
  WriteRole,
} from "../sequence/index.ts";
import { previousEpochsFor, resolveEpoch } from "./epochs.ts";
import { scanCookies } from "./header.ts";
import type { ScannedCookies } from "./header.ts";
import { NAME_RANDOM_BYTES, createName, readKeyHint } from "./names.ts";
import type { KeyEpoch, NameKind } from "./names.ts";
import { deleteAttributes, nameKindOf, storeAttributes } from "./scope.ts";
import type { RecentPayloads } from "./recent-payloads.ts";
import type { SequenceCookieScope } from "./scope.ts";

/** Attributes unless configured otherwise. */
const DEFAULT_SCOPE: SequenceCookieScope = { sameSite: "Lax", partitioned: false, domain: null };

/** What both builds are configured with. */
export interface ProtocolOptions extends LeadOptions {
  /** 1 to 64 letters, digits, `_`, `.` or `-`; part of the keys, so that cookies of one zone say nothing in another. */
  readonly zoneId: string;
  /** Cryptographically strong bytes; every call gives new ones. */
  readonly random: (size: number) => Uint8Array;
  readonly scope?: SequenceCookieScope;
  /**
   * Scopes the zone had before, for as long as their cookies may live. Without them the deletions cannot name
   * the domain or partition of older cookies, which then stay until they expire.
   */
  readonly formerScopes?: readonly SequenceCookieScope[];
  /** 10 entries and one hour by default; at most 64 entries and one day. */
  readonly limits?: SequenceLimits;
  /** Shared by all zones of a process, so that they share its bound. Without it every cookie is opened anew. */
  readonly recent?: RecentPayloads;
}

/** What one response is going to write. */
interface WritePlan {
  readonly role: WriteRole;
  readonly view: string;
  readonly payload: SequencePayload;
}

/** What became of one cookie of a request. */
export type ReadOutcome = SequencePayload | InvalidReason;

export interface CookieProtocol {
  scan(header: string | undefined): ScannedCookies;
  /** Key that a name points to, `undefined` when it is not in use now. */
  keyOf(name: string, nowMs: number): KeyEpoch | undefined;
  /** @param outcomes one for each candidate, in their order */
  assemble(scanned: ScannedCookies, outcomes: readonly ReadOutcome[], context: ReadContext): SequenceState;
  plan(state: SequenceState, op: string, nowMs: number): WritePlan;
  /** @param shared bytes for a name that equal operations share; without them the name is new */
  chooseName(state: SequenceState, key: KeyEpoch, shared?: Uint8Array): string;
  lines(
    state: SequenceState,
    plan: WritePlan,
    cookie: { readonly name: string; readonly token: string },
  ): string[];
  clear(state: SequenceState): string[];
}

/** The circumstances of a read. */
interface ReadContext {
  readonly nowMs: number;
  /** See `selectChain`. */
  readonly boundSids: readonly number[] | undefined;
}

const NO_INVALID: SequenceState["invalid"] = Object.freeze(
  Object.fromEntries(INVALID_REASONS.map((reason) => [reason, 0])) as Record<InvalidReason, number>,
);

/** @throws {RangeError} for limits that no cookie can carry */
export function createCookieProtocol(options: ProtocolOptions): CookieProtocol {
  const { random, scope = DEFAULT_SCOPE, formerScopes = [], limits = DEFAULT_LIMITS } = options;
  checkLimits(limits);
  const kind = nameKindOf(scope);
  const otherKind: NameKind = kind === "host" ? "domain" : "host";
  const previousEpochs = previousEpochsFor(limits.maxAgeMs);
  const stored = storeAttributes(scope, scope.maxAgeSeconds ?? Math.ceil(limits.maxAgeMs / 1000));
  const deletions = deletionsFor(kind, [scope, ...formerScopes]);
  const staleDeletions = deletionsFor(otherKind, [{ ...scope, domain: null }, ...formerScopes]);
  const hints = createViewHints();

  const addDeletions = (lines: string[], { names, staleNames }: SequenceState): string[] => {
    const most = lines.length + MAX_DELETED_COOKIES;
    for (const name of names) for (const attributes of deletions) lines.push(`${name}=${attributes}`);
    for (const name of staleNames)
      for (const attributes of staleDeletions) lines.push(`${name}=${attributes}`);
    if (lines.length > most) lines.length = most;
    return lines;
  };

  return {
    scan: (header) => scanCookies(header, kind),
    keyOf(name, nowMs) {
      const { epochValue, shard } = readKeyHint(kind, name);
      const epoch = resolveEpoch(epochValue, nowMs, previousEpochs);
      return epoch === undefined ? undefined : { epoch, shard };
    },
    assemble: (scanned, outcomes, context) => assemble(scanned, outcomes, { ...context, limits }),
    plan(state, op, nowMs) {
      const view = viewOf(state.names);
      const role = decideRole(view, hints, options);
      const { entries } = append(state.sequence, op, nowMs, limits);
      const payload = {
        sid: state.sid ?? state.freshSid ?? mintSid(state.readAt, random(SID_RANDOM_BYTES)),
        // Also for a follower: where none of the cookies could be read, each response begins a chain.
        genesis: state.sid === undefined,
        entries: role === "lead" ? entries : entries.slice(0, 1),
      };
      return { role, view, payload };
    },
    chooseName(state, key, shared) {
      let name = createName(kind, key, shared ?? random(NAME_RANDOM_BYTES));
      // INVARIANT: a name is not used again while a cookie of that name is known.
      while (state.names.includes(name)) name = createName(kind, key, random(NAME_RANDOM_BYTES));
      return name;
    },
    lines(state, plan, { name, token }) {
      const lines = [`${name}=${token}${stored}`];
      return plan.role === "lead" ? addDeletions(lines, state) : lines;
    },
    clear: (state) => addDeletions([], state),
  };
}

/** One set of attributes for each place where a cookie of this kind may be stored. */
function deletionsFor(kind: NameKind, scopes: readonly SequenceCookieScope[]): readonly string[] {
  return [...new Set(scopes.filter((scope) => nameKindOf(scope) === kind).map(deleteAttributes))];
}

function assemble(
  scanned: ScannedCookies,
  outcomes: readonly ReadOutcome[],
  { nowMs, boundSids, limits }: ReadContext & { readonly limits: SequenceLimits },
): SequenceState {
  const payloads = outcomes.filter((outcome) => typeof outcome !== "string");
  const chain = selectChain(payloads, limits, boundSids);
  const sequence: Sequence = chain.sid === undefined ? EMPTY_SEQUENCE : prune(chain.sequence, nowMs, limits);
  const names = scanned.candidates.map((candidate) => candidate.name);
  return {
    sequence,
    sid: chain.sid,
    bound: boundSids !== undefined,
    cookies: readCookies(names, outcomes),
    names: names.length < 2 ? names : [...new Set(names)],
    staleNames: scanned.otherNames,
    invalid: countInvalid(outcomes, chain.foreign),
    cookieBytes: scanned.bytes,
    aheadMs: Math.max(0, (sequence.entries[0]?.at ?? nowMs) - nowMs),
    readAt: nowMs,
  };
}

function readCookies(names: readonly string[], outcomes: readonly ReadOutcome[]): readonly ReadCookie[] {
  const cookies: ReadCookie[] = [];
  for (let index = 0; index < outcomes.length; index += 1) {
    const outcome = outcomes[index] as ReadOutcome;
    if (typeof outcome === "string") continue;
    const newestAt = outcome.entries[0]?.at ?? 0;
    cookies.push({ name: names[index] as string, sid: outcome.sid, newestAt });
  }
  return cookies;
}

function countInvalid(outcomes: readonly ReadOutcome[], foreign: number): SequenceState["invalid"] {
  const reasons = outcomes.filter((outcome) => typeof outcome === "string");
  if (reasons.length === 0 && foreign === 0) return NO_INVALID;
  const counts = { ...NO_INVALID, chain: foreign };
  for (const reason of reasons) counts[reason] += 1;
  return counts;
}
