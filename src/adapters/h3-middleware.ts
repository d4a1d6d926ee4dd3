/** Middleware for h3 2, on Node and on runtimes without Node's response. */
import type { EventHandlerResponse, H3Event, Middleware } from "h3";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer, Visit } from "../engine/index.ts";
import type { Guard } from "./guard.ts";
import { createNodeGuard, sequenceOf } from "./node-guard.ts";
import type { NodeStepgateOptions } from "./node-guard.ts";
import { LazySequence } from "./sequence-context.ts";
import type { SequenceContext } from "./sequence-context.ts";
import { WebRequest } from "./web-request.ts";
import { isUntouchable, replaceHeaders, toFlat, toResponse, withHeaders } from "./web-response.ts";

declare module "h3" {
  interface H3EventContext {
    /** What the visitor did before this request; set by Stepgate. */
    sequence?: SequenceContext;
  }
}

/** What h3 gives for a request that no route answers. */
const NOT_FOUND: unique symbol = Symbol.for("h3.notFound");

/** Marks an `HTTPResponse`, a response that h3 has yet to build. */
const HTTP_RESPONSE: unique symbol = Symbol.for("h3.HTTPResponse");

/** Middleware of h3. */
export type H3StepgateMiddleware = Middleware & {
  /** Resolves when keys and configuration are ready; rejects with what is wrong with the keys. */
  readonly ready: Promise<void>;
};

/**
 * Tracks operations, asks the rules and sets the cookies of an h3 application: `app.use(stepgate({ … }))`, before
 * every route and every other middleware. Works as a middleware of a Nitro project too.
 *
 * @throws {TypeError} for what is wrong with the options
 */
export function stepgate(options: NodeStepgateOptions): H3StepgateMiddleware {
  const { enter, guard } = createNodeGuard(options);
  const middleware: Middleware = (event, next) => {
    const node = event.runtime?.node;
    if (node?.res === undefined) return onWeb(event, next, guard);
    // Past Node's own response comes everything: streams, thrown errors, 404, and handlers that write it themselves.
    const answer = enter(node.req as IncomingMessage, node.res as ServerResponse);
    return answer instanceof Promise
      ? answer.then((late) => proceed(late, event, next))
      : proceed(answer, event, next);
  };
  return Object.assign(middleware, { ready: guard.start() });
}

type Next = Parameters<Middleware>[1];

function proceed(answer: Answer | undefined, event: H3Event, next: Next): EventHandlerResponse {
  if (answer !== undefined) return toResponse(answer, event.req.method);
  const sequence = sequenceOf(event.runtime?.node?.req as IncomingMessage);
  if (sequence !== undefined) event.context.sequence = sequence;
  return next();
}

async function onWeb(event: H3Event, next: Next, guard: Guard): Promise<EventHandlerResponse> {
  const judgement = await guard.judge(new WebRequest(event.req, guard, {}));
  if (judgement.kind === "answer") return toResponse(judgement.answer, event.req.method);
  const { visit } = judgement;
  if (visit === undefined) return next();
  event.context.sequence = new LazySequence(visit);
  const sent = toFlat(event.req.headers);
  const edited = visit.requestHeaders(sent);
  if (edited !== sent) replaceHeaders(event.req.headers, edited);
  if (!visit.hasResponseWork) return next();
  let value: unknown;
  try {
    value = await next();
  } catch (error) {
    await onError(event, error, visit);
    throw error;
  }
  if (value instanceof Response) {
    if (isUntouchable(value)) return value;
    return withHeaders(value, await visit.onResponse(value.status, toFlat(value.headers)));
  }
  if (value === NOT_FOUND || value instanceof Error) await onError(event, value, visit);
  else {
    const own = (value as { readonly [HTTP_RESPONSE]?: unknown } | null)?.[HTTP_RESPONSE] === true;
    const status = (own ? statusOf(value) : undefined) ?? event.res.status ?? 200;
    replaceHeaders(event.res.headers, await visit.onResponse(status, toFlat(event.res.headers)));
  }
  return value;
}

/** h3 answers errors with `errHeaders` alone; releases before 2.0 have none and use `headers`. */
async function onError(event: H3Event, error: unknown, visit: Visit): Promise<void> {
  const { errHeaders = event.res.headers } = event.res as { readonly errHeaders?: Headers };
  const status = error === NOT_FOUND ? 404 : (statusOf(error) ?? 500);
  replaceHeaders(errHeaders, await visit.onResponse(status, toFlat(errHeaders)));
}

/** Status of an `HTTPResponse`, an `HTTPError` or a number that was thrown. */
function statusOf(value: unknown): number | undefined {
  const status: unknown =
    typeof value === "number" ? value : (value as { readonly status?: unknown } | null)?.status;
  return typeof status === "number" && status >= 200 && status <= 599 ? status : undefined;
}
