import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BANK_OPERATIONS, startBank } from "../../src/demo/index.ts";
import type { Bank } from "../../src/demo/index.ts";

let bank: Bank;
beforeAll(async () => {
  bank = await startBank({
    now: () => 1_800_000_000_000,
    random: (lengthBytes) => new Uint8Array(lengthBytes).fill(0xab),
  });
});
beforeEach(() => bank.reset());
afterAll(() => bank.close());

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${bank.origin}${path}`, init);
const balance = async (accountId: string): Promise<number> => {
  const { balance: cents } = (await (await get(`/api/v1/accounts/${accountId}/balance`)).json()) as {
    balance: number;
  };
  return cents;
};
const transfer = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  get("/api/v1/transferFunds", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

describe("the four operations", () => {
  test("a customer's accounts, without balances: those have to be looked at", async () => {
    const response = await get("/api/v1/users/mara/accounts");
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      user_id: "mara",
      accounts: [
        { account_id: "40021001", name: "Everyday", currency: "EUR" },
        { account_id: "40021002", name: "Savings", currency: "EUR" },
        { account_id: "40021003", name: "Travel", currency: "EUR" },
      ],
    });
  });

  test("a balance, in cents", async () => {
    const response = await get("/api/v1/accounts/40021001/balance");
    expect(await response.json()).toEqual({
      account_id: "40021001",
      balance: 248_075,
      currency: "EUR",
      as_of: "2027-01-15T08:00:00.000Z",
    });
  });

  test("a profile", async () => {
    expect(await (await get("/api/v1/users/jonas/profile")).json()).toEqual({
      user_id: "jonas",
      name: "Jonas Weber",
      email: "jonas@harbour.example",
      member_since: "2021-11-15",
      account_ids: ["40030001"],
    });
  });

  test("a transfer really moves the money, once", async () => {
    const before = [await balance("40021001"), await balance("40030001")];
    const response = await transfer({ from: "40021001", to: "40030001", amount: 2_500 });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      transfer_id: "abababababababab",
      from: "40021001",
      to: "40030001",
      amount: 2_500,
      currency: "EUR",
      completed_at: "2027-01-15T08:00:00.000Z",
    });
    expect([await balance("40021001"), await balance("40030001")]).toEqual([
      (before[0] ?? 0) - 2_500,
      (before[1] ?? 0) + 2_500,
    ]);
  });

  test("reset opens the bank again", async () => {
    await transfer({ from: "40021001", to: "40030001", amount: 2_500 });
    bank.reset();
    expect(await balance("40021001")).toBe(248_075);
  });

  test("are those that the demo zone saves", async () => {
    for (const { method, endpoint } of BANK_OPERATIONS) {
      const path = endpoint.replace("{user_id}", "mara").replace("{account_id}", "40021001");
      const response = await get(path, { method });
      expect([endpoint, response.status]).toEqual([endpoint, method === "GET" ? 200 : 415]);
    }
  });

  test("HEAD answers as GET without a body; another method is named a mistake", async () => {
    const head = await get("/api/v1/accounts/40021001/balance", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const put = await get("/api/v1/transferFunds", { method: "PUT" });
    expect([put.status, put.headers.get("allow")]).toEqual([405, "POST"]);
    const post = await get("/api/v1/users/mara/accounts", { method: "POST" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("what the bank declines is a problem (RFC 9457), and moves nothing", () => {
  const good = { from: "40021001", to: "40030001", amount: 2_500 };
  const idText = "expected an account number of eight digits, as a string";
  const amountText = "expected whole cents from 1 to 100000000";
  test.each([
    ["no JSON", "{", 400, [{ pointer: "", detail: "expected a JSON object" }]],
    ["no body", "", 400, [{ pointer: "", detail: "expected a JSON object" }]],
    ["a list", [good], 400, [{ pointer: "", detail: "expected a JSON object" }]],
    ["null", "null", 400, [{ pointer: "", detail: "expected a JSON object" }]],
    ["a number for an account", { ...good, from: 40021001 }, 400, [{ pointer: "/from", detail: idText }]],
    ["a name for an account", { ...good, to: "__proto__" }, 400, [{ pointer: "/to", detail: idText }]],
    [
      "nothing but a prototype",
      '{"__proto__":{"from":"40021001"}}',
      400,
      [
        { pointer: "/from", detail: idText },
        { pointer: "/to", detail: idText },
        { pointer: "/amount", detail: amountText },
      ],
    ],
    ["a fraction of a cent", { ...good, amount: 0.5 }, 400, [{ pointer: "/amount", detail: amountText }]],
    ["nothing", { ...good, amount: 0 }, 400, [{ pointer: "/amount", detail: amountText }]],
    ["a negative amount", { ...good, amount: -2_500 }, 400, [{ pointer: "/amount", detail: amountText }]],
    ["an amount as text", { ...good, amount: "2500" }, 400, [{ pointer: "/amount", detail: amountText }]],
    ["too much at once", { ...good, amount: 100_000_001 }, 400, [{ pointer: "/amount", detail: amountText }]],
    [
      "infinity",
      '{"from":"40021001","to":"40030001","amount":1e999}',
      400,
      [{ pointer: "/amount", detail: amountText }],
    ],
    [
      "the same account twice",
      { ...good, to: good.from },
      400,
      [{ pointer: "/to", detail: "expected another account than the one to transfer from" }],
    ],
    [
      "an unknown source",
      { ...good, from: "99999999" },
      422,
      [{ pointer: "/from", detail: "no such account" }],
    ],
    ["an unknown target", { ...good, to: "99999999" }, 422, [{ pointer: "/to", detail: "no such account" }]],
    [
      "more than there is",
      { ...good, amount: 248_076 },
      422,
      [{ pointer: "/amount", detail: "more than the account holds" }],
    ],
  ])("%s", async (_, body, status, errors) => {
    const response = await transfer(body);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = (await response.json()) as Record<string, unknown>;
    expect(problem).toMatchObject({ type: "about:blank", status, errors });
    expect([await balance("40021001"), await balance("40030001")]).toEqual([248_075, 92_310]);
  });

  test("all that there is can go, and then nothing more", async () => {
    expect((await transfer({ from: "40021003", to: "40021001", amount: 31_540 })).status).toBe(200);
    expect((await transfer({ from: "40021003", to: "40021001", amount: 1 })).status).toBe(422);
    expect(await balance("40021003")).toBe(0);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])(
    "a form of another site, sent as `%s`",
    async (type) => {
      const response = await transfer(JSON.stringify(good), { "content-type": type });
      expect(response.status).toBe(415);
      expect(await balance("40021001")).toBe(248_075);
    },
  );

  test.each([
    ["/api/v1/users/nobody/accounts", "no such user"],
    ["/api/v1/users/__proto__/profile", "no such user"],
    ["/api/v1/accounts/99999999/balance", "no such account"],
    ["/api/v1/accounts/constructor/balance", "no such account"],
    ["/api/v1/secret<script>", "no such resource"],
  ])("%s", async (path, detail) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ type: "about:blank", status: 404, title: "Not found", detail });
  });
});

describe("bounds", () => {
  test("a body that says it is too long is refused", async () => {
    const response = await transfer(`"${"a".repeat(5_000)}"`);
    expect(response.status).toBe(413);
  });

  test("a body that does not say how long it is is refused once it is too long", async () => {
    const status = await new Promise((resolve, reject) => {
      const sent = request(
        `${bank.origin}/api/v1/transferFunds`,
        { method: "POST", headers: { "content-type": "application/json", "transfer-encoding": "chunked" } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sent.on("error", reject);
      for (let index = 0; index < 10; index += 1) sent.write("a".repeat(1_000));
      sent.end();
    });
    expect(status).toBe(413);
  });

  test("a malformed path is an answer, not a crash", async () => {
    const { hostname, port } = new URL(bank.origin);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.end("GET /api/v1/users/%ZZ/accounts HTTP/1.1\r\nhost: bank\r\nconnection: close\r\n\r\n");
      });
      let text = "";
      socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(await balance("40021001")).toBe(248_075);
  });

  test("the bank listens on loopback and its port is free again after it closes", async () => {
    const other = await startBank();
    expect(other.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const port = Number(new URL(other.origin).port);
    await expect(startBank({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await other.close();
    const again = await startBank({ port });
    expect(again.origin).toBe(other.origin);
    await again.close();
  });
});
