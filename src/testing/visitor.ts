/** A visitor for tests: keeps cookies from one request to the next, and can tell how it was decided about. */
import { createCookieJar } from "./jar.ts";
import type { CookieJar } from "./jar.ts";

/** Answers a request: the application's own handler, or something that sends it. */
export type TestTarget = (request: Request) => Response | Promise<Response>;

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

export interface VisitInit {
  readonly headers?: Readonly<Record<string, string>>;
  /** A text as it is; anything else as JSON. */
  readonly body?: unknown;
}

export interface VisitorResponse {
  readonly status: number;
  readonly headers: Headers;
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

export interface Visitor {
  request(method: string, path: string, init?: VisitInit): Promise<VisitorResponse>;
  get(path: string, init?: VisitInit): Promise<VisitorResponse>;
  post(path: string, body?: unknown, init?: VisitInit): Promise<VisitorResponse>;
  readonly jar: CookieJar;
}

/** Bodies read at most, so that a test of an endless stream ends. */
const MAX_BODY_BYTES = 16 << 20;

/** Requests given up after. */
const TIMEOUT_MS = 30_000;

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
  const isOwn = body.includes(rayId) || /no-store/.test(headers.get("cache-control") ?? "");
  if (!isOwn) return "passed";
  if (status === 429) return "limited";
  if (status === 403) return "blocked";
  return body.includes(rayId) ? "refused" : "blocked";
}
