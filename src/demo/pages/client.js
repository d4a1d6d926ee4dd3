/** Calls the bank and says who answered: the bank itself, or something in front of it. */

/**
 * @typedef {"ok" | "declined" | "refused" | "failed"} Outcome
 *   ok: the bank did it. declined: the bank would not. refused: Stepgate did not let it through.
 *   failed: nobody gave a proper answer.
 *
 * @typedef {object} Call
 * @property {string} method
 * @property {string} path
 * @property {unknown} sent JSON value of the request's body
 * @property {Date} at
 * @property {number} tookMs
 * @property {Outcome} outcome
 * @property {number} status 0 without an answer
 * @property {string | undefined} rayId
 * @property {any} json JSON value of the answer, if it is JSON
 * @property {string} received what came back, for people to read
 */

/** @type {Set<(call: Call) => void>} */
const listeners = new Set();

/** @param {(call: Call) => void} listener called after every call, in the order in which they end */
export function onCall(listener) {
  listeners.add(listener);
}

/**
 * @param {string} method
 * @param {string} path relative to the page
 * @param {unknown} [body] sent as JSON
 * @returns {Promise<Call>} never rejects
 */
export async function call(method, path, body) {
  const at = new Date();
  const startedAt = performance.now();
  const answer = await exchange(method, path, body);
  const finished = {
    method,
    path: `/${path}`,
    sent: body,
    at,
    tookMs: performance.now() - startedAt,
    ...answer,
  };
  for (const listener of listeners) listener(finished);
  return finished;
}

async function exchange(method, path, body) {
  try {
    const response = await fetch(path, {
      method,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      cache: "no-store",
    });
    return await read(response);
  } catch {
    return {
      outcome: "failed",
      status: 0,
      rayId: undefined,
      json: undefined,
      received: "No answer. Is Stepgate still running?",
    };
  }
}

async function read(response) {
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  const json = /json/.test(type) ? parse(text) : undefined;
  const page = /html/.test(type) ? new DOMParser().parseFromString(text, "text/html") : undefined;
  const rayId =
    response.headers.get("stepgate-ray") ??
    json?.error?.ray_id ??
    page?.getElementById("ray-id")?.textContent ??
    undefined;
  return {
    outcome: outcomeOf(response),
    status: response.status,
    rayId,
    json,
    received: describe(text, json, page),
  };
}

/** The bank marks its own answers, so a refusal is known whatever status and body the rule gives it. */
function outcomeOf(response) {
  const isFromBank = response.headers.has("harbour-bank");
  if (!isFromBank) return response.status >= 500 ? "failed" : "refused";
  if (response.ok) return "ok";
  return response.status >= 500 ? "failed" : "declined";
}

function describe(text, json, page) {
  const shown =
    json !== undefined
      ? JSON.stringify(json, null, 2)
      : page !== undefined
        ? `HTML page: ${page.title.trim() || (page.body.textContent ?? "").trim()}`
        : text;
  return shown.length > 1500 ? `${shown.slice(0, 1500)}…` : shown;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
