/** API Discovery: https://developers.cloudflare.com/api/resources/api_gateway/subresources/discovery/ */
import { z } from "zod";
import { changeStates, reportedEndpoints, stateOf, toWireEndpoint } from "../discovery.ts";
import type { EndpointState, ReportedEndpoint, StateChange } from "../discovery.ts";
import { ok } from "../envelope.ts";
import { apiError } from "../errors.ts";
import { invalid } from "../issues.ts";
import type { Issue } from "../issues.ts";
import { toOpenApiDocuments } from "../openapi-documents.ts";
import { toPage } from "../paging.ts";
import { permission, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import {
  changedState,
  discoveredOperation,
  discoveryGetQuery,
  discoveryListQuery,
  stateBody,
  statesBody,
} from "../schemas/discovery.ts";
import { microTimestamp } from "../wire.ts";
import { zoneOf } from "../zone-access.ts";

const READ = permission("zone", "Read", "API Gateway");
const WRITE = permission("zone", "Write", "API Gateway");
const documents = "/zones/{zone_id}/api_gateway/discovery";
const collection = "/zones/{zone_id}/api_gateway/discovery/operations";
const one = "/zones/{zone_id}/api_gateway/discovery/operations/{operation_id}";

export const discoveryRoutes: readonly Route[] = [
  route("GET", {
    path: documents,
    summary: "Get the endpoints that traffic shows as OpenAPI documents, one for each host",
    access: READ,
    query: discoveryGetQuery,
    result: z.object({ schemas: z.array(z.looseObject({})), timestamp: z.string() }),
    run: async (call) => {
      const { params, store, at, query } = call;
      const { name } = zoneOf(store, params.zone_id);
      const endpoints = await endpointsOf(call, query.min_requests);
      const wanted = endpoints.filter((endpoint) => stateOf(store, params.zone_id, endpoint) !== "ignored");
      return ok({
        schemas: toOpenApiDocuments(wanted, `Endpoints that requests to zone ${name} show`),
        timestamp: microTimestamp(at),
      });
    },
  }),
  route("GET", {
    path: collection,
    summary: "List the endpoints that traffic shows, saved or not",
    access: READ,
    query: discoveryListQuery,
    result: z.array(discoveredOperation),
    run: async (call) => {
      const { params, store, query } = call;
      const rows = (await endpointsOf(call, query.min_requests)).map((endpoint) => ({
        endpoint,
        state: stateOf(store, params.zone_id, endpoint),
      }));
      const wanted = rows.filter((row) => matches(row, query)).toSorted(inOrder(query));
      return toPage(wanted, query, ({ endpoint, state }) => toWireEndpoint(endpoint, state));
    },
  }),
  route("PATCH", {
    path: collection,
    summary: "Ignore endpoints, review them again, or save them as operations",
    access: WRITE,
    query: discoveryGetQuery,
    body: statesBody,
    result: z.record(z.string(), changedState),
    run: async (call) => {
      // An endpoint that was reported with few requests is one that can be decided about.
      const known = new Map((await endpointsOf(call, 1)).map((endpoint) => [endpoint.id, endpoint]));
      const changes = checkedChanges(call.body, known);
      const states = call.write((transaction) => changeStates(call, transaction, changes));
      return ok(Object.fromEntries(changes.map(({ endpoint }, index) => [endpoint.id, states[index]])));
    },
  }),
  route("PATCH", {
    path: one,
    summary: "Ignore an endpoint, review it again, or save it as an operation",
    access: WRITE,
    body: stateBody,
    result: changedState,
    run: async (call) => {
      const id = call.params.operation_id.toLowerCase();
      const endpoint = (await endpointsOf(call, 1)).find((each) => each.id === id);
      if (endpoint === undefined) {
        throw apiError("no_endpoint", "endpoint not found: discovery reports none with this id");
      }
      const change: StateChange = { endpoint, state: call.body.state, pointer: "/state" };
      const [changed] = call.write((transaction) => changeStates(call, transaction, [change]));
      return ok(changed);
    },
  }),
];

type ZoneCall = Pick<Call, "deps"> & { readonly params: { readonly zone_id: string } };

function endpointsOf(
  { deps, params }: ZoneCall,
  minRequests: number | undefined,
): Promise<readonly ReportedEndpoint[]> {
  return reportedEndpoints(deps.analytics, params.zone_id, minRequests);
}

interface Row {
  readonly endpoint: ReportedEndpoint;
  readonly state: EndpointState;
}

type ListQuery = z.output<typeof discoveryListQuery>;

function matches({ endpoint, state }: Row, query: ListQuery): boolean {
  const { host: hosts, method: methods, endpoint: part, origin } = query;
  return (
    (!query.diff || state !== "saved") &&
    (query.state === undefined || state === query.state) &&
    (origin === undefined || origin === "ML") &&
    (hosts === undefined || hosts.includes(endpoint.host)) &&
    (methods === undefined || methods.includes(endpoint.method)) &&
    (part === undefined || endpoint.endpoint.includes(part))
  );
}

/** Figures start with the largest, names with the first, unless the other way round is asked for. */
function inOrder({ order, direction }: ListQuery): (left: Row, right: Row) => number {
  const isFigure = order === "traffic_stats.requests" || order === "traffic_stats.last_updated";
  const sign = (direction ?? (isFigure ? "desc" : "asc")) === "desc" ? -1 : 1;
  const figure = ({ endpoint }: Row): number =>
    order === "traffic_stats.requests" ? endpoint.requests : endpoint.lastAt;
  const text = ({ endpoint }: Row): string => {
    const { host, method, endpoint: path } = endpoint;
    const first = order === "method" ? method : order === "endpoint" ? path : host;
    return `${first} ${host} ${path} ${method}`;
  };
  return (left, right) => {
    const byFigure = isFigure ? figure(left) - figure(right) : 0;
    if (byFigure !== 0) return sign * byFigure;
    return (isFigure ? 1 : sign) * (text(left) < text(right) ? -1 : 1);
  };
}

/** @throws {ApiError} `unknown_reference` for every id that is reported no more */
function checkedChanges(
  body: z.output<typeof statesBody>,
  known: ReadonlyMap<string, ReportedEndpoint>,
): readonly StateChange[] {
  const issues: Issue[] = [];
  const changes: StateChange[] = [];
  for (const [id, { state }] of Object.entries(body)) {
    const endpoint = known.get(id.toLowerCase());
    if (endpoint !== undefined) {
      changes.push({ endpoint, state, pointer: `/${id}/state` });
      continue;
    }
    const reason = "discovery reports no endpoint with this id";
    issues.push({ name: "unknown_reference", pointer: `/${id}`, value: id, reason });
  }
  if (issues.length > 0) throw invalid(issues);
  return changes;
}
