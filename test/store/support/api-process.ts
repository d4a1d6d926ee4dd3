/** The API in a process of its own, to be killed: prints its port and token, then serves until it dies. */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createApi } from "../../../src/api/index.ts";
import { openStore } from "../../../src/store/index.ts";

const [path = ""] = process.argv.slice(2);
const store = openStore({ path, now: Date.now, random: (lengthBytes) => randomBytes(lengthBytes) });
const [zone] = store.ensureZones([
  { name: "shop.example", hosts: ["shop.example"], origin: "http://127.0.0.1:9" },
]);
const token = store.ensureAdminToken();
const { handler } = createApi({ store, now: Date.now });
const server = createServer(handler);
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port, token, zoneId: zone?.id })}\n`);
});
