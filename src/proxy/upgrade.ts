/** WebSocket pass-through: the handshake is an ordinary request for the rules, then bytes flow both ways. */
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { clientResponseHeaders } from "./headers.ts";
import type { ForwardHooks, ForwardRequest, ForwardResult } from "./types.ts";
import { hostOf } from "./origin.ts";
import type { OriginAddress } from "./origin.ts";

/** Milliseconds an origin has to answer a handshake. */
const HANDSHAKE_TIMEOUT_MS = 30_000;

/** The visitor's socket, and the bytes that came with the handshake. */
export interface UpgradeClient {
  readonly socket: Socket;
  readonly head: Buffer;
}

/**
 * Forwards an `Upgrade: websocket` request. When the origin switches protocols the two sockets are joined until
 * either side ends; when it answers otherwise, that answer is given and the connection closed.
 *
 * @returns how it went; `done` with 101 as soon as the sockets are joined. Never rejects
 */
export function forwardUpgrade(
  client: UpgradeClient,
  { base, socketPath, servername, ca }: OriginAddress,
  { request, hooks }: { readonly request: ForwardRequest; readonly hooks: ForwardHooks },
): Promise<ForwardResult> {
  const start = base.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const upstream = start({
      ...(socketPath === undefined ? { host: hostOf(base), port: base.port || undefined } : { socketPath }),
      servername,
      ca,
      method: request.method,
      path: request.target,
      headers: [...request.headers, "connection", "Upgrade", "upgrade", "websocket"],
      agent: false,
      timeout: HANDSHAKE_TIMEOUT_MS,
    });
    const fail = (reason: "connect" | "timeout" | "hook", error: Error): void => {
      client.socket.off("close", onGone);
      upstream.destroy();
      resolve({ kind: "unanswered", reason, error });
    };
    upstream.once("error", (error) => fail("connect", error));
    upstream.once("timeout", () =>
      fail("timeout", new Error("the origin did not answer the handshake in time")),
    );
    const onGone = (): void => {
      upstream.destroy();
      resolve({ kind: "client-gone" });
    };
    client.socket.once("close", onGone);
    upstream.once("upgrade", (response, socket, head) => {
      socket.setTimeout(0);
      void answerHead(client.socket, response, hooks, ["connection", "Upgrade", "upgrade", "websocket"]).then(
        () => {
          socket.write(client.head);
          client.socket.write(head);
          join(client.socket, socket);
          resolve({ kind: "done", status: 101 });
          return undefined;
        },
        (error: unknown) => {
          socket.destroy();
          fail("hook", error as Error);
        },
      );
    });
    upstream.once("response", (response) => {
      void answerHead(client.socket, response, hooks, ["connection", "close"]).then(
        () => {
          response.pipe(client.socket);
          resolve({ kind: "done", status: response.statusCode ?? 0 });
          return undefined;
        },
        (error: unknown) => fail("hook", error as Error),
      );
    });
    upstream.end();
  });
}

/** Writes status line and header section by hand: on an upgraded socket there is no response object. */
async function answerHead(
  socket: Socket,
  response: IncomingMessage,
  hooks: ForwardHooks,
  connection: readonly string[],
): Promise<void> {
  const status = response.statusCode ?? 502;
  const kept = clientResponseHeaders(response.rawHeaders).filter(
    // The body is passed on as it is read, without its framing; its end is the end of the connection.
    (_, index, all) =>
      status === 101 || (all[index - (index % 2)] as string).toLowerCase() !== "content-length",
  );
  const headers = [...(await hooks.onResponse(status, kept)), ...connection];
  const lines = [`HTTP/1.1 ${status} ${response.statusMessage ?? ""}`];
  for (let index = 0; index < headers.length; index += 2)
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/**
 * Joins two sockets with back-pressure. The end or failure of one is that of the other, after what it still had to
 * say: a WebSocket has no use for a half-closed connection (RFC 6455 section 7.1.1).
 */
function join(client: Socket, upstream: Socket): void {
  client.pipe(upstream, { end: false });
  upstream.pipe(client, { end: false });
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.once("end", () => to.destroySoon());
    from.once("error", () => to.destroySoon());
    from.once("close", () => to.destroySoon());
  }
}
