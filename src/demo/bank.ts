/** Opens the demo bank: a real HTTP origin with pages and a JSON API. */
import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { serve } from "h3";
import type { JWK } from "jose";
import { createBankApp } from "./app.ts";
import { createAppTokens } from "./app-tokens.ts";
import { createLedger } from "./ledger.ts";
import { REQUEST_TIMEOUT_MS } from "./limits.ts";
import { loadPages } from "./pages.ts";

export interface BankOptions {
  /** 0 (the default) takes a free port. */
  readonly port?: number;
  /** Default `127.0.0.1`: the bank's page has no log-in, so it should not be reachable from elsewhere. */
  readonly hostname?: string;
  /** Bytes for transfer ids; default the system's randomness. */
  readonly random?: (lengthBytes: number) => Uint8Array;
  /** Epoch ms; default the system's clock. */
  readonly now?: () => number;
}

export interface Bank {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Public keys of the tokens that its mobile app has; others at the next start. */
  readonly tokenKeys: readonly JWK[];
  /** Ends all connections. */
  close(): Promise<void>;
  /** Every account back to what it held at first. */
  reset(): void;
}

/** @throws the listen error of Node (`EADDRINUSE`, `EACCES`, …) */
export async function startBank(options: BankOptions = {}): Promise<Bank> {
  const { port = 0, hostname = "127.0.0.1", random = randomBytes, now = Date.now } = options;
  const ledger = createLedger();
  const tokens = await createAppTokens(now);
  const app = createBankApp({ ledger, pages: await loadPages(), tokens, now, random });
  const server = serve(app, {
    port,
    hostname,
    silent: true,
    gracefulShutdown: false,
    node: { noDelay: true, requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS },
  });
  await server.ready();
  const address = server.node?.server?.address() as AddressInfo;
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return {
    origin: `http://${host}:${address.port}`,
    tokenKeys: tokens.keys,
    close: () => server.close(true),
    reset: () => ledger.reset(),
  };
}
