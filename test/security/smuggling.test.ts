/** Request smuggling and its kin: for no input may the origin see a request that was not judged. Raw sockets over TLS. */
import { connect } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startGateway, startOrigin, testCertificate, zoneAt } from "../support/gateway.ts";
import type { TestGateway, TestOrigin } from "../support/gateway.ts";
import { rule, ruleset } from "../support/engine.ts";

let origin: TestOrigin;
let gateway: TestGateway;
beforeAll(async () => {
  origin = await startOrigin();
  const forbidden = rule('starts_with(http.request.uri.path, "/forbidden")');
  gateway = await startGateway({ zones: [zoneAt(origin, { rulesets: [ruleset([forbidden])] })] });
});
afterAll(async () => {
  await gateway.close();
  await origin.close();
});
beforeEach(() => void origin.seen.splice(0));

/** Sends bytes as they are and returns what came back until the server closed, or 300 ms were silent. */
async function exchange(text: string): Promise<string> {
  const { ca } = await testCertificate();
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port: gateway.port, servername: "shop.example", ca, ALPNProtocols: ["http/1.1"] },
      () => socket.write(text, "latin1"),
    );
    let received = "";
    socket.setTimeout(300, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
  });
}

const statusesOf = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

const HIDDEN = "GET /forbidden HTTP/1.1\r\nHost: shop.example\r\n\r\n";
const post = (headers: string, body: string): string =>
  `POST /x HTTP/1.1\r\nHost: shop.example\r\n${headers}\r\n${body}`;

describe("S1 CL.TE, TE.CL, CL.CL; S2 Transfer-Encoding other than chunked once: a message whose end can be read in two ways is refused and its connection ended", () => {
  test.each([
    ["CL.TE", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`)],
    ["TE.CL", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", `0\r\n\r\n${HIDDEN}`)],
    ["two content lengths", post("Content-Length: 0\r\nContent-Length: 40\r\n", HIDDEN)],
    ["a list of content lengths", post("Content-Length: 0, 0\r\n", HIDDEN)],
    ["a signed content length", post("Content-Length: +0\r\n", HIDDEN)],
    ["gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", `0\r\n\r\n${HIDDEN}`)],
    ["chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", `0\r\n\r\n${HIDDEN}`)],
    ["xchunked", post("Transfer-Encoding: xchunked\r\n", `0\r\n\r\n${HIDDEN}`)],
    ["a leading comma", post("Transfer-Encoding: ,chunked\r\n", `0\r\n\r\n${HIDDEN}`)],
    [
      "chunked twice",
      post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${HIDDEN}`),
    ],
    ["a no-break space", post("Transfer-Encoding: \xa0chunked\r\n", `0\r\n\r\n${HIDDEN}`)],
    ["a space before the colon", post("Transfer-Encoding : chunked\r\n", `0\r\n\r\n${HIDDEN}`)],
    ["a folded line", post("Transfer-Encoding:\r\n chunked\r\n", `0\r\n\r\n${HIDDEN}`)],
    [
      "chunked with HTTP/1.0",
      `POST /x HTTP/1.0\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    ],
    ["a bare line feed in the header", `GET /x HTTP/1.1\nHost: shop.example\n\n${HIDDEN}`],
    ["a chunk size with a sign", post("Transfer-Encoding: chunked\r\n", `+0\r\n\r\n${HIDDEN}`)],
    [
      "a chunk size beyond 64 bits",
      post("Transfer-Encoding: chunked\r\n", `fffffffffffffffff\r\n\r\n${HIDDEN}`),
    ],
    ["HTTP/0.9", `GET /forbidden\r\n${HIDDEN}`],
    ["HTTP/2.0 in the request line", `GET /x HTTP/2.0\r\nHost: shop.example\r\n\r\n${HIDDEN}`],
    ["two hosts", "GET /x HTTP/1.1\r\nHost: shop.example\r\nHost: other.example\r\n\r\n"],
    ["no host", "GET /x HTTP/1.1\r\n\r\n"],
    ["a NUL in a value", "GET /x HTTP/1.1\r\nHost: shop.example\r\nX-A: a\0b\r\n\r\n"],
  ])("%s", async (_name, text) => {
    const statuses = statusesOf(await exchange(text));
    expect(statuses.filter((status) => status !== 400 && status !== 501 && status !== 505)).toEqual([]);
    expect(origin.seen).toEqual([]);
  });

  test("what stands behind it may be its body and goes nowhere, allowed or not", async () => {
    const text = post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n");
    const behind = "GET /allowed HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    expect(statusesOf(await exchange(text + behind))).toEqual([400]);
    expect(origin.seen).toEqual([]);
  });
});

/** A request that waits for leave to send its body. */
const waiting = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`;

describe("what is legal passes, and every request is judged", () => {
  test("two pipelined requests: the second is blocked by its own path", async () => {
    const text = `GET /x HTTP/1.1\r\nHost: shop.example\r\n\r\n${HIDDEN}`;
    expect(statusesOf(await exchange(text))).toEqual([200, 403]);
    expect(origin.seen.map(({ url }) => url)).toEqual(["/x"]);
  });

  test("a chunked body with extensions is re-framed, its extensions dropped", async () => {
    const text = post(
      "Transfer-Encoding: chunked\r\nConnection: close\r\n",
      "5;evil=1\r\nhello\r\n0\r\n\r\n",
    );
    expect(statusesOf(await exchange(text))).toEqual([200]);
    expect(origin.seen).toMatchObject([{ body: "hello" }]);
  });

  test("trailers do not become headers", async () => {
    const text = post(
      "Transfer-Encoding: chunked\r\nTrailer: Cookie\r\nConnection: close\r\n",
      "1\r\nx\r\n0\r\nCookie: a=1\r\nHost: evil\r\n\r\n",
    );
    expect(statusesOf(await exchange(text))).toEqual([200]);
    expect(origin.seen).toMatchObject([{ headers: { host: "shop.example" } }]);
    expect(origin.seen[0]?.headers["cookie"]).toBeUndefined();
  });

  test("100-continue is given when the request may pass, and not when it is blocked", async () => {
    expect(statusesOf(await exchange(`${waiting("/x")}hello`))).toEqual([100, 200]);
    expect(origin.seen).toMatchObject([{ body: "hello" }]);
    expect(statusesOf(await exchange(waiting("/forbidden")))).toEqual([403]);
    expect(origin.seen).toHaveLength(1);
  });

  test.each([
    ["TRACE", "TRACE /x HTTP/1.1\r\nHost: shop.example\r\n\r\n", [501]],
    ["an unknown expectation", post("Expect: 200-ok\r\nContent-Length: 0\r\n", ""), [417]],
    [
      "h2c",
      "GET /x HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
      [501],
    ],
  ])("%s is refused", async (_name, text, statuses) => {
    expect(statusesOf(await exchange(text))).toEqual(statuses);
    expect(origin.seen).toEqual([]);
  });

  test("CONNECT ends the connection", async () => {
    expect(await exchange("CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example\r\n\r\n")).toBe("");
  });
});
