/** Phase `http_ratelimit` for one request: rules in order, each counter asked once, the first that acts ends it. */
import { ipToText } from "../expression/index.ts";
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
import type { LimitMatch } from "./limit-match.ts";
import type { PreparedLimit } from "./limit.ts";
import { drive } from "./maybe-promise.ts";
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
  const { matches, later } = collectLimits(phase, input, run);
  if (matches.length === 0 && later.length === 0) return NOTHING;
  return drive(new LimitRun({ input, run, state }).evaluate(matches, later));
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
  return due.length === 0 ? undefined : drive(countAll(due, response, state));
}

function* countAll(
  due: readonly DeferredCount[],
  { values, header }: Parameters<typeof countDeferred>[2],
  { store, nowMs }: LimitState,
): Generator<MaybePromise<RateLimitState>, void, RateLimitState> {
  for (const { limit, key } of due) {
    if (limit.counting?.(values) === false) continue;
    const amount = limit.unit === "requests" ? 1 : parseScore(header(limit.scoreHeader ?? ""));
    if (amount === 0) continue;
    try {
      yield store.hit(key, limit.policy, nowMs, amount);
    } catch (error) {
      // What could not be counted is lost: the response is there and nothing is left to decide.
      if (!(error instanceof StateUnavailableError)) throw error;
      return;
    }
  }
}

interface RunContext {
  readonly input: PhaseInput;
  readonly run: RequestRun;
  readonly state: LimitState;
}

type Asking<Result> = Generator<MaybePromise<RateLimitState>, Result, RateLimitState>;

class LimitRun {
  readonly #context: RunContext;
  readonly #reports: RateLimitReport[] = [];
  /** Why the store could not answer; it is not asked twice by one request, which would wait twice. */
  #unavailable: StateUnavailableError | undefined;

  constructor(context: RunContext) {
    this.#context = context;
  }

  *evaluate(matches: readonly LimitMatch[], later: readonly LimitMatch[]): Asking<LimitResult> {
    const { run } = this.#context;
    for (const match of matches) {
      if (match.isOnTrial && run.simulatedEnd) continue;
      const decision = yield* this.#judge(match);
      if (decision !== undefined) return { decision, headers: [], deferred: [] };
    }
    const deferred = later.map(({ limit, isOnTrial }) => ({ limit, isOnTrial, key: this.#keyOf(limit) }));
    return { decision: CONTINUE, headers: rateLimitHeaders(this.#reports), deferred };
  }

  *#judge(match: LimitMatch): Asking<TerminalDecision | undefined> {
    const { limit, ruleset, acts, isOnTrial } = match;
    const key = this.#keyOf(limit);
    const state = yield* this.#ask(key, match);
    if (state === undefined) return acts ? this.#withoutState(match, key) : undefined;
    const isEnforced = acts && !isOnTrial && limit.rule.action !== "log";
    if (isEnforced)
      this.#reports.push({ name: limit.rule.ref, unit: limit.unit, policy: limit.policy, state });
    return acts && state.acts
      ? this.#act(match, key, { ruleset, rule: limit.rule, outcome: "applied" })
      : undefined;
  }

  *#ask(key: string, { limit, counts }: LimitMatch): Asking<RateLimitState | undefined> {
    if (this.#unavailable !== undefined) return undefined;
    const { store, nowMs } = this.#context.state;
    try {
      return yield store.hit(key, limit.policy, nowMs, counts ? 1 : 0);
    } catch (error) {
      if (!(error instanceof StateUnavailableError)) throw error;
      this.#unavailable = error;
      return undefined;
    }
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
  return "kind" in value ? ipToText(value) : [...(value as ReadonlyMap<string, Value>)].flatMap(toTextPair);
}

function toTextPair([key, member]: readonly [string, Value]): readonly string[] {
  return [key, toText(member)];
}

function toText(value: Value): string {
  if (typeof value === "string") return value;
  const characteristic = toCharacteristic(value);
  return typeof characteristic === "object" ? JSON.stringify(characteristic) : String(characteristic);
}
