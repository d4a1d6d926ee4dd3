/** A visitor for tests: keeps cookies from one request to the next, and can tell how it was decided about. */
import { createCookieJar } from "./jar.ts";
import type { CookieJar } from "./jar.ts";

/** Answers a request: the application's own handler, or something that sends it. */
export type TestTarget = (request: Request) => Response | Promise<Response>;

/** Whom a visitor visits. */
export interface VisitorOptions {
  /** Base URL of a running server, or the application's fetch handler. */
  readonly target: string | TestTarget;
  /** The clock of the cookies, epoch milliseconds: that of the application under test. */
  readonly now?: () => number;
  /** Origin of the URLs for a handler; `https://localhost` unless given. */
  readonly origin?: string;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a request has beside its method and path. */
export interface VisitInit {
  /** In place of those of the visitor, by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A text as it is; anything else as JSON. */
  readonly body?: unknown;
}

/** An answer, read to its end. */
export interface VisitorResponse {
  /** Status code; redirects are not followed. */
  readonly status: number;
  /** Its fields. */
  readonly headers: Headers;
  /** Its body as text. */
  readonly body: string;
  /** What became of the request, seen from outside. */
  readonly decision: Decision;
  /** Names the request in logs and events; `undefined` where nobody said it. */
  readonly rayId: string | undefined;
}

/**
 * - `blocked`: a rule ended the request with an answer of its own;
 * - `limited`: a rate limit did; `redirected`: the answer leads elsewhere, whoever says so;
 * - `refused`: the request itself could not be served, or no zone has its host;
 * - `passed`: the application answered.
 */
export type Decision = "passed" | "blocked" | "limited" | "redirected" | "refused";

/** One visitor: every request carries the cookies that earlier answers set. */
export interface Visitor {
  /**
   * Sends a request and reads the answer.
   *
   * @param path with query, from `/` on
   * @throws what the handler throws, or `fetch`; an error for a body of more than 16 MiB
   */
  request(method: string, path: string, init?: VisitInit): Promise<VisitorResponse>;
  /** `request` with GET. */
  get(path: string, init?: VisitInit): Promise<VisitorResponse>;
  /** `request` with POST; the body is a text, or sent as JSON. */
  post(path: string, body?: unknown, init?: VisitInit): Promise<VisitorResponse>;
  /** Its cookies: look at them, or clear them. */
  readonly jar: CookieJar;
}

/** Bodies read at most, so that a test of an endless stream ends. */
const MAX_BODY_BYTES = 16 << 20;

/** Requests given up after. */
const TIMEOUT_MS = 30_000;

/** Makes a visitor that nobody has seen before. Several of them have several pasts. */
export function createVisitor(options: VisitorOptions): Visitor {
  const { target, now = Date.now, headers: common = {} } = options;
  const jar = createCookieJar(now);
  const origin =
    typeof target === "string" ? target.replace(/\/+$/, "") : (options.origin ?? "https://localhost");
  const send: TestTarget = typeof target === "string" ? (request) => fetch(request) : target;
  const request: Visitor["request"] = async (method, path, init = {}) => {
    const headers = new Headers({ ...common, ...init.headers });
    const cookie = jar.header(path.replace(/[?#].*$/s, ""));
    if (cookie !== undefined && !headers.has("cookie")) headers.set("cookie", cookie);
    const body = toBody(init.body, headers);
    const response = await send(
      new Request(origin + path, {
        method,
        headers,
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body }),
      }),
    );
    jar.store(response.headers.getSetCookie());
    const text = await readBody(response);
    return {
      status: response.status,
      headers: response.headers,
      body: text,
      decision: toDecision(response, text),
      rayId: response.headers.get("stepgate-ray") ?? undefined,
    };
  };
  return {
    request,
    get: (path, init) => request("GET", path, init),
    post: (path, body, init) => request("POST", path, { ...init, body }),
    jar,
  };
}

function toBody(body: unknown, headers: Headers): string | undefined {
  if (body === undefined || typeof body === "string") return body;
  if (!headers.has("content-type")) headers.set("content-type", "application/json");
  return JSON.stringify(body);
}

async function readBody(response: Response): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`expected a body of at most ${MAX_BODY_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Codes in the answers that Stepgate gives itself, which are told by the ray id in them. */
function toDecision({ status, headers }: Response, body: string): Decision {
  if (status >= 300 && status < 400 && status !== 304) return "redirected";
  const rayId = headers.get("stepgate-ray");
  if (rayId === null) return "passed";
  // Applications say `no-store` too; a rule's own page need not hold the ray id, but has exactly this field.
  const isOwn = body.includes(rayId) || headers.get("cache-control") === "private, no-store";
  if (!isOwn) return "passed";
  if (status === 429) return "limited";
  if (status === 403) return "blocked";
  return body.includes(rayId) ? "refused" : "blocked";
}
