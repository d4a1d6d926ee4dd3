/** The `ratelimit` block of a rule (spec: WAF, rate limiting parameters). */
import { parseValue, ExpressionError } from "../expression/index.ts";
import type { ExpressionChecker } from "./expression-check.ts";
import { schemeFor } from "./fields.ts";
import { MAX_CHARACTERISTICS, MAX_EXPRESSION_LENGTH, MAX_HEADER_NAME_LENGTH } from "./limits.ts";
import type { Place } from "./report.ts";
import { STATE_ERROR_POLICIES } from "./types.ts";

/** Seconds. The product offers these by plan; nothing in counting asks for round numbers, so all between are taken. */
const PERIOD = { min: 1, max: 86_400 };
const MITIGATION_TIMEOUT = { min: 0, max: 86_400, required: false };
const REQUESTS = { min: 1, max: 1_000_000_000, required: false };
/** What an origin may report with one response (product page "Complexity-based rate limiting"). */
const SCORE = { min: 1, max: 1_000_000_000, required: false };

const HEADER_NAME = /^[A-Za-z0-9_-]+$/;

/** One process counts as one data centre; the characteristic stays required so that rules work in both products. */
const DATA_CENTRE = "cf.colo.id";

export function checkRatelimit(place: Place, expressions: ExpressionChecker): void {
  if (place.object() === undefined) return;
  checkCharacteristics(place.member("characteristics"));
  place.member("period").integer(PERIOD);
  place.member("mitigation_timeout").integer(MITIGATION_TIMEOUT);
  place.member("requests_to_origin").boolean();
  place.member("on_state_error").oneOf(STATE_ERROR_POLICIES, { required: false });
  const counting = place.member("counting_expression");
  const source = counting.string({ max: MAX_EXPRESSION_LENGTH, required: false });
  if (source !== undefined) expressions.counting(counting, source);
  checkThreshold(place);
}

/** Either requests are counted, or scores of the origin are added up. */
function checkThreshold(place: Place): void {
  const requests = place.member("requests_per_period");
  const score = place.member("score_per_period");
  const header = place.member("score_response_header_name");
  requests.integer(REQUESTS);
  score.integer(SCORE);
  const name = header.string({ min: 1, max: MAX_HEADER_NAME_LENGTH, required: false });
  if (name !== undefined && !HEADER_NAME.test(name)) {
    header.report("it must consist of letters, digits, `-` and `_`");
  }
  if (requests.isPresent && score.isPresent) {
    score.report("a rule counts requests or scores, not both; leave out one", "parameters");
  }
  if (!requests.isPresent && !score.isPresent) {
    requests.report("it is required; expected an integer (or `score_per_period`)", "missing");
  }
  if (score.isPresent && !header.isPresent) {
    header.report("it is required with `score_per_period`; expected the name of a header", "missing");
  }
}

function checkCharacteristics(place: Place): void {
  const items = place.array({ min: 1, max: MAX_CHARACTERISTICS });
  if (items === undefined) return;
  const seen = new Set<string>();
  for (const item of items) {
    const name = item.string({ min: 1, max: MAX_EXPRESSION_LENGTH });
    if (name === undefined) continue;
    if (seen.has(name)) item.report("another characteristic of the rule is the same", "duplicate");
    seen.add(name);
    if (name !== DATA_CENTRE) checkCharacteristic(item, name);
  }
  if (!seen.has(DATA_CENTRE)) {
    place.report(`it must contain \`${DATA_CENTRE}\``, "missing");
  }
  if (seen.has("ip.src") && seen.has("cf.unique_visitor_id")) {
    place.report("`cf.unique_visitor_id` cannot stand beside `ip.src`");
  }
}

/** A header is named in lower case, because that is how the map of headers has it. */
const UPPER_CASE_HEADER = /^http\.request\.headers\["[^"]*[A-Z][^"]*"\]/;

function checkCharacteristic(item: Place, name: string): void {
  if (name === "cf.unique_visitor_id") {
    item.report(
      "Stepgate sets no visitor cookie; use `ip.src`, a header, a cookie or another field",
      "not_supported",
    );
    return;
  }
  if (UPPER_CASE_HEADER.test(name)) {
    item.report("header names have to be in lower case");
    return;
  }
  try {
    parseValue(name, schemeFor("http_ratelimit"));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    item.report(`it is no field or function of a request: ${error.message}`, "not_supported");
  }
}
