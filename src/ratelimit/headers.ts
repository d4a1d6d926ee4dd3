/**
 * What a client is told about its limits: `RateLimit-Policy` and `RateLimit` as structured fields
 * (draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4; RFC 9651) and `Retry-After` (RFC 9110 section 10.2.3).
 */
import type { RateLimitUnit } from "./policy.ts";
import type { RateLimitPolicy, RateLimitState } from "./types.ts";

/** One rule that counted a request, and what its counter said. */
export interface RateLimitReport {
  /** How clients may refer to the policy: a rule's `ref`. Characters outside printable ASCII are left out. */
  readonly name: string;
  readonly unit: RateLimitUnit;
  readonly policy: RateLimitPolicy;
  readonly state: RateLimitState;
}

/** Greatest whole number of a structured field (RFC 9651 section 3.3.1). */
const MAX_INTEGER = 999_999_999_999_999;

const MAX_NAME_LENGTH = 64;

/**
 * Header fields for one response, whatever its status.
 *
 * Rules that add up scores appear in `Retry-After` only: the unit of a policy that names none is `requests`, and
 * none is registered for scores (section 3.1.2), so a client would take 400 points for 400 requests.
 *
 * @param reports the rules that counted this request, in any order
 * @returns a flat list name, value, …; `retry-after` only when a rule acts, and never before all that act are over
 */
export function rateLimitHeaders(reports: readonly RateLimitReport[]): readonly string[] {
  const headers: string[] = [];
  const counted = reports.filter(({ unit }) => unit === "requests");
  if (counted.length > 0) {
    headers.push("ratelimit-policy", counted.map((report) => wordingOf(report).policyItem).join(", "));
    headers.push("ratelimit", counted.map(limitItem).join(", "));
  }
  const waitSeconds = Math.max(0, ...reports.map(({ state }) => retryAfterSeconds(state)));
  if (waitSeconds > 0) headers.push("retry-after", String(waitSeconds));
  return headers;
}

/**
 * Seconds after which a request will be counted as one of a new window.
 *
 * @returns at least 1 when the rule acts, otherwise 0
 */
export function retryAfterSeconds(state: RateLimitState): number {
  if (!state.acts) return 0;
  return Math.max(1, Math.ceil(Math.max(state.lockedMs, state.resetMs) / 1000));
}

/** What is the same for all responses under one policy, worked out once. */
interface Wording {
  readonly name: string;
  readonly quoted: string;
  readonly policyItem: string;
}

const wordings = new WeakMap<RateLimitPolicy, Wording>();

function wordingOf({ name, policy }: RateLimitReport): Wording {
  const known = wordings.get(policy);
  if (known?.name === name) return known;
  const quoted = quotedName(name);
  const windowSeconds = Math.max(1, Math.ceil(policy.periodMs / 1000));
  const policyItem = `${quoted};q=${integer(policy.limit)};w=${integer(windowSeconds)}`;
  const wording = { name, quoted, policyItem };
  wordings.set(policy, wording);
  return wording;
}

function limitItem(report: RateLimitReport): string {
  const { state } = report;
  const effectiveSeconds = state.acts ? retryAfterSeconds(state) : Math.ceil(state.resetMs / 1000);
  const effective = effectiveSeconds > 0 ? `;t=${integer(effectiveSeconds)}` : "";
  return `${wordingOf(report).quoted};r=${integer(state.remaining)}${effective}`;
}

function integer(value: number): string {
  return String(Math.min(Math.max(Math.floor(value), 0), MAX_INTEGER));
}

/** A String of RFC 9651 section 3.3.3. */
function quotedName(name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]/g, "").slice(0, MAX_NAME_LENGTH);
  return `"${ascii.replace(/["\\]/g, "\\$&")}"`;
}
