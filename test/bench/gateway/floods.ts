/**
 * `node test/bench/gateway/floods.ts [SECONDS]`: what a visitor notices while the gateway is attacked, each kind for
 * some seconds: p99 of the visitor's requests against the quiet one, and the memory that is left afterwards. Linux
 * only. The attackers need CPU, too: on a machine with few cores part of what is measured is theirs.
 */
import { fork } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { Agent } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { askProcess, startProcess } from "../../cli/start-process.ts";
import type { StartedProcess } from "../../cli/start-process.ts";
import { quantile } from "./load.ts";
import { startPeer } from "./processes.ts";

const SECONDS = Number(process.argv[2] ?? 5);
const PER_SECOND = 100;
const LANES = 8;
const ATTACKS = [
  "slow-headers",
  "slow-body",
  "slow-read",
  "rapid-reset",
  "continuation",
  "cookies",
  "connections",
] as const;

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

for (const { name, value, unit } of await measure())
  process.stdout.write(`${name.padEnd(44)} ${value.toFixed(2).padStart(12)} ${unit}\n`);

async function measure(): Promise<readonly Figure[]> {
  const origin = await startPeer("origin");
  const zones = [{ name: "localhost", origin: `http://127.0.0.1:${origin.port}` }];
  const stepgate = await startProcess({ zones, log: { level: "error" } });
  try {
    await visit(stepgate);
    const quiet = await visit(stepgate);
    const before = await stateOf(stepgate);
    const figures: Figure[] = [{ name: "visitor p99, quiet", value: quantile(quiet.ms, 0.99), unit: "ms" }];
    for (const kind of ATTACKS) {
      const attacker = await attack(kind, stepgate);
      const { ms, failures } = await visit(stepgate);
      figures.push(
        {
          name: `visitor p99 under ${kind} / quiet`,
          value: quantile(ms, 0.99) / quantile(quiet.ms, 0.99),
          unit: "x",
        },
        { name: `visitor failures under ${kind}`, value: failures, unit: "" },
      );
      attacker.disconnect();
      await sleep(1_000);
    }
    await sleep(10_000);
    const after = await stateOf(stepgate);
    return [
      ...figures,
      { name: "memory kept", value: after.rssMb - before.rssMb, unit: "MB" },
      { name: "files kept", value: after.files - before.files, unit: "" },
    ];
  } finally {
    await stepgate.stop();
    await origin.stop();
  }
}

async function attack(kind: string, { gatewayPort, dir }: StartedProcess) {
  const child = fork(new URL("attacker.ts", import.meta.url), [
    kind,
    String(gatewayPort),
    join(dir, "certs", "ca.crt"),
  ]);
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the attacker \`${kind}\` ended with ${code}`)));
  });
  return child;
}

/** A visitor's requests at fixed moments, on kept connections. */
async function visit(stepgate: StartedProcess): Promise<{ ms: readonly number[]; failures: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  const ms: number[] = [];
  let failures = 0;
  const asked: Promise<void>[] = [];
  for (let index = 0; index < SECONDS * PER_SECOND; index++) {
    const startAt = performance.now();
    asked.push(
      askProcess(stepgate, { port: stepgate.gatewayPort, path: "/", agent }).then(
        ({ status }) => {
          if (status === 200) ms.push(performance.now() - startAt);
          else failures += 1;
          return undefined;
        },
        () => void (failures += 1),
      ),
    );
    await sleep(1_000 / PER_SECOND);
  }
  await Promise.all(asked);
  agent.destroy();
  return { ms: ms.toSorted((one, other) => one - other), failures };
}

async function stateOf({ child }: StartedProcess): Promise<{ rssMb: number; files: number }> {
  const status = await readFile(`/proc/${child.pid}/status`, "latin1");
  const files = await readdir(`/proc/${child.pid}/fd`);
  return { rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024, files: files.length };
}
