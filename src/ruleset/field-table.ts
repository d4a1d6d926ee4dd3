/** Every field of the Rules language that Stepgate knows, with its type and where it may be used. */
import type { Type } from "../expression/index.ts";
import { PHASES, type Phase } from "./types.ts";

/** Where a field may be used: phases, or the reason why nowhere. */
export interface FieldRow {
  readonly name: string;
  readonly type: Type;
  readonly phases: readonly Phase[];
  /** Also in counting expressions, which are evaluated when the response is known. */
  readonly inCounting: boolean;
  /** Why the field has no value in Stepgate, whatever the phase. */
  readonly unavailable?: string;
}

type Names = readonly (readonly [name: string, type: Type])[];

/** Phases whose rules may ask for the sequence (product page "Sequence rules"). */
const SEQUENCE_PHASES: readonly Phase[] = [
  "http_request_firewall_custom",
  "http_ratelimit",
  "http_request_redirect",
  "http_request_late_transform",
];
const LANGUAGE_PHASES: readonly Phase[] = [
  "http_request_dynamic_redirect",
  "http_request_late_transform",
  "http_response_headers_transform",
];
const RESPONSE_PHASES: readonly Phase[] = ["http_response_headers_transform"];

const MAP = "Map<Array<Bytes>>";
const LIST = "Array<Bytes>";

/** A map of lists with its `.names` and `.values`. */
const multimap = (name: string): Names => [
  [name, MAP],
  [`${name}.names`, LIST],
  [`${name}.values`, LIST],
];

const url = (prefix: string): Names => [
  [`${prefix}http.request.full_uri`, "Bytes"],
  [`${prefix}http.request.uri`, "Bytes"],
  [`${prefix}http.request.uri.path`, "Bytes"],
  [`${prefix}http.request.uri.path.extension`, "Bytes"],
  [`${prefix}http.request.uri.query`, "Bytes"],
  ...multimap(`${prefix}http.request.uri.args`),
  ...multimap(`${prefix}http.request.headers`),
];

const REQUEST: Names = [
  ["cf.api_gateway.auth_id_present", "Bool"],
  ["cf.edge.client_port", "Int"],
  ["cf.edge.client_tcp", "Bool"],
  ["cf.edge.server_ip", "Ip"],
  ["cf.edge.server_port", "Int"],
  ["cf.random_seed", "Bytes"],
  ["cf.ray_id", "Bytes"],
  ["cf.tls_cipher", "Bytes"],
  ["cf.tls_version", "Bytes"],
  ["cf.zone.name", "Bytes"],
  ["http.cookie", "Bytes"],
  ["http.host", "Bytes"],
  ["http.referer", "Bytes"],
  ["http.request.cookies", MAP],
  ["http.request.headers.truncated", "Bool"],
  ["http.request.method", "Bytes"],
  ["http.request.timestamp.msec", "Int"],
  ["http.request.timestamp.sec", "Int"],
  ["http.request.version", "Bytes"],
  ["http.user_agent", "Bytes"],
  ["http.x_forwarded_for", "Bytes"],
  ["ip.src", "Ip"],
  ["ssl", "Bool"],
  ...url(""),
  ...url("raw."),
];

const SEQUENCE: Names = [
  ["cf.sequence.current_op", "Bytes"],
  /** Our own: identity of the sequence, for counting by visitor. */
  ["cf.sequence.id", "Bytes"],
  ["cf.sequence.msec_since_op", "Map<Int>"],
  ["cf.sequence.previous_ops", LIST],
];

const RESPONSE: Names = [
  ["http.response.code", "Int"],
  ["http.response.content_type.media_type", "Bytes"],
  ...multimap("http.response.headers"),
  ...multimap("raw.http.response.headers"),
];

const nested = "Array<Array<Bytes>>";

