/** How the tests start Chromium. */
import { readTestTools } from "../../test/setup/tools.ts";

/** Quiet and alone: no first-run pages, no updates, nothing that calls home, and TCP only. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export type Protocol = "h2" | "http/1.1";

/** Launch options of a browser that lives in `home`, with the certificates that are trusted there. */
export function launchOptionsFor(home: string, protocol: Protocol = "h2") {
  return {
    executablePath: readTestTools().chromium,
    args: [...FLAGS, ...(protocol === "http/1.1" ? ["--disable-http2"] : [])],
    env: {
      ...(process.env as Record<string, string>),
      HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_CACHE_HOME: home,
    },
  };
}
