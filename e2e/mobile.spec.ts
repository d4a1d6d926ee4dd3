/**
 * The funds transfer of the pages about Sequence Mitigation, by clients that keep no cookies: the bank's mobile app, a
 * program over HTTPS whose session is the subject of its token, and a page in Chromium that sends the same token.
 */
import type { Page } from "@playwright/test";
import { expect, test as base } from "./fixtures.ts";
import type { ApiClient, BankOperations } from "./support/api.ts";
import { createApp } from "./support/app.ts";
import type { App } from "./support/app.ts";
import { needsAllBefore } from "./support/rules.ts";
import { ACCOUNTS, BALANCE, callFrom, PROFILE, sequenceCookies, TRANSFER, walk } from "./support/visitor.ts";
import type { PageCall } from "./support/visitor.ts";

const SAVINGS: PageCall = { path: "/api/v1/accounts/40021002/balance" };
const JONAS: Readonly<Record<"accounts" | "balance" | "transfer", PageCall>> = {
  accounts: { path: "/api/v1/users/jonas/accounts" },
  balance: { path: "/api/v1/accounts/40030001/balance" },
  transfer: {
    method: "POST",
    path: "/api/v1/transferFunds",
    body: { from: "40030001", to: "40021001", amount: 1 },
  },
};

const test = base.extend<{ app: App }>({
  app: async ({ stepgate }, use) => {
    const app = await createApp(stepgate.gatewayUrl, stepgate.caFile);
    await use(app);
    await app.close();
  },
});

async function must(api: ApiClient, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await api.send(method, `/zones/${api.zoneId}${path}`, body);
  expect(answer.body.errors).toEqual([]);
  return answer.body.result;
}

/** The session is the subject of a token that the bank has signed, where a request carries one. */
async function nameSessions(api: ApiClient): Promise<void> {
  const [config] = (await must(api, "GET", "/token_validation/config")) as readonly { readonly id: string }[];
  await must(api, "PUT", "/api_gateway/configuration", {
    auth_id_characteristics: [{ type: "jwt", name: `${config?.id}:$.sub` }],
  });
  await must(api, "PATCH", "/stepgate/settings", { sequence: { tracking: "both" } });
}

interface SeqRule {
  readonly id: string;
}

async function putRules(
  api: ApiClient,
  rules: readonly (readonly [
    kind: "allow" | "block",
    action: "block" | "log",
    first: string,
    second: string,
  ])[],
): Promise<readonly SeqRule[]> {
  const result = await must(api, "PUT", "/api_gateway/seqrules", {
    rules: rules.map(([kind, action, first, second], index) => ({
      title: `Rule ${index + 1}`,
      kind,
      action,
      sequence: [first, second],
    })),
  });
  return (result as { readonly rules: readonly SeqRule[] }).rules;
}

/** The two rules of the documentation's example. */
const transferRules = ({ accounts, balance, transfer }: BankOperations) =>
  [
    ["allow", "block", accounts.operation_id, balance.operation_id],
    ["allow", "block", balance.operation_id, transfer.operation_id],
  ] as const;

async function events(api: ApiClient): Promise<readonly (readonly unknown[])[]> {
  const found = (await must(api, "GET", "/stepgate/events")) as readonly Readonly<Record<string, unknown>>[];
  return found.map(({ source, rule_id, action, status }) => [source, rule_id, action, status]).toReversed();
}

test("positive model: a transfer needs the balance, and a balance needs the list of accounts", async ({
  app,
  api,
  operations,
}) => {
  await nameSessions(api);
  const [first, second] = await putRules(api, transferRules(operations));
  const mara = await app.signIn("mara", "2580");

  // Out of order, each step is refused; what was refused has not happened.
  expect(await app.walk(mara, [TRANSFER, BALANCE, TRANSFER])).toEqual([403, 403, 403]);
  const refused = await app.call({ ...TRANSFER, token: mara });
  expect(refused.json).toMatchObject({ error: { code: "blocked", status: 403 } });
  expect(refused.rayId).toMatch(/^[0-9a-f]{16}$/);

  // The documented order, with two balances that count as one; no answer asks the app to keep a cookie.
  expect(await app.walk(mara, [ACCOUNTS, BALANCE, SAVINGS, TRANSFER])).toEqual([200, 200, 200, 200]);
  expect((await app.call({ ...BALANCE, token: mara })).setCookies).toEqual([]);

  // Another customer has a past of their own; so has nobody at all, whom these rules say nothing about.
  const jonas = await app.signIn("jonas", "1470");
  expect(await app.walk(jonas, [JONAS.balance, JONAS.accounts, JONAS.balance, JONAS.transfer])).toEqual([
    403, 200, 200, 200,
  ]);

  // A new token of the same customer goes on where the old one was.
  const renewed = await app.signIn("mara", "2580");
  expect(renewed).not.toBe(mara);
  expect(await app.walk(renewed, [TRANSFER])).toEqual([200]);

  const source = "apishieldsequencemitigation";
  expect(await events(api)).toEqual([
    [source, second?.id, "block", 403],
    [source, first?.id, "block", 403],
    [source, second?.id, "block", 403],
    [source, second?.id, "block", 403],
    [source, first?.id, "block", 403],
  ]);
});

