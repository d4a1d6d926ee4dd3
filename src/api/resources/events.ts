/** What rules did to requests: our own, the original has a GraphQL data set and Logpush for it. */
import { z } from "zod";
import { toEventRecord } from "../../engine/index.ts";
import type { EventQuery, StoredEvent } from "../../store/index.ts";
import { ok } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { apiError } from "../errors.ts";
import { createEventStream } from "../event-stream.ts";
import { instantOf } from "../instant.ts";
import { invalidValue } from "../issues.ts";
import { MAX_EVENT_STREAMS, MAX_RAY_EVENTS } from "../limits.ts";
import { cursorQuery } from "../paging.ts";
import { permission, route } from "../route.ts";
import type { ApiDependencies, Route } from "../route.ts";
import { queryText } from "../schemas/common.ts";
import { timestamp } from "../wire.ts";

const path = "/zones/{zone_id}/stepgate/events";
const access = permission("zone", "Read", "Zone WAF");

const filters = {
  ray_id: queryText.optional(),
  phase: queryText.optional(),
  ruleset_id: queryText.optional(),
  rule_id: queryText.optional(),
  rule_ref: queryText.optional(),
  action: queryText.optional(),
  outcome: queryText.optional(),
  method: queryText.optional(),
  host: queryText.optional(),
  path: queryText.optional(),
  client_ip: queryText.optional(),
  current_op: queryText.optional(),
  status: z
    .string()
    .regex(/^\d{3}$/, "it must be a status of three digits")
    .transform(Number)
    .optional(),
  since: queryText.optional(),
  before: queryText.optional(),
};

const filterSchema = z.object(filters);
type Filters = z.output<typeof filterSchema>;

const shape = z.looseObject({
  ray_id: z.string(),
  occurred_at: z.string(),
  phase: z.string(),
  rule_id: z.string(),
  action: z.string(),
  outcome: z.string(),
  status: z.number(),
});

/** Streams that are open now, of all clients. */
let openStreams = 0;

export const eventRoutes: readonly Route[] = [
  route("GET", {
    path,
    summary: "List what rules did to requests, newest first; filters and cursor paging",
    access,
    query: z.object({ ...cursorQuery, ...filters }),
    result: z.array(shape),
    run: ({ params, query, deps }) => {
      const { per_page: perPage, cursor } = query;
      const from = cursor === undefined || cursor === "" ? undefined : parseCursor(cursor);
      // One more than asked for tells whether there is another page.
      const rows = deps.events?.list(toQuery(params.zone_id, query), perPage + 1, from) ?? [];
      return toPage(rows, perPage);
    },
  }),
  route("GET", {
    path: `${path}/stream`,
    summary: "Follow what rules do to requests, as server-sent events",
    access,
    query: z.object({ ...filters, after: queryText.optional() }),
    run: ({ params, query, deps }) => follow(toQuery(params.zone_id, query), query.after, deps),
  }),
  route("GET", {
    path: `${path}/{ray_id}`,
    summary: "Get what rules did to one request, in their order",
    access,
    result: z.array(shape),
    run: ({ params, deps }) => {
      const query = { zoneId: params.zone_id, rayId: params.ray_id };
      const rows = deps.events?.listAfter(query, MAX_RAY_EVENTS, 0) ?? [];
      if (rows.length === 0) throw apiError("no_event", `no event has the ray id ${params.ray_id}`);
      return ok(rows.map(toWireEvent));
    },
  }),
];

/** The wire names of filters and the members of a query they stand for; absent ones are no condition. */
function toQuery(zoneId: string, filter: Filters): EventQuery {
  const conditions = {
    rayId: filter.ray_id,
    phase: filter.phase,
    rulesetId: filter.ruleset_id,
    ruleId: filter.rule_id,
    ruleRef: filter.rule_ref,
    action: filter.action,
    outcome: filter.outcome,
    method: filter.method,
    host: filter.host,
    path: filter.path,
    clientAddress: filter.client_ip,
    currentOp: filter.current_op,
    status: filter.status,
    since: filter.since === undefined ? undefined : instantOf("since", filter.since),
    before: filter.before === undefined ? undefined : instantOf("before", filter.before),
  };
  const given = Object.entries(conditions).filter(([, value]) => value !== undefined);
  return { zoneId, ...(Object.fromEntries(given) as Omit<EventQuery, "zoneId">) };
}

function toPage(rows: readonly StoredEvent[], perPage: number): Reply {
  const page = rows.slice(0, perPage);
  const last = page.at(-1);
  const next = rows.length > perPage && last !== undefined ? toCursor(last.sequence) : undefined;
  return ok(page.map(toWireEvent), {
    resultInfo: {
      per_page: perPage,
      count: page.length,
      ...(next === undefined ? {} : { cursor: next }),
      cursors: next === undefined ? {} : { after: next },
    },
  });
}

function toWireEvent({ event }: StoredEvent) {
  return toEventRecord(event, timestamp);
}

const toCursor = (sequence: number): string => Buffer.from(`before:${sequence}`).toString("base64url");

function parseCursor(cursor: string): number {
  const sequence = /^before:(\d{1,15})$/.exec(Buffer.from(cursor, "base64url").toString("latin1"))?.[1];
  if (sequence === undefined)
    throw invalidValue("/cursor", cursor, "it is not a cursor of an earlier answer");
  return Number(sequence);
}

/** @param after id of the last event that the client has seen; only what is new unless given */
function follow(query: EventQuery, after: string | undefined, { events }: ApiDependencies): Reply {
  if (events === undefined) throw apiError("no_event", "no events are kept here");
  if (after !== undefined && !/^\d{1,15}$/.test(after)) {
    throw invalidValue("/after", after, "it must be the id of an event of this stream");
  }
  if (openStreams >= MAX_EVENT_STREAMS) {
    throw apiError(
      "unavailable",
      `expected at most ${MAX_EVENT_STREAMS} streams at a time; close another one first`,
    );
  }
  openStreams += 1;
  const body = createEventStream({
    from: after === undefined ? events.newest() : Number(after),
    read: (sequence, limit) => events.listAfter(query, limit, sequence),
    subscribe: (listener) => events.subscribe(listener),
    toRecord: toWireEvent,
    onEnd: () => (openStreams -= 1),
  });
  return { kind: "event_stream", body };
}
