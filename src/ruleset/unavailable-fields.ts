/** Fields that the product has and Stepgate has no data for: refused by name, with the reason. */
import { LIST, MAP, multimap, type Names } from "./field-shapes.ts";

const nested = "Array<Array<Bytes>>";

const clientAuth = (name: string): Names[number] => [`cf.tls_client_auth.cert_${name}`, "Bytes"];

/** Fields by the reason, which completes the sentence "`name` is not available: …". */
export const UNAVAILABLE_FIELDS: readonly (readonly [reason: string, names: Names])[] = [
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
      ...["fingerprint_sha1", "fingerprint_sha256", "issuer_dn", "issuer_dn_legacy", "issuer_dn_rfc2253"].map(
        clientAuth,
      ),
      ...["issuer_serial", "issuer_ski", "not_after", "not_before", "serial", "ski"].map(clientAuth),
      ...["subject_dn", "subject_dn_legacy", "subject_dn_rfc2253"].map(clientAuth),
      ["cf.tls_client_auth.cert_presented", "Bool"],
      ["cf.tls_client_auth.cert_revoked", "Bool"],
      ["cf.tls_client_auth.cert_verified", "Bool"],
    ],
  ],
  [
    "it needs the client's TLS handshake, which Node.js does not show",
    [
      ["cf.tls_ciphers_sha1", "Bytes"],
      ["cf.tls_client_extensions_sha1", "Bytes"],
      ["cf.tls_client_extensions_sha1_le", "Bytes"],
      ["cf.tls_client_hello_length", "Int"],
      ["cf.tls_client_random", "Bytes"],
    ],
  ],
  [
    "it needs a check for leaked credentials, which Stepgate does not have",
    [
      ["cf.waf.auth_detected", "Bool"],
      ["cf.waf.credential_check.password_leaked", "Bool"],
      ["cf.waf.credential_check.username_and_password_leaked", "Bool"],
      ["cf.waf.credential_check.username_leaked", "Bool"],
      ["cf.waf.credential_check.username_password_similar", "Bool"],
    ],
  ],
  [
    "it needs a scan of the uploads, which Stepgate does not have",
    [
      ["cf.waf.content_scan.has_failed", "Bool"],
      ["cf.waf.content_scan.has_malicious_obj", "Bool"],
      ["cf.waf.content_scan.has_obj", "Bool"],
      ["cf.waf.content_scan.num_malicious_obj", "Int"],
      ["cf.waf.content_scan.num_obj", "Int"],
      ["cf.waf.content_scan.obj_results", LIST],
      ["cf.waf.content_scan.obj_sizes", "Array<Int>"],
      ["cf.waf.content_scan.obj_types", LIST],
    ],
  ],
  [
    "it needs a scan of prompts to language models, which Stepgate does not have",
    [
      ["cf.llm.prompt.detected", "Bool"],
      ["cf.llm.prompt.injection_score", "Int"],
      ["cf.llm.prompt.pii_categories", LIST],
      ["cf.llm.prompt.pii_detected", "Bool"],
      ["cf.llm.prompt.unsafe_topic_categories", LIST],
      ["cf.llm.prompt.unsafe_topic_detected", "Bool"],
    ],
  ],
  [
    "it names a part of Cloudflare's own network",
    [
      ["cf.colo.id", "Int"],
      ["cf.colo.name", "Bytes"],
      ["cf.colo.region", "Bytes"],
      ["cf.hostname.metadata", "Bytes"],
      ["cf.metal.id", "Bytes"],
      ["cf.worker.upstream_zone", "Bytes"],
      ["cf.zone.plan", "Bytes"],
    ],
  ],
  [
    "it needs timings of the connection, which Node.js does not tell",
    [
      ["cf.timings.client_quic_rtt_msec", "Int"],
      ["cf.timings.client_tcp_rtt_msec", "Int"],
      ["cf.timings.client_tls_handshake_msec", "Int"],
      ["cf.timings.edge_msec", "Int"],
      ["cf.timings.origin_ttfb_msec", "Int"],
      ["cf.timings.worker_msec", "Int"],
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
