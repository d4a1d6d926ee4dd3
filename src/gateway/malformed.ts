/** Answers to what Node's parser refuses: with our page instead of Node's bare lines. */
import type { Socket } from "node:net";
import { refusalAnswer } from "../engine/index.ts";
import type { RefusalReason } from "../engine/index.ts";
import { sendRawAnswer } from "./carrier.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { nextRayId } from "./ray-id.ts";

const REASONS: Readonly<Record<string, RefusalReason>> = {
  HPE_HEADER_OVERFLOW: "headers_too_large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "headers_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "request_timeout",
};

/** Ends the connection: nobody knows where the next request on it would begin. */
export function answerMalformed(error: Error, socket: Socket, { onProblem }: GatewayOptions): void {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (code === "ECONNRESET" || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const rayId = nextRayId();
  const reason = REASONS[code] ?? "bad_request";
  onProblem({ rayId, reason, method: "", authority: undefined, error });
  sendRawAnswer(socket, refusalAnswer({ rayId, header: () => undefined }, reason));
  // A client that never closes its side would keep the connection, and a request before the error could go on.
  socket.destroySoon();
}

/** In the middle of a response another one would become part of its body. Only Node knows; its own default asks so too. */
function isAnswering(socket: Socket): boolean {
  const message: unknown = Reflect.get(socket, "_httpMessage");
  return (message as { readonly headersSent?: boolean } | null | undefined)?.headersSent === true;
}
