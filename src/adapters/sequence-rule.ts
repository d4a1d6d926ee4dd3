/** Rules about the order of operations, written as sentences and kept as plain expressions of the Rules language. */
import { toMilliseconds } from "./duration.ts";
import type { Duration } from "./duration.ts";
import type { RuleInput } from "./rule-input.ts";

/** An operation as a rule needs it: its name for people, its short id for the expression. */
export interface NamedOperation {
  /** Its name in the program. */
  readonly name: string;
  /** What expressions quote, 8 hex characters. */
  readonly shortId: string;
}

/** What a sentence says so far. */
interface Sentence {
  /** `all` of the earlier operations are needed, `any` of them is, or `none` may have been called. */
  readonly needs: "all" | "any" | "none";
  readonly earlier: readonly NamedOperation[];
  readonly operation: NamedOperation;
  readonly directly: boolean;
  readonly atLeastMs?: number;
  readonly atMostMs?: number;
}

/** What the rule does to a request that breaks it. */
type RuleReaction = Pick<RuleInput, "action" | "action_parameters" | "ref" | "enabled">;

/**
 * A rule of the phase `http_request_firewall_custom` that blocks. An immutable value: every method gives a new one.
 * It is a rule like any other, so it can be put in JSON, sent to the API or tried with `stepgate eval`.
 */
export class SequenceRule implements RuleInput {
  /** Plain text of the Rules language. */
  readonly expression: string;
  /** The rule as an English sentence; stands in the events of the rule. */
  readonly description: string;
  readonly action: NonNullable<RuleInput["action"]>;
  /** The answer in place of the default page. */
  readonly action_parameters?: NonNullable<RuleInput["action_parameters"]>;
  /** Stable reference, stands in the events of the rule. */
  readonly ref?: string;
  /** Whether the rule is in force. */
  readonly enabled?: boolean;
  readonly #sentence: Sentence;
  readonly #reaction: RuleReaction;

  constructor(sentence: Sentence, reaction: RuleReaction = {}) {
    this.#sentence = sentence;
    this.#reaction = reaction;
    this.expression = toExpression(sentence);
    this.description = toDescription(sentence);
    this.action = reaction.action ?? "block";
    if (reaction.action_parameters !== undefined) this.action_parameters = reaction.action_parameters;
    if (reaction.ref !== undefined) this.ref = reaction.ref;
    if (reaction.enabled !== undefined) this.enabled = reaction.enabled;
  }

  /**
   * The earlier operations count only if their latest call is at most this old.
   *
   * @throws {TypeError} for a span of more than a day, or one that leaves no time with `atLeast`
   */
  within(span: Duration): SequenceRule {
    return this.#say({ atMostMs: toMilliseconds(span) });
  }

  /**
   * The earlier operations count only if their latest call is at least this old: people need time, scripts do not.
   *
   * @throws {TypeError} for a span of more than a day, or one that leaves no time with `within`
   */
  atLeast(span: Duration): SequenceRule {
    return this.#say({ atLeastMs: toMilliseconds(span) });
  }

  /**
   * No other operation may lie between: the earlier ones must be the latest, in the order in which they are named.
   *
   * @throws {TypeError} for a rule of `requireAny` with several operations, which have no one order
   */
  directly(): SequenceRule {
    return this.#say({ directly: true });
  }

  /** Leaves an event in place of a block, to see first whom the rule would hit. */
  logOnly(): SequenceRule {
    return new SequenceRule(this.#sentence, { ...this.#reaction, action: "log" });
  }

  /**
   * Replaces the default page.
   *
   * @param response `status_code` from 400 to 499
   */
  respond(response: {
    readonly status_code: number;
    readonly content_type: string;
    readonly content: string;
  }): SequenceRule {
    return new SequenceRule(this.#sentence, { ...this.#reaction, action_parameters: { response } });
  }

  /**
   * Names the rule in events; else its id is derived from what it says.
   *
   * @param ref unique among the rules
   */
  named(ref: string): SequenceRule {
    return new SequenceRule(this.#sentence, { ...this.#reaction, ref });
  }

  #say(more: Partial<Sentence>): SequenceRule {
    const sentence = { ...this.#sentence, ...more };
    const { atLeastMs, atMostMs, directly, needs } = sentence;
    if (atLeastMs !== undefined && atMostMs !== undefined && atLeastMs > atMostMs) {
      throw new TypeError(
        `expected at least ${atLeastMs} ms and within ${atMostMs} ms to leave some time; swap the two`,
      );
    }
    if (directly && needs === "any" && sentence.earlier.length > 1) {
      throw new TypeError("expected `directly` with one order of operations; write a rule for each of them");
    }
    return new SequenceRule(sentence, this.#reaction);
  }
}

/** `cond` is the condition under which the request is in order; forbidding rules turn it around. */
function toExpression(sentence: Sentence): string {
  const { needs, earlier, operation } = sentence;
  const conditions = earlier.map((op, index) => conditionOf(op, earlier.length - 1 - index, sentence));
  const joined = conditions.join(needs === "all" ? " and " : " or ");
  const condition = conditions.length > 1 || joined.includes(" and ") ? `(${joined})` : joined;
  const current = `cf.sequence.current_op eq "${operation.shortId}"`;
  return needs === "none" ? `${current} and ${condition}` : `${current} and not ${condition}`;
}

function conditionOf(
  { shortId }: NamedOperation,
  position: number,
  { directly, atLeastMs, atMostMs, needs, earlier }: Sentence,
): string {
  const age = `cf.sequence.msec_since_op["${shortId}"]`;
  const parts = [
    ...(directly ? [`cf.sequence.previous_ops[${position}] == "${shortId}"`] : []),
    ...(atLeastMs === undefined ? [] : [`${age} ge ${atLeastMs}`]),
    ...(atMostMs === undefined ? [] : [`${age} le ${atMostMs}`]),
  ];
  if (parts.length === 0) return `any(cf.sequence.previous_ops[*] == "${shortId}")`;
  const joined = parts.join(" and ");
  return parts.length > 1 && needs !== "all" && earlier.length > 1 ? `(${joined})` : joined;
}

function toDescription({ needs, earlier, operation, directly, atLeastMs, atMostMs }: Sentence): string {
  const names = earlier.map(({ name }) => name).join(needs === "all" ? " and " : " or ");
  const times = [
    ...(directly ? ["directly"] : []),
    ...(atLeastMs === undefined ? [] : [`at least ${inWords(atLeastMs)}`]),
    ...(atMostMs === undefined ? [] : [`at most ${inWords(atMostMs)}`]),
  ];
  const when = times.length === 0 ? "" : `${times.join(" and ")} `;
  return needs === "none"
    ? `${operation.name} must not come ${when}after ${names}`
    : `${operation.name} needs ${names} ${when}before it`;
}

function inWords(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`;
}
