/** Functions, beyond what the vectors have of them. */
import { createHash, createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64, encodeBase64 } from "../../src/expression/functions/base64.ts";
import { evaluate, evaluateValue, type Json } from "./support.ts";

const RAW = "http.request.body.raw";

describe("values", () => {
  test.each<readonly [source: string, ctx: Readonly<Record<string, Json>>, value: Json]>([
    [`substring(${RAW}, -3, -1)`, { [RAW]: "asdfghjk" }, "hj"],
    [`substring(${RAW}, 5, 2)`, { [RAW]: "asdfghjk" }, ""],
    [`substring(${RAW}, 100)`, { [RAW]: "asdfghjk" }, ""],
    [`substring(${RAW}, -100)`, { [RAW]: "asdfghjk" }, "asdfghjk"],
    [`substring(${RAW}, -9223372036854775808, 9223372036854775807)`, { [RAW]: "ab" }, "ab"],
    [`substring(${RAW}, len(http.host))`, { [RAW]: "asdf", "http.host": "x" }, "sdf"],
    [`substring(${RAW}, 0, len(http.host))`, { [RAW]: "asdf" }, null],
    [`substring(${RAW}, len(http.host))`, { [RAW]: "asdf" }, null],
    [
      `to_string(cf.threat_score)`,
      { "cf.threat_score": { $int: "9223372036854775807" } },
      "9223372036854775807",
    ],
    [`to_string(ip.src)`, { "ip.src": "2001:db8:0:0:1:0:0:1" }, "2001:db8::1:0:0:1"],
    [`to_string(ip.src)`, { "ip.src": "::ffff:1.2.3.4" }, "::ffff:1.2.3.4"],
    [`to_string(ip.src)`, { "ip.src": "::" }, "::"],
    [`upper(http.host)`, { "http.host": "aéz" }, "AéZ"],
    [`url_decode(${RAW})`, { [RAW]: "a+b%20c%2G%" }, "a b c%2G%"],
    [`url_decode(${RAW}, "u")`, { [RAW]: "%u00e9%41" }, "éA"],
    [`url_decode(${RAW})`, { [RAW]: "%u00e9" }, "%u00e9"],
    [`url_decode(${RAW}, "ur")`, { [RAW]: "%2575D55C" }, "%75D55C".replace("%75", "u")],
    [`url_decode(${RAW}, "r")`, { [RAW]: "%252525252525252525252525252541" }, "%2525252541"],
    [`decode_base64(${RAW})`, { [RAW]: "-_8=" }, { $hex: "fbff" }],
    [`decode_base64(${RAW})`, { [RAW]: "a" }, null],
    [`decode_base64(${RAW})`, { [RAW]: "a?==" }, null],
    [`decode_base64(${RAW})`, { [RAW]: "YQ=" }, null],
    [`encode_base64(${RAW}, "up")`, { [RAW]: { $hex: "fb" } }, "-w=="],
    [`remove_bytes(${RAW}, "aé")`, { [RAW]: "abéc" }, "bc"],
    [`remove_query_args(${RAW}, "a")`, { [RAW]: "a&a=1&b=a&=a" }, "b=a&=a"],
    [`split(${RAW}, "é", 9)`, { [RAW]: "aébéc" }, ["a", "b", "c"]],
    [`split(${RAW}, ",", 9)`, { [RAW]: "" }, [""]],
    [`join(cf.sequence.previous_ops, "")`, { "cf.sequence.previous_ops": [] }, ""],
    [`join(cf.sequence.previous_ops, http.host)`, { "cf.sequence.previous_ops": [] }, null],
    [`concat(http.host, "")`, { "http.host": "" }, ""],
    [`regex_replace(http.host, "(a)(b)?", "<\${2}\${1}>")`, { "http.host": "xay" }, "x<a>y"],
    [`regex_replace(http.host, "a", "$\${9")`, { "http.host": "a" }, "${9"],
    [`regex_replace("/foo/bar", "/bar$", "/baz")`, {}, "/foo/baz"],
    [`regex_replace(http.host, "", "x")`, { "http.host": "ab" }, "xab"],
    [`regex_replace(http.host, "a", "b")`, {}, null],
    [`wildcard_replace(http.host, "A*", "\${1}", "s")`, { "http.host": "ab" }, "ab"],
    [`wildcard_replace(http.host, "a*", "\${2}")`, { "http.host": "ab" }, ""],
    [`wildcard_replace(http.host, "a*", "x")`, {}, null],
    [`lookup_json_string(${RAW}, "a")`, { [RAW]: '{"a":1}' }, null],
    [`lookup_json_string(${RAW}, "é")`, { [RAW]: '{"é":"ü"}' }, "ü"],
    [`lookup_json_string(${RAW}, "toString")`, { [RAW]: "{}" }, null],
    [`lookup_json_string(${RAW}, "__proto__")`, { [RAW]: '{"__proto__":"x"}' }, "x"],
    [`lookup_json_string(${RAW}, "length")`, { [RAW]: '["a"]' }, null],
    [`lookup_json_string(${RAW}, 0)`, { [RAW]: '{"0":"a"}' }, null],
    [`lookup_json_string(${RAW}, 5)`, { [RAW]: '["a"]' }, null],
    [`lookup_json_string(${RAW}, "a")`, { [RAW]: { $hex: "7b2261223a22ff227d" } }, null],
    [`lookup_json_string(${RAW}, "a")`, { [RAW]: "null" }, null],
    [
      `lookup_json_integer(${RAW}, "a")`,
      { [RAW]: '{"a":9223372036854775807}' },
      { $int: "9223372036854775807" },
    ],
    [`lookup_json_integer(${RAW}, "a")`, { [RAW]: '{"a":9223372036854775808}' }, null],
    [`lookup_json_integer(${RAW}, "a")`, { [RAW]: '{"a":1.0}' }, null],
    [`lookup_json_integer(${RAW}, "a")`, { [RAW]: '{"a":1e2}' }, null],
    [`lookup_json_integer(${RAW}, "a")`, { [RAW]: '{"a":"1"}' }, null],
    [`lookup_json_integer(${RAW}, "a")`, { [RAW]: '{"a":-5}' }, -5],
    [`lookup_json_integer(${RAW}, "a")`, {}, null],
    [`cidr(ip.src, 24, 33)`, { "ip.src": "2001:db8:ffff::1" }, "2001:db8:8000::"],
    [`cidr6(ip.src, 1)`, { "ip.src": "ffff::" }, "8000::"],
    [`cidr6(ip.src, 1)`, {}, null],
    [`cidr(ip.src, 1, 1)`, {}, null],
    [`uuidv4(http.host)`, { "http.host": "0123456789abcdef0" }, "30313233-3435-4637-b839-616263646566"],
    [`uuidv4(http.host)`, { "http.host": "short" }, null],
    [`uuidv4(http.host)`, {}, null],
    [`sha256(http.host)`, {}, null],
    [`len(url_decode(cf.sequence.previous_ops[9]))`, { "cf.sequence.previous_ops": [] }, null],
  ])("%s of %j is %j", (source, ctx, value) => {
    expect(evaluateValue(source, ctx)).toEqual(value);
  });

  test("sha256 is SHA-256", () => {
    const hex = createHash("sha256").update("é").digest("hex");
    expect(evaluateValue("sha256(http.host)", { "http.host": "é" })).toEqual({ $hex: hex });
  });

  test("a document that is too large, or too deep, is missing", () => {
    const source = `lookup_json_string(${RAW}, "a")`;
    expect(evaluateValue(source, { [RAW]: `{"a":"${"x".repeat(1 << 20)}"}` })).toBeNull();
    expect(evaluateValue(source, { [RAW]: "[".repeat(500_000) })).toBeNull();
    expect(evaluateValue(source, { [RAW]: `${"[".repeat(200_000)}${"]".repeat(200_000)}` })).toBeNull();
  });
});

