/** What supervisors and collectors ask on the API's listener: `/healthz`, `/readyz`, `/metrics`. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { RequestHandler } from "../gateway/index.ts";
import type { Metrics } from "./metrics.ts";

export interface OperationsRoutes {
  readonly metrics: Pick<Metrics, "text" | "contentType">;
  /** Whether requests should be sent here now. */
  readonly isReady: () => boolean;
  /** Lets others than loopback addresses read the metrics. */
  readonly metricsToken: string | undefined;
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** @param next gets every other request */
export function withOperationsRoutes(next: RequestHandler, routes: OperationsRoutes): RequestHandler {
  return (req, res) => {
    const path = (req.url ?? "").split("?", 1)[0];
    if (path === "/healthz") answer(res, 200, "ok\n");
    else if (path === "/readyz")
      answer(res, routes.isReady() ? 200 : 503, routes.isReady() ? "ready\n" : "not ready\n");
    else if (path === "/metrics") void answerMetrics(req, res, routes);
    else next(req, res);
  };
}

async function answerMetrics(
  req: IncomingMessage,
  res: ServerResponse,
  routes: OperationsRoutes,
): Promise<void> {
  if (!mayRead(req, routes.metricsToken)) {
    answer(res, 403, "metrics are for loopback addresses, or for the bearer of `api.metricsToken`\n");
    return;
  }
  try {
    const text = await routes.metrics.text();
    answer(res, 200, text, routes.metrics.contentType);
  } catch {
    answer(res, 503, "the metrics of the workers cannot be read now\n");
  }
}

/** A token that is configured is asked of everybody: behind a proxy on the same machine all peers are loopback. */
function mayRead({ socket, headers }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return LOOPBACK.test(socket.remoteAddress ?? "");
  return timingSafeEqual(digest(headers.authorization ?? ""), digest(`Bearer ${token}`));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function answer(
  res: ServerResponse,
  status: number,
  body: string,
  contentType = "text/plain; charset=utf-8",
): void {
  const length = Buffer.byteLength(body);
  res.writeHead(status, {
    "content-type": contentType,
    "content-length": length,
    "cache-control": "no-store",
  });
  res.end(body);
}
