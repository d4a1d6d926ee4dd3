/** The list of calls beside the page. */
import { onCall } from "./client.js";
import { byId, element } from "./dom.js";
import { formatTime } from "./format.js";

/** Older entries go: the list is for the story of a visit, not an archive. */
const MAX_ENTRIES = 50;

const LABELS = {
  ok: "",
  declined: "Declined by the bank",
  refused: "Refused by Stepgate",
  failed: "No proper answer",
};

export function showCalls() {
  const list = byId("calls");
  const empty = byId("calls-empty");
  onCall((call) => {
    list.prepend(entry(call));
    while (list.children.length > MAX_ENTRIES) list.lastElementChild?.remove();
    empty.hidden = true;
  });
  byId("calls-clear").addEventListener("click", () => {
    list.replaceChildren();
    empty.hidden = false;
  });
}

/** @param {import("./client.js").Call} call */
function entry(call) {
  const label = LABELS[call.outcome];
  const facts = [formatTime(call.at), `${Math.max(1, Math.round(call.tookMs))} ms`];
  return element(
    "li",
    {
      class: `call call-${call.outcome}`,
      "data-testid": "call",
      "data-outcome": call.outcome,
      "data-method": call.method,
      "data-path": call.path,
      "data-status": String(call.status),
    },
    element(
      "details",
      {},
      element(
        "summary",
        {},
        element(
          "span",
          { class: "call-line" },
          element("span", { class: "call-method" }, call.method),
          element("span", { class: "call-path" }, ...breakable(call.path)),
          element(
            "span",
            { class: "call-status", "data-testid": "call-status" },
            call.status === 0 ? "—" : String(call.status),
          ),
        ),
        element(
          "span",
          { class: "call-facts" },
          ...(label === "" ? [] : [element("strong", { class: "call-label" }, label)]),
          element("span", {}, facts.join(" · ")),
          ...(call.rayId === undefined
            ? []
            : [
                element(
                  "span",
                  { class: "call-ray" },
                  "ray ",
                  element("code", { "data-testid": "call-ray" }, call.rayId),
                ),
              ]),
        ),
      ),
      ...(call.sent === undefined ? [] : [part("Sent", JSON.stringify(call.sent, null, 2))]),
      part("Came back", call.received || "(empty)"),
    ),
  );
}

function part(title, text) {
  return element("div", { class: "call-part" }, element("h3", {}, title), element("pre", {}, text));
}

/** Lets a long path break after a slash instead of in the middle of a word. */
function breakable(path) {
  return path.split(/(?<=\/)/).flatMap((piece) => [piece, element("wbr")]);
}
