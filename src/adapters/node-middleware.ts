/** Express, Connect, Fastify, Koa and node:http: one guard, handed over in each framework's own way. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "../engine/index.ts";
import { createNodeGuard, sequenceOf } from "./node-guard.ts";
import type { NodeStepgateOptions } from "./node-guard.ts";
import { sendAnswer } from "./node-response.ts";
import type { SequenceContext } from "./sequence-context.ts";

/** Goes on to the next handler, or to the one for errors. */
export type NodeNext = (error?: unknown) => void;

/** Middleware of the form that Express and Connect take, and all others can call. */
export interface NodeMiddleware {
  (req: IncomingMessage, res: ServerResponse, next: NodeNext): void;
  /** Resolves when keys and configuration are ready; rejects with what is wrong with the keys. */
  readonly ready: Promise<void>;
}

/**
 * Tracks operations, asks the rules and sets the cookies of an application on Node. Goes before every handler and
 * before what compresses or caches. Responses stream as before: their head is edited when it is written.
 *
 * @throws {TypeError} for what is wrong with the options
 */
export function stepgate(options: NodeStepgateOptions): NodeMiddleware {
  const { enter, guard } = createNodeGuard(options);
  const middleware = (req: IncomingMessage, res: ServerResponse, next: NodeNext): void => {
    const entered = enter(req, res);
    if (entered === undefined) next();
    // An answer waits for the parser to go on: whether the request is complete decides about its connection.
    else void finishLater(entered, { req, res, next });
  };
  return Object.assign(middleware, { ready: guard.start() });
}

const UNUSABLE: Answer = {
  status: 500,
  headers: ["content-type", "text/plain; charset=utf-8"],
  body: "Internal Server Error\n",
};

async function finishLater(
  entered: Answer | Promise<Answer | undefined>,
  {
    req,
    res,
    next,
  }: { readonly req: IncomingMessage; readonly res: ServerResponse; readonly next: NodeNext },
): Promise<void> {
  let answer: Answer | undefined;
  try {
    answer = await entered;
  } catch (error) {
    // Keys that cannot be used: nothing may pass, and a `next` that takes no error would go on as if there were none.
    if (next.length > 0) next(error);
    else sendAnswer(req, res, UNUSABLE);
    return;
  }
  // What a handler throws is the process's to see, as without us: here it would become a rejection of our own.
  if (answer === undefined) queueMicrotask(() => next());
  else sendAnswer(req, res, answer);
}

/** What is asked of Fastify. */
export interface FastifyLike {
  /** Fastify's own. */
  addHook(
    name: "onRequest",
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>,
  ): unknown;
}

/** Of a request of Fastify. */
export interface FastifyRequestLike {
  /** Node's request. */
  readonly raw: IncomingMessage;
}

/** Of a reply of Fastify. */
export interface FastifyReplyLike {
  /** Node's response. */
  readonly raw: ServerResponse;
  /** Fastify's own. */
  hijack(): unknown;
}

/**
 * The same for Fastify: `fastifyStepgate(app, options)` before the routes. `sequenceOf(request.raw)` in a handler.
 *
 * @throws {TypeError} for what is wrong with the options
 */
export function fastifyStepgate(app: FastifyLike, options: NodeStepgateOptions): void {
  const { enter } = createNodeGuard(options);
  app.addHook("onRequest", async (request, reply) => {
    const answer = await enter(request.raw, reply.raw);
    if (answer === undefined) return;
    reply.hijack();
    sendAnswer(request.raw, reply.raw, answer);
  });
}

/** What is asked of Koa. */
export interface KoaContextLike {
  /** Node's request. */
  readonly req: IncomingMessage;
  /** Node's response. */
  readonly res: ServerResponse;
  /** Where middlewares leave what others may know. */
  readonly state: {
    /** What the visitor did before this request; set by Stepgate. */
    sequence?: SequenceContext | undefined;
  };
  /** Koa's own. */
  status: number;
  /** Koa's own. */
  body: unknown;
  /** Koa's own. */
  set(name: string, value: string | string[]): void;
}

/**
 * The same for Koa: `app.use(koaStepgate(options))`. Handlers find the sequence in `ctx.state.sequence`.
 *
 * @throws {TypeError} for what is wrong with the options
 */
export function koaStepgate(
  options: NodeStepgateOptions,
): (ctx: KoaContextLike, next: () => Promise<unknown>) => Promise<void> {
  const { enter } = createNodeGuard(options);
  return async (ctx, next) => {
    const answer = await enter(ctx.req, ctx.res);
    if (answer !== undefined) {
      answerKoa(ctx, answer);
      return;
    }
    ctx.state.sequence = sequenceOf(ctx.req);
    await next();
  };
}

function answerKoa(ctx: KoaContextLike, { status, headers, body }: Answer): void {
  ctx.status = status;
  // Koa guesses a type for a body that has none yet, so the body goes first.
  ctx.body = body;
  const fields = new Map<string, string[]>();
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    fields.set(name, [...(fields.get(name) ?? []), headers[index + 1] as string]);
  }
  for (const [name, values] of fields) ctx.set(name, values.length === 1 ? (values[0] as string) : values);
}
