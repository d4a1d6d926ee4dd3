/** Answers to what Node's parser refuses: with our page instead of Node's bare lines. */
import type { Socket } from "node:net";
import { refusalAnswer } from "../engine/index.ts";
import type { RefusalReason } from "../engine/index.ts";
import { sendRawAnswer } from "./carrier.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { currentResponse } from "./pipelining.ts";
import { nextRayId } from "./ray-id.ts";

const REASONS: Readonly<Record<string, RefusalReason>> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "headers_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
};

/** Milliseconds and bytes for what a client still sends while our answer is on its way. */
const LINGER_MS = 1_000;
const LINGER_BYTES = 65_536;

/** Connections that got an answer of this kind. */
const lingering = new WeakSet<Socket>();

/** Ends the connection: nobody knows where the next request on it would begin. */
export function answerMalformed(
  error: Error,
  socket: Socket,
  { onProblem }: Pick<GatewayOptions, "onProblem">,
): void {
  const { code = "" } = error as NodeJS.ErrnoException;
  // The parser fails again on the end.
  if (lingering.has(socket) && code !== "ECONNRESET") return;
  const isUnused = code === "ERR_HTTP_REQUEST_TIMEOUT" && socket.bytesRead === 0;
  // A browser opens connections that it may never use, and expects no answer on those.
  if (code === "ECONNRESET" || isUnused || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const rayId = nextRayId();
  const reason = REASONS[code] ?? "bad_request";
  onProblem({ rayId, reason, method: "", authority: undefined, error });
  sendRawAnswer(socket, refusalAnswer({ rayId, header: () => undefined }, reason));
  // A request that is late could still be completed and go on; one that is malformed cannot.
  if (reason === "request_timeout") socket.destroySoon();
  else linger(socket);
}

/**
 * Closing while something is unread makes the system reset the connection, and the client loses the answer (RFC 9112
 * section 9.6). What is more than a few headers stays unread all the same: who still sends has its answer, and a client
 * that never closes its side must not keep it either.
 */
function linger(socket: Socket): void {
  lingering.add(socket);
  // Past the parser, which would fail on every piece again and copy it for the error.
  socket.removeAllListeners("data");
  const untilBytes = socket.bytesRead + LINGER_BYTES;
  socket.on("readable", () => {
    while (socket.bytesRead < untilBytes && socket.read() !== null);
  });
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

/** In the middle of a response another one would become part of its body. */
function isAnswering(socket: Socket): boolean {
  return currentResponse(socket)?.headersSent === true;
}