describe("booleans", () => {
  test.each<readonly [source: string, ctx: Readonly<Record<string, Json>>, result: boolean]>([
    [`has_key(http.request.headers, "__proto__")`, { "http.request.headers": { a: ["x"] } }, false],
    [
      `has_key(http.request.headers, http.host)`,
      { "http.request.headers": { a: ["x"] }, "http.host": "a" },
      true,
    ],
    [`has_key(http.request.headers, http.host)`, { "http.request.headers": { a: ["x"] } }, false],
    [`has_value(cf.bot_management.detection_ids, 5)`, { "cf.bot_management.detection_ids": [4, 5] }, true],
    [`has_value(cf.bot_management.detection_ids, 5)`, { "cf.bot_management.detection_ids": [4] }, false],
    [`has_value(cf.sequence.msec_since_op, 7)`, { "cf.sequence.msec_since_op": { a: 7 } }, true],
    [
      `has_value(http.request.body.multipart.names, http.request.headers.names)`,
      { "http.request.body.multipart.names": [["a"], ["a", "b"]], "http.request.headers.names": ["a", "b"] },
      true,
    ],
    [
      `has_value(http.request.body.multipart.names, http.request.headers.names)`,
      { "http.request.body.multipart.names": [["a"]], "http.request.headers.names": ["a", "b"] },
      false,
    ],
    [`starts_with(http.host, cf.sequence.previous_ops[9])`, { "http.host": "a" }, false],
    [`ends_with(http.host, "")`, { "http.host": "a" }, true],
  ])("%s of %j is %s", (source, ctx, result) => {
    expect(evaluate(source, ctx)).toBe(result);
  });
});

