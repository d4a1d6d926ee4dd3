/**
 * `node sink.ts CERTIFICATE_FILE KEY_FILE`: a server that takes whatever comes and does nothing with it. What visitors of
 * the gateway notice while it is attacked is what the attackers' own use of the machine does.
 */
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";

const [, , certFile = "", keyFile = ""] = process.argv;
const server = createServer(
  { cert: readFileSync(certFile), key: readFileSync(keyFile), ALPNProtocols: ["h2", "http/1.1"] },
  (socket) => {
    socket.on("error", () => socket.destroy());
    socket.resume();
  },
);
server.on("tlsClientError", (_error, socket) => socket.destroy());
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit(0));
