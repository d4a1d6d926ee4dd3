/**
 * `node test/bench/gateway/soak.ts [MINUTES] [REQUESTS_PER_SECOND]`: constant load on the full gateway, after a warm-up
 * as long; prints how its memory and its open files grow. Without a rate it is 60 % of what the gateway
 * serves at most. Not part of `npm run bench`, which is over in minutes.
 */
import { readdir, readFile } from "node:fs/promises";
import { latenciesOn, loadPeer, openLanes, quantile } from "./load.ts";
import { requireProgram, startPeer } from "./processes.ts";
import type { Peer } from "./processes.ts";

const MINUTES = Number(process.argv[2] ?? 10);
const SAMPLE_SECONDS = 10;
const CONNECTIONS = 32;
const COOKIE = "session=1";
const LOAD_SHARE = 0.6;
/**
 * Minutes before, in which code is compiled and the heap grows to the size that it keeps: until the old are collected
 * for the first time, which takes some minutes where little grows old.
 */
const WARM_UP_MINUTES = MINUTES;

interface Sample {
  readonly atMinutes: number;
  readonly rssMb: number;
  readonly files: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  /** Of one core, by the gateway. */
  readonly busyShare: number;
}

const origin = await startPeer("origin");
const gateway = await startPeer("stepgate-full", `http://127.0.0.1:${origin.port}`);
try {
  const perSecond = Number(process.argv[3] ?? Math.round((await mostPerSecond()) * LOAD_SHARE));
  await load(perSecond, WARM_UP_MINUTES, () => undefined);
  process.stdout.write("warmed up\n");
  const samples: Sample[] = [];
  await load(perSecond, MINUTES, (sample) => samples.push(sample));
  for (const name of ["rssMb", "files"] as const) {
    const slope = slopeOf(samples.map((sample) => [sample.atMinutes, sample[name]])) * 10;
    process.stdout.write(`slope of ${name}: ${slope.toFixed(2)} per 10 minutes\n`);
  }
} finally {
  await Promise.all([gateway.stop(), origin.stop()]);
}

/** The second of two looks: the first one compiles. */
async function mostPerSecond(): Promise<number> {
  const options = {
    wrk: await requireProgram("wrk", "wrk"),
    seconds: 10,
    connections: CONNECTIONS,
    cookie: COOKIE,
  };
  await loadPeer(gateway, options);
  return (await loadPeer(gateway, options)).requestsPerSecond;
}

async function load(perSecond: number, minutes: number, onSample: (sample: Sample) => void): Promise<void> {
  const lanes = await openLanes(gateway.port, CONNECTIONS);
  const requests = perSecond * SAMPLE_SECONDS;
  const startAt = performance.now();
  for (let index = 1; index <= (minutes * 60) / SAMPLE_SECONDS; index++) {
    const [cpuBefore, atBefore] = [await gateway.cpuMicros(), performance.now()];
    const latencies = await latenciesOn(lanes, { perSecond, requests, cookie: COOKIE });
    const sample = {
      atMinutes: (performance.now() - startAt) / 60_000,
      ...(await stateOf(gateway)),
      p99Ms: quantile(latencies, 0.99),
      perSecond,
      busyShare: ((await gateway.cpuMicros()) - cpuBefore) / 1_000 / (performance.now() - atBefore),
    };
    onSample(sample);
    if (index % 3 === 0) process.stdout.write(`${textOf(sample)}\n`);
  }
  for (const { socket } of lanes) socket.destroy();
}

function textOf({ atMinutes, rssMb, files, p99Ms, perSecond: rate, busyShare }: Sample): string {
  const pace = `${rate}/s  busy ${(busyShare * 100).toFixed(0)} %`;
  return `${atMinutes.toFixed(1)} min  ${pace}  RSS ${rssMb.toFixed(1)} MB  files ${files}  p99 ${p99Ms.toFixed(2)} ms`;
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
