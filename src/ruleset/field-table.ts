/** Every field of the Rules language that Stepgate knows, with its type and where it may be used. */
import type { Type } from "../expression/index.ts";
import { LIST, MAP, multimap, type Names } from "./field-shapes.ts";
import { PHASES, type Phase } from "./types.ts";
import { UNAVAILABLE_FIELDS } from "./unavailable-fields.ts";

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

const rows = (names: Names, phases: readonly Phase[], inCounting: boolean): readonly FieldRow[] =>
  names.map(([name, type]) => ({ name, type, phases, inCounting }));

/** All fields, in the order of their slots. */
export const FIELD_TABLE: readonly FieldRow[] = [
  ...rows(REQUEST, PHASES, true),
  ...rows(SEQUENCE, SEQUENCE_PHASES, true),
  ...rows([["http.request.accepted_languages", LIST]], LANGUAGE_PHASES, false),
  ...rows(RESPONSE, RESPONSE_PHASES, true),
  ...UNAVAILABLE_FIELDS.flatMap(([unavailable, names]) =>
    rows(names, [], false).map((row) => Object.assign({ unavailable }, row)),
  ),
];
