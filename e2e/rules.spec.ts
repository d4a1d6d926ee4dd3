/** Journey b: every example rule of the documentation, in its valid and its invalid form, as a block rule. */
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { blockWhen, isCurrent, wasBefore } from "./support/rules.ts";
import { ACCOUNTS, BALANCE, balanceOf, callFrom, PROFILE, TRANSFER } from "./support/visitor.ts";
import type { PageCall } from "./support/visitor.ts";

type Step = PageCall | { readonly waitMs: number };

interface Example {
  readonly title: string;
  /** The condition behind `current_op eq …` that is true of a valid sequence. */
  readonly valid: (
    shortIds: Readonly<Record<"accounts" | "balance" | "transfer" | "profile", string>>,
  ) => string;
  /** Steps before the guarded transfer. */
  readonly validSteps: readonly (readonly Step[])[];
  readonly invalidSteps: readonly (readonly Step[])[];
}

const EXAMPLES: readonly Example[] = [
  {
    title: "A before B, anywhere among the previous ten",
    valid: ({ balance }) => wasBefore(balance),
    validSteps: [[BALANCE], [BALANCE, ACCOUNTS, PROFILE, ACCOUNTS]],
    invalidSteps: [[], [ACCOUNTS, PROFILE]],
  },
  {
    title: "A at least one second before B",
    valid: ({ balance }) => `cf.sequence.msec_since_op["${balance}"] ge 1000`,
    validSteps: [[BALANCE, { waitMs: 1_100 }]],
    invalidSteps: [[], [BALANCE], [BALANCE, { waitMs: 1_100 }, BALANCE], [ACCOUNTS, { waitMs: 1_100 }]],
  },
  {
    title: "more than two seconds after A",
    valid: ({ balance }) => `cf.sequence.msec_since_op["${balance}"] ge 2000`,
    validSteps: [[BALANCE, { waitMs: 2_100 }]],
    invalidSteps: [[], [BALANCE, { waitMs: 1_100 }]],
  },
  {
    title: "A, then B, then C in that exact order",
    valid: ({ accounts, balance }) =>
      `cf.sequence.previous_ops[0] == "${balance}" and cf.sequence.previous_ops[1] == "${accounts}"`,
    validSteps: [
      [ACCOUNTS, BALANCE],
      [PROFILE, ACCOUNTS, BALANCE],
    ],
    invalidSteps: [
      [],
      [BALANCE],
      [BALANCE, ACCOUNTS],
      [ACCOUNTS, BALANCE, PROFILE],
      [ACCOUNTS, PROFILE, BALANCE],
    ],
  },
  {
    title: "either A or C before B",
    valid: ({ balance, accounts }) => `(${wasBefore(balance)} or ${wasBefore(accounts)})`,
    validSteps: [[BALANCE], [ACCOUNTS], [ACCOUNTS, BALANCE]],
    invalidSteps: [[], [PROFILE]],
  },
];

async function take(page: Page, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if ("waitMs" in step) await page.waitForTimeout(step.waitMs);
    else expect((await callFrom(page, step)).status).toBe(200);
  }
}

for (const { title, valid, validSteps, invalidSteps } of EXAMPLES) {
  test(title, async ({ page, context, api, operations }) => {
    const ids = {
      accounts: operations.accounts.shortId,
      balance: operations.balance.shortId,
      transfer: operations.transfer.shortId,
      profile: operations.profile.shortId,
    };
    await api.setSequenceCookies(true);
    await page.goto("/not-found.html");
    const before = await balanceOf(page, "40021001");
    let moved = 0;
    const transferAfter = async (steps: readonly Step[], isBlocked: boolean): Promise<void> => {
      await context.clearCookies();
      await take(page, steps);
      const answer = await callFrom(page, TRANSFER);
      const said = steps.map((step) => ("waitMs" in step ? `${step.waitMs} ms` : step.path)).join(", ");
      expect({ status: answer.status, isFromBank: answer.isFromBank }, `after: ${said}`).toEqual(
        isBlocked ? { status: 403, isFromBank: false } : { status: 200, isFromBank: true },
      );
      if (isBlocked) expect(answer.rayId).toMatch(/^[0-9a-f]{16}$/);
      else moved += 1;
    };

    await test.step("valid form: blocks the valid sequence, lets all others pass", async () => {
      await api.setCustomRules([blockWhen(`${isCurrent(ids.transfer)} and ${valid(ids)}`)]);
      for (const steps of validSteps) await transferAfter(steps, true);
      for (const steps of invalidSteps) await transferAfter(steps, false);
    });
    await test.step("invalid form: blocks all others, lets the valid sequence pass", async () => {
      await api.setCustomRules([blockWhen(`${isCurrent(ids.transfer)} and not (${valid(ids)})`)]);
      for (const steps of validSteps) await transferAfter(steps, false);
      for (const steps of invalidSteps) await transferAfter(steps, true);
    });
    // What was blocked did not happen, and what passed did.
    expect(await balanceOf(page, "40021001")).toBe(before - moved);
  });
}

test("a blocked step does not count as taken", async ({ page, api, operations }) => {
  const { accounts, balance, transfer } = operations;
  await api.setSequenceCookies(true);
  await api.setCustomRules([
    blockWhen(`${isCurrent(balance.shortId)} and not ${wasBefore(accounts.shortId)}`),
    blockWhen(`${isCurrent(transfer.shortId)} and not ${wasBefore(balance.shortId)}`),
  ]);
  await page.goto("/not-found.html");
  expect((await callFrom(page, BALANCE)).status).toBe(403);
  expect((await callFrom(page, TRANSFER)).status).toBe(403);
  expect((await callFrom(page, ACCOUNTS)).status).toBe(200);
  expect((await callFrom(page, TRANSFER)).status).toBe(403);
  expect((await callFrom(page, BALANCE)).status).toBe(200);
  expect((await callFrom(page, TRANSFER)).status).toBe(200);
});
