/** Header modifications: which headers a rule may touch, and with what (product pages "Request/Response Header Modification"). */
import type { ParametersContext } from "./parameters-context.ts";
import {
  MAX_EXPRESSION_LENGTH,
  MAX_HEADER_NAME_LENGTH,
  MAX_HEADER_VALUE_LENGTH,
  MAX_HEADERS_PER_RULE,
} from "./limits.ts";
import type { Place } from "./report.ts";

type HeaderOperation = "set" | "add" | "remove";

/** What is refused for a header: all operations, or all but removing it. */
interface OffLimits {
  readonly removable: boolean;
  readonly reason: string;
}

interface HeaderRules {
  readonly operations: readonly HeaderOperation[];
  readonly offLimits: (name: string) => OffLimits | undefined;
}

const NAME = /^[A-Za-z0-9_-]+$/;
/** Letters, digits, space and the punctuation that the product lists; nothing that ends a header line. */
const VALUE = /^[A-Za-z0-9 _:;.,\\/"'?!(){}[\]@<>=\-+*#$&`|~^%]*$/;

const FORBIDDEN: OffLimits = {
  removable: false,
  reason: "the connection or the message's framing depends on it",
};
const FACT: OffLimits = { removable: false, reason: "Stepgate states it for the origin" };
const REMOVABLE_FACT: OffLimits = { ...FACT, removable: true };

/** RFC 9110 section 7.6.1 and RFC 9113 section 8.2.2: fields of one connection. */
const CONNECTION_HEADERS = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "http2-settings",
] as const;

const named = (names: readonly string[], rule: OffLimits): readonly (readonly [string, OffLimits])[] =>
  names.map((name) => [name, rule]);

const REQUEST_HEADERS: ReadonlyMap<string, OffLimits> = new Map([
  ...named([...CONNECTION_HEADERS, "host", "accept-encoding", "content-encoding", "expect"], FORBIDDEN),
  ...named(
    [
      "x-forwarded-for",
      "x-forwarded-proto",
      "x-forwarded-host",
      "forwarded",
      "x-real-ip",
      "true-client-ip",
      "via",
    ],
    FACT,
  ),
  ["cookie", { removable: true, reason: "it can be removed but not set" }],
  ["cf-connecting-ip", REMOVABLE_FACT],
]);

const RESPONSE_HEADERS: ReadonlyMap<string, OffLimits> = new Map([
  ...named([...CONNECTION_HEADERS, "content-encoding", "content-range"], FORBIDDEN),
  ...named(["server", "eh-cache-tag", "eh-cdn-cache-control"], {
    removable: false,
    reason: "the product lets no rule touch it",
  }),
]);

/** Names that belong to the product on the wire. */
const RESERVED_PREFIXES = ["cf-", "x-cf-", "stepgate-", "x-stepgate-"] as const;

const offLimitsIn =
  (table: ReadonlyMap<string, OffLimits>) =>
  (name: string): OffLimits | undefined =>
    table.get(name) ??
    (RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))
      ? { removable: false, reason: `names that start with ${RESERVED_PREFIXES.join(", ")} are reserved` }
      : undefined);

const REQUEST_RULES: HeaderRules = {
  operations: ["set", "remove"],
  offLimits: offLimitsIn(REQUEST_HEADERS),
};

const RESPONSE_RULES: HeaderRules = {
  operations: ["set", "add", "remove"],
  offLimits: offLimitsIn(RESPONSE_HEADERS),
};

export function checkRequestHeaders(place: Place, context: ParametersContext): void {
  checkHeaders(place, context, REQUEST_RULES);
}

export function checkResponseHeaders(place: Place, context: ParametersContext): void {
  checkHeaders(place, context, RESPONSE_RULES);
}

function checkHeaders(place: Place, context: ParametersContext, rules: HeaderRules): void {
  const { phase } = context;
  if (place.member("uri").isPresent) {
    place
      .member("uri")
      .report(
        `${phase} changes headers only; URL rewrites belong to http_request_transform, which Stepgate does not run`,
        "not_supported",
      );
  }
  place.onlyMembers(["headers", "uri"], "action rewrite takes only `headers`");
  const headers = place.member("headers");
  if (headers.object() === undefined) return;
  const members = headers.members();
  if (members.length === 0) headers.report("it must name at least one header");
  if (members.length > MAX_HEADERS_PER_RULE) {
    headers.report(`it must name at most ${MAX_HEADERS_PER_RULE} headers`);
    return;
  }
  const seen = new Set<string>();
  for (const [name, header] of members) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) header.report("another spelling of the same header is there too", "duplicate");
    seen.add(lower);
    checkHeader(name, header, context, rules);
  }
}

function checkHeader(name: string, place: Place, context: ParametersContext, rules: HeaderRules): void {
  if (!NAME.test(name) || name.length > MAX_HEADER_NAME_LENGTH) {
    place.report(`a header name has 1 to ${MAX_HEADER_NAME_LENGTH} letters, digits, \`-\` and \`_\``);
    return;
  }
  if (place.object() === undefined) return;
  const operation = place.member("operation").oneOf(rules.operations);
  if (operation === undefined) return;
  const offLimits = rules.offLimits(name.toLowerCase());
  if (offLimits !== undefined && !(operation === "remove" && offLimits.removable)) {
    place.report(`the header \`${name}\` cannot be changed: ${offLimits.reason}`);
    return;
  }
  if (operation === "remove") place.onlyMembers(["operation"], "operation remove takes nothing else");
  else checkHeaderValue(place, context);
}

function checkHeaderValue(place: Place, { expressions, phase }: ParametersContext): void {
  place.onlyMembers(
    ["operation", "value", "expression"],
    "a header takes only `operation` and one of `value` and `expression`",
  );
  const value = place.member("value");
  const expression = place.member("expression");
  if (value.isPresent === expression.isPresent) {
    place.report("expected exactly one of `value` and `expression`", "parameters");
    return;
  }
  const text = value.string({ max: MAX_HEADER_VALUE_LENGTH, required: false });
  if (text !== undefined && !VALUE.test(text)) {
    value.report("a header value has letters, digits, spaces and ASCII punctuation only");
  }
  const source = expression.string({ max: MAX_EXPRESSION_LENGTH, required: false });
  if (source !== undefined) expressions.text(expression, source, phase);
}
