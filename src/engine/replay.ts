/** Fields of a request that is over, from what a sample kept of it: for trying rules on it. */
import type { SampledDecision } from "../analytics/index.ts";
import type { FieldValues } from "../expression/index.ts";
import { RequestFields } from "./fields.ts";

/** Fields that have the value they had when the request came. The others are not known any more. */
export const REPLAYED_FIELDS: ReadonlySet<string> = new Set([
  "cf.ray_id",
  "cf.sequence.current_op",
  "cf.sequence.msec_since_op",
  "cf.sequence.previous_ops",
  "cf.zone.name",
  "http.host",
  "http.referer",
  "http.request.full_uri",
  "http.request.method",
  "http.request.timestamp.msec",
  "http.request.timestamp.sec",
  "http.request.uri",
  "http.request.uri.args",
  "http.request.uri.args.names",
  "http.request.uri.args.values",
  "http.request.uri.path",
  "http.request.uri.path.extension",
  "http.request.uri.query",
  "http.request.version",
  "http.user_agent",
  "ip.src",
  "ssl",
]);

export function replayFields(decision: SampledDecision, zoneName: string): FieldValues {
  const { method, scheme, httpVersion, host, path, query, clientAddress, at, rayId } = decision;
  const headers = new Map([
    ["user-agent", decision.userAgent],
    ["referer", decision.referer],
  ]);
  const fields = new RequestFields({
    request: {
      method,
      scheme,
      authority: host,
      target: query === "" ? path : `${path}?${query}`,
      httpVersion,
      rawHeaders: [],
      header: (name) => headers.get(name),
      clientAddress,
      connection: {},
      receivedAt: at,
      rayId,
    },
    zoneName,
    host,
    path,
    query,
    cookie: "",
    isIdentified: decision.hasIdentity,
    randomSeed: () => "",
  });
  fields.setSequence(decision.currentOp, {
    sequence: { entries: decision.entries },
    id: "",
    record: () => [],
  });
  return fields;
}
