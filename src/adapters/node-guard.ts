/** What the adapters for Node's request and response share, whatever framework hands them over. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer, Visit } from "../engine/index.ts";
import { createGuard } from "./guard.ts";
import type { Guard, Judgement } from "./guard.ts";
import { NodeRequest } from "./node-request.ts";
import type { NodeRequestOptions } from "./node-request.ts";
import { onHead } from "./node-response.ts";
import type { HeadEditor } from "./node-response.ts";
import { nodeRuntime } from "./node-runtime.ts";
import type { KeySetInput, StepgateOptions } from "./options.ts";
import { LazySequence } from "./sequence-context.ts";
import type { SequenceContext } from "./sequence-context.ts";
import type { ZoneDocument } from "./zone-document.ts";

export interface NodeStepgateOptions extends StepgateOptions, NodeRequestOptions {
  /** Master keys as a JWK set or its JSON text; `STEPGATE_KEYS` unless given. Without any, for this process only. */
  readonly keys?: KeySetInput | string;
  /** File of an exported zone, read once at the start; in place of `zone`. */
  readonly zoneFile?: string;
}

export interface NodeGuard {
  readonly guard: Guard;
  /**
   * Judges a request and prepares its response, at once where nothing has to be waited for.
   *
   * @returns the answer to give in the application's place, `undefined` when the request may go on
   */
  readonly enter: (req: IncomingMessage, res: ServerResponse) => Entered;
}

type Entered = Answer | undefined | Promise<Answer | undefined>;

/** Where a request keeps what its handlers may know. A symbol, for a WeakMap costs the collector many times as much. */
const SEQUENCE: unique symbol = Symbol("stepgate.sequence");

type TrackedRequest = IncomingMessage & { [SEQUENCE]?: SequenceContext };

/** The sequence of a request that went past a middleware of ours, `undefined` for any other. */
export function sequenceOf(req: IncomingMessage): SequenceContext | undefined {
  return (req as TrackedRequest)[SEQUENCE];
}

/** @throws {TypeError} for what is wrong with the options */
export function createNodeGuard({ zoneFile, ...options }: NodeStepgateOptions): NodeGuard {
  const zone = zoneFile === undefined ? options.zone : readZoneFile(zoneFile);
  const guard = createGuard(zone === undefined ? options : { ...options, zone }, nodeRuntime(options.keys));
  // A framework that runs its middleware twice for one request must not record twice.
  const ENTERED: unique symbol = Symbol("stepgate.entered");
  type EnteredResponse = ServerResponse & { [ENTERED]?: Entered | null };
  const take = (judgement: Judgement, req: IncomingMessage, res: ServerResponse): Answer | undefined => {
    if (judgement.kind === "answer") return judgement.answer;
    if (judgement.visit !== undefined) prepare(req, res, judgement.visit, guard);
    return undefined;
  };
  const enter = (req: IncomingMessage, res: ServerResponse): Entered => {
    const judged = guard.judge(new NodeRequest(req, guard, options));
    return judged instanceof Promise
      ? judged.then((judgement) => take(judgement, req, res))
      : take(judged, req, res);
  };
  // Wrong keys end the process at its start, unless somebody waits for `ready` and handles it.
  void guard.start();
  return {
    guard,
    enter(req, res: EnteredResponse) {
      // `null` stands for a request that went on.
      if (res[ENTERED] === undefined) res[ENTERED] = enter(req, res) ?? null;
      return res[ENTERED] ?? undefined;
    },
  };
}

function prepare(req: IncomingMessage, res: ServerResponse, visit: Visit, guard: Guard): void {
  (req as TrackedRequest)[SEQUENCE] = new LazySequence(visit);
  editRequest(req, visit);
  if (!visit.hasResponseWork) return;
  onHead(res, new VisitEditor(visit, guard));
  if (!visit.hasEvents) return;
  // It closes once; `once` would make two objects to be sure of it.
  res.on("close", () => {
    if (!res.headersSent) visit.onClientGone();
  });
}

class VisitEditor implements HeadEditor {
  readonly #visit: Visit;
  readonly #guard: Guard;

  constructor(visit: Visit, guard: Guard) {
    this.#visit = visit;
    this.#guard = guard;
  }

  edit(status: number, headers: string[]): readonly string[] | undefined {
    try {
      const edited = this.#visit.onResponse(status, headers);
      if (!(edited instanceof Promise)) return edited;
      throw new TypeError("expected stores that answer synchronously");
    } catch (error) {
      // The application's answer is complete; what is lost is one record, and that is reported.
      this.#guard.report({ reason: "response", error: error as Error });
      return undefined;
    }
  }
}

/** Rules of `http_request_late_transform` change what the application reads in `req.headers`. */
function editRequest(req: IncomingMessage, visit: Visit): void {
  const { rawHeaders, headers } = req;
  const edited = visit.requestHeaders(rawHeaders);
  if (edited === rawHeaders) return;
  const fields = joined(edited);
  const before = joined(rawHeaders);
  for (const name of before.keys()) if (!fields.has(name)) delete headers[name];
  for (const [name, value] of fields) if (before.get(name) !== value) headers[name] = value;
}

function joined(list: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (let index = 0; index < list.length; index += 2) {
    const name = (list[index] as string).toLowerCase();
    const before = fields.get(name);
    const value = list[index + 1] as string;
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

function readZoneFile(file: string): ZoneDocument {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ZoneDocument;
  } catch (error) {
    throw new TypeError(`zoneFile \`${file}\`: ${(error as Error).message}`, { cause: error });
  }
}
