/**
 * Requests that servers read in more than one way, sent through us, nginx and HAProxy: whatever reaches an origin
 * through us was judged as what it is, also where another server stands between, and we are as strict as they are.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canonicalTarget } from "../../src/operation/index.ts";
import { startGateway, testCertificate } from "../support/gateway.ts";
import type { TestGateway } from "../support/gateway.ts";
import { rule, ruleset, zone } from "../support/engine.ts";
import { haproxy, nginx, startHaproxy, startNginx } from "../support/peers.ts";
import type { Peer } from "../support/peers.ts";
import { caseOf, LAST_REQUEST, RAW_CORPUS } from "./raw-corpus.ts";

/** Connections at once. */
const LANES = 64;
/** Milliseconds after which a server that waits for more is taken to wait for ever. */
const SILENCE_MS = 1_000;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly ray: string | undefined;
  readonly body: string;
  /** Whether it came to its end. */
  readonly isComplete: boolean;
}

interface Recorder {
  readonly url: string;
  readonly seen: Seen[];
}

const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Reads what Node calls insecure, so that what a strict parser would refuse is seen, too. */
async function startRecorder(): Promise<Recorder> {
  const seen: Seen[] = [];
  const server = createServer({ insecureHTTPParser: true }, (req, res) => {
    let body = "";
    req.setEncoding("latin1");
    req.on("data", (text: string) => (body += text));
    const record = (): void => {
      const ray = req.headers["stepgate-ray"];
      const { method = "", url = "", complete } = req;
      seen.push({ method, url, ray: String(ray), body, isComplete: complete });
    };
    req.on("error", record);
    req.on("end", () => {
      record();
      res.end("seen");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

async function startPeer(start: (originUrl: string) => Promise<Peer>, originUrl: string): Promise<string> {
  const peer = await start(originUrl);
  closing.push(() => peer.close());
  return `http://127.0.0.1:${peer.port}`;
}

async function startJudge(originUrl: string): Promise<TestGateway> {
  const watch = rule("true", { action: "log" });
  const gateway = await startGateway({ zones: [zone({ origin: originUrl, rulesets: [ruleset([watch])] })] });
  closing.push(() => gateway.close());
  return gateway;
}

/** Sends the whole corpus, each case on a connection of its own, followed by a request that ends it. */
async function sendAll(open: () => Promise<Socket>): Promise<void> {
  const left = RAW_CORPUS.map(({ bytes }) => bytes);
  const lane = async (): Promise<void> => {
    for (let bytes = left.pop(); bytes !== undefined; bytes = left.pop()) await send(await open(), bytes);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

function send(socket: Socket, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => resolve());
    socket.resume();
    socket.write(bytes + LAST_REQUEST, "latin1");
  });
}

/** The time for a connection is none of the silence of a server. */
async function opened<Kind extends Socket>(socket: Kind, event: string): Promise<Kind> {
  await once(socket, event);
  return socket;
}

async function sendThroughUs({ port }: TestGateway): Promise<void> {
  const { ca } = await testCertificate();
  const options = { host: "127.0.0.1", port, servername: "shop.example", ca, ALPNProtocols: ["http/1.1"] };
  await sendAll(() => opened(connectTls(options), "secureConnect"));
}

/** The cases of which a whole request was seen. */
const casesIn = ({ seen }: Recorder): ReadonlySet<number | undefined> =>
  new Set(seen.filter(({ isComplete }) => isComplete).map(({ url }) => caseOf(url)));

function expectJudged({ seen }: Recorder, { events }: TestGateway): void {
  const judged = new Map(events.map((event) => [event.rayId, event]));
  const unjudged = seen.filter(({ method, url, ray }) => {
    const event = judged.get(ray ?? "");
    const path = canonicalTarget(url);
    // Each judgement is good for one request.
    judged.delete(ray ?? "");
    return event?.method !== method || path.kind !== "path" || path.path !== event.path;
  });
  expect(unjudged).toEqual([]);
  // What one side takes for a body is no request to the other.
  expect(seen.filter(({ url, body }) => (caseOf(body) ?? caseOf(url)) !== caseOf(url))).toEqual([]);
  expect(casesIn({ url: "", seen }).size).toBeGreaterThan(10);
}

/** What a server has to understand that is to be of any use. */
const PLAIN = [
  "Transfer-Encoding: chunked alone",
  "chunks: a chunk",
  "line: GET /hidden HTTP/1.0",
  "line: GET //hidden HTTP/1.1",
  "headers: Host: SHOP.example.\r\n",
  "a GET with a body",
  "two requests in a row",
];

let ours: { readonly origin: Recorder; readonly gateway: TestGateway };
beforeAll(async () => {
  const origin = await startRecorder();
  ours = { origin, gateway: await startJudge(origin.url) };
  await sendThroughUs(ours.gateway);
});

const isMissing = nginx === undefined || haproxy === undefined;

describe.skipIf(isMissing)("beside nginx and HAProxy (skipped where they are not installed)", () => {
  const reached: Record<string, ReadonlySet<number | undefined>> = {};
  beforeAll(async () => {
    reached["us"] = casesIn(ours.origin);
    for (const [name, start] of Object.entries({ nginx: startNginx, haproxy: startHaproxy })) {
      const origin = await startRecorder();
      const { port } = new URL(await startPeer(start, origin.url));
      await sendAll(() => opened(connect(Number(port), "127.0.0.1"), "connect"));
      reached[name] = casesIn(origin);
    }
  });

  test("what both of them refuse does not pass us either", () => {
    const onlyUs = RAW_CORPUS.filter(
      (_, place) =>
        reached["us"]?.has(place) === true &&
        !["nginx", "haproxy"].some((name) => reached[name]?.has(place) === true),
    );
    expect(onlyUs.map(({ name }) => name)).toEqual([]);
  });

  test.each(["us", "nginx", "haproxy"])("plain requests pass: %s", (name) => {
    const passed = RAW_CORPUS.filter((_, place) => reached[name]?.has(place) === true);
    expect(passed.map((passedCase) => passedCase.name)).toEqual(expect.arrayContaining(PLAIN));
  });
});

describe("every request at the origin was judged once, as what it is", () => {
  test("with nothing between", () => expectJudged(ours.origin, ours.gateway));

  test.skipIf(nginx === undefined)("nginx behind us (skipped where it is not installed)", async () => {
    const origin = await startRecorder();
    const gateway = await startJudge(await startPeer(startNginx, origin.url));
    await sendThroughUs(gateway);
    expectJudged(origin, gateway);
  });

  test.skipIf(haproxy === undefined)("HAProxy behind us (skipped where it is not installed)", async () => {
    const origin = await startRecorder();
    const gateway = await startJudge(await startPeer(startHaproxy, origin.url));
    await sendThroughUs(gateway);
    expectJudged(origin, gateway);
  });
});
