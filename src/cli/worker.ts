/** What one of several gateway processes does: serves, follows its first process, and ends with it. */
import type { Config } from "./config.ts";
import { createLog } from "./log.ts";
import { startWorker } from "./start.ts";
import type { PrimaryMessage, WorkerMessage } from "./workers.ts";

/** Milliseconds for requests under way when the first process is gone without a word. */
const ORPHAN_GRACE_MS = 5_000;

function tell(message: WorkerMessage): void {
  process.send?.(message);
}

/** @param readConfig reads the configuration as it is now */
export async function runWorker(config: Config, readConfig: () => Promise<Config>): Promise<void> {
  // A signal to the whole group is for the first process to act on.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => undefined);
  process.on("SIGHUP", () => undefined);
  const log = createLog(config.log.level);
  try {
    const worker = await startWorker({ config, log, onEvent: (event) => tell({ kind: "event", event }) });
    const stop = async (graceMs: number): Promise<void> => {
      await worker.close(graceMs);
      process.exit(0);
    };
    const reload = async (): Promise<void> => {
      try {
        await worker.reload(await readConfig());
      } catch (error) {
        log.error({ event: "reload", error: (error as Error).message }, "the configuration stays as it was");
      }
    };
    process.on("message", (message: PrimaryMessage) => {
      if (message.kind === "stop") void stop(message.graceMs);
      else if (message.kind === "reload") void reload();
      else if (message.kind === "flush") {
        void worker.flush().then(() => tell({ kind: "flushed", request: message.request }));
      }
    });
    process.once("disconnect", () => void stop(ORPHAN_GRACE_MS));
    tell({ kind: "listening", port: worker.listener.port });
  } catch (error) {
    tell({ kind: "failed", message: (error as Error).message });
    process.exitCode = 1;
    process.disconnect();
  }
}
