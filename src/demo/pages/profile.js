/** The customer's profile, asked for when its button is pressed. */
import { call } from "./client.js";
import { byId, element } from "./dom.js";
import { formatAccount, formatDay } from "./format.js";

/** @param {string} userId */
export function watchProfile(userId) {
  const button = byId("profile-button");
  const panel = byId("profile");
  const toggle = (isOpen) => {
    button.setAttribute("aria-expanded", String(isOpen));
    panel.hidden = !isOpen;
  };
  button.addEventListener("click", async () => {
    if (!panel.hidden) {
      toggle(false);
      return;
    }
    const answer = await call("GET", `api/v1/users/${userId}/profile`);
    panel.replaceChildren(answer.outcome === "ok" ? details(answer.json) : problem(answer));
    toggle(true);
  });
  document.addEventListener("pointerdown", (event) => {
    if (!panel.hidden && !panel.contains(event.target) && !button.contains(event.target)) toggle(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    toggle(false);
    button.focus();
  });
}

function details(profile) {
  const rows = [
    ["Name", profile.name],
    ["E-mail", profile.email],
    ["Customer since", formatDay(profile.member_since)],
    ["Accounts", profile.account_ids.map(formatAccount).join(", ")],
  ];
  return element(
    "dl",
    {},
    ...rows.map(([term, text]) => element("div", {}, element("dt", {}, term), element("dd", {}, text))),
  );
}

function problem(answer) {
  return element(
    "p",
    {},
    answer.outcome === "refused" ? "Refused by Stepgate." : "The profile did not come.",
  );
}
