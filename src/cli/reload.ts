/**
 * Takes changes of configuration, keys and certificates into force: on SIGHUP, when one of the files changes, and now
 * and then, so that a development certificate is renewed before its end.
 */
import { unwatchFile, watchFile } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { createLog } from "./log.ts";

/** Milliseconds between two looks at the files: links that are exchanged, as by Kubernetes, are noticed too. */
const LOOK_EVERY_MS = 1_000;
/** Milliseconds without another change before a reload: certificate and key are two files. */
const SETTLE_MS = 500;

/** Milliseconds between two looks at a development certificate, which is made anew a month before its end. */
const RENEW_EVERY_MS = 6 * 3_600_000;

/**
 * @param files besides those that the configuration names
 * @param reload may fail; then what was in force stays, and the log says why
 * @returns how to stop
 */
export function reloadOnChange(
  { config, files }: { readonly config: Config; readonly files: readonly string[] },
  reload: () => Promise<void>,
): () => void {
  const log = createLog(config.log.level);
  let settling: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const run = async (): Promise<void> => {
    try {
      await reload();
      log.info({ event: "reload" }, "configuration, keys and certificates were read again");
    } catch (error) {
      log.error({ event: "reload", error: (error as Error).message }, "the configuration stays as it was");
    }
  };
  const soon = (delayMs: number): void => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      // One after the other: the last one has the last word.
      running = running.then(run);
    }, delayMs);
  };
  const onSignal = (): void => soon(0);
  const onChange = (): void => soon(SETTLE_MS);
  const watched = [...files, ...filesOf(config)];
  // An operator's own is renewed by the operator, and noticed as a file that changes.
  const renewing = config.tls === undefined ? setInterval(onSignal, RENEW_EVERY_MS).unref() : undefined;
  process.on("SIGHUP", onSignal);
  for (const file of watched) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, onChange);
  return () => {
    clearTimeout(settling);
    clearInterval(renewing);
    process.off("SIGHUP", onSignal);
    for (const file of watched) unwatchFile(file, onChange);
  };
}

function filesOf({ tls, keys, dataDir, zones }: Config): readonly string[] {
  return [
    ...(tls === undefined ? [] : [tls.certFile, tls.keyFile]),
    ...(keys === undefined ? [join(dataDir, "keys.json")] : []),
    ...zones.flatMap(({ origins }) => origins.flatMap(({ ca }) => (ca === undefined ? [] : [ca]))),
  ];
}
