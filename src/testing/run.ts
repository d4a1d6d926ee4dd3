/** Runs journeys one after the other; each begins with visitors that nobody has seen before. */
import type { Expectation, Journey, RequestStep } from "./scenario.ts";
import { createVisitor } from "./visitor.ts";
import type { TestTarget, Visitor, VisitorResponse } from "./visitor.ts";

/** What journeys are run against. */
export interface Stage {
  readonly target: string | TestTarget;
  readonly now: () => number;
  /** Lets time pass, in earnest or on a clock of its own. */
  readonly wait: (ms: number) => Promise<void>;
  /** Told before each request what the application behind is to answer, where there is none. */
  readonly expectAnswer?: (status: number) => void;
  /** Why the latest request ended as it did, one line for each rule that fired. */
  readonly explain?: () => readonly string[];
}

export interface StepResult {
  /** 1-based, waits counted. */
  readonly index: number;
  readonly request: string;
  readonly expected: Expectation;
  readonly status: number;
  readonly decision: string;
  readonly rayId: string | undefined;
  readonly reasons: readonly string[];
  /** What is not as expected; empty when everything is. */
  readonly problems: readonly string[];
}

export interface JourneyResult {
  readonly name: string;
  readonly steps: readonly StepResult[];
  readonly hasPassed: boolean;
  readonly durationMs: number;
}

export async function runJourney(
  journey: Journey,
  stage: Stage,
  headers: Readonly<Record<string, string>>,
): Promise<JourneyResult> {
  const visitors = new Map<string, Visitor>();
  const visitorNamed = (name: string): Visitor => {
    const visitor = visitors.get(name) ?? createVisitor({ target: stage.target, now: stage.now, headers });
    visitors.set(name, visitor);
    return visitor;
  };
  const startedAt = performance.now();
  const results: StepResult[] = [];
  for (const [index, step] of journey.steps.entries()) {
    if (step.kind === "wait") await stage.wait(step.waitMs);
    else {
      const result = await runStep(step, visitorNamed(step.visitor), stage);
      results.push({ index: index + 1, ...result });
      // What follows was written for another past.
      if (result.problems.length > 0) break;
    }
  }
  return {
    name: journey.name,
    steps: results,
    hasPassed: results.every(({ problems }) => problems.length === 0),
    durationMs: performance.now() - startedAt,
  };
}

/** What OpenSSL says of a certificate that nobody known has signed. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);

async function runStep(
  step: RequestStep,
  visitor: Visitor,
  stage: Stage,
): Promise<Omit<StepResult, "index">> {
  const { method, path, headers, body, expected, answer } = step;
  const request = `${method} ${path}`;
  stage.expectAnswer?.(answer);
  try {
    const response = await visitor.request(method, path, {
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const { status, decision, rayId } = response;
    const reasons = stage.explain?.() ?? [];
    return {
      request,
      expected,
      status,
      decision,
      rayId,
      reasons,
      problems: findProblems(expected, response),
    };
  } catch (error) {
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? cause.message : message;
    const { code } = (cause ?? {}) as { readonly code?: unknown };
    const remedy = UNTRUSTED.has(String(code))
      ? "; name its authority in NODE_EXTRA_CA_CERTS, such as certs/ca.crt"
      : "";
    return {
      request,
      expected,
      status: 0,
      decision: "",
      rayId: undefined,
      reasons: [],
      problems: [`no answer: ${reason}${remedy}`],
    };
  }
}

function findProblems(
  { status, decision, contains }: Expectation,
  response: VisitorResponse,
): readonly string[] {
  const found = `${response.decision} (${response.status})`;
  return [
    ...(status === undefined || status === response.status
      ? []
      : [`expected status ${status}, found ${found}`]),
    ...(decision === undefined || decision === response.decision
      ? []
      : [`expected ${decision}, found ${found}`]),
    ...(contains === undefined || response.body.includes(contains)
      ? []
      : [`expected \`${contains}\` in the body, found ${response.body.length} other characters`]),
  ];
}
