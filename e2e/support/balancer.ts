/** A load balancer as simple as can be: every request goes to the next server, whoever sent it. */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Agent, request } from "undici";

export interface Balancer {
  /** `https://localhost:PORT` */
  readonly url: string;
  /** Requests that each server got so far, in the order of `targets`. */
  readonly counts: readonly number[];
  close(): Promise<void>;
}

export interface BalancerOptions {
  /** PEM texts of what the balancer shows to browsers. */
  readonly cert: string;
  readonly key: string;
  /** PEM text of the CA that the servers' certificates come from. */
  readonly ca: string;
  /** Base URLs. */
  readonly targets: readonly string[];
}

export async function startBalancer({ cert, key, ca, targets }: BalancerOptions): Promise<Balancer> {
  const dispatcher = new Agent({ connect: { ca } });
  const counts = targets.map(() => 0);
  let next = 0;
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    const index = next;
    next = (next + 1) % targets.length;
    counts[index] = (counts[index] ?? 0) + 1;
    const { connection: _connection, "transfer-encoding": _encoding, ...headers } = incoming.headers;
    void (async () => {
      const answer = await request(`${targets[index]}${incoming.url}`, {
        dispatcher,
        method: incoming.method as "GET",
        headers: { ...headers, host: "localhost" },
        body: incoming.method === "GET" ? null : incoming,
      });
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.body.pipe(outgoing);
    })().catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    counts,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await dispatcher.destroy();
    },
  };
}
