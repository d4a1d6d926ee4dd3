/** Journey c: bursts of parallel calls, then a call that needs all of them. */
import type { Page } from "@playwright/test";
import { expect } from "@playwright/test";
import type { ApiClient, SavedOperation } from "./api.ts";
import { needsAllBefore } from "./rules.ts";
import { callAtOnce, callFrom, isSequenceCookie } from "./visitor.ts";
import type { PageCall } from "./visitor.ts";

const ROUNDS = 200;

/** More than one process ever sends a browser is a broken promise (spec: at most about 1 KB in a burst of eight). */
export const MAX_COOKIE_BYTES = 1_300;

/** Two sets of eight without a common operation, each with a call that is guarded by all eight. */
const PATHS = {
  even: [
    "/api/v1/accounts/40021001/balance",
    "/api/v1/accounts/40021002/balance",
    "/api/v1/accounts/40021003/balance",
    "/api/v1/accounts/40030001/balance",
    "/api/v1/accounts/40047001/balance",
    "/api/v1/accounts/40047002/balance",
    "/api/v1/users/mara/accounts",
    "/api/v1/users/mara/profile",
  ],
  odd: [
    "/api/v1/users/jonas/accounts",
    "/api/v1/users/jonas/profile",
    "/api/v1/users/priya/accounts",
    "/bank.css",
    "/main.js",
    "/dom.js",
    "/client.js",
    "/format.js",
  ],
} as const;
const GUARDED = { even: "/api/v1/users/priya/profile", odd: "/favicon.svg" } as const;

/**
 * Two hundred times: eight different operations at once, then the guarded one. Every fourth round is a visitor's
 * first; the others go on from where they were. The sets take turns, so that the ten entries that are remembered
 * never hold an older one of the same set: an entry that is lost is missed.
 */
export async function burst(page: Page, api: ApiClient, seen: (cookieHeader: string) => void): Promise<void> {
  const shortIds = new Map<string, string>();
  for (const path of [...PATHS.even, ...PATHS.odd, ...Object.values(GUARDED)]) {
    const operation: SavedOperation = await api.saveOperation("GET", path);
    shortIds.set(path, operation.shortId);
  }
  const idOf = (path: string): string => shortIds.get(path) ?? "";
  await api.setSequenceCookies(true);
  await api.setCustomRules([
    needsAllBefore(idOf(GUARDED.even), PATHS.even.map(idOf)),
    needsAllBefore(idOf(GUARDED.odd), PATHS.odd.map(idOf)),
  ]);
  await page.goto("/not-found.html");
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  session.on("Network.requestWillBeSentExtraInfo", ({ headers }) => {
    const header = Object.entries(headers).find(([name]) => name.toLowerCase() === "cookie")?.[1] ?? "";
    seen(ownPart(header));
  });

  // The rules do guard: without the eight, both calls are refused.
  const statuses = [
    await callFrom(page, { path: GUARDED.even }),
    await callFrom(page, { path: GUARDED.odd }),
  ];
  expect(statuses.map(({ status }) => status)).toEqual([403, 403]);

  const falseBlocks: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % 4 === 0) await page.context().clearCookies();
    const set = round % 2 === 0 ? "even" : "odd";
    const calls: readonly PageCall[] = PATHS[set].map((path) => ({ path }));
    const answers = await callAtOnce(page, calls);
    expect(answers.map(({ status }) => status)).toEqual(calls.map(() => 200));
    if ((await callFrom(page, { path: GUARDED[set] })).status !== 200) falseBlocks.push(round);
  }
  expect(falseBlocks).toEqual([]);
}

/** What of a `Cookie` header is ours, as it stands there. */
function ownPart(header: string): string {
  return header
    .split("; ")
    .filter((pair) => isSequenceCookie({ name: pair }))
    .join("; ");
}
