/** Redirects: single ones with a target of their own, and bulk ones through a list. */
import { necessaryListTests } from "./list-test.ts";
import type { ParametersContext } from "./parameters-context.ts";
import { MAX_ALLOWED_HOSTS, MAX_EXPRESSION_LENGTH, MAX_LIST_NAME_LENGTH, MAX_URL_LENGTH } from "./limits.ts";
import type { Place } from "./report.ts";

const SINGLE_STATUS_CODES = [301, 302, 303, 307, 308] as const;

/** `http_request_dynamic_redirect`: `from_value`. */
export function checkRedirectValue(place: Place, { expressions, phase }: ParametersContext): void {
  place.onlyMembers(["from_value"], `redirects of ${phase} take only \`from_value\``);
  const from = place.member("from_value");
  if (from.object() === undefined) return;
  from.member("status_code").oneOf(SINGLE_STATUS_CODES, { required: false });
  from.member("preserve_query_string").boolean();
  checkAllowedHosts(from.member("allowed_hosts"));
  const target = from.member("target_url");
  if (target.object() === undefined) return;
  const value = target.member("value");
  const expression = target.member("expression");
  if (value.isPresent === expression.isPresent) {
    target.report("expected exactly one of `value` and `expression`", "parameters");
    return;
  }
  const url = value.string({ min: 1, max: MAX_URL_LENGTH, required: false });
  if (url !== undefined) checkStaticTarget(value, url);
  const source = expression.string({ max: MAX_EXPRESSION_LENGTH, required: false });
  if (source !== undefined) expressions.text(expression, source, phase);
}

/** Our own: hosts that a computed target may lead to, beside those of the site and those written in the expression. */
function checkAllowedHosts(place: Place): void {
  if (!place.isPresent) return;
  for (const item of place.array({ max: MAX_ALLOWED_HOSTS }) ?? []) {
    const host = item.string({ min: 1, max: 253 });
    if (host !== undefined && URL.parse(`https://${host}/`)?.hostname !== host) {
      item.report("it must be a host name in lower case, without scheme, port and path");
    }
  }
}

/**
 * A static target is an absolute http(s) URL, or a path of the same site. Spellings that browsers read as another
 * host (`//evil`, `/\evil`, `https:evil`) are no paths.
 */
function checkStaticTarget(place: Place, text: string): void {
  if (/[\u0000-\u0020\u007f]/.test(text)) {
    place.report("it must not contain spaces or control characters; percent-encode them");
    return;
  }
  if (/^\/(?![/\\])/.test(text)) return;
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) {
    place.report("it must be an absolute http or https URL, or a path that starts with a single `/`");
  } else if (url.username !== "" || url.password !== "") {
    place.report("it must not contain a user name or password");
  }
}

const LIST_KEYS = ["http.request.full_uri", "raw.http.request.full_uri"] as const;

/** `http_request_redirect`: `from_list`. */
export function checkRedirectList(place: Place, context: ParametersContext): void {
  place.onlyMembers(["from_list"], `redirects of ${context.phase} take only \`from_list\``);
  const from = place.member("from_list");
  if (from.object() === undefined) return;
  const key = from.member("key").oneOf(LIST_KEYS);
  const namePlace = from.member("name");
  const name = namePlace.string({ min: 1, max: MAX_LIST_NAME_LENGTH });
  if (name !== undefined && !/^[a-zA-Z0-9_]+$/.test(name)) {
    namePlace.report("it must consist of letters, digits and `_`");
  } else if (name !== undefined && key !== undefined && context.expression !== undefined) {
    // The list gives the target, so that a request outside it would have none.
    if (!necessaryListTests(context.expression).some((test) => test.list === name && test.field === key)) {
      namePlace.report(
        `the rule's expression has to require \`${key} in $${name}\`, with the same field and list`,
        "parameters",
      );
    }
  }
}
