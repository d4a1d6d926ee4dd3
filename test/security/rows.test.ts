/** The rows of the threat model about HTTP, and that each has tests that say so in their title. */
import { readdir, readFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";

const ROWS = {
  H1: "Host: trailing dot, port, upper case, IDNA, userinfo, duplicate, empty, missing",
  H2: "absolute form with another authority",
  H3: "`*`, authority form, CONNECT, TRACE",
  M1: "method override headers",
  M2: "HEAD for a GET operation",
  M3: "unknown and lower-case methods",
  S1: "two lengths, or a length and an encoding",
  S2: "Transfer-Encoding other than chunked once",
  S3: "HTTP/0.9 and bare line feeds",
  S4: "responses that can be read in two ways",
  S5: "chunk extensions and trailers",
  S6: "pipelining behind an early block",
  S7: "h2c and other upgrades",
  S8: "HTTP/2 to HTTP/1",
  X1: "hop-by-hop and nominated fields",
  X2: "forged forwarding headers",
  X3: "header name games",
  D1: "slow clients",
  D2: "crowds",
  D3: "floods over HTTP/2",
  D6: "giant headers",
} as const;

let titles: string[];
beforeAll(async () => {
  const folder = new URL(".", import.meta.url);
  const files = (await readdir(folder)).filter(
    (name) => name.endsWith(".test.ts") && name !== "rows.test.ts",
  );
  const texts = await Promise.all(files.map((name) => readFile(new URL(name, folder), "utf8")));
  titles = texts.flatMap((text) => text.match(/\b(?:describe|test)(?:\.\w+)?\(\s*"[^"]+"/g) ?? []);
});

test.each(Object.entries(ROWS))("%s %s", (row) => {
  expect(titles.filter((title) => new RegExp(`\\b${row}\\b`).test(title))).not.toEqual([]);
});
