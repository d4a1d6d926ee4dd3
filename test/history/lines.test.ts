/** Lines of logs: what is read, what is not, and in which order it is counted. */
import * as fc from "fast-check";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  createJsonReader,
  linesOf,
  parseSessionSource,
  readCombinedLine,
  requestsOfHar,
} from "../../src/history/index.ts";
import { createReorder } from "../../src/history/reorder.ts";
import { createHistories, sessionOf } from "../../src/history/sessions.ts";

const AT = Date.UTC(2000, 9, 10, 20, 55, 36);

describe("the Common and the Combined Log Format", () => {
  test.each([
    [
      "common",
      '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326',
      { at: AT, method: "GET", target: "/apache_pb.gif", status: 200, address: "127.0.0.1", user: "frank" },
    ],
    [
      "combined, no size",
      '2001:db8::1 - - [10/Oct/2000:20:55:36 +0000] "POST /a?b=c HTTP/2.0" 302 - "https://shop.example/" "curl/8"',
      { at: AT, method: "POST", target: "/a?b=c", status: 302, address: "2001:db8::1", user: undefined },
    ],
    [
      "with the virtual host in front",
      'shop.example:443 10.0.0.1 - - [10/Oct/2000:22:25:36.123 +0130] "get / HTTP/1.1" 200 1',
      { at: AT + 123, method: "GET", target: "/", host: "shop.example:443", address: "10.0.0.1" },
    ],
    [
      "without a version, and a user with blanks",
      '10.0.0.1 - Jane Doe [10/Oct/2000:20:55:36 +0000] "GET /" 200 1',
      { at: AT, target: "/", user: "Jane Doe" },
    ],
    [
      "escaped quotes",
      '10.0.0.1 - - [10/Oct/2000:20:55:36 +0000] "GET /%22\\"x\\x22 HTTP/1.1" 404 1 "-" "a \\"b\\""',
      { target: '/%22"x"', status: 404 },
    ],
  ])("%s", (_, line, expected) => {
    expect(readCombinedLine(line)).toMatchObject({ kind: "request", request: expected });
  });

  test("a cookie behind the user agent, and headers", () => {
    const line =
      '10.0.0.1 - - [10/Oct/2000:20:55:36 +0000] "GET / HTTP/1.1" 200 1 "-" "agent" "theme=dark; sid=abc; sid2=x" 0.003';
    const read = readCombinedLine(line);
    if (read.kind !== "request") throw new Error("expected a request");
    const session = (text: string): string | undefined => {
      const source = parseSessionSource(text);
      return source === undefined ? undefined : sessionOf(read.request, source);
    };
    expect(
      ["cookie:sid", "cookie:none", "header:User-Agent", "header:referer", "address", "user"].map(session),
    ).toEqual(["abc", undefined, "agent", undefined, "10.0.0.1", undefined]);
    expect(["", "cookie:", "ip", "cookie", "header:a b"].map(parseSessionSource)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test.each([
    ["nothing", ""],
    ["a comment", "#Software: x"],
  ])("%s is passed over", (_, line) => {
    expect(readCombinedLine(line)).toEqual({ kind: "nothing" });
  });

  test.each([
    ["hello", /brackets/],
    ['10.0.0.1 - - [10/Foo/2000:20:55:36 +0000] "GET / HTTP/1.1" 200 1', /time/],
    ["10.0.0.1 - - [10/Oct/2000:20:55:36 +0000] GET / 200 1", /quotes/],
    ['10.0.0.1 - - [10/Oct/2000:20:55:36 +0000] "-" 408 0', /request/],
    ['10.0.0.1 - - [10/Oct/2000:20:55:36 +0000] "\\x16\\x03\\x01" 400 0', /request/],
  ])("%s is an error", (line, reason) => {
    expect(readCombinedLine(line)).toMatchObject({
      kind: "error",
      reason: expect.stringMatching(reason) as string,
    });
  });

  test("any line is read in little time, never an exception", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.constantFrom('"'.repeat(5000), "\\".repeat(5000), "a ".repeat(5000), "[".repeat(5000)),
        ),
        (line) => {
          expect(["request", "nothing", "error"]).toContain(readCombinedLine(line).kind);
          expect(["request", "nothing", "error"]).toContain(createJsonReader()(line).kind);
        },
      ),
    );
  });
});

