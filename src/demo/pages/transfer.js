/** The transfer form: usable at once, whatever was looked at before. */
import { call } from "./client.js";
import { byId, element, notice } from "./dom.js";
import { formatMoney, parseAmount } from "./format.js";

const form = byId("transfer");
const from = /** @type {HTMLSelectElement} */ (byId("transfer-from"));
const to = /** @type {HTMLSelectElement} */ (byId("transfer-to"));
const amount = /** @type {HTMLInputElement} */ (byId("transfer-amount"));
const amountError = byId("transfer-amount-error");
const submit = byId("transfer-submit");
const result = byId("transfer-result");

/** @param {readonly { account_id: string, name: string }[]} accounts */
export function offerAccounts(accounts) {
  const options = () =>
    accounts.map(({ account_id: id, name }) => element("option", { value: id }, `${name} · ${id.slice(-4)}`));
  from.replaceChildren(...options());
  byId("transfer-to-own").replaceChildren(...options());
}

/** @param {() => void} onMoved called after the bank moved money */
export function watchTransfers(onMoved) {
  amount.addEventListener("input", () => showAmountError(""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.getAttribute("aria-disabled") === "true") return;
    const cents = parseAmount(amount.value);
    if (cents === undefined) {
      showAmountError("Enter an amount above zero with at most two decimals, such as 25.00.");
      amount.focus();
      return;
    }
    submit.setAttribute("aria-disabled", "true");
    const answer = await call("POST", "api/v1/transferFunds", {
      from: from.value,
      to: to.value,
      amount: cents,
    });
    submit.removeAttribute("aria-disabled");
    result.replaceChildren(resultOf(answer));
    if (answer.outcome === "ok") onMoved();
  });
}

function showAmountError(text) {
  amountError.textContent = text;
  if (text === "") amount.removeAttribute("aria-invalid");
  else amount.setAttribute("aria-invalid", "true");
}

/** @param {import("./client.js").Call} answer */
function resultOf(answer) {
  switch (answer.outcome) {
    case "ok":
      return notice(
        "ok",
        "Transferred",
        `${formatMoney(answer.json.amount)} went from ${nameOf(from)} to ${nameOf(to)}.`,
      );
    case "declined":
      return notice(
        "declined",
        `Declined by the bank: ${answer.json?.title ?? answer.status}`,
        answer.json?.detail ?? "",
      );
    case "refused":
      return notice(
        "refused",
        "Refused by Stepgate",
        "The bank never saw this transfer, and no money moved.",
        ...(answer.rayId === undefined
          ? []
          : [" Ray id ", element("code", { "data-testid": "transfer-ray" }, answer.rayId), "."]),
      );
    case "failed":
    default:
      return notice(
        "failed",
        "No proper answer",
        "The transfer may or may not have happened. Look at the balance.",
      );
  }
}

function nameOf(select) {
  return select.selectedOptions[0]?.textContent?.split(" · ")[0] ?? select.value;
}
