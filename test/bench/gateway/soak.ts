/**
 * `node test/bench/gateway/soak.ts [MINUTES] [REQUESTS_PER_SECOND]`: constant load on the full gateway; prints how its
 * memory and its open files grow. Not part of `npm run bench`, which is over in minutes.
 */
import { readdir, readFile } from "node:fs/promises";
import { latenciesAt, quantile } from "./load.ts";
import { startPeer } from "./processes.ts";
import type { Peer } from "./processes.ts";

const MINUTES = Number(process.argv[2] ?? 10);
const PER_SECOND = Number(process.argv[3] ?? 1_000);
const SAMPLE_SECONDS = 10;
/** Share of the run in which caches and compiled code are still being made. */
const WARM_UP_SHARE = 0.3;

interface Sample {
  readonly atMinutes: number;
  readonly rssMb: number;
  readonly files: number;
  readonly p99Ms: number;
}

const origin = await startPeer("origin");
const gateway = await startPeer("stepgate-full", `http://127.0.0.1:${origin.port}`);
const samples: Sample[] = [];
try {
  const startAt = performance.now();
  for (let index = 0; index < (MINUTES * 60) / SAMPLE_SECONDS; index++) {
    const options = { perSecond: PER_SECOND, seconds: SAMPLE_SECONDS, connections: 32, cookie: "session=1" };
    const latencies = await latenciesAt(gateway, options);
    samples.push({
      atMinutes: (performance.now() - startAt) / 60_000,
      ...(await stateOf(gateway)),
      p99Ms: quantile(latencies, 0.99),
    });
    const last = samples.at(-1);
    if (index % 6 === 5)
      process.stdout.write(
        `${last?.atMinutes.toFixed(1)} min  RSS ${last?.rssMb.toFixed(1)} MB  files ${last?.files}  p99 ${last?.p99Ms.toFixed(2)} ms\n`,
      );
  }
  const settled = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const slope = slopeOf(settled.map(({ atMinutes, rssMb }) => [atMinutes, rssMb])) * 10;
  const files = slopeOf(settled.map(({ atMinutes, files: count }) => [atMinutes, count])) * 10;
  process.stdout.write(
    `RSS slope ${slope.toFixed(2)} MB per 10 minutes, files ${files.toFixed(2)} per 10 minutes\n`,
  );
} finally {
  await Promise.all([gateway.stop(), origin.stop()]);
}

async function stateOf({ pid }: Peer): Promise<Pick<Sample, "rssMb" | "files">> {
  const status = await readFile(`/proc/${pid}/status`, "latin1");
  const files = await readdir(`/proc/${pid}/fd`);
  return { rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024, files: files.length };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const over = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
  return over / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}
