/**
 * CPU per request of several peers, in rounds so short that the rest of the machine meets neighbours alike: on a shared
 * machine the same work takes half as long again for seconds on end, which a median of long rounds takes for a
 * difference of the peers.
 */
import type { Socket } from "node:net";
import { median } from "./load.ts";
import type { Peer } from "./processes.ts";

/** A connection on which one request follows the other. */
export interface Asker {
  readonly socket: Socket;
  ask(answered: () => void): void;
}

export interface RoundOptions {
  readonly open: (peer: Peer) => Promise<Asker>;
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpRequests: number;
  readonly connections: number;
}

/** CPU microseconds per request: one number for each round, by the name of the peer. */
export type Costs = ReadonlyMap<string, readonly number[]>;

export async function costsInRounds(peers: readonly Peer[], options: RoundOptions): Promise<Costs> {
  const { open, rounds, roundMs, warmUpRequests, connections } = options;
  const askPeer = async (peer: Peer, isOver: (requests: number) => boolean): Promise<number> => {
    // Anew each time: servers close connections that lie idle while it is the others' turn.
    const lanes = await Promise.all(Array.from({ length: connections }, () => open(peer)));
    try {
      return await askUntil(lanes, isOver);
    } finally {
      for (const lane of lanes) lane.socket.destroy();
    }
  };
  const costs = peers.map((): number[] => []);
  const sleep = stayAwake();
  for (const peer of peers) await askPeer(peer, (requests) => requests >= warmUpRequests);
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < peers.length; turn += 1) {
      // Every other round backwards: whoever came first would always find the machine as the last one left it.
      const index = round % 2 === 0 ? turn : peers.length - 1 - turn;
      const peer = peers[index] as Peer;
      const before = await peer.cpuMicros();
      const endAt = performance.now() + roundMs;
      const requests = await askPeer(peer, () => performance.now() >= endAt);
      costs[index]?.push(((await peer.cpuMicros()) - before) / requests);
    }
  }
  sleep();
  return new Map(peers.map(({ name }, index) => [name, costs[index] ?? []]));
}

/**
 * Keeps this process from waiting for events, which it looks for again and again instead. Whoever writes to a process
 * that waits also pays for waking it, on a virtual machine more than for the write itself: a slow peer, which leaves
 * its clients waiting, would seem slower still.
 *
 * @returns ends it
 */
function stayAwake(): () => void {
  let isAwake = true;
  const look = (): void => {
    if (isAwake) setImmediate(look);
  };
  look();
  return () => {
    isAwake = false;
  };
}

/** Median of the ratios of the same rounds. */
export function ratioOf(costs: Costs, name: string, base: string): number {
  const [own, other] = [costs.get(name) ?? [], costs.get(base) ?? []];
  return median(own.map((cost, round) => cost / (other[round] ?? Number.NaN)));
}

/** All of them ask one request after the other. @returns the number of answers */
async function askUntil(askers: readonly Asker[], isOver: (requests: number) => boolean): Promise<number> {
  let requests = 0;
  await Promise.all(
    askers.map(
      (asker) =>
        new Promise<void>((resolve) => {
          const answered = (): void => {
            requests += 1;
            if (isOver(requests)) resolve();
            else asker.ask(answered);
          };
          asker.ask(answered);
        }),
    ),
  );
  return requests;
}
