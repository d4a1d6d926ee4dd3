/** Phase `http_ratelimit` for one request: rules in order, each counter asked once, the first that acts ends it. */
import type { FieldValues, Value } from "../expression/index.ts";
import { counterKey, parseScore, rateLimitHeaders } from "../ratelimit/index.ts";
import type {
  CharacteristicValue,
  HashText,
  RateLimitReport,
  RateLimitState,
  RateLimitStore,
} from "../ratelimit/index.ts";
import { StateUnavailableError } from "../sequence/index.ts";
import { collectLimits } from "./limit-match.ts";
import type { CollectedLimits, LimitMatch } from "./limit-match.ts";
import type { PreparedLimit } from "./limit.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { RequestRun } from "./run.ts";
import { CONTINUE, statusOf } from "./types.ts";
import type { Decision, Hit, PhaseInput, PreparedPhase, TerminalDecision } from "./types.ts";

/** Where counters are kept, and whose they are. */
export interface LimitState {
  readonly store: RateLimitStore;
  readonly hash: HashText;
  readonly zoneId: string;
  /** Epoch milliseconds of the request. */
  readonly nowMs: number;
}

/** A counter that waits for the request to be forwarded, or for its response. */
export interface DeferredCount {
  readonly limit: PreparedLimit;
  readonly key: string;
  /** Its ruleset is on trial. */
  readonly isOnTrial: boolean;
}

export interface LimitResult {
  readonly decision: Decision;
  /** Flat list for the response, also of a request that passes. */
  readonly headers: readonly string[];
  readonly deferred: readonly DeferredCount[];
}

/** @returns a promise only when the store gives one */
export function runLimits(
  phase: PreparedPhase,
  input: PhaseInput,
  { run, state }: { readonly run: RequestRun; readonly state: LimitState },
): MaybePromise<LimitResult> {
  const collected = collectLimits(phase, input, run);
  if (collected.matches.length === 0 && collected.later.length === 0) return NOTHING;
  return new LimitRun({ input, run, state }).evaluate(collected);
}

const NOTHING: LimitResult = { decision: CONTINUE, headers: [], deferred: [] };

/**
 * Counts what waited for the request to be forwarded (`stage` "forward") or for its response.
 *
 * @param response what counting expressions and scores are read from; of a forwarded request that has none yet, the
 *   request's own values
 */
export function countDeferred(
  deferred: readonly DeferredCount[],
  stage: PreparedLimit["stage"],
  response: { readonly values: FieldValues; readonly header: (name: string) => string | undefined },
  state: LimitState,
): MaybePromise<void> {
  const due = deferred.filter(({ limit }) => limit.stage === stage);
  return due.length === 0 ? undefined : countAll(due, response, state);
}

function countAll(
  due: readonly DeferredCount[],
  { values, header }: Parameters<typeof countDeferred>[2],
  { store, nowMs }: LimitState,
): MaybePromise<void> {
  const waiting: Promise<unknown>[] = [];
  for (const { limit, key } of due) {
    if (limit.counting?.(values) === false) continue;
    const amount = limit.unit === "requests" ? 1 : parseScore(header(limit.scoreHeader ?? ""));
    if (amount === 0) continue;
    try {
      const counted = store.hit(key, limit.policy, nowMs, amount);
      if (counted instanceof Promise) waiting.push(counted.catch(ignoreUnavailable));
    } catch (error) {
      ignoreUnavailable(error);
    }
  }
  return waiting.length === 0 ? undefined : Promise.all(waiting).then(() => undefined);
}

/** What could not be counted is lost: the response is there and nothing is left to decide. */
function ignoreUnavailable(error: unknown): void {
  if (!(error instanceof StateUnavailableError)) throw error;
}

interface PendingMatch {
  readonly index: number;
  readonly key: string;
  readonly asked: Promise<RateLimitState | undefined>;
}

interface RunContext {
  readonly input: PhaseInput;
  readonly run: RequestRun;
  readonly state: LimitState;
}

