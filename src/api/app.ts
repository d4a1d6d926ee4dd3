/** The control plane as an h3 application: the table of routes, and what happens around each handler. */
import { H3, toNodeHandler } from "h3";
import type { H3Event } from "h3";
import type { IncomingMessage, ServerResponse } from "node:http";
import { randomBytes } from "node:crypto";
import { StoreError } from "../store/index.ts";
import type { EventStore, Store } from "../store/index.ts";
import { authenticate } from "./auth.ts";
import type { Principal } from "./auth.ts";
import { createAnalyticsReader } from "./analytics-reader.ts";
import type { AnalyticsReader, TrafficCounts } from "./analytics-reader.ts";
import { createAuthLimiter } from "./auth-limiter.ts";
import { readFormBody, readJsonBody } from "./body.ts";
import { addDocs } from "./docs.ts";
import { errorResponse, ok, toResponse } from "./envelope.ts";
import type { Reply } from "./envelope.ts";
import { ApiError, apiError, noObject } from "./errors.ts";
import { checkPreconditions } from "./etag.ts";
import { createHostCheck } from "./host-check.ts";
import { invalidValue } from "./issues.ts";
import { MAX_BODY_BYTES } from "./limits.ts";
import { createOriginCheck } from "./origin-check.ts";
import { isAllowed } from "./permissions.ts";
import type { Resource } from "./permissions.ts";
import { ROUTES } from "./routes.ts";
import { answerOtherwise, FOREIGN_PATHS } from "./other-routes.ts";
import type { ApiDependencies, Call, Route, TokenKeyCheck } from "./route.ts";
import { verifyToken } from "./resources/verify.ts";

const BASE_PATH = "/client/v4";

