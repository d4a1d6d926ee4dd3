/** A rush of requests does not teach V8 to place all later ones among the objects that live long. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const RUSH = fileURLToPath(new URL("rush.ts", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** Megabytes that are left after a rush in a process that prints `ready` when it may come. */
async function leftAfterRush(args: readonly string[], ready: RegExp): Promise<number> {
  const child = spawn(process.execPath, ["--import", RUSH, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    let output = "";
    let isAsked = false;
    for await (const chunk of child.stdout) {
      output += String(chunk);
      const left = /left ([\d.-]+) MB/.exec(output)?.[1];
      if (left !== undefined) return Number(left);
      if (!isAsked && ready.test(output)) isAsked = child.kill("SIGUSR2");
    }
    throw new Error(`the process ended early: ${output}`);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

const TRIES = 8;

/** On a busy machine V8 learns nothing from one rush in four: its compiler is late then. */
async function mostLeftByV8Alone(): Promise<number> {
  const idle = ["-e", "console.log('ready'); setInterval(() => undefined, 1000)"];
  let most = 0;
  for (let tries = 0; tries < TRIES && most < 20; tries += 1)
    most = Math.max(most, await leftAfterRush(idle, /ready/));
  return most;
}

test("`stepgate start` collects requests with the young after a rush, which V8 alone does not", async () => {
  const dir = await mkdtemp(join(tmpdir(), "stepgate-rush-"));
  try {
    const folders = ["--data-dir", join(dir, "data"), "--certs-dir", join(dir, "certs")];
    const start = [MAIN, "start", "--gateway-port", "0", "--api-port", "0", ...folders];
    expect(await leftAfterRush(start, /api +https:/)).toBeLessThan(5);
    expect(await mostLeftByV8Alone()).toBeGreaterThan(20);
  } finally {
    await rm(dir, { recursive: true });
  }
});
