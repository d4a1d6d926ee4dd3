/** One engine in an application: what is the same whatever framework the requests come from. Runtime-neutral. */
import { createEngine, refusalAnswer } from "../engine/index.ts";
import type {
  Answer,
  Engine,
  EngineRequest,
  Outcome,
  OwnCookies,
  TrackerFactory,
  Visit,
  ZoneTraffic,
} from "../engine/index.ts";
import { createMemoryRateLimitStore } from "../store/memory-rate-limits.ts";
import { sequenceOptions } from "./options.ts";
import type { AdapterProblem, SequenceOptions, StepgateOptions } from "./options.ts";
import { createSource } from "./source.ts";
import type { AdapterSource } from "./source.ts";
import { hashText } from "./stable-ids.ts";

/** What the build for a runtime brings along. */
export interface Runtime {
  /** Reads the keys and makes what seals with them. */
  carrier(sequence: SequenceOptions): Promise<SequenceCarrier>;
  /** Cryptographically strong bytes. */
  readonly random: (lengthBytes: number) => Uint8Array;
}

export interface SequenceCarrier {
  readonly trackerFor: TrackerFactory;
  readonly ownCookies: OwnCookies;
}

/** Either what the application is to answer in its own place, or how the request goes on. */
export type Judgement =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "pass"; readonly visit: Visit | undefined };

export interface Guard {
  /** The clock, epoch milliseconds. */
  readonly now: () => number;
  /** Name that requests without a host count for; `undefined` when the request has to name one. */
  readonly fallbackHost: string | undefined;
  /** In place of the host that a request names. */
  readonly host: string | undefined;
  /** Names a request: 16 hex characters. */
  rayId(): string;
  /** Starts if that has not happened. Rejects with what is wrong with keys or rules. */
  start(): Promise<void>;
  /**
   * Decides about a request, at once where nothing has to be waited for; a defect of ours never lets it through. Never
   * rejects once started.
   */
  judge(request: EngineRequest): Judgement | Promise<Judgement>;
  report(problem: AdapterProblem): void;
}

const RAY_ID_BYTES = 8;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** @throws {TypeError} for what is wrong with the options; keys are looked at by `start` */
export function createGuard(options: StepgateOptions, runtime: Runtime): Guard {
  const source = createSource(options);
  const report = (problem: AdapterProblem): void => options.onProblem?.(problem);
  const judge: Judge = { source, report };
  let engine: Engine | undefined;
  let starting: Promise<void> | undefined;
  const startOnce = async (): Promise<void> => {
    engine = await startEngine(options, runtime, source);
  };
  const start = (): Promise<void> => (starting ??= startOnce());
  const now = options.now ?? Date.now;
  return {
    now,
    fallbackHost: source.fallbackHost,
    host: options.host,
    start,
    report,
    rayId() {
      const bytes = runtime.random(RAY_ID_BYTES);
      let id = "";
      for (let index = 0; index < RAY_ID_BYTES; index += 1) id += HEX[bytes[index] ?? 0];
      return id;
    },
    judge(request) {
      const ready = engine;
      if (ready === undefined) return start().then(() => this.judge(request));
      const refreshed = source.refresh(request.receivedAt);
      return refreshed === undefined
        ? judgeWith(ready, request, judge)
        : refreshed.then(() => judgeWith(ready, request, judge));
    },
  };
}

interface Judge extends Pick<Guard, "report"> {
  readonly source: AdapterSource;
}

function judgeWith(engine: Engine, request: EngineRequest, judge: Judge): Judgement | Promise<Judgement> {
  const { source } = judge;
  if (!source.isUsable()) return { kind: "answer", answer: unavailable(request) };
  if (source.current().zones.length === 0) return { kind: "pass", visit: undefined };
  try {
    const outcome = engine.decide(request);
    return outcome instanceof Promise
      ? outcome
          .then((late) => toJudgement(late, request, judge))
          .catch((error) => defect(error, request, judge))
      : toJudgement(outcome, request, judge);
  } catch (error) {
    return defect(error, request, judge);
  }
}

function toJudgement(outcome: Outcome, request: EngineRequest, { report }: Judge): Judgement {
  if (outcome.kind === "forward") return { kind: "pass", visit: outcome.visit };
  if (outcome.refusal !== undefined) report({ reason: outcome.refusal, rayId: request.rayId });
  return { kind: "answer", answer: outcome.answer };
}

function defect(error: unknown, request: EngineRequest, { report }: Judge): Judgement {
  report({ reason: "internal", rayId: request.rayId, error: error as Error });
  return { kind: "answer", answer: refusalAnswer(request, "internal") };
}

async function startEngine(
  options: StepgateOptions,
  runtime: Runtime,
  source: AdapterSource,
): Promise<Engine> {
  const { trackerFor, ownCookies } = await runtime.carrier(sequenceOptions(options));
  const traffic = trafficOf(options);
  return createEngine({
    source,
    trackerFor,
    ownCookies,
    trafficFor: () => traffic,
    rateLimits: { store: createMemoryRateLimitStore(), hash: hashText },
    random: runtime.random,
    onEvent: options.onEvent ?? (() => undefined),
  });
}

/** Hands requests to operations on to those who want to count them. */
function trafficOf({ onOperation, onProblem }: StepgateOptions): ZoneTraffic | undefined {
  if (onOperation === undefined) return undefined;
  return {
    onJudged({ request, host, path, operation, tracked, isEnded }) {
      if (operation === undefined) return;
      const { rayId, receivedAt: at, method, clientAddress } = request;
      const previousOps = (tracked?.sequence.entries ?? []).map(({ op }) => op);
      try {
        onOperation({
          rayId,
          at,
          method,
          host,
          path,
          clientAddress,
          operation: operation.shortId,
          previousOps,
          isEnded,
        });
      } catch (error) {
        onProblem?.({ reason: "onOperation", rayId, error: error as Error });
      }
    },
  };
}

/** Before the control plane was reached for the first time nobody knows the rules. */
function unavailable(request: EngineRequest): Answer {
  const answer = refusalAnswer(request, "origin_unreachable");
  return { ...answer, status: 503, headers: [...answer.headers, "retry-after", "5"] };
}
