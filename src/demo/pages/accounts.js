/** The customer's accounts, and each balance on demand. */
import { call } from "./client.js";
import { byId, element, notice } from "./dom.js";
import { formatAccount, formatMoney, formatTime } from "./format.js";

/**
 * @param {string} userId
 * @param {(accounts: readonly { account_id: string, name: string }[]) => void} onAccounts
 */
export async function showAccounts(userId, onAccounts) {
  const list = byId("accounts");
  list.setAttribute("aria-busy", "true");
  const answer = await call("GET", `api/v1/users/${userId}/accounts`);
  list.setAttribute("aria-busy", "false");
  if (answer.outcome !== "ok") {
    const retry = element("button", { type: "button", class: "button-quiet" }, "Try again");
    retry.addEventListener("click", () => showAccounts(userId, onAccounts));
    list.replaceChildren(
      element(
        "li",
        { class: "accounts-problem" },
        notice(answer.outcome, "Your accounts did not come", retry),
      ),
    );
    return;
  }
  list.replaceChildren(...answer.json.accounts.map(accountCard));
  onAccounts(answer.json.accounts);
}

/** Balances on the page are those of before: says so, and leaves it to the person to look again. */
export function markBalancesOld() {
  for (const card of byId("accounts").querySelectorAll("[data-shown]")) {
    card.setAttribute("data-old", "");
    const note = card.querySelector(".account-note");
    if (note !== null) note.textContent = "before your last transfer";
  }
}

function accountCard({ account_id: id, name }) {
  const amount = element("p", { class: "account-balance", "data-testid": `balance-${id}` }, hidden());
  const note = element("p", { class: "account-note" }, "not looked at yet");
  const look = element(
    "button",
    { type: "button", class: "button-quiet", "data-testid": `show-balance-${id}` },
    "Show balance",
    element("span", { class: "visually-hidden" }, ` of ${name}`),
  );
  const card = element(
    "li",
    { class: "account", "data-testid": `account-${id}` },
    element(
      "div",
      { class: "account-head" },
      element("h3", {}, name),
      element("p", { class: "account-number" }, formatAccount(id)),
    ),
    element("div", { class: "account-money", "aria-live": "polite" }, amount, note),
    look,
  );
  look.addEventListener("click", async () => {
    look.setAttribute("aria-disabled", "true");
    const answer = await call("GET", `api/v1/accounts/${id}/balance`);
    look.removeAttribute("aria-disabled");
    if (answer.outcome !== "ok") {
      note.textContent = answer.outcome === "refused" ? "refused by Stepgate" : "could not be read";
      card.setAttribute("data-problem", "");
      return;
    }
    amount.replaceChildren(formatMoney(answer.json.balance));
    note.textContent = `as of ${formatTime(new Date(answer.json.as_of))}`;
    look.firstChild?.replaceWith("Look again");
    card.setAttribute("data-shown", "");
    card.removeAttribute("data-old");
    card.removeAttribute("data-problem");
  });
  return card;
}

function hidden() {
  const dots = element("span", { class: "account-dots", "aria-hidden": "true" }, "•••••");
  const wrapper = element("span", {}, dots, element("span", { class: "visually-hidden" }, "Balance hidden"));
  return wrapper;
}
