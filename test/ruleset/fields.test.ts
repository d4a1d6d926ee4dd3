/** The field table: types as in the conformance set, phases as in the documents. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ExpressionError, parseFilter, type Scheme } from "../../src/expression/index.ts";
import {
  EVERY_FIELD,
  FIELD_SLOTS,
  fieldSlot,
  PHASES,
  schemeFor,
  type Phase,
} from "../../src/ruleset/index.ts";

function codeOf(source: string, scheme: Scheme): string {
  try {
    parseFilter(source, scheme);
    return "fine";
  } catch (error) {
    if (error instanceof ExpressionError) {
      return error.code;
    }
    throw error;
  }
}

function messageOf(source: string, scheme: Scheme): string {
  try {
    parseFilter(source, scheme);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const SEQUENCE_PHASES: ReadonlySet<Phase> = new Set<Phase>([
  "http_request_firewall_custom",
  "http_ratelimit",
  "http_request_redirect",
  "http_request_late_transform",
]);

test("the fields of the conformance set have its types", () => {
  const types = JSON.parse(
    readFileSync(new URL("../vectors/language-fields.json", import.meta.url), "utf8"),
  ) as Readonly<Record<string, string>>;
  const ours = Object.fromEntries(
    Object.keys(types).map((name) => [name, EVERY_FIELD.fields.get(name)?.type]),
  );
  expect(ours).toEqual(types);
});

describe("slots", () => {
  test("are the same in every phase, and in every scheme each field is known", () => {
    for (const scheme of [
      EVERY_FIELD,
      ...PHASES.flatMap((phase) => [schemeFor(phase), schemeFor(phase, { counting: true })]),
    ]) {
      const slots = [...scheme.fields.values()].map(({ name, slot }) => [name, slot]);
      expect(slots).toEqual([...FIELD_SLOTS]);
    }
  });

  test("of a field that may be used is asked by name", () => {
    expect(schemeFor("http_request_firewall_custom").slotOf("ssl")).toBe(fieldSlot("ssl"));
    expect(schemeFor("http_request_dynamic_redirect").slotOf("cf.sequence.current_op")).toBeUndefined();
  });

  test("an unknown field is a programmer's mistake", () => {
    expect(() => fieldSlot("http.hots")).toThrow(TypeError);
    expect(() => fieldSlot("http.hots")).toThrow("expected the name of a field, found `http.hots`");
  });
});

describe("sequence fields", () => {
  const uses = [
    'cf.sequence.current_op eq "a"',
    'any(cf.sequence.previous_ops[*] == "a")',
    'cf.sequence.msec_since_op["a"] ge 1',
    'cf.sequence.id ne ""',
  ];

  test.each(PHASES)("in %s", (phase) => {
    const expected = SEQUENCE_PHASES.has(phase) ? "fine" : "unavailable_field";
    expect(uses.map((source) => codeOf(source, schemeFor(phase)))).toEqual(uses.map(() => expected));
  });

  test("elsewhere the message names their phases", () => {
    expect(messageOf(uses[0] ?? "", schemeFor("http_request_dynamic_redirect"))).toBe(
      "`cf.sequence.current_op` is not available: phase `http_request_dynamic_redirect` does not have it; it can be used in `http_request_firewall_custom`, `http_ratelimit`, `http_request_redirect`, `http_request_late_transform`",
    );
  });
});

describe("response fields", () => {
  const source = "http.response.code ge 400";

  test.each(PHASES)("in %s", (phase) => {
    const isResponse = phase === "http_response_headers_transform";
    expect(codeOf(source, schemeFor(phase))).toBe(isResponse ? "fine" : "unavailable_field");
  });

  test("in counting expressions, which are evaluated when the response is known", () => {
    expect(codeOf(source, schemeFor("http_ratelimit", { counting: true }))).toBe("fine");
    expect(codeOf('cf.sequence.current_op eq "a"', schemeFor("http_ratelimit", { counting: true }))).toBe(
      "fine",
    );
    expect(messageOf(source, schemeFor("http_ratelimit"))).toContain(
      "it can be used in `http_response_headers_transform` and in counting expressions",
    );
  });
});

test.each(PHASES)("request fields are there in %s", (phase) => {
  const sources = [
    'http.host eq "a"',
    'raw.http.request.uri.path contains "%2e"',
    "ip.src in {10.0.0.0/8}",
    "ssl",
    'any(http.request.headers["a"][*] == "b")',
    'any(http.request.cookies["a"][*] == "b")',
    "http.request.timestamp.sec gt 0",
    "cf.edge.server_port eq 443",
    "cf.api_gateway.auth_id_present",
  ];
  expect(sources.map((source) => codeOf(source, schemeFor(phase)))).toEqual(sources.map(() => "fine"));
});

describe("fields without data", () => {
  test.each([
    ['ip.src.country eq "DE"', "it needs a database of places and networks"],
    ["ip.geoip.asnum eq 1", "it needs a database of places and networks"],
    ["cf.bot_management.score lt 30", "it needs bot scores"],
    ["cf.client.bot", "it needs bot scores"],
    ["cf.threat_score gt 10", "it needs attack scores"],
    ["cf.waf.score lt 20", "it needs attack scores"],
    ["cf.api_gateway.request_violates_schema", "it needs the schema validation"],
    ['any(http.request.jwt.claims.aud["t"][*] == "a")', "it needs the token validation"],
    ["cf.tls_client_auth.cert_verified", "it needs client certificates"],
    ['http.request.body.raw contains "<script"', "Stepgate does not read request bodies"],
    ["cf.timings.client_tcp_rtt_msec gt 5", "it needs timings of the connection"],
  ])("%s is refused in every phase, with the reason", (source, reason) => {
    for (const phase of PHASES) {
      expect(codeOf(source, schemeFor(phase))).toBe("unavailable_field");
      expect(messageOf(source, schemeFor(phase))).toContain(reason);
    }
    expect(codeOf(source, EVERY_FIELD)).toBe("fine");
  });
});

test("a misspelt field of another phase is still suggested", () => {
  expect(messageOf('cf.sequence.current_opp eq "a"', schemeFor("http_request_dynamic_redirect"))).toContain(
    "did you mean `cf.sequence.current_op`?",
  );
});

describe("rules as operators paste them from their dashboards", () => {
  const scheme = schemeFor("http_request_firewall_custom");

  test.each([
    '(http.request.uri.path contains "/wp-login.php" and not ip.src in {192.0.2.0/24 2001:db8::/32})',
    'http.request.uri.path matches r"^/(en|de)/api/v\\d+/.*\\.(json|xml)$"',
    '(http.request.method in {"POST" "PUT" "PATCH"}\r\n  and http.host eq "shop.example"\r\n  and not starts_with(http.request.uri.path, "/.well-known/"))',
    'lower(http.user_agent) contains "sqlmap" or http.user_agent eq "" or len(http.user_agent) gt 1000',
    'any(http.request.headers["x-api-key"][*] eq "k") and len(http.request.headers["authorization"]) eq 1',
    'not any(http.request.headers.names[*] eq "accept-language") && ssl',
    'any(lower(http.request.uri.args["debug"][*])[*] in {"1" "true"})',
    'http.cookie contains "session=" and http.referer eq "" and http.request.version in {"HTTP/1.0" "HTTP/1.1"}',
    "cf.edge.server_port in {80 8080..8090} xor not ssl",
    'http.request.uri.query wildcard "*union*select*" or http.request.uri.path.extension in {"php" "asp"}',
    'url_decode(http.request.uri.path, "r") contains ".." or raw.http.request.uri.path contains "%2e"',
    "true",
  ])("%s", (source) => {
    expect(messageOf(source, scheme)).toBe("");
  });

  test.each([
    ["(cf.threat_score gt 14)", "`cf.threat_score` is not available: it needs attack scores"],
    ['ip.geoip.country in {"T1" "XX"}', "`ip.geoip.country` is not available: it needs a database of places"],
    ["(ip.src.asnum in {64496 64511})", "`ip.src.asnum` is not available"],
    ["not cf.client.bot", "`cf.client.bot` is not available: it needs bot scores"],
    ['cf.verified_bot_category eq "Search Engine Crawler"', "it needs bot scores"],
    ["cf.waf.credential_check.password_leaked", "it needs a check for leaked credentials"],
    ["cf.waf.content_scan.has_malicious_obj", "it needs a scan of the uploads"],
    ["cf.llm.prompt.injection_score lt 20", "it needs a scan of prompts"],
    ['cf.colo.name eq "fra01"', "it names a part of Cloudflare's own network"],
    ['cf.zone.plan eq "ENT"', "it names a part of Cloudflare's own network"],
    ['cf.tls_ciphers_sha1 eq "ab"', "it needs the client's TLS handshake"],
    ['cf.tls_client_auth.cert_issuer_dn_rfc2253 eq "CN=a"', "it needs client certificates"],
    ["cf.timings.edge_msec gt 10", "it needs timings of the connection"],
    ['http.request.body.raw contains "x"', "Stepgate does not read request bodies"],
    ['ip.src in $cf.open_proxies and contains(http.host, "a")', "`contains` is an operator"],
    ['http.request.uri.path starts_with "/api/"', "write `starts_with(field, …)`"],
    ["(ip.src eq 192.0.2.0/24)", "a CIDR stands inside `{}`"],
    ['ssl eq true and http.host eq "a"', "a value of type `Bool` stands alone"],
  ])("%s is refused by name", (source, message) => {
    expect(messageOf(source, scheme)).toContain(message);
  });
});
