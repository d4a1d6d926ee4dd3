/**
 * What attacks on sequences do in each way of keeping them: one table, from which the test runs and the README's is made.
 */
import type { SequenceSettings } from "../../src/engine/index.ts";

export const MODES = [
  { name: "cookies", settings: {} },
  { name: "cookies, `bind`", settings: { bind: true } },
  { name: "cookies, `strict`", settings: { strict: true } },
  { name: "sessions", settings: { tracking: "session" } },
  { name: "both", settings: { tracking: "both" } },
] as const satisfies readonly { readonly name: string; readonly settings: Partial<SequenceSettings> }[];

/** Whether the attack is stopped, by mode in their order. */
export type Outcomes = readonly [boolean, boolean, boolean, boolean, boolean];

export type AttackName =
  | "rollback"
  | "replay"
  | "withheld"
  | "cloned"
  | "mixed"
  | "merged"
  | "dropped"
  | "anonymous"
  | "fixated"
  | "forged";

export interface Attack {
  readonly name: AttackName;
  /** For the README. */
  readonly title: string;
  readonly stopped: Outcomes;
}

export const ATTACKS: readonly Attack[] = [
  {
    name: "rollback",
    title: 'Rollback: cookies from before A are put back, to do B under "no B after A"',
    stopped: [false, false, true, true, true],
  },
  {
    name: "replay",
    title: 'Replay: cookies from between A and B are put back, to do B twice under "B only right after A"',
    stopped: [false, false, true, true, true],
  },
  {
    name: "withheld",
    title: 'Withheld cookie: what A\'s response sets is not taken, to do B under "no B after A"',
    stopped: [false, false, true, true, true],
  },
  {
    name: "cloned",
    title: 'Cloned cookie: cookies of a session that did A are used in another session, under "B needs A"',
    stopped: [false, true, false, true, true],
  },
  {
    name: "mixed",
    title:
      "Mixed cookies: one session's cookies beside another's, under \"B needs A\", the sessions begun a minute apart",
    stopped: [true, true, true, true, true],
  },
  {
    name: "merged",
    title:
      "Merged cookies: the same within ten seconds of each other's beginning, when chains of one visitor are taken together",
    stopped: [false, true, false, true, true],
  },
  {
    name: "dropped",
    title: 'Dropped cookies: all are thrown away within the session, to do B under "no B after A"',
    stopped: [false, false, false, true, true],
  },
  {
    name: "anonymous",
    title: 'Left-out identifier: A without it, then B with it, under "no B after A"',
    stopped: [true, false, true, false, false],
  },
  {
    name: "fixated",
    title:
      'Fixation: a victim is made to carry the attacker\'s cookies, in which A was done, under "B needs A"',
    stopped: [false, true, false, true, true],
  },
  {
    name: "forged",
    title: 'Forged cookie: a bit is changed, or a cookie of another zone is renamed, under "B needs A"',
    stopped: [true, true, true, true, true],
  },
];

/** The table of the README, Markdown. */
export function modesTable(): string {
  return [
    row(["attack", ...MODES.map(({ name }) => name)]),
    `|${"---|".repeat(MODES.length + 1)}`,
    ...ATTACKS.map(({ title, stopped }) =>
      row([title, ...stopped.map((isStopped) => (isStopped ? "stopped" : "works"))]),
    ),
  ].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
