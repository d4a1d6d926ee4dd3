/** The origin behind the bench's peers. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { BODY_BYTES, LARGE_BODY_BYTES, LARGE_PATH } from "./kinds.ts";

/** What Node's own server does at its fastest. A body it reads to its end, as applications do. */
export async function startOrigin(): Promise<Server> {
  const body = Buffer.alloc(BODY_BYTES, "x");
  const headers = ["content-type", "text/plain", "content-length", String(BODY_BYTES)];
  const large = Buffer.alloc(LARGE_BODY_BYTES);
  const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    const answer = (): void => {
      res.writeHead(200, headers);
      res.end(body);
    };
    if (req.method === "POST") req.resume().once("end", answer);
    else if (req.url === LARGE_PATH) res.end(large);
    else answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
