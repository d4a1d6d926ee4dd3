/**
 * Bodies larger than any buffer, against a slow peer, through a process of its own: the memory of the process stays
 * where it is. `STEPGATE_LARGE_BODY_BYTES=5368709120` runs the whole 5 GB; a tenth of a gigabyte else.
 */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { connect } from "node:http2";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProcess } from "./start-process.ts";
import type { StartedProcess } from "./start-process.ts";

const BODY_BYTES = Number(process.env["STEPGATE_LARGE_BODY_BYTES"] ?? 100 << 20);
/** Before the first look at memory: what the process keeps once it has been busy. */
const WARM_UP_BYTES = 100 << 20;
const MAX_GROWTH_MB = 32;
/** The slow end takes a rest after so many bytes, long enough for the fast one to fill whatever it can fill. */
const REST_EVERY_BYTES = 16 << 20;
const REST_MS = 50;
const TIMEOUT_MS = 60_000 + BODY_BYTES / 5_000;

let origin: Server;
let stepgate: StartedProcess;
let atOrigin: { bytes: number; sha256: string } | undefined;

beforeAll(async () => {
  origin = createServer((req, res) => {
    const bytes = Number(req.headers["x-bytes"]);
    if (req.method === "GET") {
      res.writeHead(200, { "content-length": bytes });
      pipeline(body(bytes), res).catch(() => undefined);
      return;
    }
    const sink = slowSink();
    pipeline(req, sink.stream).then(
      () => {
        atOrigin = sink.result();
        res.end("taken");
        return undefined;
      },
      () => res.destroy(),
    );
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  const { port } = origin.address() as AddressInfo;
  stepgate = await startProcess({ zones: [{ name: "localhost", origin: `http://127.0.0.1:${port}` }] });
});
afterAll(async () => {
  await stepgate.stop();
  origin.closeAllConnections();
  origin.close();
});

/** Pieces that differ, so that one in the wrong place is noticed. */
const PIECES = Array.from({ length: 251 }, (_, index) => Buffer.alloc(1 << 16, index));

function body(bytes: number): Readable {
  let left = bytes;
  return new Readable({
    highWaterMark: 1 << 16,
    read() {
      const piece = PIECES[Math.ceil(left / (1 << 16)) % PIECES.length] ?? Buffer.alloc(0);
      const part = piece.subarray(0, Math.min(left, piece.length));
      left -= part.length;
      this.push(part.length === 0 ? null : part);
    },
  });
}

function sha256Of(bytes: number): string {
  const hash = createHash("sha256");
  for (let left = bytes; left > 0; left -= 1 << 16)
    hash.update((PIECES[Math.ceil(left / (1 << 16)) % PIECES.length] ?? Buffer.alloc(0)).subarray(0, left));
  return hash.digest("hex");
}

function slowSink(): { stream: Writable; result(): { bytes: number; sha256: string } } {
  const hash: Hash = createHash("sha256");
  let bytes = 0;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const rests = Math.floor(bytes / REST_EVERY_BYTES);
      bytes += chunk.length;
      hash.update(chunk);
      if (Math.floor(bytes / REST_EVERY_BYTES) > rests) setTimeout(done, REST_MS);
      else done();
    },
  });
  return { stream, result: () => ({ bytes, sha256: hash.digest("hex") }) };
}

async function rssMb(): Promise<number> {
  const status = await readFile(`/proc/${stepgate.child.pid}/status`, "latin1");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** How far the process grows while something goes on. */
async function growthWhile(work: () => Promise<void>): Promise<number> {
  const before = await rssMb();
  let most = before;
  const stopping = new AbortController();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      most = Math.max(most, await rssMb());
      await sleep(25);
    }
  })();
  await work();
  stopping.abort();
  await watching;
  return most - before;
}

type Transfer = (bytes: number) => Promise<{ bytes: number; sha256: string } | undefined>;

const TRANSFERS: Readonly<Record<string, Transfer>> = {
  "upload over HTTP/1.1": async (bytes) => {
    atOrigin = undefined;
    const call = request({ ...http1(bytes), method: "POST" });
    const answered = once(call, "response");
    await pipeline(body(bytes), call);
    const [response] = (await answered) as [Readable];
    await response.resume().toArray();
    return atOrigin;
  },
  "upload over HTTP/2": async (bytes) => {
    atOrigin = undefined;
    const session = connect(`https://127.0.0.1:${stepgate.gatewayPort}`, {
      ca: stepgate.ca,
      servername: "localhost",
    });
    const stream = session.request({ ":method": "POST", ":path": "/upload", ":authority": "localhost" });
    stream.resume();
    const ended = once(stream, "end");
    await pipeline(body(bytes), stream);
    await ended;
    session.close();
    return atOrigin;
  },
  "download over HTTP/1.1": async (bytes) => {
    const sink = slowSink();
    const call = request(http1(bytes)).end();
    const [response] = (await once(call, "response")) as [Readable];
    await pipeline(response, sink.stream);
    return sink.result();
  },
  "download over HTTP/2": async (bytes) => {
    const sink = slowSink();
    const session = connect(`https://127.0.0.1:${stepgate.gatewayPort}`, {
      ca: stepgate.ca,
      servername: "localhost",
    });
    const stream = session.request({
      ":path": "/download",
      ":authority": "localhost",
      "x-bytes": String(bytes),
    });
    await pipeline(stream, sink.stream);
    session.close();
    return sink.result();
  },
};

function http1(bytes: number) {
  const { ca, gatewayPort: port } = stepgate;
  const headers = { host: "localhost", "x-bytes": bytes };
  return { host: "127.0.0.1", port, ca, servername: "localhost", path: "/large", agent: false, headers };
}

describe.skipIf(process.platform !== "linux")("in constant memory (read from /proc)", () => {
  test.each(Object.entries(TRANSFERS))(
    "%s",
    async (_name, transfer) => {
      await transfer(WARM_UP_BYTES);
      const grown = await growthWhile(async () => {
        expect(await transfer(BODY_BYTES)).toEqual({ bytes: BODY_BYTES, sha256: sha256Of(BODY_BYTES) });
      });
      process.stdout.write(`${_name}: ${grown.toFixed(1)} MB\n`);
      expect(grown).toBeLessThan(MAX_GROWTH_MB);
    },
    TIMEOUT_MS,
  );
});
