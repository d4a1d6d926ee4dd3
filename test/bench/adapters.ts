/**
 * What the middleware adds to a request of an h3 application on Node: CPU time of the serving process, over real
 * connections, against the same application without it; and what iron-session takes to keep as much in a cookie.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { H3, toNodeHandler } from "h3";
import { sealData, unsealData } from "iron-session";
import { defineOperations, stepgate } from "../../src/adapters/h3.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const TRACKED = "/accounts/7/balance";
const UNTRACKED = "/page";
const ROUNDS = 6;
const REQUESTS = 3000;
const CONNECTIONS = 16;
const PASSWORD = "a password of at least thirty-two characters";
const COOKIE = "iron";

const operations = defineOperations({ balance: `GET /accounts/{id}/balance`, transfer: "POST /transfer" });
const options = {
  operations,
  rules: [operations.require("balance").before("transfer").within("10m")],
  keys: { keys: [{ kty: "oct", kid: "bench", use: "enc", k: randomBytes(32).toString("base64url") }] },
};

/** @returns ratios of CPU time per request within one run: the least of several rounds, which others disturbed least */
export async function measure(): Promise<Figure[]> {
  const servers = {
    bare: await serve(new H3()),
    guarded: await serve(new H3().use(stepgate(options))),
    iron: await serve(new H3().use(ironMiddleware)),
  };
  try {
    const cookies = {
      bare: "",
      guarded: await visitTenTimes(servers.guarded),
      iron: await visitTenTimes(servers.iron),
    };
    const least = new Map<string, number>();
    const add = async (name: string, server: Server, path: string, cookie: string): Promise<void> => {
      const cpu = await cpuPerRequest(server, path, cookie);
      least.set(name, Math.min(cpu, least.get(name) ?? cpu));
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      await add("bareTracked", servers.bare, TRACKED, cookies.guarded);
      await add("tracked", servers.guarded, TRACKED, cookies.guarded);
      await add("bareUntracked", servers.bare, UNTRACKED, cookies.guarded);
      await add("untracked", servers.guarded, UNTRACKED, cookies.guarded);
      await add("iron", servers.iron, TRACKED, cookies.iron);
    }
    const cpuOf = (name: string): number => least.get(name) ?? Number.NaN;
    const [bare, tracked, iron] = [cpuOf("bareTracked"), cpuOf("tracked"), cpuOf("iron")];
    return [
      { name: "h3-with/h3-bare (tracked)", value: tracked / bare, unit: "x" },
      { name: "h3-with/h3-bare (untracked)", value: cpuOf("untracked") / cpuOf("bareUntracked"), unit: "x" },
      { name: "h3-iron-session/h3-bare", value: iron / bare, unit: "x" },
      { name: "iron-session/stepgate, added CPU", value: (iron - bare) / (tracked - bare), unit: "x" },
    ];
  } finally {
    for (const server of Object.values(servers)) {
      server.close();
      server.closeAllConnections();
    }
  }
}

async function serve(app: H3): Promise<Server> {
  app.get("/accounts/:id/balance", () => ({ balance: 100 }));
  app.get(UNTRACKED, () => "page");
  const server = createServer(toNodeHandler(app));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

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

/** @returns the `Cookie` value of a visitor that called ten operations */
async function visitTenTimes(server: Server): Promise<string> {
  const jar = new Map<string, string>();
  for (let visit = 0; visit < 10; visit += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(`${urlOf(server)}${TRACKED}`, cookie === "" ? {} : { headers: { cookie } });
    await response.text();
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";", 1);
      const equals = pair.indexOf("=");
      if (/max-age=0/i.test(line)) jar.delete(pair.slice(0, equals));
      else jar.set(pair.slice(0, equals), pair.slice(equals + 1));
    }
  }
  if (jar.size === 0) throw new Error("expected a cookie of a tracked operation");
  return [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/**
 * Asks from a process of its own, so that only serving is counted here. Every connection is a visitor that keeps its
 * cookies from one answer to the next.
 */
const CLIENT = `
import { Agent, get } from "node:http";
const [url, cookie, count, connections] = process.argv.slice(1);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
let left = Number(count);
const keep = (jar, lines) => {
  for (const line of lines ?? []) {
    const pair = line.slice(0, line.indexOf(";"));
    const name = pair.slice(0, pair.indexOf("="));
    if (/max-age=0/i.test(line)) jar.delete(name); else jar.set(name, pair);
  }
};
const ask = (jar) => new Promise((resolve, reject) => {
  get(url, { agent, headers: jar.size === 0 ? {} : { cookie: [...jar.values()].join("; ") } }, (response) => {
    if (response.statusCode !== 200) reject(new Error("status " + response.statusCode));
    keep(jar, response.headers["set-cookie"]);
    response.resume();
    response.on("end", resolve);
  }).on("error", reject);
});
await Promise.all(Array.from({ length: Number(connections) }, async () => {
  const jar = new Map(cookie === "" ? [] : cookie.split("; ").map((pair) => [pair.slice(0, pair.indexOf("=")), pair]));
  while (left > 0) { left -= 1; await ask(jar); }
}));
agent.destroy();
`;

async function cpuPerRequest(server: Server, path: string, cookie: string): Promise<number> {
  const args = [
    "--input-type=module",
    "--eval",
    CLIENT,
    urlOf(server) + path,
    cookie,
    String(REQUESTS),
    String(CONNECTIONS),
  ];
  const before = process.cpuUsage();
  const client = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(client, "exit")) as [number | null];
  const { user, system } = process.cpuUsage(before);
  if (code !== 0)
    throw new Error(`expected every request to be answered with 200, the client ended with ${code}`);
  return (user + system) / REQUESTS;
}
