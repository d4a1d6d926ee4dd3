/** `action_parameters`, one checker for each kind that an action takes. */
import { checkRequestHeaders, checkResponseHeaders } from "./header-rules.ts";
import { MAX_BLOCK_CONTENT_BYTES, MAX_RATELIMIT_CONTENT_BYTES } from "./limits.ts";
import type { ParametersContext } from "./parameters-context.ts";
import type { ParametersKind } from "./phases.ts";
import { checkRedirectList, checkRedirectValue } from "./redirect-rules.ts";
import type { Place } from "./report.ts";

const CHECKERS: Readonly<Record<ParametersKind, (place: Place, context: ParametersContext) => void>> = {
  block_response: checkBlockResponse,
  skip: checkSkip,
  execute: checkExecute,
  redirect_value: checkRedirectValue,
  redirect_list: checkRedirectList,
  request_headers: checkRequestHeaders,
  response_headers: checkResponseHeaders,
  none: checkNone,
};

/** Actions that mean nothing without their parameters. */
const NEEDS_PARAMETERS: ReadonlySet<ParametersKind> = new Set([
  "skip",
  "execute",
  "redirect_value",
  "redirect_list",
  "request_headers",
  "response_headers",
]);

export function checkActionParameters(place: Place, context: ParametersContext): void {
  const { parameters, action } = context;
  if (!place.isPresent) {
    if (NEEDS_PARAMETERS.has(parameters)) {
      place.report(`action ${action} needs action parameters`, "parameters");
    }
    return;
  }
  if (place.object() !== undefined) CHECKERS[parameters](place, context);
}

function checkNone(place: Place, { action }: ParametersContext): void {
  place.onlyMembers([], `action ${action} takes no action parameters`);
}

const STATUS_CODES = { min: 400, max: 499 };
const CONTENT_TYPES = ["text/html", "text/plain", "application/json", "text/xml"] as const;

function checkBlockResponse(place: Place, { phase }: ParametersContext): void {
  place.onlyMembers(["response"], "action block takes only `response`");
  const response = place.member("response");
  if (response.object({ required: false }) === undefined) return;
  response.member("status_code").integer(STATUS_CODES);
  response.member("content_type").oneOf(CONTENT_TYPES);
  const content = response.member("content");
  const maxBytes = phase === "http_ratelimit" ? MAX_RATELIMIT_CONTENT_BYTES : MAX_BLOCK_CONTENT_BYTES;
  const text = content.string({ max: maxBytes });
  if (text !== undefined && utf8Length(text) > maxBytes) {
    content.report(`it must have at most ${maxBytes} bytes in UTF-8`);
  }
}

const encoder = new TextEncoder();
const utf8Length = (text: string): number => encoder.encode(text).length;

const SKIP_PHASES = ["http_ratelimit", "http_request_sbfm", "http_request_firewall_managed"] as const;
const SKIP_PRODUCTS = ["zoneLockdown", "uaBlock", "bic", "hot", "securityLevel", "rateLimit", "waf"] as const;
const SKIP_MEMBERS = ["ruleset", "phase", "phases", "products", "rules", "rulesets"] as const;
const MAX_SKIPPED = 1000;

function checkSkip(place: Place, { kind }: ParametersContext): void {
  place.onlyMembers(SKIP_MEMBERS, `action skip takes only ${SKIP_MEMBERS.join(", ")}`);
  if (!SKIP_MEMBERS.some((name) => place.member(name).isPresent)) {
    place.report(`action skip needs one of ${SKIP_MEMBERS.join(", ")}`, "parameters");
  }
  place.member("ruleset").oneOf(["current"], { required: false });
  const phase = place.member("phase");
  phase.oneOf(["current"], { required: false });
  if (phase.isPresent && kind !== "zone") {
    phase.report("only rules of a zone can skip the rest of their phase", "parameters");
  }
  for (const item of arrayOf(place.member("phases"))) item.oneOf(SKIP_PHASES);
  for (const item of arrayOf(place.member("products"))) item.oneOf(SKIP_PRODUCTS);
  for (const item of arrayOf(place.member("rulesets"))) checkId(item);
  const rules = place.member("rules");
  if (rules.object({ required: false }) === undefined) return;
  for (const [, ids] of rules.members()) for (const item of arrayOf(ids)) checkId(item);
}

const arrayOf = (place: Place): readonly Place[] =>
  place.isPresent ? (place.array({ min: 1, max: MAX_SKIPPED }) ?? []) : [];

function checkId(place: Place): void {
  const id = place.string({ max: 32 });
  if (id !== undefined && !/^[0-9a-f]{32}$/.test(id)) {
    place.report("it must have 32 lower-case hexadecimal digits");
  }
}

/** Whether the named ruleset exists is checked where the rulesets are known. */
function checkExecute(place: Place): void {
  place.onlyMembers(["id"], "Stepgate executes custom rulesets as they are: action execute takes only `id`");
  checkId(place.member("id"));
}
