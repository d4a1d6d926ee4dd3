/** Scenarios: what visitors do, and what is to become of it. Read from files, so every mistake is named. */
import { toMilliseconds } from "../adapters/words.ts";
import type { Duration } from "../adapters/words.ts";
import type { Decision } from "./visitor.ts";

export interface Scenario {
  /** Base URL of what is asked, unless the command names another target. */
  readonly target?: string;
  /** Module whose default export is a fetch handler; beside the file. Its export `clock` is moved by waits. */
  readonly app?: string;
  /** Exported zone whose rules are tried without an application; beside the file. */
  readonly zone?: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly journeys: readonly Journey[];
}

export interface Journey {
  readonly name: string;
  readonly steps: readonly Step[];
}

export type Step = WaitStep | RequestStep;

export interface WaitStep {
  readonly kind: "wait";
  readonly waitMs: number;
}

export interface RequestStep {
  readonly kind: "request";
  /** Whose cookies are sent; every name is a visitor of its own. */
  readonly visitor: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Status that the application answers, where the rules of a zone are tried without it. */
  readonly answer: number;
  readonly expected: Expectation;
}

export interface Expectation {
  readonly status?: number;
  readonly decision?: Decision;
  /** Text that the body holds. */
  readonly contains?: string;
}

/** Most of anything in one file. */
const MAX_JOURNEYS = 1000;
const MAX_STEPS = 10_000;

const DECISIONS: readonly Decision[] = ["passed", "blocked", "limited", "redirected", "refused"];

/**
 * @param value what the YAML or JSON of the file says
 * @throws {TypeError} naming the place of the first mistake
 */
export function parseScenario(value: unknown): Scenario {
  const file = members(value, "the file", ["target", "app", "zone", "headers", "journeys"]);
  const journeys = list(file["journeys"], "journeys", MAX_JOURNEYS).map(parseJourney);
  return {
    ...optionalText(file, "target"),
    ...optionalText(file, "app"),
    ...optionalText(file, "zone"),
    headers: parseHeaders(file["headers"], "headers"),
    journeys,
  };
}

function parseJourney(value: unknown, index: number): Journey {
  const at = `journeys[${index}]`;
  const { name, steps } = members(value, at, ["name", "steps"]);
  if (typeof name !== "string" || name === "") throw new TypeError(`${at}.name: expected a text`);
  return {
    name,
    steps: list(steps, `${at}.steps`, MAX_STEPS).map((step, at2) => parseStep(step, `${at}.steps[${at2}]`)),
  };
}

function parseStep(value: unknown, at: string): Step {
  const step = members(value, at, ["wait", "request", "visitor", "headers", "body", "answer", "expect"]);
  if (step["wait"] !== undefined) {
    if (step["request"] !== undefined)
      throw new TypeError(`${at}: expected \`wait\` or \`request\`, found both`);
    return { kind: "wait", waitMs: parseSpan(step["wait"], `${at}.wait`) };
  }
  const request = /^([A-Z]+) (\/\S*)$/.exec(typeof step["request"] === "string" ? step["request"] : "");
  if (request === null) {
    throw new TypeError(
      `${at}.request: expected a method and a path such as \`GET /cart\`, found \`${JSON.stringify(step["request"])}\``,
    );
  }
  const { visitor = "visitor", answer = 200 } = step;
  if (typeof visitor !== "string") throw new TypeError(`${at}.visitor: expected a name`);
  if (!isStatus(answer))
    throw new TypeError(`${at}.answer: expected a status, found \`${JSON.stringify(answer)}\``);
  return {
    kind: "request",
    visitor,
    method: request[1] as string,
    path: request[2] as string,
    headers: parseHeaders(step["headers"], `${at}.headers`),
    body: step["body"],
    answer,
    expected: parseExpectation(step["expect"], `${at}.expect`),
  };
}

function parseExpectation(value: unknown, at: string): Expectation {
  if (value === undefined) return { decision: "passed" };
  if (typeof value === "string" || typeof value === "number") {
    const only = typeof value === "number" ? { status: value } : { decision: value };
    return parseExpectation(only, at);
  }
  const { status, decision, contains } = members(value, at, ["status", "decision", "contains"]);
  if (status !== undefined && !isStatus(status)) {
    throw new TypeError(`${at}.status: expected 200 to 599, found \`${JSON.stringify(status)}\``);
  }
  if (decision !== undefined && !DECISIONS.some((known) => known === decision)) {
    throw new TypeError(
      `${at}: expected one of ${DECISIONS.join(", ")} or a status, found \`${JSON.stringify(decision)}\``,
    );
  }
  if (contains !== undefined && typeof contains !== "string") {
    throw new TypeError(`${at}.contains: expected a text, found \`${JSON.stringify(contains)}\``);
  }
  return {
    ...(status === undefined ? {} : { status }),
    ...(decision === undefined ? {} : { decision: decision as Decision }),
    ...(contains === undefined ? {} : { contains }),
  };
}

function isStatus(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 200 && value <= 599;
}

function parseSpan(value: unknown, at: string): number {
  try {
    return toMilliseconds(value as Duration);
  } catch (error) {
    throw new TypeError(`${at}: ${(error as Error).message}`, { cause: error });
  }
}

function parseHeaders(value: unknown, at: string): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${at}: expected fields by name`);
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, String(field)]));
}

function members(value: unknown, at: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${at}: expected members ${known.join(", ")}`);
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`${at}: expected ${known.join(", ")}, found \`${unknown}\``);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, at: string, max: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new TypeError(`${at}: expected a list with at least one entry`);
  if (value.length > max)
    throw new TypeError(`${at}: expected at most ${max} entries, found ${value.length}`);
  return value as readonly unknown[];
}

function optionalText<Name extends string>(
  file: Readonly<Record<string, unknown>>,
  name: Name,
): { readonly [Member in Name]?: string } {
  const value = file[name];
  if (value === undefined) return {};
  if (typeof value !== "string" || value === "") throw new TypeError(`${name}: expected a text`);
  return { [name]: value } as { readonly [Member in Name]?: string };
}
