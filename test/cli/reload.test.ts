/** When configuration, keys and certificates are read again; what a reload does is in `start-lifecycle.test.ts`. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseConfig } from "../../src/cli/config.ts";
import { reloadOnChange } from "../../src/cli/reload.ts";
import { startStepgate } from "../../src/cli/start.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "stepgate-reload-"));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(dir, { recursive: true });
});

const configIn = (more: object = {}) =>
  parseConfig(
    {
      gateway: { port: 0, hostname: "127.0.0.1" },
      api: { port: 0 },
      dataDir: join(dir, "data"),
      certsDir: join(dir, "certs"),
      zones: [{ name: "localhost", origin: "http://127.0.0.1:1" }],
      log: { level: "silent" },
      ...more,
    },
    "test",
  );

test.each([
  ["a development certificate is looked at every six hours", {}, 2],
  ["an operator's own is the operator's", { tls: { certFile: "a.crt", keyFile: "a.key" } }, 0],
])("%s", async (_what, more, times) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
  const reload = vi.fn<() => Promise<void>>(async () => undefined);
  const stop = reloadOnChange({ config: configIn(more), files: [] }, reload);
  await vi.advanceTimersByTimeAsync(13 * HOUR_MS);
  expect(reload).toHaveBeenCalledTimes(times);
  stop();
  await vi.advanceTimersByTimeAsync(13 * HOUR_MS);
  expect(reload).toHaveBeenCalledTimes(times);
});

test("a reload close to the end of a development certificate brings another, and one long before it does not", async () => {
  let now = Date.now();
  const config = configIn();
  const stepgate = await startStepgate({ config, now: () => now });
  try {
    const serial = (): Promise<string> =>
      new Promise((resolve, reject) => {
        // Only the serial number is asked for: to the client's clock the second one is not valid yet.
        const options = { host: "127.0.0.1", port: stepgate.gatewayPort, rejectUnauthorized: false };
        const socket = connect(options, () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
        socket.on("error", reject);
      });
    const first = await serial();
    now += 300 * DAY_MS;
    await stepgate.reload(config);
    expect(await serial()).toBe(first);
    now += 80 * DAY_MS;
    await stepgate.reload(config);
    expect(await serial()).not.toBe(first);
  } finally {
    await stepgate.close(0);
  }
});
