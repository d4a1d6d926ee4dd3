/** Responses with the guard and without it, for every framework: the same but for what the guard adds on purpose. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NODE_APPS } from "./responses/apps.ts";
import type { App, RunningCases } from "./responses/apps.ts";
import { EXPRESS_APPS } from "./responses/express-app.ts";
import { FASTIFY_APPS } from "./responses/fastify-app.ts";
import { KOA_APPS } from "./responses/koa-app.ts";
import { WEB_APPS } from "./responses/web-apps.ts";
import type { Case } from "./responses/kit.ts";
import { exchangeHttp1, exchangeHttp2 } from "./responses/wire.ts";

const APPS: readonly App[] = [...NODE_APPS, ...EXPRESS_APPS, ...FASTIFY_APPS, ...KOA_APPS, ...WEB_APPS];

/** Each case by its own method, and by HEAD where that is one. */
const rowsOf = ({ cases }: App): readonly (readonly [string, string, Case])[] =>
  Object.entries(cases).flatMap(([name, asked]) => {
    const { method = "GET", hasHead = true } = asked;
    const own = [method, name, asked] as const;
    return hasHead && method === "GET" ? [own, ["HEAD", name, { ...asked, method: "HEAD" }] as const] : [own];
  });

describe.each(APPS.map((app) => [app.name, app] as const))("%s", (_name, app) => {
  const exchange = app.protocol === "http1" ? exchangeHttp1 : exchangeHttp2;
  let bare: RunningCases;
  let guarded: RunningCases;

  beforeAll(async () => {
    bare = await app.start(false);
    guarded = await app.start(true);
  });
  afterAll(async () => {
    await bare.close();
    await guarded.close();
  });

  test.each(rowsOf(app))("%s %s", async (method, name, asked) => {
    const without = await exchange(bare, name, asked);
    const withUs = await exchange(guarded, name, asked);
    expect(withUs.seen).toBe(without.seen);
    expect(without.seen).not.toContain("broken case");
    // What is compared has gone through the edit of the head; HEAD is not recorded.
    expect(withUs.isSealed).toBe(method !== "HEAD" && (asked.isSealed ?? true));
  });
});
