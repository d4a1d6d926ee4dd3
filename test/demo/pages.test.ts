import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CUSTOMERS } from "../../src/demo/customers.ts";
import { startBank } from "../../src/demo/index.ts";
import type { Bank } from "../../src/demo/index.ts";

const FOLDER = new URL("../../src/demo/pages/", import.meta.url);
const source = (name: string): Promise<string> => readFile(new URL(name, FOLDER), "utf8");

let bank: Bank;
let names: readonly string[] = [];
beforeAll(async () => {
  bank = await startBank();
  names = await readdir(FOLDER);
});
afterAll(() => bank.close());

describe("every page, style and script", () => {
  test("is served with its type, under a policy that lets nothing from elsewhere in", async () => {
    const types: Readonly<Record<string, string>> = {
      html: "text/html; charset=utf-8",
      css: "text/css; charset=utf-8",
      js: "text/javascript; charset=utf-8",
      svg: "image/svg+xml",
    };
    expect(names.length).toBeGreaterThan(8);
    for (const name of ["", "favicon.ico", ...names]) {
      const response = await fetch(`${bank.origin}/${name}`);
      const type = { "": "html", "favicon.ico": "svg" }[name] ?? name.split(".").at(-1) ?? "";
      expect([name, response.status, response.headers.get("content-type")]).toEqual([name, 200, types[type]]);
      expect(response.headers.get("content-security-policy")).toMatch(
        /^default-src 'self';.*frame-ancestors 'none'$/,
      );
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(await response.text()).not.toBe("");
    }
  });

  test("is asked for again only when it changed", async () => {
    const first = await fetch(`${bank.origin}/bank.css`);
    const etag = first.headers.get("etag") ?? "";
    const again = await fetch(`${bank.origin}/bank.css`, { headers: { "if-none-match": etag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect((await fetch(`${bank.origin}/bank.css`, { headers: { "if-none-match": '"x"' } })).status).toBe(
      200,
    );
  });

  test("names no other host, and has no inline script or style that the policy would stop", async () => {
    for (const name of names) {
      const text = (await source(name)).replaceAll("http://www.w3.org/2000/svg", "");
      expect([name, /https?:\/\//.exec(text)?.[0]]).toEqual([name, undefined]);
      if (!name.endsWith(".html")) continue;
      expect([name, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/i.exec(text)?.[0]]).toEqual([
        name,
        undefined,
      ]);
    }
  });

  test("marks its answers as the bank's own", async () => {
    for (const path of ["/", "/nope", "/api/v1/users/mara/accounts", "/api/nope"]) {
      expect((await fetch(bank.origin + path)).headers.get("harbour-bank")).toBe("1");
    }
  });
});

test.each(["/../app.ts", "/%2e%2e/app.ts", "/..%2fapp.ts", "/pages/index.html", "/constructor"])(
  "%s gives nothing but the page that says so",
  async (path) => {
    const response = await fetch(bank.origin + path);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      404,
      "text/html; charset=utf-8",
    ]);
    expect(await response.text()).toContain("There is no such page");
  },
);

test("the saved recipients of the form are accounts of the bank", async () => {
  const html = await source("index.html");
  const recipients = [...html.matchAll(/<option value="(\d+)"/g)].map(([, id]) => id);
  const accounts = new Set(CUSTOMERS.flatMap((customer) => customer.accounts.map(({ id }) => id)));
  expect(recipients.length).toBeGreaterThan(0);
  expect(recipients.filter((id) => !accounts.has(id ?? ""))).toEqual([]);
});

describe("an amount as people type it", async () => {
  const { parseAmount } = (await import(new URL("format.js", FOLDER).href)) as {
    readonly parseAmount: (text: string) => number | undefined;
  };
  test.each([
    ["25", 2_500],
    ["25.00", 2_500],
    ["25,5", 2_550],
    [" 0.01 ", 1],
    ["0.29", 29],
    ["1.10", 110],
    ["9999999.99", 999_999_999],
    ["0", undefined],
    ["0.00", undefined],
    ["-5", undefined],
    ["1.234", undefined],
    ["1,000.00", undefined],
    ["1e3", undefined],
    ["", undefined],
    ["١", undefined],
    ["12345678", undefined],
  ])("`%s`", (text, cents) => {
    expect(parseAmount(text)).toBe(cents);
  });
});
