/** Answers that Stepgate gives itself, in the place of the origin. */
import type { EngineRequest } from "./request.ts";

export interface Answer {
  readonly status: number;
  /** Flat header list. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** Reasons for which a request is answered without any rule having been asked. */
export type RefusalReason =
  | "bad_request"
  | "not_implemented"
  | "expectation_failed"
  | "bad_host"
  | "bad_target"
  | "misdirected"
  | "ambiguous_session"
  | "loop_detected"
  | "overloaded"
  | "headers_too_large"
  | "request_timeout"
  | "prefetch_refused"
  | "origin_unreachable"
  | "origin_timeout"
  | "origin_protocol"
  | "internal";

interface PageText {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

interface RefusalText extends PageText {
  /** After how many seconds it is worth another try (RFC 9110 section 10.2.3). */
  readonly retryAfterSeconds?: number;
}

const BLOCKED: PageText = {
  status: 403,
  title: "Request blocked",
  text: "This step was asked for out of order, or the site's rules do not allow it. Go back to the start of what you were doing and try again.",
};

const REFUSALS: Readonly<Record<RefusalReason, RefusalText>> = {
  bad_request: { status: 400, title: "Bad request", text: "The request is not well-formed." },
  not_implemented: {
    status: 501,
    title: "Not implemented",
    text: "The gateway does not serve requests of this kind.",
  },
  expectation_failed: {
    status: 417,
    title: "Expectation failed",
    text: "The request expects something the gateway does not do.",
  },
  bad_host: { status: 400, title: "Bad request", text: "The request does not name a valid host." },
  bad_target: { status: 400, title: "Bad request", text: "The address of the request is not well-formed." },
  misdirected: {
    status: 421,
    title: "Misdirected request",
    text: "No site is served here under this host name.",
  },
  ambiguous_session: {
    status: 400,
    title: "Bad request",
    text: "The request names more than one session.",
  },
  loop_detected: {
    status: 508,
    title: "Loop detected",
    text: "The request keeps coming back to this gateway.",
  },
  headers_too_large: {
    status: 431,
    title: "Headers too large",
    text: "The request brings more headers or cookies than this site takes. Deleting the site's cookies may help.",
  },
  request_timeout: {
    status: 408,
    title: "Request time-out",
    text: "The request took too long to arrive.",
  },
  overloaded: {
    status: 503,
    title: "Too busy",
    text: "The site has more requests than it can answer. Try again in a moment.",
    retryAfterSeconds: 1,
  },
  prefetch_refused: {
    status: 503,
    title: "Not fetched ahead",
    text: "This page is only given when it is really asked for.",
  },
  origin_unreachable: {
    status: 502,
    title: "Bad gateway",
    text: "The site behind this gateway cannot be reached.",
  },
  origin_timeout: {
    status: 504,
    title: "Gateway time-out",
    text: "The site behind this gateway took too long to answer.",
  },
  origin_protocol: {
    status: 502,
    title: "Bad gateway",
    text: "The site behind this gateway gave an answer that is not valid.",
  },
  internal: { status: 500, title: "Internal error", text: "The gateway could not handle this request." },
};

const LIMITED: PageText = {
  status: 429,
  title: "Too many requests",
  text: "This was asked for too often in a short time. Wait a moment and try again.",
};

const BAD_REDIRECT: PageText = {
  status: 400,
  title: "Bad request",
  text: "The address asks to be sent somewhere that the site does not send its visitors to.",
};

const CHALLENGE_FAILED: PageText = {
  status: 403,
  title: "Check not passed",
  text: "The answer is wrong, or it came too late or twice. Load the page again for a new check.",
};

const METHOD_NOT_ALLOWED: PageText = {
  status: 405,
  title: "Method not allowed",
  text: "Answers to checks are sent with POST.",
};

const SECURITY_HEADERS = [
  "cache-control",
  "private, no-store",
  "content-security-policy",
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "x-content-type-options",
  "nosniff",
  "referrer-policy",
  "no-referrer",
] as const;

/** The default answer of a blocking rule: 403 as a page or as JSON, whichever the client would rather have. */
export function blockAnswer(request: EngineRequest): Answer {
  return pageAnswer(request, BLOCKED, "blocked");
}

/** As {@link blockAnswer}, for a rate limit. */
export function limitAnswer(request: EngineRequest): Answer {
  return pageAnswer(request, LIMITED, "rate_limited");
}

/** The answer where a redirect rule computed a target that it may not lead to. */
export function badRedirectAnswer(request: EngineRequest): Answer {
  return pageAnswer(request, BAD_REDIRECT, "unsafe_redirect");
}

/** Answers of the place where challenges are answered. */
export function challengeFailedAnswer(request: EngineRequest): Answer {
  return pageAnswer(request, CHALLENGE_FAILED, "challenge_failed");
}

export function challengeMethodAnswer(request: EngineRequest): Answer {
  const answer = pageAnswer(request, METHOD_NOT_ALLOWED, "method_not_allowed");
  return { ...answer, headers: [...answer.headers, "allow", "POST"] };
}

/** The answer to a request that never came to the rules, or that the origin did not answer. */
export function refusalAnswer(
  request: Pick<EngineRequest, "header" | "rayId">,
  reason: RefusalReason,
): Answer {
  const refusal = REFUSALS[reason];
  const answer = pageAnswer(request, refusal, reason);
  const { retryAfterSeconds } = refusal;
  if (retryAfterSeconds === undefined) return answer;
  return { ...answer, headers: [...answer.headers, "retry-after", String(retryAfterSeconds)] };
}

/** An answer with content of the operator's own (`action_parameters.response`). */
export function customAnswer(
  request: EngineRequest,
  response: { readonly status_code: number; readonly content_type: string; readonly content: string },
): Answer {
  return {
    status: response.status_code,
    headers: [
      "content-type",
      response.content_type.includes("charset")
        ? response.content_type
        : `${response.content_type}; charset=utf-8`,
      "stepgate-ray",
      request.rayId,
      "cache-control",
      "private, no-store",
      "x-content-type-options",
      "nosniff",
    ],
    body: response.content,
  };
}

function pageAnswer(request: Pick<EngineRequest, "header" | "rayId">, page: PageText, code: string): Answer {
  const asJson = prefersJson(request.header("accept"));
  return {
    status: page.status,
    headers: [
      "content-type",
      asJson ? "application/json" : "text/html; charset=utf-8",
      "stepgate-ray",
      request.rayId,
      ...SECURITY_HEADERS,
    ],
    body: asJson
      ? JSON.stringify({
          error: { code, status: page.status, message: page.title, detail: page.text, ray_id: request.rayId },
        })
      : renderPage(page, request.rayId),
  };
}

/** Whether JSON is acceptable and HTML is not named before it. Programs rarely ask for HTML, browsers always do. */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const json = accept.search(/application\/(?:[\w.+-]*\+)?json/i);
  if (json === -1) return false;
  const html = accept.search(/text\/html/i);
  return html === -1 || json < html;
}

/** INVARIANT: nothing that a client wrote goes into the page; the ray id is hexadecimal and ours. */
function renderPage(page: PageText, rayId: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${page.title}</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 16px/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { max-width: 34rem; padding: 2rem; }
h1 { font-size: 1.5rem; margin: 0 0 .75rem; }
p { margin: 0 0 1.5rem; }
small { display: block; border-top: 1px solid; padding-top: 1rem; opacity: .75; }
code { font: .95em ui-monospace, monospace; user-select: all; }
</style>
</head>
<body>
<main>
<h1>${page.title}</h1>
<p>${page.text}</p>
<small>Status ${page.status}. If you ask the site's owner about this, name the ray id <code id="ray-id">${rayId}</code>.</small>
</main>
</body>
</html>
`;
}
