/**
 * Requests of one HTTP/1.1 connection, one after the other. A client may send the next ones before it has an answer
 * (RFC 9112 section 9.3.2), and Node hands them all over as they are read: a few kilobytes would set hundreds of
 * requests going at once, whose answers can only leave in order anyway.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * @param handler called for a request when the answers to all earlier ones of its connection are sent
 * @param maxWaiting requests that may wait on one connection; one that sends more is cut
 */
export function oneAfterTheOther(handler: RequestHandler, maxWaiting: number): RequestHandler {
  const waiting = new WeakMap<Socket, number>();
  return (req, res) => {
    // A response gets the socket when it is its turn to be sent; at once, if it is the only one.
    if (req.httpVersionMajor === 2 || res.socket !== null) {
      handler(req, res);
      return;
    }
    const { socket } = req;
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    if (count > maxWaiting) {
      socket.destroy();
      return;
    }
    res.once("socket", () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      // In a turn of its own, so that others come between the requests of one connection.
      setImmediate(handler, req, res);
    });
  };
}

export type UpgradeHandler = (req: IncomingMessage, socket: Socket, head: Buffer) => void;

/**
 * An upgrade hands the connection over at once, with answers to earlier requests still to be written on it: who asks
 * for that gets neither (RFC 9110 section 7.8 lets a server decline).
 */
export function notBehindAnother(handler: UpgradeHandler): UpgradeHandler {
  return (req, socket, head) => {
    if (currentResponse(socket) === undefined) handler(req, socket, head);
    else socket.destroy();
  };
}

/** The response that a connection is occupied with. Only Node knows; its own default for malformed requests asks so, too. */
export function currentResponse(socket: Socket): ServerResponse | undefined {
  return (Reflect.get(socket, "_httpMessage") as ServerResponse | null | undefined) ?? undefined;
}