function tokenCheck(rest: string): string {
  return `is_timed_hmac_valid_v0("secretKey", http.request.uri, 10800, ${rest})`;
}

describe("is_timed_hmac_valid_v0", () => {
  const issued = 1_484_063_787;
  const now = "http.request.timestamp.sec";
  const mac = createHmac("sha256", "secretKey").update(`/download/cat.jpg${issued}`).digest("base64");
  const uri = `/download/cat.jpg?verify=${issued}-${encodeURIComponent(mac)}`;

  test("a token made as the product page says holds", () => {
    expect(evaluate(tokenCheck(`${now}, 8`), { "http.request.uri": uri, [now]: issued + 10_799 })).toBe(true);
  });

  test.each([
    ["it has expired", uri, issued + 10_800],
    ["the message was changed", uri.replace("cat", "dog"), issued],
    ["the time was changed", uri.replace(String(issued), String(issued + 1)), issued],
    ["the code was changed", uri.replace(/-./, "-_"), issued],
    ["the code is cut", uri.slice(0, -8), issued],
    ["there is no message", uri.slice("/download/cat.jpg".length), issued],
    ["there is no token", "/download/cat.jpg", issued],
  ])("not valid when %s", (_, value, at) => {
    expect(evaluate(tokenCheck(`${now}, 8`), { "http.request.uri": value, [now]: at })).toBe(false);
  });

  test("URL-safe codes have a flag of their own", () => {
    const safe = `m${issued}-${createHmac("sha256", "secretKey").update(`m${issued}`).digest("base64url")}`;
    const ctx = { "http.request.uri": safe, [now]: issued };
    expect(evaluate(tokenCheck(`${now}, 0, "s"`), ctx)).toBe(true);
    expect(evaluate(tokenCheck(now), { [now]: issued })).toBe(false);
  });
});

describe("base64", () => {
  const bytes = fc.uint8Array().map((array) => String.fromCharCode(...array));

  test("agrees with Node's, in both alphabets and with padding or without", () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const buffer = Buffer.from(value, "latin1");
        expect(encodeBase64(value, { urlSafe: false, padded: true })).toBe(buffer.toString("base64"));
        expect(encodeBase64(value, { urlSafe: true, padded: false })).toBe(buffer.toString("base64url"));
      }),
    );
  });

  test("decodes what it encoded", () => {
    fc.assert(
      fc.property(bytes, fc.boolean(), fc.boolean(), (value, urlSafe, padded) => {
        expect(decodeBase64(encodeBase64(value, { urlSafe, padded }))).toBe(value);
      }),
    );
  });
});
