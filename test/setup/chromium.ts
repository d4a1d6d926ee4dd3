/** Finds a Chromium that starts, or installs one. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { findProgram, run } from "./run.ts";
import { installPackages } from "./system-packages.ts";

const SYSTEM_NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** @returns the executable, and what it calls itself */
export async function provideChromium(
  say: (line: string) => void,
): Promise<{ readonly file: string; readonly version: string } | undefined> {
  const found = await firstThatStarts(candidates(), say);
  if (found !== undefined) return found;
  say("no Chromium found: playwright install chromium (this can take some minutes)");
  const playwright = fileURLToPath(new URL("../../node_modules/.bin/playwright", import.meta.url));
  const installed = await run(playwright, ["install", "chromium"], { timeoutMs: 300_000 });
  if (installed.code === 0) {
    const own = await firstThatStarts(candidates(), say);
    if (own !== undefined) return own;
  } else {
    say(`that failed: ${/^Error: (.*)$/m.exec(installed.output)?.[1] ?? "no reason given"}`);
  }
  return (await installPackages(["chromium"], say)) ? firstThatStarts(candidates(), say) : undefined;
}

function candidates(): readonly string[] {
  const own = chromium.executablePath();
  return [...(existsSync(own) ? [own] : []), ...findProgram(SYSTEM_NAMES)];
}

async function firstThatStarts(
  files: readonly string[],
  say: (line: string) => void,
): Promise<{ readonly file: string; readonly version: string } | undefined> {
  for (const file of files) {
    const version = await versionOf(file);
    if (version !== undefined) return { file, version };
    say(`${file} is there but does not start`);
  }
  return undefined;
}

/** Really starts it: a browser whose libraries are missing still answers `--version` on some systems. */
async function versionOf(file: string): Promise<string | undefined> {
  const home = await mkdtemp(join(tmpdir(), "stepgate-chromium-"));
  try {
    const options = { timeoutMs: 30_000, env: { HOME: home } };
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${join(home, "profile")}`];
    const page = await run(file, [...flags, "--dump-dom", "data:text/html,<p>it starts</p>"], options);
    if (!page.output.includes("<p>it starts</p>")) return undefined;
    const { output } = await run(file, ["--version"], options);
    return /^.*\d+\.\d+\.\d+.*$/m.exec(output)?.[0].trim() ?? "version unknown";
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}
