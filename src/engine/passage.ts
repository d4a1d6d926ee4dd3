/** What is known of one request on its way through its zone, and what has happened to it. */
import type { Operation } from "../operation/index.ts";
import { applyHeaderEdits, countDeferred, RequestRun, runLimits, runPhase } from "../phases/index.ts";
import type {
  Decision,
  DeferredCount,
  HeaderEdit,
  LimitResult,
  LimitState,
  PhaseInput,
  PreparedPhase,
  TerminalDecision,
} from "../phases/index.ts";
import type { Answer } from "./answer.ts";
import { answerDecision } from "./decision-answer.ts";
import { leavesEvent, toEvents } from "./events.ts";
import type { FiredRule, FiredSequenceRule } from "./events.ts";
import { RequestFields } from "./fields.ts";
import type { RequestFacts } from "./fields.ts";
import type { Located } from "./located.ts";
import { sequenceRequirements } from "./missing-ops.ts";
import { PassageInput } from "./passage-input.ts";
import { isPreflight } from "./request.ts";
import type { FiredSeqRule } from "../sequence/index.ts";
import type { SessionIdentity } from "../session/index.ts";
import type { EngineRequest } from "./request.ts";
import { ResponseFields } from "./response-fields.ts";
import { UNAVAILABLE_COUNTERS } from "./state.ts";
import type { TrackedSequence } from "./tracker.ts";
import type { JudgedRequest } from "./traffic.ts";
import type { Outcome, OwnCookies } from "./types.ts";
import type { CompiledZone } from "./zone.ts";

/** An operation that is recorded if its response says so. */
export interface Recording {
  readonly operation: Operation;
  readonly tracked: TrackedSequence;
}

/** Length of `cf.random_seed`. */
const RANDOM_SEED_BYTES = 16;

/** What is known of one request on its way. Changed while the request proceeds. */
export class Passage implements RequestFacts {
  readonly located: Located;
  readonly fields: RequestFields;
  readonly requestEdits: HeaderEdit[] = [];
  /** What the session identifiers say; `undefined` until they were read, and where the zone has none. */
  identity: SessionIdentity | undefined;
  /** Flat list for the response. */
  limitHeaders: readonly string[] = [];
  readonly #isExempt: boolean;
  readonly #run = new RequestRun();
  readonly #fired: (FiredRule | FiredSequenceRule)[] = [];
  #deferred: readonly DeferredCount[] = [];
  #isCleared: boolean | undefined;
  #judged: JudgedRequest | undefined;
  #cookie: string | undefined;
  #isStripped = false;

  constructor(located: Located) {
    const { request, zone } = located;
    this.located = located;
    // A preflight carries no credentials and asks for nothing: it is neither judged nor remembered.
    this.#isExempt = zone.zone.paused === true || isPreflight(request);
    this.fields = new RequestFields(this);
  }

  get request(): EngineRequest {
    return this.located.request;
  }

  get zoneName(): string {
    return this.located.zone.zone.name;
  }

  get host(): string {
    return this.located.host.host;
  }

  get path(): string {
    return this.located.forms.rules;
  }

  get query(): string {
    return this.located.target.query.slice(1);
  }

  get cookie(): string {
    return this.strippedCookie ?? "";
  }

  /** Cookies for the origin, without ours; `undefined` when there are none. */
  get strippedCookie(): string | undefined {
    if (!this.#isStripped) {
      const { request, options } = this.located;
      this.#cookie = options.ownCookies.strip(request.header("cookie"));
      this.#isStripped = true;
    }
    return this.#cookie;
  }

  get isIdentified(): boolean {
    return this.identity?.kind === "present";
  }

  randomSeed(): string {
    return String.fromCharCode(...this.located.options.random(RANDOM_SEED_BYTES));
  }

  /** The phases of this request that have rules. */
  get phases(): CompiledZone["phases"] {
    return this.#isExempt ? NO_PHASES : this.located.zone.phases;
  }

  get isExempt(): boolean {
    return this.#isExempt;
  }

