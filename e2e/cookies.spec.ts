/** Journey a: sequence cookies off, on and off again. */
import type { Page, Response } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { blockWhen, isCurrent, wasBefore } from "./support/rules.ts";
import {
  ACCOUNTS,
  BALANCE,
  callFrom,
  isSequenceCookie,
  sequenceCookies,
  TRANSFER,
  walk,
} from "./support/visitor.ts";
import type { PageCall } from "./support/visitor.ts";

/** The `Set-Cookie` fields of a call's answer, which only the browser itself can see. */
async function cookiesSetBy(page: Page, call: PageCall): Promise<readonly string[]> {
  const [response] = await Promise.all([
    page.waitForResponse((candidate: Response) => new URL(candidate.url()).pathname === call.path),
    callFrom(page, call),
  ]);
  return response.headerValues("set-cookie");
}

test("off, on, off", async ({ page, context, api, operations }) => {
  const { balance, transfer } = operations;
  const validForm = blockWhen(
    `${isCurrent(transfer.shortId)} and ${wasBefore(balance.shortId)}`,
    "valid form",
  );
  const invalidForm = blockWhen(
    `${isCurrent(transfer.shortId)} and not ${wasBefore(balance.shortId)}`,
    "invalid form",
  );
  await page.goto("/not-found.html");

  await test.step("off: no cookie, and both forms of the documented rule are inert", async () => {
    await api.setCustomRules([validForm, invalidForm]);
    expect(await walk(page, [TRANSFER, BALANCE, TRANSFER])).toEqual([200, 200, 200]);
    expect(await cookiesSetBy(page, ACCOUNTS)).toEqual([]);
    expect(await context.cookies()).toEqual([]);
  });

  await test.step("on: the next matching response sets the cookie, with exactly these attributes", async () => {
    await api.setSequenceCookies(true);
    expect(await cookiesSetBy(page, { path: "/bank.css" })).toEqual([]);
    const set = await cookiesSetBy(page, BALANCE);
    expect(set.length).toBeGreaterThan(0);
    for (const text of set) {
      const [pair = "", ...attributes] = text.split("; ");
      expect(pair).toMatch(/^__Host-sq\.[^=]+=[\w.-]+$/);
      expect(attributes.toSorted()).toEqual(["HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax", "Secure"]);
    }
    const stored = await context.cookies();
    expect(stored.every(isSequenceCookie)).toBe(true);
    expect(stored).toContainEqual(
      expect.objectContaining({
        secure: true,
        httpOnly: true,
        sameSite: "Lax",
        path: "/",
        domain: "localhost",
      }),
    );
  });

  await test.step("page scripts cannot read it, and the rules see it", async () => {
    expect(await page.evaluate(() => document.cookie)).toBe("");
    await api.setCustomRules([invalidForm]);
    expect((await callFrom(page, TRANSFER)).status).toBe(200);
    await api.setCustomRules([validForm]);
    expect((await callFrom(page, TRANSFER)).status).toBe(403);
  });

  await test.step("off again: nothing is set, and the fields are empty although the browser still has cookies", async () => {
    await api.setSequenceCookies(false);
    expect((await sequenceCookies(context)).length).toBeGreaterThan(0);
    expect((await callFrom(page, TRANSFER)).status).toBe(200);
    await api.setCustomRules([
      blockWhen(`cf.sequence.current_op ne "" or len(cf.sequence.previous_ops) gt 0`),
    ]);
    expect(await walk(page, [ACCOUNTS, BALANCE, TRANSFER])).toEqual([200, 200, 200]);
    await context.clearCookies();
    expect(await cookiesSetBy(page, BALANCE)).toEqual([]);
    expect(await context.cookies()).toEqual([]);
  });
});

test("an application's own cookies pass through untouched beside ours", async ({ page, context, api }) => {
  await api.setSequenceCookies(true);
  await page.goto("/not-found.html");
  const { hostname: domain } = new URL(page.url());
  const own = ["__Host-sessid", "__Host-sqx", "sq.a", "session"].map((name) => ({
    name,
    value: "kept",
    domain,
    path: "/",
    secure: true,
  }));
  await context.addCookies(own);
  expect(await walk(page, [ACCOUNTS, BALANCE, TRANSFER])).toEqual([200, 200, 200]);
  const names = (await context.cookies()).filter(({ value }) => value === "kept").map(({ name }) => name);
  expect(names.toSorted()).toEqual(own.map(({ name }) => name).toSorted());
});