describe("JSON lines", () => {
  test.each([
    [
      "nginx",
      {
        time_iso8601: "2000-10-10T20:55:36Z",
        request_method: "GET",
        request_uri: "/a?b",
        status: "200",
        http_host: "shop.example",
        remote_addr: "10.0.0.1",
      },
    ],
    [
      "Caddy",
      {
        ts: AT / 1000,
        request: { method: "GET", uri: "/a?b", host: "shop.example", client_ip: "10.0.0.1" },
        status: 200,
      },
    ],
    [
      "pino",
      {
        time: AT,
        req: { method: "get", url: "/a?b", headers: { host: "shop.example" }, remoteAddress: "10.0.0.1" },
        res: { statusCode: 200 },
      },
    ],
    [
      "Elastic Common Schema",
      {
        "@timestamp": "2000-10-10T20:55:36.000Z",
        "http.request.method": "GET",
        "url.original": "/a?b",
        "http.response.status_code": 200,
        "url.domain": "shop.example",
        "client.ip": "10.0.0.1",
      },
    ],
    [
      "microseconds",
      {
        ts: AT * 1000,
        method: "GET",
        target: "/a?b",
        status: 200,
        host: "shop.example",
        address: "10.0.0.1",
      },
    ],
  ])("%s", (_, value) => {
    expect(createJsonReader()(JSON.stringify(value))).toMatchObject({
      kind: "request",
      request: {
        at: AT,
        method: "GET",
        target: "/a?b",
        status: 200,
        host: "shop.example",
        address: "10.0.0.1",
      },
    });
  });

  test("with a mapping of their own, headers and a session", () => {
    const read = createJsonReader({ time: "t.0", method: "m", target: "p", status: "s", session: "who" })(
      JSON.stringify({ t: { 0: AT }, m: "PUT", p: "/x", s: 201, who: "anna", headers: { "X-Session": "b" } }),
    );
    expect(read).toMatchObject({ kind: "request", request: { at: AT, method: "PUT", session: "anna" } });
    expect(read.kind === "request" && read.request.header("x-session")).toBe("b");
  });

  test.each([
    ["{", /JSON/],
    ["1", /object/],
    ["{}", /--field time=NAME/],
    [JSON.stringify({ time: AT }), /--field method=NAME/],
    [JSON.stringify({ time: AT, method: "GET" }), /--field target=NAME/],
    [JSON.stringify({ time: AT, method: "GET", path: "/", status: "ok" }), /--field status=NAME/],
    [JSON.stringify({ time: "yesterday", method: "GET", path: "/", status: 200 }), /time/],
  ])("%s is an error", (line, reason) => {
    expect(createJsonReader()(line)).toMatchObject({
      kind: "error",
      reason: expect.stringMatching(reason) as string,
    });
  });
});

const entry = (startedDateTime: string, url: string, status = 200) => ({
  startedDateTime,
  request: { method: "get", url, headers: [{ name: "Cookie", value: "sid=1" }] },
  response: { status },
});

test("recorded traffic: answered requests in the order of their times", () => {
  const { requests, skipped } = requestsOfHar({
    log: {
      entries: [
        entry("2000-10-10T20:55:37Z", "https://shop.example/b?c=d"),
        entry("2000-10-10T20:55:36Z", "https://shop.example:8443/a"),
        entry("2000-10-10T20:55:38Z", "https://shop.example/c", 0),
        null,
        { request: 1 },
      ],
    },
  });
  expect(requests.map(({ at, target, host }) => [at, target, host])).toEqual([
    [AT, "/a", "shop.example:8443"],
    [AT + 1000, "/b?c=d", "shop.example"],
  ]);
  expect(requests[0]?.header("cookie")).toBe("sid=1");
  expect(skipped).toBe(3);
  expect(() => requestsOfHar({})).toThrow(/HAR/);
});

describe("lines of a stream", () => {
  test("are the same however they are cut and packed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom("a", "ä", " ", "€") }), { minLength: 1 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        async (lines, size, isPacked) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\r\n`).join(""));
          const packed = isPacked ? gzipSync(bytes) : bytes;
          const chunks: Buffer[] = [];
          // A file's first chunk has more than one byte.
          chunks.push(packed.subarray(0, 2));
          for (let at = 2; at < packed.length; at += size) chunks.push(packed.subarray(at, at + size));
          expect(await readAll(chunks)).toEqual(lines);
        },
      ),
    );
  });

  test("that are too long are numbered and left out; the last needs no end", async () => {
    const long = "x".repeat(70_000);
    expect(await readAll([Buffer.from(`a\n${long}\nb\n${long}`)])).toEqual(["a", undefined, "b", undefined]);
    expect(await readAll([Buffer.from("a\nb")])).toEqual(["a", "b"]);
    expect(await readAll([])).toEqual([]);
  });

  test("of damaged packed data are an error", async () => {
    await expect(readAll([gzipSync(Buffer.from("a\n".repeat(5000))).subarray(0, 30)])).rejects.toThrow(
      /end of file/,
    );
  });
});

describe("the order of times", () => {
  test("is restored within the room there is, ties as they came", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (times) => {
        const taken: [number, number][] = [];
        const reorder = createReorder<number>(times.length, (item, at) => taken.push([at, item]));
        for (const [index, at] of times.entries()) reorder.push(at, index);
        reorder.flush();
        expect(taken).toEqual(times.map((at, index) => [at, index]).toSorted((a, b) => a[0]! - b[0]!));
        expect(reorder.late).toBe(0);
      }),
    );
  });

  test("what comes too late is counted as late, and not lost", () => {
    const taken: number[] = [];
    const reorder = createReorder<number>(2, (_, at) => taken.push(at));
    for (const at of [5, 6, 7, 8, 1]) reorder.push(at, at);
    reorder.flush();
    expect(taken).toEqual([5, 6, 1, 7, 8]);
    expect(reorder.late).toBe(1);
  });
});

test("sessions beyond the room there is are forgotten, the quietest first, and counted if they mattered", () => {
  const histories = createHistories({ maxEntries: 2, maxAgeMs: 100 }, 2);
  histories.append("a", "x", 0);
  histories.append("b", "x", 50);
  histories.append("a", "y", 60);
  histories.append("a", "z", 70);
  expect(histories.before("a", 80).entries.map(({ op }) => op)).toEqual(["z", "y"]);
  histories.append("c", "x", 90);
  expect([histories.before("b", 90).entries.length, histories.forgotten]).toEqual([0, 1]);
  histories.append("d", "x", 200);
  expect(histories.forgotten).toBe(1);
  expect(histories.before(undefined, 0).entries).toEqual([]);
});

async function readAll(chunks: readonly Buffer[]): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = [];
  for await (const { number, text } of linesOf(Readable.from(chunks))) {
    expect(number).toBe(texts.length + 1);
    texts.push(text);
  }
  return texts;
}
