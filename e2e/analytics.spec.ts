/** From traffic to a rule, as an operator goes: watch, ask for suggestions, put one in force. */
import { expect, test } from "./fixtures.ts";

/** Transfers that visitors make before the operator asks. */
const TRANSFERS = 3;

interface Suggestion {
  readonly first: { readonly operation_id: string };
  readonly second: { readonly operation_id: string };
  readonly effect: Readonly<Record<string, unknown>>;
  readonly custom_rule: {
    readonly expression: string;
    readonly action: "block";
    readonly description: string;
  };
}

test("what the bank's visitors do becomes a rule that blocks none of them", async ({
  page,
  context,
  api,
  operations,
}) => {
  await api.setSequenceCookies(true);
  const result = '[data-testid="transfer-result"] [data-outcome]';
  const atTheBank = async (steps: readonly string[]): Promise<string | null> => {
    // Without cookies it is another visitor.
    await context.clearCookies();
    await page.goto("/");
    await expect(page.getByTestId("show-balance-40021001")).toBeVisible();
    for (const step of steps) {
      await page.getByTestId(step).click();
      if (step === "transfer-submit") await expect(page.locator(result)).toBeVisible();
      else await expect(page.getByTestId("balance-40021001")).toContainText("€");
    }
    return page.locator(result).getAttribute("data-outcome");
  };
  for (let visitor = 0; visitor < TRANSFERS; visitor += 1)
    expect(await atTheBank(["show-balance-40021001", "transfer-submit"])).toBe("ok");

  const analytics = `/zones/${api.zoneId}/stepgate/analytics`;
  const { body } = await api.send("GET", `${analytics}/suggest?min_requests=${TRANSFERS}`);
  const suggestion = (body.result as unknown as Suggestion[]).find(
    ({ second }) => second.operation_id === operations.transfer.operation_id,
  );
  expect(suggestion?.first.operation_id).toBe(operations.balance.operation_id);
  expect(suggestion?.effect).toMatchObject({
    requests: TRANSFERS,
    passed: TRANSFERS,
    predicted_false_block_rate: 0,
    is_exact: true,
  });
  const { expression } = suggestion!.custom_rule;
  const simulated = await api.send("POST", `/zones/${api.zoneId}/stepgate/simulate`, { expression });
  expect(simulated.body.result).toMatchObject({ recorded: { method: "pairs", hits: 0, is_exact: true } });

  await api.setCustomRules([suggestion!.custom_rule]);
  expect(await atTheBank(["show-balance-40021001", "transfer-submit"]), "nobody is blocked by it").toBe("ok");
  expect(await atTheBank(["transfer-submit"])).toBe("refused");
});
