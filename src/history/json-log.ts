/** Lines of JSON, with names of fields as the logs of common servers have them, or as the operator says. */
import { NOTHING, unreadable } from "./types.ts";
import type { LineReader, LoggedRequest, ReadLine } from "./types.ts";

/** What a line is asked for. */
export const JSON_FIELDS = [
  "time",
  "method",
  "target",
  "status",
  "host",
  "address",
  "user",
  "cookie",
  "headers",
  "session",
] as const;

export type JsonField = (typeof JSON_FIELDS)[number];

/** Path of a member, its parts separated by dots, by field. */
export type JsonMapping = Readonly<Partial<Record<JsonField, string>>>;

/** Caddy, nginx, Envoy, Traefik, pino, Elastic Common Schema: the first one that is there. */
const USUAL: Readonly<Record<JsonField, readonly string[]>> = {
  time: ["time", "timestamp", "@timestamp", "ts", "start_time", "StartUTC", "time_iso8601", "msec", "date"],
  method: [
    "method",
    "request_method",
    "req.method",
    "request.method",
    "http.request.method",
    "RequestMethod",
  ],
  target: [
    "target",
    "request_uri",
    "req.url",
    "request.uri",
    "url.original",
    "RequestPath",
    "uri",
    "url",
    "path",
    "url.path",
  ],
  status: [
    "status",
    "status_code",
    "response_code",
    "res.statusCode",
    "response.status",
    "http.response.status_code",
    "OriginStatus",
    "DownstreamStatus",
    "statusCode",
  ],
  host: [
    "host",
    "http_host",
    "req.headers.host",
    "request.host",
    "authority",
    "url.domain",
    "RequestHost",
    "server_name",
  ],
  address: [
    "address",
    "remote_addr",
    "client_ip",
    "request.client_ip",
    "request.remote_ip",
    "req.remoteAddress",
    "client.ip",
    "ClientHost",
    "ip",
    "remote_ip",
  ],
  user: ["user", "remote_user", "user_id", "user.name", "ClientUsername"],
  cookie: ["cookie", "http_cookie", "req.headers.cookie"],
  headers: ["headers", "req.headers", "request.headers"],
  session: ["session", "session_id"],
};

/** @param mapping paths that are asked for in the place of the usual ones */
export function createJsonReader(mapping: JsonMapping = {}): LineReader {
  const find = (value: unknown, field: JsonField): unknown => {
    const paths = mapping[field] === undefined ? USUAL[field] : [mapping[field]];
    for (const path of paths) {
      const found = memberAt(value, path);
      if (found !== undefined && found !== null) return found;
    }
    return undefined;
  };
  return (line) => (line.trim() === "" ? NOTHING : readJsonLine(line, find));
}

function readJsonLine(line: string, find: (value: unknown, field: JsonField) => unknown): ReadLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return unreadable(`expected JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null) return unreadable("expected an object");
  const text = (field: JsonField): string | undefined => {
    const found = find(value, field);
    return typeof found === "string" || typeof found === "number" ? String(found) : undefined;
  };
  const at = readInstant(find(value, "time"));
  if (at === undefined) return unreadable("expected a time: name its field with --field time=NAME");
  const [method, target, status] = [text("method"), text("target"), Number(text("status"))];
  if (method === undefined || method === "")
    return unreadable("expected a method: name its field with --field method=NAME");
  if (target === undefined || target === "")
    return unreadable("expected a path: name its field with --field target=NAME");
  if (!Number.isInteger(status) || status < 100 || status > 999)
    return unreadable("expected a status: name its field with --field status=NAME");
  const headers = toHeaders(find(value, "headers"));
  const request: LoggedRequest = {
    at,
    method: method.toUpperCase(),
    target,
    status,
    host: text("host"),
    address: text("address"),
    user: text("user"),
    session: text("session"),
    header: (name) => (name === "cookie" ? (text("cookie") ?? headers.get(name)) : headers.get(name)),
  };
  return { kind: "request", request };
}

/** A member whose name has dots in it is found as well as one within others. */
function memberAt(value: unknown, path: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (Object.hasOwn(value, path)) return (value as Readonly<Record<string, unknown>>)[path];
  for (let dot = path.indexOf("."); dot !== -1; dot = path.indexOf(".", dot + 1)) {
    const name = path.slice(0, dot);
    if (!Object.hasOwn(value, name)) continue;
    const found = memberAt((value as Readonly<Record<string, unknown>>)[name], path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

function toHeaders(value: unknown): ReadonlyMap<string, string> {
  if (typeof value !== "object" || value === null) return new Map();
  return new Map(
    Object.entries(value).map(([name, content]: [string, unknown]) => [
      name.toLowerCase(),
      Array.isArray(content) ? content.map(String).join("; ") : String(content),
    ]),
  );
}

/** Below it a number counts seconds: as milliseconds it would be a day of 1973. */
const MILLISECONDS_FROM = 100_000_000_000;
const MICROSECONDS_FROM = 100_000_000_000_000;
const NANOSECONDS_FROM = 100_000_000_000_000_000;

/** RFC 3339 text, or a number of seconds, milliseconds, microseconds or nanoseconds, which their size tells apart. */
function readInstant(value: unknown): number | undefined {
  const figure = typeof value === "string" && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof figure === "number" && Number.isFinite(figure) && figure > 0) {
    if (figure < MILLISECONDS_FROM) return Math.round(figure * 1000);
    if (figure < MICROSECONDS_FROM) return Math.round(figure);
    return Math.round(figure / (figure < NANOSECONDS_FROM ? 1000 : 1_000_000));
  }
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