/** Known to the product, but without data here: refused by name, with the reason. */
const UNAVAILABLE: readonly (readonly [reason: string, names: Names])[] = [
  [
    "it needs a database of places and networks, which Stepgate does not have",
    ["ip.src", "ip.geoip"].flatMap((prefix): Names => [
      [`${prefix}.asnum`, "Int"],
      [`${prefix}.city`, "Bytes"],
      [`${prefix}.continent`, "Bytes"],
      [`${prefix}.country`, "Bytes"],
      [`${prefix}.is_in_european_union`, "Bool"],
      [`${prefix}.lat`, "Bytes"],
      [`${prefix}.lon`, "Bytes"],
      [`${prefix}.metro_code`, "Bytes"],
      [`${prefix}.postal_code`, "Bytes"],
      [`${prefix}.region`, "Bytes"],
      [`${prefix}.region_code`, "Bytes"],
      [`${prefix}.subdivision_1_iso_code`, "Bytes"],
      [`${prefix}.subdivision_2_iso_code`, "Bytes"],
      [`${prefix}.timezone.name`, "Bytes"],
    ]),
  ],
  [
    "it needs bot scores, which Stepgate does not have",
    [
      ["cf.bot_management.corporate_proxy", "Bool"],
      ["cf.bot_management.detection_ids", "Array<Int>"],
      ["cf.bot_management.ja3_hash", "Bytes"],
      ["cf.bot_management.ja4", "Bytes"],
      ["cf.bot_management.js_detection.passed", "Bool"],
      ["cf.bot_management.score", "Int"],
      ["cf.bot_management.static_resource", "Bool"],
      ["cf.bot_management.verified_bot", "Bool"],
      ["cf.client.bot", "Bool"],
      ["cf.verified_bot_category", "Bytes"],
    ],
  ],
  [
    "it needs attack scores, which Stepgate does not have",
    [
      ["cf.threat_score", "Int"],
      ["cf.waf.score", "Int"],
      ["cf.waf.score.class", "Bytes"],
      ["cf.waf.score.rce", "Int"],
      ["cf.waf.score.sqli", "Int"],
      ["cf.waf.score.xss", "Int"],
    ],
  ],
  [
    "it needs the schema validation of API Shield, which Stepgate does not have",
    [
      ["cf.api_gateway.fallthrough_detected", "Bool"],
      ["cf.api_gateway.request_violates_schema", "Bool"],
    ],
  ],
  [
    "it needs the token validation of API Shield, which Stepgate does not have",
    [
      ...["aud", "iss", "jti", "sub"].flatMap((claim): Names => multimap(`http.request.jwt.claims.${claim}`)),
      ...["iat", "nbf"].flatMap((claim): Names => [
        [`http.request.jwt.claims.${claim}.sec`, "Map<Array<Int>>"],
        [`http.request.jwt.claims.${claim}.sec.names`, LIST],
        [`http.request.jwt.claims.${claim}.sec.values`, "Array<Int>"],
      ]),
    ],
  ],
  [
    "it needs client certificates, which Stepgate does not ask for",
    [
      ["cf.tls_client_auth.cert_fingerprint_sha256", "Bytes"],
      ["cf.tls_client_auth.cert_issuer_dn", "Bytes"],
      ["cf.tls_client_auth.cert_presented", "Bool"],
      ["cf.tls_client_auth.cert_revoked", "Bool"],
      ["cf.tls_client_auth.cert_serial", "Bytes"],
      ["cf.tls_client_auth.cert_subject_dn", "Bytes"],
      ["cf.tls_client_auth.cert_verified", "Bool"],
    ],
  ],
  [
    "it needs timings of the connection, which Node.js does not tell",
    [
      ["cf.timings.client_quic_rtt_msec", "Int"],
      ["cf.timings.client_tcp_rtt_msec", "Int"],
      ["cf.timings.client_tls_handshake_msec", "Int"],
      ["cf.timings.origin_ttfb_msec", "Int"],
    ],
  ],
  [
    "Stepgate does not read request bodies",
    [
      ...multimap("http.request.body.form"),
      ["http.request.body.mime", "Bytes"],
      ["http.request.body.raw", "Bytes"],
      ["http.request.body.size", "Int"],
      ["http.request.body.truncated", "Bool"],
      ["http.request.body.multipart", MAP],
      ["http.request.body.multipart.content_dispositions", nested],
      ["http.request.body.multipart.content_transfer_encodings", nested],
      ["http.request.body.multipart.content_types", nested],
      ["http.request.body.multipart.filenames", nested],
      ["http.request.body.multipart.names", nested],
      ["http.request.body.multipart.values", LIST],
    ],
  ],
  [
    "it names errors of Cloudflare's own servers",
    [
      ["cf.response.1xxx_code", "Int"],
      ["cf.response.error_type", "Bytes"],
    ],
  ],
];

const rows = (names: Names, phases: readonly Phase[], inCounting: boolean): readonly FieldRow[] =>
  names.map(([name, type]) => ({ name, type, phases, inCounting }));

/** All fields, in the order of their slots. */
export const FIELD_TABLE: readonly FieldRow[] = [
  ...rows(REQUEST, PHASES, true),
  ...rows(SEQUENCE, SEQUENCE_PHASES, true),
  ...rows([["http.request.accepted_languages", LIST]], LANGUAGE_PHASES, false),
  ...rows(RESPONSE, RESPONSE_PHASES, true),
  ...UNAVAILABLE.flatMap(([unavailable, names]) =>
    rows(names, [], false).map((row) => Object.assign({ unavailable }, row)),
  ),
];
