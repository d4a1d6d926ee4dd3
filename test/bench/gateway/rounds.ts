/**
 * CPU per request of several peers, in rounds so short that the rest of the machine meets neighbours alike: on a shared
 * machine the same work takes half as long again for seconds on end, which a median of long rounds takes for a
 * difference of the peers.
 */
import { median, openLane } from "./load.ts";
import type { Lane } from "./load.ts";
import { TRACKED_PATH, BENCH_HOST } from "./kinds.ts";
import type { Peer } from "./processes.ts";

export interface RoundOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpRequests: number;
  readonly connections: number;
  readonly cookie: string;
}

/** CPU microseconds per request: one number for each round, by the name of the peer. */
export type Costs = ReadonlyMap<string, readonly number[]>;

export async function costsInRounds(peers: readonly Peer[], options: RoundOptions): Promise<Costs> {
  const { rounds, roundMs, warmUpRequests, connections, cookie } = options;
  const text = `GET ${TRACKED_PATH} HTTP/1.1\r\nHost: ${BENCH_HOST}\r\nCookie: ${cookie}\r\n\r\n`;
  const askPeer = async ({ port }: Peer, isOver: (requests: number) => boolean): Promise<number> => {
    // Anew each time: servers close connections that lie idle while it is the others' turn.
    const lanes = await Promise.all(Array.from({ length: connections }, () => openLane(port)));
    try {
      return await askUntil(lanes, text, isOver);
    } finally {
      for (const lane of lanes) lane.socket.destroy();
    }
  };
  const costs = peers.map((): number[] => []);
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
  return new Map(peers.map(({ name }, index) => [name, costs[index] ?? []]));
}

/** Median of the ratios of the same rounds. */
export function ratioOf(costs: Costs, name: string, base: string): number {
  const [own, other] = [costs.get(name) ?? [], costs.get(base) ?? []];
  return median(own.map((cost, round) => cost / (other[round] ?? Number.NaN)));
}

/** All lanes ask one request after the other. @returns the number of answers */
async function askUntil(
  lanes: readonly Lane[],
  text: string,
  isOver: (requests: number) => boolean,
): Promise<number> {
  let requests = 0;
  await Promise.all(
    lanes.map(
      (lane) =>
        new Promise<void>((resolve) => {
          const answered = (): void => {
            requests += 1;
            if (isOver(requests)) resolve();
            else lane.ask(text, answered);
          };
          lane.ask(text, answered);
        }),
    ),
  );
  return requests;
}
