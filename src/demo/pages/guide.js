/** Ticks the steps of the guide off as they happen. */
import { onCall } from "./client.js";
import { byId } from "./dom.js";

export function watchGuide() {
  let wasRefused = false;
  onCall(({ method, path, outcome }) => {
    if (method !== "POST" || !path.endsWith("/transferFunds")) return;
    if (outcome === "refused") {
      wasRefused = true;
      tick("guide-2");
    } else if (outcome === "ok") {
      tick(wasRefused ? "guide-3" : "guide-1");
    }
  });
}

function tick(id) {
  const step = byId(id);
  if (step.hasAttribute("data-done")) return;
  step.setAttribute("data-done", "");
  const mark = step.querySelector("h3");
  mark?.append(
    Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: " (done)" }),
  );
}