export interface ApiLogger {
  info(facts: Readonly<Record<string, unknown>>, message: string): void;
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

export interface ApiOptions {
  readonly store: Store;
  /** The clock, epoch milliseconds. */
  readonly now: () => number;
  /** Cryptographically strong random bytes; the system's unless given. */
  readonly random?: (lengthBytes: number) => Uint8Array;
  /** Where the gateway keeps its security events; without it there are none. */
  readonly events?: EventStore;
  /** Where the counts of requests are; without it nothing is counted. */
  readonly traffic?: TrafficCounts | undefined;
  /** Version of Stepgate, for the API's own description. */
  readonly version?: string;
  /** Gets one line per request; tokens and bodies never appear in it. */
  readonly logger?: ApiLogger;
  /**
   * Names in the Host header that are answered, besides `localhost`, `127.0.0.1` and `[::1]`, without port. Others
   * get 421: a page of another site cannot reach the API by pointing its own name at it (DNS rebinding).
   */
  readonly allowedHosts?: readonly string[];
  /**
   * Origins that zones made through the API may forward to, as `http://10.0.0.5:3000` or `http://10.0.0.5` (any
   * port). Only loopback addresses unless given: who holds a token must not turn the gateway into a way into the
   * network behind it.
   */
  readonly allowedOrigins?: readonly string[];
  /** Checks the keys of token configurations; without it none can be saved. */
  readonly checkTokenKeys?: TokenKeyCheck;
}

export interface Api {
  readonly app: H3;
  /** The application for Node's servers, HTTP/1.1 and HTTP/2. */
  readonly handler: (req: IncomingMessage, res: ServerResponse) => void;
}

interface Plane {
  readonly options: ApiOptions;
  readonly deps: ApiDependencies;
  readonly authenticate: (event: H3Event) => Principal;
}

/** Builds the control plane on a store. Listening is the caller's business. */
export function createApi(options: ApiOptions): Api {
  const { store, now } = options;
  const limiter = createAuthLimiter(now);
  const plane: Plane = {
    options,
    deps: {
      now,
      random: options.random ?? ((lengthBytes) => randomBytes(lengthBytes)),
      events: options.events,
      analytics: analyticsOf(options),
      isOriginAllowed: createOriginCheck(options.allowedOrigins),
      ...(options.checkTokenKeys === undefined ? {} : { checkTokenKeys: options.checkTokenKeys }),
    },
    authenticate: (event) => authenticate(event, { store, limiter, now }),
  };
  const checkHost = createHostCheck(options.allowedHosts ?? []);
  const app = new H3({ silent: true, onError: (error) => answerError(error, options.logger) });
  app.use(async (event, next) => {
    checkHost(event);
    return logged(event, options, next);
  });
  app.get(`${BASE_PATH}/user/tokens/verify`, (event) => verifyToken(event, { store, limiter, now }, "user"));
  app.get(`${BASE_PATH}/accounts/:account_id/tokens/verify`, (event) =>
    verifyToken(event, { store, limiter, now }, `account:${event.context.params?.["account_id"] ?? ""}`),
  );
  for (const route of ROUTES) {
    const path = toRouterPath(route.path);
    app.on(route.method, path, (event) => serve(event, route, plane));
    if (route.method === "GET")
      app.on("HEAD", path, async (event) => toHead(await serve(event, route, plane)));
  }
  for (const path of FOREIGN_PATHS) {
    app.all(toRouterPath(path), (event) => {
      plane.authenticate(event);
      throw apiError("no_route", "No route for that URI");
    });
  }
  addDocs(app, options.version ?? "0.0.0", BASE_PATH);
  app.all("/**", (event) => {
    if (event.url.pathname.startsWith(`${BASE_PATH}/`)) plane.authenticate(event);
    return answerOtherwise(event, BASE_PATH);
  });
  return { app, handler: toNodeHandler(app) };
}

function analyticsOf({ traffic, now, logger }: ApiOptions): AnalyticsReader | undefined {
  if (traffic === undefined) return undefined;
  const onError = (error: Error): void =>
    logger?.error({ event: "analytics", error: error.message }, "a snapshot of counts cannot be read");
  return createAnalyticsReader(traffic, { now, onError });
}

/** `/zones/{zone_id}` → `/client/v4/zones/:zone_id`. */
function toRouterPath(path: string): string {
  return BASE_PATH + path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** What GET says of itself, without the rest (RFC 9110 section 9.3.2). Ends a stream before it begins. */
async function toHead(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, { status: response.status, headers: response.headers });
}

async function serve(event: H3Event, route: Route, plane: Plane): Promise<Response> {
  const principal = plane.authenticate(event);
  event.context["tokenId"] = principal.token.id;
  const call = createCall(event, principal, plane);
  checkAccess(route, call);
  const readBody = route.takesForm === true ? readFormBody : readJsonBody;
  const hasBody = route.method !== "GET";
  const body = hasBody ? await readBody(event, route.maxBodyBytes ?? MAX_BODY_BYTES) : undefined;
  const reply = await route.run(call, { body, query: queryOf(event.url.searchParams) });
  return toResponse(call.dryRun && route.method !== "GET" ? toDryReply(reply) : reply);
}

/** A dry run that found nothing wrong has no result: nothing it could name exists. */
function toDryReply(reply: Reply): Reply {
  return reply.kind === "result" ? ok(null) : reply;
}

function createCall(event: H3Event, principal: Principal, { options, deps }: Plane): Call {
  const { store, now } = options;
  const { policies } = principal.token;
  const dryRun = dryRunOf(event);
  return {
    params: event.context.params ?? {},
    principal,
    store,
    deps,
    path: event.url.pathname.slice(BASE_PATH.length),
    at: now(),
    dryRun,
    checkPreconditions: (tag) => checkPreconditions(event.req.headers, tag),
    isAllowed: (products, level, resource) => isAllowed(policies, products, level, resource),
    require: (products, level, resource) => {
      if (!isAllowed(policies, products, level, resource)) throw notPermitted();
    },
    write: (work) => store.write(work, { dryRun }),
  };
}

const notPermitted = (): ApiError => apiError("not_permitted", "Authentication error");

/** Permissions come before existence: who may not see a zone does not learn whether there is one. */
function checkAccess({ access }: Route, call: Call): void {
  if (access.kind !== "permission") return;
  call.require(access.products, access.level, resourceOf(access.on, call));
  const { zone_id: zoneId, account_id: accountId } = call.params;
  if (zoneId !== undefined && call.store.get("zones", zoneId) === undefined) {
    throw noObject(call.path);
  }
  if (accountId !== undefined && call.store.get("accounts", accountId) === undefined) {
    throw noObject(call.path);
  }
}

function resourceOf(kind: Resource["kind"], { params, store }: Call): Resource {
  if (kind === "user") return { kind };
  const id = params[`${kind}_id`] ?? "";
  return kind === "account" ? { kind, id } : { kind, id, accountId: store.get("zones", id)?.accountId };
}

function dryRunOf(event: H3Event): boolean {
  const value = event.url.searchParams.get("dry_run");
  if (value === null || value === "false") return false;
  if (value === "true") return true;
  throw invalidValue("/dry_run", value, "it must be one of `true`, `false`");
}

/** Parameters that repeat become arrays. The object has no prototype: names are the client's. */
function queryOf(parameters: URLSearchParams): Readonly<Record<string, string | readonly string[]>> {
  const query = Object.create(null) as Record<string, string | readonly string[]>;
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name);
    query[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return query;
}

async function logged(event: H3Event, { logger, now }: ApiOptions, next: () => unknown): Promise<unknown> {
  if (logger === undefined) return next();
  const startedAt = now();
  const log = (status: number): void =>
    logger.info(
      {
        event: "api",
        method: event.req.method,
        path: event.url.pathname,
        status,
        token_id: event.context["tokenId"],
        duration_ms: now() - startedAt,
      },
      "api request",
    );
  try {
    const response = await next();
    log(response instanceof Response ? response.status : 200);
    return response;
  } catch (error) {
    const cause = causeOf(error);
    log(cause instanceof ApiError ? cause.status : 500);
    throw error;
  }
}

/** Every failure becomes an envelope; defects are logged and tell the client nothing. */
function answerError(error: unknown, logger: ApiLogger | undefined): Response {
  const cause = causeOf(error);
  if (cause instanceof ApiError) return errorResponse(cause);
  if (cause instanceof StoreError) {
    logger?.error({ event: "api_error", code: cause.code, error: cause.message }, "the store failed");
    return errorResponse(apiError("unavailable", "the change could not be written; nothing has changed"));
  }
  const { status } = error as { readonly status?: number };
  if (status !== undefined && status >= 400 && status < 500) {
    return errorResponse(apiError("no_route", "No route for that URI"));
  }
  logger?.error(
    { event: "api_error", error: String(cause), stack: (cause as Error | undefined)?.stack },
    "the API failed a request",
  );
  return errorResponse(apiError("internal", "internal error; the log of Stepgate has the details"));
}

/** h3 wraps what handlers throw. */
function causeOf(error: unknown): unknown {
  return (error as { readonly cause?: unknown }).cause ?? error;
}
