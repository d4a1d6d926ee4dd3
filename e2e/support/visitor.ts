/** What a visitor's page does, and what can be seen of its sequence cookies. */
import type { BrowserContext, Cookie, Page } from "@playwright/test";

export interface PageCall {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  /** Bearer token that the page sends along. */
  readonly token?: string;
}

export interface PageAnswer {
  readonly status: number;
  /** The bank marks its own answers. */
  readonly isFromBank: boolean;
  readonly rayId: string | null;
  readonly text: string;
}

export const ACCOUNTS: PageCall = { path: "/api/v1/users/mara/accounts" };
export const PROFILE: PageCall = { path: "/api/v1/users/mara/profile" };
export const BALANCE: PageCall = { path: "/api/v1/accounts/40021001/balance" };
export const TRANSFER: PageCall = {
  method: "POST",
  path: "/api/v1/transferFunds",
  body: { from: "40021001", to: "40030001", amount: 1 },
};

/** Calls made by the page's own `fetch`, all started before the first is awaited. */
export function callAtOnce(page: Page, calls: readonly PageCall[]): Promise<readonly PageAnswer[]> {
  return page.evaluate(
    (all) =>
      Promise.all(
        all.map(async ({ method = "GET", path, body, token }) => {
          const response = await fetch(path, {
            method,
            cache: "no-store",
            headers: {
              accept: "application/json",
              ...(body === undefined ? {} : { "content-type": "application/json" }),
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          return {
            status: response.status,
            isFromBank: response.headers.has("harbour-bank"),
            rayId: response.headers.get("stepgate-ray"),
            text: await response.text(),
          };
        }),
      ),
    calls,
  );
}

export async function callFrom(page: Page, call: PageCall): Promise<PageAnswer> {
  const [answer] = await callAtOnce(page, [call]);
  return answer as PageAnswer;
}

/** The status of each call, one after the other. */
export async function walk(page: Page, calls: readonly PageCall[]): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (const call of calls) statuses.push((await callFrom(page, call)).status);
  return statuses;
}

export const isSequenceCookie = ({ name }: { readonly name: string }): boolean =>
  name.startsWith("__Host-sq.");

export async function sequenceCookies(context: BrowserContext): Promise<readonly Cookie[]> {
  return (await context.cookies()).filter(isSequenceCookie);
}

/** Cents in an account, asked of the bank by the page. */
export async function balanceOf(page: Page, accountId: string): Promise<number> {
  const { text } = await callFrom(page, { path: `/api/v1/accounts/${accountId}/balance` });
  return (JSON.parse(text) as { readonly balance: number }).balance;
}

/** The protocol over which the page itself came: `h2` or `http/1.1`. */
export function protocolOf(page: Page): Promise<string> {
  return page.evaluate(() => {
    const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    return navigation?.nextHopProtocol ?? "unknown";
  });
}
