/** The demo: the bank as origin, its zone, its operations, and the keys of its mobile app's tokens. */
import { randomUUID } from "node:crypto";
import { APP_AUDIENCE, APP_ISSUER, BANK_OPERATIONS, startBank } from "../demo/index.ts";
import type { Bank } from "../demo/index.ts";
import type { Store } from "../store/index.ts";
import { saveOperations } from "./save-operations.ts";

/** By it the demo knows its token configuration again at the next start. */
const TOKEN_TITLE = "Harbour app";

export interface Demo {
  /** Token configuration of the bank's mobile app. Nothing reads it until a session identifier names it. */
  readonly tokenConfigId: string;
  close(): Promise<void>;
}

/** The operations are saved once, when the zone is new; the keys at every start, as the bank makes new ones. */
export async function serveDemo(store: Store): Promise<Demo> {
  const bank = await startBank({ port: 0, hostname: "127.0.0.1" });
  const [zone] = store.ensureZones([{ name: "localhost", hosts: ["localhost"], origin: bank.origin }]);
  const zoneId = zone?.id ?? "";
  if (zone !== undefined && store.count("operations", zoneId) === 0) {
    saveOperations(store, zone, BANK_OPERATIONS);
  }
  return { tokenConfigId: saveTokenKeys(store, zoneId, bank), close: () => bank.close() };
}

function saveTokenKeys(store: Store, zoneId: string, { tokenKeys }: Bank): string {
  return store.write((transaction) => {
    const zone = transaction.get("zones", zoneId);
    if (zone === undefined) throw new TypeError(`expected the demo's zone, found none with id \`${zoneId}\``);
    const { tokenConfigs = [] } = zone.settings;
    const known = tokenConfigs.find(({ title }) => title === TOKEN_TITLE);
    const config = {
      description: "Tokens that the demo bank gives to its mobile app",
      tokenSources: ['http.request.headers["authorization"][0]'],
      audience: [APP_AUDIENCE],
      issuer: APP_ISSUER,
      createdAt: transaction.at,
      ...known,
      id: known?.id ?? randomUUID(),
      title: TOKEN_TITLE,
      keys: tokenKeys.map((key) => ({ ...key })),
      lastUpdatedAt: transaction.at,
    };
    const others = tokenConfigs.filter((other) => other !== known);
    transaction.put("zones", {
      ...zone,
      settings: { ...zone.settings, tokenConfigs: [...others, config] },
    });
    return config.id;
  });
}