class LimitRun {
  readonly #context: RunContext;
  readonly #reports: RateLimitReport[] = [];
  /** Why the store could not answer; it is not asked twice by one request, which would wait twice. */
  #unavailable: StateUnavailableError | undefined;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** Goes through the matches from `start` on; waits only where the store does not answer at once. */
  evaluate({ matches, later }: CollectedLimits, start = 0): MaybePromise<LimitResult> {
    const { run } = this.#context;
    for (let index = start; index < matches.length; index += 1) {
      const match = matches[index] as LimitMatch;
      if (match.isOnTrial && run.simulatedEnd) continue;
      const key = this.#keyOf(match.limit);
      const asked = this.#ask(key, match);
      if (asked instanceof Promise) return this.#goOn({ matches, later }, { index, key, asked });
      const decision = this.#judge(match, key, asked);
      if (decision !== undefined) return { decision, headers: [], deferred: [] };
    }
    const deferred = later.map(({ limit, isOnTrial }) => ({ limit, isOnTrial, key: this.#keyOf(limit) }));
    return { decision: CONTINUE, headers: rateLimitHeaders(this.#reports), deferred };
  }

  async #goOn(collected: CollectedLimits, { index, key, asked }: PendingMatch): Promise<LimitResult> {
    const decision = this.#judge(collected.matches[index] as LimitMatch, key, await asked);
    if (decision !== undefined) return { decision, headers: [], deferred: [] };
    return this.evaluate(collected, index + 1);
  }

  #judge(match: LimitMatch, key: string, state: RateLimitState | undefined): TerminalDecision | undefined {
    const { limit, ruleset, acts, isOnTrial, cause } = match;
    if (state === undefined) return acts ? this.#withoutState(match, key) : undefined;
    const isEnforced = acts && !isOnTrial && limit.rule.action !== "log";
    if (isEnforced)
      this.#reports.push({ name: limit.rule.ref, unit: limit.unit, policy: limit.policy, state });
    return acts && state.acts
      ? this.#act(match, key, { ruleset, rule: limit.rule, outcome: "applied", ...cause })
      : undefined;
  }

  /** `undefined` when the store cannot answer. */
  #ask(key: string, { limit, counts }: LimitMatch): MaybePromise<RateLimitState | undefined> {
    if (this.#unavailable !== undefined) return undefined;
    const { store, nowMs } = this.#context.state;
    try {
      const state = store.hit(key, limit.policy, nowMs, counts ? 1 : 0);
      return state instanceof Promise ? state.catch((error: unknown) => this.#noteUnavailable(error)) : state;
    } catch (error) {
      return this.#noteUnavailable(error);
    }
  }

  #noteUnavailable(error: unknown): undefined {
    if (!(error instanceof StateUnavailableError)) throw error;
    this.#unavailable = error;
  }

  #withoutState(match: LimitMatch, key: string): TerminalDecision | undefined {
    const { ruleset, limit } = match;
    const policy = limit.rule.ratelimit?.on_state_error ?? "allow";
    if (policy === "allow") return undefined;
    const detail = `the counter cannot be asked (${this.#unavailable?.code}); \`on_state_error\` is ${policy}`;
    const hit: Hit = { ruleset, rule: limit.rule, outcome: "failed", detail };
    if (policy === "block") return this.#act(match, key, hit);
    this.#context.input.onHit(hit);
    return undefined;
  }

  #act({ limit, isOnTrial }: LimitMatch, counter: string, hit: Hit): TerminalDecision | undefined {
    const { input, run } = this.#context;
    const decision = toDecision(limit, counter, rateLimitHeaders(this.#reports));
    if (decision === undefined || !isOnTrial) {
      input.onHit(hit);
      return decision;
    }
    input.onHit({ ...hit, outcome: "simulated", wouldBeStatus: statusOf(decision) });
    run.simulatedEnd = true;
    return undefined;
  }

  #keyOf({ rule, characteristics }: PreparedLimit): string {
    const { input, state } = this.#context;
    const values = characteristics.map((read) => toCharacteristic(read(input.values)));
    const scope = { zoneId: state.zoneId, ruleId: rule.id, ruleVersion: rule.version };
    return counterKey(scope, values, state.hash);
  }
}

/** `undefined` for a rule that only logs. */
function toDecision(
  { rule }: PreparedLimit,
  counter: string,
  headers: readonly string[],
): TerminalDecision | undefined {
  if (rule.action === "log") return undefined;
  if (rule.action === "block")
    return { kind: "limit", rule, response: rule.action_parameters?.response, headers };
  return { kind: "challenge", rule, counterKey: counter };
}

/** Arrays and maps as lists of texts; whatever shape a value has, equal ones count together and others do not. */
function toCharacteristic(value: Value | undefined): CharacteristicValue {
  if (value === undefined || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(toText);
  return "kind" in value
    ? toHex(value.bytes)
    : [...(value as ReadonlyMap<string, Value>)].flatMap(toTextPair);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** An address by its bytes: its canonical text says the same and costs more. */
function toHex(bytes: string): string {
  let hex = "";
  for (let at = 0; at < bytes.length; at += 1) hex += HEX[bytes.charCodeAt(at)];
  return hex;
}

function toTextPair([key, member]: readonly [string, Value]): readonly string[] {
  return [key, toText(member)];
}

function toText(value: Value): string {
  if (typeof value === "string") return value;
  const characteristic = toCharacteristic(value);
  return typeof characteristic === "object" ? JSON.stringify(characteristic) : String(characteristic);
}
