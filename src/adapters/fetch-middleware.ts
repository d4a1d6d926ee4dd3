/** `(request, next) => Response` for runtimes that speak fetch. Nothing in its module graph needs Node. */
import {
  createPortableCookieTracker,
  createPortableKeyRing,
  createPortableSequenceCookies,
  RecentPayloads,
  importKeySet,
  OWN_COOKIES,
} from "../cookie/portable.ts";
import type { Visit } from "../engine/index.ts";
import { createGuard } from "./guard.ts";
import type { Guard, Runtime } from "./guard.ts";
import type { KeySetInput, StepgateOptions } from "./options.ts";
import { toSequenceContext } from "./sequence-context.ts";
import type { SequenceContext } from "./sequence-context.ts";
import { WebRequest } from "./web-request.ts";
import type { WebRequestOptions } from "./web-request.ts";
import { isUntouchable, toFlat, toHeaders, toResponse, withHeaders } from "./web-response.ts";

export interface FetchStepgateOptions extends StepgateOptions, WebRequestOptions {
  /** Master keys as a JWK set or its JSON text: the same as of other processes and of the gateway. */
  readonly keys: KeySetInput | string;
}

/** The application behind: gets the request, and what its visitor did before. */
export type FetchNext = (request: Request, sequence: SequenceContext) => Response | Promise<Response>;

/** What stands before a fetch handler. */
export interface FetchMiddleware {
  /** Answers a request, through the application or in its place. */
  (request: Request, next: FetchNext): Promise<Response>;
  /** Imports the keys; else the first request does. Rejects with what is wrong with them. */
  start(): Promise<void>;
}

/** What a zone says to a request that no rule was asked about. */
const NOTHING: SequenceContext = { currentOp: "", previousOps: [], msecSinceOp: {} };

/**
 * Tracks operations, asks the rules and sets the cookies of an application that takes a `Request` and gives a
 * `Response`: Hono, Deno, Bun, Workers. Cookies are sealed with jose on WebCrypto, and are those that the other
 * adapters and the gateway make.
 *
 * @throws {TypeError} for what is wrong with the options
 */
export function stepgate(options: FetchStepgateOptions): FetchMiddleware {
  if (options.keys === undefined) {
    throw new TypeError(
      "expected `keys`, a JWK set: processes of an application come and go, their keys must not",
    );
  }
  const guard = createGuard(options, portableRuntime(options.keys));
  const middleware = async (request: Request, next: FetchNext): Promise<Response> => {
    const judgement = await guard.judge(new WebRequest(request, guard, options));
    if (judgement.kind === "answer") return toResponse(judgement.answer, request.method);
    const { visit } = judgement;
    if (visit === undefined) return next(request, NOTHING);
    const sequence = toSequenceContext(visit.currentOp, await visit.history());
    const response = await next(withEdits(request, visit), sequence);
    return visit.hasResponseWork ? complete(response, visit, guard) : response;
  };
  return Object.assign(middleware, { start: () => guard.start() });
}

function withEdits(request: Request, visit: Visit): Request {
  const sent = toFlat(request.headers);
  const edited = visit.requestHeaders(sent);
  return edited === sent ? request : new Request(request, { headers: toHeaders(edited) });
}

async function complete(response: Response, visit: Visit, guard: Guard): Promise<Response> {
  if (isUntouchable(response)) return response;
  try {
    return withHeaders(response, await visit.onResponse(response.status, toFlat(response.headers)));
  } catch (error) {
    // The application's answer is complete; what is lost is one record, and that is reported.
    guard.report({ reason: "response", error: error as Error });
    return response;
  }
}

const POOL_BYTES = 1024;

/** @returns strong bytes, drawn in bulk; the first draw is at the first request, as Workers demand */
function portableRandom(): (size: number) => Uint8Array {
  let pool = new Uint8Array(0);
  let used = 0;
  return (size) => {
    if (used + size > pool.length) {
      pool = crypto.getRandomValues(new Uint8Array(Math.max(POOL_BYTES, size)));
      used = 0;
    }
    used += size;
    return pool.subarray(used - size, used);
  };
}

function portableRuntime(keys: KeySetInput | string): Runtime {
  const random = portableRandom();
  return {
    random,
    async carrier({ maxEntries, maxAgeSeconds, leads }) {
      const keyRing = createPortableKeyRing(await importKeySet(keys));
      const recent = new RecentPayloads();
      return {
        trackerFor: (zone) =>
          createPortableCookieTracker(
            createPortableSequenceCookies({
              zoneId: zone.id,
              keyRing,
              random,
              recent,
              scope: { ...zone.settings.cookieScope, maxAgeSeconds },
              limits: { maxEntries, maxAgeMs: maxAgeSeconds * 1000 },
              leads,
            }),
          ),
        ownCookies: OWN_COOKIES,
      };
    },
  };
}
