/**
 * Which cookies of a request belong together.
 *
 * All cookies of a chain carry its id (`sid`). A first visit often sends several requests at once; none of them
 * has a cookie yet, so each begins a chain of its own, and later requests may see any part of them. Cookies of
 * different chains are therefore taken together when the chains were born within {@link GENESIS_WINDOW_MS} of
 * one another, and the birth (seconds, 16 bits) is part of the id: it stays known when the first entries are
 * long gone, and two responses that saw different parts of the burst still recognise each other's cookies.
 *
 * Without binding the id is hygiene, not a barrier: a client can always do both requests in one chain.
 */
import { GENESIS_WINDOW_MS } from "./limits.ts";
import { EMPTY_SEQUENCE, compareEntries, merge } from "./sequence.ts";
import type { Sequence, SequenceLimits, SequencePayload } from "./types.ts";

const BIRTH_BITS = 16;
const RANDOM_BITS = 32;
const BIRTH_RANGE = 2 ** BIRTH_BITS;
const WINDOW_SECONDS = Math.ceil(GENESIS_WINDOW_MS / 1000);

/** Bytes of randomness in a sequence id; the rest is the birth. */
export const SID_RANDOM_BYTES = RANDOM_BITS / 8;

/** Cookies of one request, put together. */
export interface Chain {
  /** `undefined` when there is no cookie to continue. */
  readonly sid: number | undefined;
  /** The newest entries of all cookies of the chain; not yet pruned by age. */
  readonly sequence: Sequence;
  /** Payloads that belong to other chains. */
  readonly foreign: number;
}

/**
 * @param payloads every readable cookie of the request, in any order
 * @param boundSids ids that the session identifier of the request allows, the one to write first; `undefined`
 *   when sequences are not bound
 */
export function selectChain(
  payloads: readonly SequencePayload[],
  limits: SequenceLimits,
  boundSids?: readonly number[],
): Chain {
  const base = boundSids === undefined ? choosePayload(payloads)?.sid : boundSids[0];
  if (base === undefined) return { sid: undefined, sequence: EMPTY_SEQUENCE, foreign: 0 };
  const belongs = (sid: number) => boundSids?.includes(sid) ?? (sid === base || areBornTogether(sid, base));

  let sequence = EMPTY_SEQUENCE;
  let foreign = 0;
  for (const payload of payloads) {
    if (!belongs(payload.sid)) foreign += 1;
    else sequence = sequence === EMPTY_SEQUENCE ? payload : merge(sequence, payload, limits);
  }
  return { sid: base, sequence: { entries: sequence.entries }, foreign };
}

/**
 * A new chain id.
 *
 * @param bornAt epoch milliseconds of the request (not of its response, which may be slow)
 * @param random {@link SID_RANDOM_BYTES} random bytes
 */
export function mintSid(bornAt: number, random: Uint8Array): number {
  const birth = Math.floor(bornAt / 1000) % BIRTH_RANGE;
  let sid = birth;
  for (let index = 0; index < SID_RANDOM_BYTES; index += 1) sid = sid * 256 + (random[index] ?? 0);
  return sid;
}

/**
 * An established chain goes before one that has just begun: a request that another site made the browser send
 * without cookies begins a chain, and must not displace the visitor's own.
 */
function choosePayload(payloads: readonly SequencePayload[]): SequencePayload | undefined {
  let established: SequencePayload | undefined;
  let first: SequencePayload | undefined;
  for (const payload of payloads) {
    if (payload.genesis) {
      if (first === undefined || comparePayloads(payload, first) > 0) first = payload;
    } else if (established === undefined || comparePayloads(payload, established) < 0) {
      established = payload;
    }
  }
  return established ?? first;
}

/** By newest entry, newest first; at a tie by id, so that the order of the cookies does not matter. */
function comparePayloads(a: SequencePayload, b: SequencePayload): number {
  const [newestOfA] = a.entries;
  const [newestOfB] = b.entries;
  if (newestOfA === undefined || newestOfB === undefined) return 0;
  return compareEntries(newestOfA, newestOfB) || a.sid - b.sid;
}

/** Whether two chains come from the same first burst of parallel requests, as far as can be told. */
export function areBornTogether(a: number, b: number): boolean {
  const apart = Math.abs(birthOf(a) - birthOf(b));
  // The 16 bits wrap after 18 hours.
  return Math.min(apart, BIRTH_RANGE - apart) <= WINDOW_SECONDS;
}

function birthOf(sid: number): number {
  return Math.floor(sid / 2 ** RANDOM_BITS);
}
