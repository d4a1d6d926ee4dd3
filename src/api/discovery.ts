/** Endpoints that traffic shows and nobody saved: what is reported of them, and what was decided about them. */
import { createHash } from "node:crypto";
import { DISCOVERY_PERIOD_MS, sumDiscovery } from "../analytics/index.ts";
import type { DiscoveredEndpoint } from "../analytics/index.ts";
import { checkOperationInput } from "../operation/index.ts";
import type { CheckedOperationInput, Operation } from "../operation/index.ts";
import { operationKey, operationUnique } from "../store/index.ts";
import type { Transaction, View } from "../store/index.ts";
import type { AnalyticsReader } from "./analytics-reader.ts";
import { audit } from "./audit.ts";
import { invalidValue } from "./issues.ts";
import { MAX_IGNORED_ENDPOINTS } from "./limits.ts";
import { saveAudited } from "./operation-changes.ts";
import type { ZoneCall } from "./operation-changes.ts";
import { microTimestamp } from "./wire.ts";
import { zoneOf } from "./zone-access.ts";

export type EndpointState = "review" | "saved" | "ignored";

export interface ReportedEndpoint extends CheckedOperationInput {
  /** UUID, the same as long as zone, method, host and endpoint are. */
  readonly id: string;
  readonly requests: number;
  readonly lastAt: number;
}

/**
 * What all processes learned of a zone in the last ten days, most requested first.
 *
 * @param analytics nothing is known of requests without
 */
export async function reportedEndpoints(
  analytics: AnalyticsReader | undefined,
  zoneId: string,
  minRequests: number | undefined,
): Promise<readonly ReportedEndpoint[]> {
  const learned = (await analytics?.learned(zoneId)) ?? [];
  return sumDiscovery(learned, minRequests === undefined ? {} : { minRequests })
    .endpoints()
    .flatMap((endpoint) => toReported(zoneId, endpoint));
}

/** Requests bring along what no operation can be saved for; that is reported to nobody. */
function toReported(
  zoneId: string,
  { method, host, endpoint, requests, lastAt }: DiscoveredEndpoint,
): readonly ReportedEndpoint[] {
  const checked = checkOperationInput({ method, host, endpoint });
  if (checked.kind === "errors") return [];
  return [{ ...checked, id: endpointId(zoneId, checked), requests, lastAt }];
}

/** A UUID of version 8 (RFC 9562 section 5.8) out of what the endpoint is. */
function endpointId(zoneId: string, endpoint: CheckedOperationInput): string {
  const digits = createHash("sha256")
    .update(`stepgate endpoint ${operationUnique(zoneId, endpoint)}`)
    .digest("hex");
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-8$3-8$4-$5");
}

function savedOperation(view: View, zoneId: string, endpoint: ReportedEndpoint): Operation | undefined {
  return view.find("operations", operationUnique(zoneId, endpoint))?.operation;
}

export function stateOf(view: View, zoneId: string, endpoint: ReportedEndpoint): EndpointState {
  if (savedOperation(view, zoneId, endpoint) !== undefined) return "saved";
  return view.get("ignoredEndpoints", operationKey(zoneId, endpoint.id)) === undefined ? "review" : "ignored";
}

export function toWireEndpoint(endpoint: ReportedEndpoint, state: EndpointState) {
  const lastUpdated = microTimestamp(endpoint.lastAt);
  return {
    id: endpoint.id,
    method: endpoint.method,
    host: endpoint.host,
    endpoint: endpoint.endpoint,
    state,
    // One of the original's three engines has to be named; theirs that looks at all traffic is called this.
    origin: ["ML"],
    last_updated: lastUpdated,
    features: {
      traffic_stats: {
        requests: endpoint.requests,
        period_seconds: DISCOVERY_PERIOD_MS / 1000,
        last_updated: lastUpdated,
      },
    },
  };
}

export interface StateChange {
  readonly endpoint: ReportedEndpoint;
  /** As it is if absent. */
  readonly state: EndpointState | undefined;
  /** JSON pointer of the wanted state. */
  readonly pointer: string;
}

/**
 * @returns the states afterwards, in the given order
 * @throws {ApiError} `not_changeable` for an endpoint that is saved and shall be something else
 */
export function changeStates(call: ZoneCall, transaction: Transaction, changes: readonly StateChange[]) {
  const { zone_id: zoneId } = call.params;
  return changes.map(({ endpoint, state: wanted, pointer }) => {
    const before = stateOf(transaction, zoneId, endpoint);
    const after = wanted ?? before;
    if (before === "saved" && after !== "saved") {
      const reason = "the endpoint is saved; delete the operation first";
      throw invalidValue(pointer, after, reason, "not_changeable");
    }
    if (after !== before) changeState(call, transaction, { endpoint, before, after });
    const operation = savedOperation(transaction, zoneId, endpoint);
    return { state: after, ...(operation === undefined ? {} : { operation_id: operation.id }) };
  });
}

function changeState(
  call: ZoneCall,
  transaction: Transaction,
  { endpoint, before, after }: Record<"before" | "after", EndpointState> & { endpoint: ReportedEndpoint },
): void {
  const zone = zoneOf(transaction, call.params.zone_id);
  const key = operationKey(zone.id, endpoint.id);
  if (before === "ignored") transaction.delete("ignoredEndpoints", key);
  if (after === "saved") saveAudited(call, transaction, [endpoint]);
  if (after === "ignored") {
    if (transaction.count("ignoredEndpoints", zone.id) >= MAX_IGNORED_ENDPOINTS) {
      const reason = `a zone has at most ${MAX_IGNORED_ENDPOINTS} ignored endpoints`;
      throw invalidValue("", after, reason, "limit_reached");
    }
    transaction.put("ignoredEndpoints", { id: endpoint.id, zoneId: zone.id, ignoredAt: transaction.at });
  }
  const { method, host, endpoint: path } = endpoint;
  const describe = (state: EndpointState) => ({ method, host, endpoint: path, state });
  audit(call, transaction, {
    action: "update",
    type: "discovered_operation",
    id: endpoint.id,
    accountId: zone.accountId,
    zoneId: zone.id,
    before: describe(before),
    after: describe(after),
  });
}
