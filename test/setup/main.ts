/** `npm run setup`: finds, and where it can installs, what the tests need beside npm packages. */
import { provideChromium } from "./chromium.ts";
import { findProgram } from "./run.ts";
import { provideRuntimes } from "./runtimes.ts";
import { installPackages } from "./system-packages.ts";
import { writeTestTools } from "./tools.ts";

const say = (line: string): void => {
  process.stdout.write(`setup: ${line}\n`);
};

async function provideProgram(name: string, debianPackage: string): Promise<string | undefined> {
  const [found] = findProgram([name]);
  if (found !== undefined) return found;
  say(`${name} not found: installing ${debianPackage}`);
  return (await installPackages([debianPackage], say)) ? findProgram([name])[0] : undefined;
}

const chromium = await provideChromium(say);
const certutil = await provideProgram("certutil", "libnss3-tools");
const redisServer = await provideProgram("redis-server", "redis-server");
/** Beside us in differential tests, which are skipped without them. */
const peers = {
  nginx: await provideProgram("nginx", "nginx-light"),
  haproxy: await provideProgram("haproxy", "haproxy"),
};
const runtimes = await provideRuntimes(say);

const missing = [
  ...(chromium === undefined ? ["Chromium (Debian: `apt-get install chromium`)"] : []),
  ...(certutil === undefined ? ["certutil of NSS (Debian: `apt-get install libnss3-tools`)"] : []),
];
if (chromium === undefined || certutil === undefined) {
  for (const what of missing) say(`missing: ${what}`);
  say("install what is missing, then run this again");
  process.exitCode = 1;
} else {
  say(`chromium      ${chromium.file} (${chromium.version})`);
  say(`certutil      ${certutil}`);
  say(`redis-server  ${redisServer ?? "missing: tests that need it will fail and say so"}`);
  for (const [name, file] of Object.entries(peers))
    say(`${name.padEnd(13)} ${file ?? "missing: the tests that compare with it are skipped"}`);
  for (const [name, runtime] of Object.entries(runtimes)) {
    const told =
      runtime.file === null
        ? `missing: its tests are skipped, ${runtime.reason}`
        : `${runtime.file} (${runtime.version})`;
    say(`${name.padEnd(13)} ${told}`);
  }
  const tools = { chromium: chromium.file, certutil, redisServer: redisServer ?? null, runtimes };
  say(`written to    ${writeTestTools(tools)}`);
}