test("negative model: no transfer after a look at a profile, first to watch and then to block", async ({
  app,
  api,
  operations: { profile, transfer },
}) => {
  await nameSessions(api);
  const [watching] = await putRules(api, [["block", "log", profile.operation_id, transfer.operation_id]]);
  const mara = await app.signIn("mara", "2580");
  expect(await app.walk(mara, [TRANSFER, PROFILE, BALANCE, TRANSFER])).toEqual([200, 200, 200, 200]);
  expect(await events(api)).toEqual([["apishieldsequencemitigation", watching?.id, "log", 200]]);

  await must(api, "PATCH", `/api_gateway/seqrules/rules/${watching?.id}`, { action: "block" });
  expect(await app.walk(mara, [TRANSFER])).toEqual([403]);
  const jonas = await app.signIn("jonas", "1470");
  expect(await app.walk(jonas, [JONAS.accounts, JONAS.balance, JONAS.transfer])).toEqual([200, 200, 200]);

  // An empty list removes all rules.
  await putRules(api, []);
  expect(await app.walk(mara, [TRANSFER])).toEqual([200]);
});

test("a token that the bank has not signed is nobody's session, and the bank refuses it", async ({
  app,
  api,
  operations,
}) => {
  await nameSessions(api);
  await putRules(api, transferRules(operations));
  const mara = await app.signIn("mara", "2580");
  await app.walk(mara, [ACCOUNTS, BALANCE]);
  const [header = "", payload = "", signature = ""] = mara.split(".");
  const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${payload}.`;
  const other = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(payload, "base64url").toString()), sub: "jonas" }),
  ).toString("base64url");
  for (const token of [unsigned, `${header}.${other}.${signature}`, `${header}.${payload}`]) {
    // Not refused by a rule: it is nobody that these rules speak of. The bank does not know them either.
    expect(await app.walk(token, [TRANSFER])).toEqual([401]);
  }
  expect(await app.walk(mara, [TRANSFER])).toEqual([200]);
});

/** A page that is open at the bank, in a profile of its own; it has asked for the accounts itself. */
async function openBank(page: Page): Promise<Page> {
  await page.goto("/");
  await expect(page.getByTestId("show-balance-40021001")).toBeVisible();
  return page;
}

test("in Chromium: two profiles with one token are one session, and without it each has its cookies", async ({
  browser,
  page,
  app,
  api,
  operations,
  baseURL,
}) => {
  await nameSessions(api);
  await api.setSequenceCookies(true);
  await api.setCustomRules([needsAllBefore(operations.transfer.shortId, [operations.balance.shortId])]);
  const token = await app.signIn("mara", "2580");
  const withToken = (call: PageCall): PageCall => ({ ...call, token });
  const context = await browser.newContext({ baseURL: baseURL ?? "" });
  const other = await openBank(await context.newPage());
  await openBank(page);
  const before = [await sequenceCookies(page.context()), await sequenceCookies(context)];

  expect((await callFrom(page, withToken(TRANSFER))).status).toBe(403);
  expect((await callFrom(other, withToken(BALANCE))).status).toBe(200);
  expect((await callFrom(page, withToken(TRANSFER))).status).toBe(200);
  // What the session did is in no cookie.
  expect([await sequenceCookies(page.context()), await sequenceCookies(context)]).toEqual(before);

  // The same page without the token is a visitor with cookies, whom the session's past does not help.
  expect(await walk(page, [TRANSFER, BALANCE, TRANSFER])).toEqual([403, 200, 200]);
  expect(await walk(other, [TRANSFER])).toEqual([403]);
  expect(await sequenceCookies(page.context())).not.toEqual(before[0]);
  await context.close();
});
