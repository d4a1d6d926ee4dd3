/**
 * One application of the adapters' bench in a process of its own: `node peer.ts bare|guarded|iron`. Tells its port by
 * an IPC message.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { H3, toNodeHandler } from "h3";
import { sealData, unsealData } from "iron-session";
import { defineOperations, stepgate } from "../../../src/adapters/h3.ts";

const PASSWORD = "a password of at least thirty-two characters";
const COOKIE = "iron";

const operations = defineOperations({ balance: `GET /accounts/{id}/balance`, transfer: "POST /transfer" });
const options = {
  operations,
  rules: [operations.require("balance").before("transfer").within("10m")],
  keys: { keys: [{ kty: "oct", kid: "bench", use: "enc", k: randomBytes(32).toString("base64url") }] },
};

/** As much as Stepgate keeps: ten operations with their times, sealed anew with every response. */
const ironMiddleware: Parameters<H3["use"]>[0] = async (
  event: { readonly req: Request; readonly res: { readonly headers: Headers } },
  next: () => unknown,
) => {
  const sealed = /(?:^|; )iron=([^;]+)/.exec(event.req.headers.get("cookie") ?? "")?.[1];
  const state: { ops?: readonly [string, number][] } =
    sealed === undefined ? {} : await unsealData(decodeURIComponent(sealed), { password: PASSWORD });
  const ops = [["balance", Date.now()] as [string, number], ...(state.ops ?? [])].slice(0, 10);
  const value = await sealData({ ops }, { password: PASSWORD, ttl: 3600 });
  event.res.headers.append("set-cookie", `${COOKIE}=${encodeURIComponent(value)}; Path=/; Secure; HttpOnly`);
  return next();
};

const APPS = {
  bare: () => new H3(),
  guarded: () => new H3().use(stepgate(options)),
  iron: () => new H3().use(ironMiddleware),
};

const [kind = ""] = process.argv.slice(2);
if (!Object.hasOwn(APPS, kind) || process.send === undefined)
  throw new TypeError("expected to be started by the bench");
const app = APPS[kind as keyof typeof APPS]();
app.get("/accounts/:id/balance", () => ({ balance: 100 }));
app.get("/page", () => "page");
const server = createServer({ keepAliveTimeout: 60_000 }, toNodeHandler(app));
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send({ port: (server.address() as AddressInfo).port });
process.on("disconnect", () => process.exit(0));