  /** Whether there is something to do at the response, recording aside. */
  get hasResponseWork(): boolean {
    return (
      (this.#judged !== undefined && this.located.zone.traffic?.onResponse !== undefined) ||
      this.hasEvents ||
      this.deferred.length > 0 ||
      this.limitHeaders.length > 0 ||
      this.phases.http_response_headers_transform !== undefined
    );
  }

  /** Whether rules fired that were not told of yet. */
  get hasEvents(): boolean {
    return this.#fired.length > 0;
  }

  /** Runs a phase other than the rate limits. */
  run(phase: PreparedPhase): Decision {
    const { decision, edits } = runPhase(phase, this.#input(this.fields), this.#run);
    if (edits.length > 0) this.requestEdits.push(...edits);
    return decision;
  }

  limit(phase: PreparedPhase): Decision | Promise<Decision> {
    const input = this.#input(this.fields);
    const result = runLimits(phase, input, { run: this.#run, state: this.limitState() });
    return result instanceof Promise
      ? result.then((late) => this.#takeLimits(late))
      : this.#takeLimits(result);
  }

  #takeLimits({ decision, headers, deferred }: LimitResult): Decision {
    this.limitHeaders = headers;
    this.#deferred = deferred;
    return decision;
  }

  /** Counters that wait. A request that a rule on trial would have ended would not have come to be counted on trial. */
  get deferred(): readonly DeferredCount[] {
    return this.#run.simulatedEnd ? this.#deferred.filter(({ isOnTrial }) => !isOnTrial) : this.#deferred;
  }

  /** Counts for the limits that only count what goes to the origin. */
  countForward(): void | Promise<void> {
    if (this.deferred.length === 0) return undefined;
    const request = { values: this.fields, header: () => undefined };
    return countDeferred(this.deferred, "forward", request, this.limitState());
  }

  /** Tells those who count requests of this one, now that it is judged. */
  tellTraffic(facts: Pick<JudgedRequest, "operation" | "tracked" | "isEnded">): void {
    const { traffic } = this.located.zone;
    if (traffic === undefined) return;
    const { request, host, target } = this.located;
    this.#judged = { request, host: host.host, path: target.path, query: target.query.slice(1), ...facts };
    traffic.onJudged(this.#judged);
  }

  /** Tells them what the origin answered. */
  tellTrafficOfResponse(status: number): void {
    if (this.#judged !== undefined) this.located.zone.traffic?.onResponse?.(this.#judged, status);
  }

  limitState(): LimitState {
    const { zone, request, options } = this.located;
    const { store, hash } = options.rateLimits ?? UNAVAILABLE_COUNTERS;
    return { store, hash, zoneId: zone.zone.id, nowMs: request.receivedAt };
  }

  /** Remembers that a rule fired; it becomes an event when the request is finished. */
  fire(hit: FiredRule): void {
    if (leavesEvent(hit)) this.#fired.push(hit);
  }

  fireSequenceRule({ rule, reason }: FiredSeqRule): void {
    this.#fired.push({ seqRule: rule, isStateError: reason === "state_error" });
  }

  /** The answer of a rule that ended the request. The operation is not recorded. */
  answer(decision: TerminalDecision): Outcome {
    const { zone, request, options } = this.located;
    const { clearance, random } = options;
    const answer = answerDecision(request, decision, { zoneId: zone.zone.id, clearance, random });
    if (decision.kind !== "challenge") return { kind: "answer", answer: this.finish(answer) };
    // A modification could take the page's own policy away, and with it the script that solves the challenge.
    this.report(answer.status, 0);
    return { kind: "answer", answer };
  }

  /** An answer of ours: the response's header modifications reach the gateway's own pages too. */
  finish(answer: Answer): Answer {
    const headers = this.transformResponse(answer.status, answer.headers);
    this.report(answer.status, 0);
    return { ...answer, headers };
  }

  /** Phase `http_response_headers_transform`. */
  transformResponse(status: number, headers: readonly string[]): string[] {
    const phase = this.phases.http_response_headers_transform;
    if (phase === undefined) return headers.slice();
    const { requestEdits } = this;
    const values = new ResponseFields(this.fields, { status, headers, requestEdits });
    const { edits } = runPhase(phase, this.#input(values), this.#run);
    const { ownCookies } = this.located.options;
    const allowed = edits.filter((edit) => edit.operation === "remove" || !setsOwnCookie(edit, ownCookies));
    return applyHeaderEdits(headers, allowed);
  }

  /** Hands out the events, each once. */
  report(status: number, originStatus: number): void {
    if (this.#fired.length === 0) return;
    const fired = this.#fired.splice(0);
    const { zone, options } = this.located;
    const finished = { fields: this.fields, zoneId: zone.zone.id, status, originStatus };
    for (const event of toEvents(fired, finished, sequenceRequirements)) options.onEvent(event);
  }

  /** Whether the visitor has passed a challenge lately. */
  get isCleared(): boolean {
    return (this.#isCleared ??= this.#findClearance());
  }

  #input(values: PhaseInput["values"]): PhaseInput {
    return new PassageInput(this, this.fields.currentOp, values);
  }

  #findClearance(): boolean {
    const { zone, request, options } = this.located;
    const { clearance } = options;
    return clearance?.isCleared(zone.zone.id, request.header("cookie"), request, request.receivedAt) ?? false;
  }
}

const NO_PHASES: CompiledZone["phases"] = {};

function setsOwnCookie(
  edit: Exclude<HeaderEdit, { readonly operation: "remove" }>,
  ownCookies: OwnCookies,
): boolean {
  return edit.name.toLowerCase() === "set-cookie" && ownCookies.isOwnSetCookie(edit.value);
}
