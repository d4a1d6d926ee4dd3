/** The application of the kit as a fetch handler, with nothing that is not the web's own. */
import type { SequenceContext } from "../../src/adapters/fetch.ts";
import { AppError, PIECE_INTERVAL_MS, replyTo } from "./kit.ts";
import type { Reply } from "./kit.ts";
import { streamOf } from "./web-stream.ts";

/** What handlers answer to `GET /sequence`. */
export const tell = (sequence: SequenceContext | undefined): string => JSON.stringify(sequence ?? null);

export async function* piecesOf(pieces: readonly string[]): AsyncGenerator<string> {
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, PIECE_INTERVAL_MS));
    yield piece;
  }
}

export function answerOnWeb(reply: Reply): Response {
  if (reply.kind === "throw") throw new AppError("boom");
  if (reply.kind === "none") return new Response("nothing here", { status: 404 });
  if (reply.kind === "stream") {
    return new Response(streamOf(piecesOf(reply.pieces)), { headers: { "content-type": "text/plain" } });
  }
  return new Response(reply.status === 304 ? null : reply.body, {
    status: reply.status,
    headers: reply.headers,
  });
}

export function handleWeb(request: Request, sequence: SequenceContext | undefined): Response {
  const url = new URL(request.url);
  if (url.pathname === "/sequence") return new Response(tell(sequence));
  return answerOnWeb(replyTo(request.method, url.pathname, url.search));
}

/** A handler that looks after its own errors, as the runtimes ask of it. */
export const webApp = async (request: Request, sequence?: SequenceContext): Promise<Response> => {
  try {
    return handleWeb(request, sequence);
  } catch {
    return new Response("failed", { status: 500 });
  }
};
