/** HTTP/2 sessions that are idle, or that open streams only to reset them, are ended. */
import { constants } from "node:http2";
import type { Http2SecureServer, ServerHttp2Session, ServerHttp2Stream } from "node:http2";

/** Streams that may end unanswered at once, and then per second: a page that is left has some dozens under way. */
const RESET_BURST = 200;
const RESETS_PER_SECOND = 20;

/**
 * Against rapid resets (CVE-2023-44487) and those that a client makes the server send (CVE-2025-8671). Node's own limit
 * of a thousand comes too late: sessions that reach it can make Node 24.21 abort (`TLSWrap::DoWrite`).
 */
class ResetBudget {
  #left = RESET_BURST;
  #atMs = 0;

  /** Takes one. */
  isSpentAt(nowMs: number): boolean {
    this.#left = Math.min(RESET_BURST, this.#left + ((nowMs - this.#atMs) / 1_000) * RESETS_PER_SECOND) - 1;
    this.#atMs = nowMs;
    return this.#left < 0;
  }
}

/** HTTP/1.1's idle time-out is Node's own; sessions of HTTP/2 would stay for as long as the client likes. */
export function watchSessions(server: Http2SecureServer, idleMs: number): void {
  server.on("session", (session: ServerHttp2Session) => {
    let streams = 0;
    const resets = new ResetBudget();
    session.on("stream", (stream) => {
      streams += 1;
      stream.once("close", () => {
        streams -= 1;
        if (wasReset(stream) && resets.isSpentAt(performance.now())) session.destroy();
      });
    });
    session.setTimeout(idleMs, () => {
      if (streams === 0) session.close();
    });
  });
}

/** By whomever, with whatever code: `NO_ERROR` before the response is whole is a reset, too. */
function wasReset({ aborted, rstCode }: ServerHttp2Stream): boolean {
  return aborted || (rstCode !== undefined && rstCode !== constants.NGHTTP2_NO_ERROR);
}
