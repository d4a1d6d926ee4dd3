/**
 * What the middleware adds to a request of an h3 application on Node: CPU time of the serving process, over real
 * connections, against the same application without it; and what iron-session takes to keep as much in a cookie.
 */
import { fileURLToPath } from "node:url";
import { openVisitor } from "./adapters/visitor.ts";
import { startProcess } from "./gateway/processes.ts";
import { costsInRounds, ratioOf } from "./gateway/rounds.ts";
import type { Costs } from "./gateway/rounds.ts";
import { median } from "./gateway/load.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const TRACKED = "/accounts/7/balance";
const UNTRACKED = "/page";
const ROUNDS = { rounds: 60, roundMs: 150, warmUpRequests: 20_000, connections: 16 };

/** @returns ratios of CPU time per request, of rounds beside each other */
export async function measure(): Promise<Figure[]> {
  const module = fileURLToPath(new URL("adapters/peer.ts", import.meta.url));
  const peers = await Promise.all(
    ["bare", "guarded", "iron"].map((kind) => startProcess(kind, module, { args: [kind] })),
  );
  try {
    const costsOf = (path: string): Promise<Costs> =>
      // Every connection is a visitor who keeps its cookies from one answer to the next.
      costsInRounds(peers, { ...ROUNDS, open: (peer) => openVisitor(peer.port, path) });
    const [tracked, untracked] = [await costsOf(TRACKED), await costsOf(UNTRACKED)];
    const cpu = (name: string): number => median(tracked.get(name) ?? []);
    return [
      { name: "h3-with/h3-bare (tracked)", value: ratioOf(tracked, "guarded", "bare"), unit: "x" },
      { name: "h3-with/h3-bare (untracked)", value: ratioOf(untracked, "guarded", "bare"), unit: "x" },
      { name: "h3-iron-session/h3-bare", value: ratioOf(tracked, "iron", "bare"), unit: "x" },
      {
        name: "iron-session/stepgate, added CPU",
        value: (cpu("iron") - cpu("bare")) / (cpu("guarded") - cpu("bare")),
        unit: "x",
      },
    ];
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}
