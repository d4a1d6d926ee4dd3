/** Sequence rules as they are sent to the API, checked. */
import { SEQ_RULE_ACTIONS, SEQ_RULE_KINDS, SEQ_RULE_STATE_ERRORS } from "./mitigation.ts";
import type { SeqRule } from "./mitigation.ts";

/** Characters of a title (Sequence Mitigation, "Fields"). */
const MAX_TITLE_LENGTH = 50;

/** Rules of a zone: each costs the configuration some memory, and a request nothing. */
export const MAX_SEQ_RULES = 1000;

/** Priorities are 32-bit numbers, so that every client can hold them. */
const MAX_PRIORITY = 2 ** 31 - 1;

const MAX_QUOTED_LENGTH = 100;

/** The members that a client decides. */
export type SeqRuleFields = Pick<SeqRule, "title" | "kind" | "action" | "sequence" | "on_state_error">;

/** Where a rule goes: by its priority, at a place counted from 1, or last when neither is given. */
export type SeqRulePlace =
  | { readonly kind: "priority"; readonly priority: number }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "last" };

/** A checked rule of a request. */
export interface SeqRuleDraft {
  /** Names the rule that it replaces, in a list that replaces all. */
  readonly id: string | undefined;
  readonly fields: SeqRuleFields;
  readonly place: SeqRulePlace;
}

/** One thing to correct. */
export interface SeqRuleProblem {
  /** JSON pointer of the faulty value (RFC 6901). */
  readonly pointer: string;
  /** `'<value>' is not a valid value for <field> because <reason>`; long values are shortened. */
  readonly message: string;
}

export type CheckedSeqRule =
  | { readonly kind: "valid"; readonly draft: SeqRuleDraft }
  | { readonly kind: "problems"; readonly problems: readonly SeqRuleProblem[] };

/** What a rule may refer to. */
export interface SeqRuleContext {
  /** Hosts of the zone's operations by operation id. */
  readonly hosts: ReadonlyMap<string, string>;
}

type Body = Readonly<Record<string, unknown>>;

/**
 * Checks a rule as it was sent.
 *
 * @param value body, or an item of `rules`
 * @param pointer of the value in the body, `""` for the body itself
 * @returns the draft, or everything there is to correct
 */
export function checkSeqRule(value: unknown, context: SeqRuleContext, pointer = ""): CheckedSeqRule {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const message = `${notValid(value, "rule")} it must be an object`;
    return { kind: "problems", problems: [{ pointer, message }] };
  }
  const body = value as Body;
  const problems: SeqRuleProblem[] = [];
  const refuse = (path: string, faulty: unknown, reason: string): void => {
    problems.push({ pointer: pointer + path, message: `${notValid(faulty, fieldOf(path))} ${reason}` });
  };
  const fields = readFields(body, context, refuse);
  const place = readPlace(body, refuse);
  const { id } = body;
  if (id !== undefined && typeof id !== "string") refuse("/id", id, "it must be a text");
  if (problems.length > 0) return { kind: "problems", problems };
  return { kind: "valid", draft: { id: typeof id === "string" ? id : undefined, fields, place } };
}

/** A rule as the body of a PATCH sees it: what the body leaves out stays. */
export function withDefaults(rule: SeqRule, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const { title, kind, action, sequence, on_state_error } = rule;
  return {
    title,
    kind,
    action,
    sequence,
    ...(on_state_error === undefined ? {} : { on_state_error }),
    ...patch,
  };
}

type Refuse = (path: string, faulty: unknown, reason: string) => void;

function readFields(body: Body, context: SeqRuleContext, refuse: Refuse): SeqRuleFields {
  const { title } = body;
  const titleLength = typeof title === "string" ? Array.from(title).length : 0;
  if (titleLength < 1 || titleLength > MAX_TITLE_LENGTH) {
    refuse("/title", title, `it must be a text of 1 to ${MAX_TITLE_LENGTH} characters`);
  }
  const stateError =
    body["on_state_error"] === undefined
      ? undefined
      : readOneOf(body, "on_state_error", SEQ_RULE_STATE_ERRORS, refuse);
  return {
    title: typeof title === "string" ? title : "",
    kind: readOneOf(body, "kind", SEQ_RULE_KINDS, refuse),
    action: readOneOf(body, "action", SEQ_RULE_ACTIONS, refuse),
    sequence: readSequence(body["sequence"], context, refuse),
    ...(stateError === undefined ? {} : { on_state_error: stateError }),
  };
}

function readOneOf<const Choice extends string>(
  body: Body,
  field: string,
  choices: readonly [Choice, ...Choice[]],
  refuse: Refuse,
): Choice {
  const value = body[field];
  const choice = choices.find((known) => known === value);
  if (choice === undefined) refuse(`/${field}`, value, `it must be one of ${choices.join(", ")}`);
  return choice ?? choices[0];
}

function readSequence(value: unknown, { hosts }: SeqRuleContext, refuse: Refuse): readonly [string, string] {
  if (!Array.isArray(value) || value.length !== 2) {
    refuse("/sequence", value, "it must be a list of two operation ids");
    return ["", ""];
  }
  const ids = (value as readonly unknown[]).map((id) => (typeof id === "string" ? id.toLowerCase() : ""));
  for (const [index, id] of ids.entries()) {
    if (!hosts.has(id)) refuse(`/sequence/${index}`, value[index], "the zone has no operation with this id");
  }
  const [first = "", second = ""] = ids;
  const [hostOfFirst, hostOfSecond] = [hosts.get(first), hosts.get(second)];
  if (hostOfFirst !== undefined && hostOfSecond !== undefined) {
    if (first === second) {
      // Consecutive repeats count as one: such a rule could never see the first request of the pair.
      refuse(
        "/sequence/1",
        second,
        "the two operations must differ, as repeats of one operation count as one request",
      );
    } else if (hostOfFirst !== hostOfSecond) {
      refuse(
        "/sequence/1",
        second,
        `both operations must have the same host, and these have \`${hostOfFirst}\` and \`${hostOfSecond}\``,
      );
    }
  }
  return [first, second];
}

function readPlace(body: Body, refuse: Refuse): SeqRulePlace {
  const { priority, position } = body;
  if (priority !== undefined && position !== undefined) {
    refuse("/position", position, "a rule has either a priority or a position; leave one of them out");
    return { kind: "last" };
  }
  if (position !== undefined) return readPosition(position, refuse);
  if (priority === undefined) return { kind: "last" };
  if (!Number.isInteger(priority) || Math.abs(priority as number) > MAX_PRIORITY) {
    refuse("/priority", priority, `it must be a whole number between ${-MAX_PRIORITY} and ${MAX_PRIORITY}`);
  }
  return { kind: "priority", priority: priority as number };
}

function readPosition(position: unknown, refuse: Refuse): SeqRulePlace {
  const index = typeof position === "object" && position !== null ? (position as Body)["index"] : undefined;
  if (!Number.isSafeInteger(index) || (index as number) < 1) {
    refuse("/position", position, 'it must be an object with a place counted from 1, such as `{"index":1}`');
  }
  return { kind: "index", index: index as number };
}

function fieldOf(path: string): string {
  return path.split("/")[1] ?? "rule";
}

/** A value in a message: short, and without characters that could forge a log line. */
function notValid(value: unknown, field: string): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  const short = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  const safe = short.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `'${safe}' is not a valid value for ${field} because`;
}
