/**
 * What is done to requests that violate a schema: nothing, and that is what every one of these settings says. They
 * take `none` and refuse the rest, so that nobody believes in a protection that is not there.
 */
import { z } from "zod";
import { operationKey } from "../../store/index.ts";
import type { View } from "../../store/index.ts";
import { ok } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { apiError } from "../errors.ts";
import { invalidValue } from "../issues.ts";
import { pageQuery, toPage } from "../paging.ts";
import { permission, route } from "../route.ts";
import type { Route } from "../route.ts";

const READ = permission("zone", "Read", "API Gateway");
const WRITE = permission("zone", "Write", "API Gateway");

const action = z.enum(["none", "log", "block"]).nullish();
const settingsBody = z.looseObject({
  validation_default_mitigation_action: action,
  validation_override_mitigation_action: z.enum(["none", "disable_override"]).nullish(),
});
const settingsShape = z.object({
  validation_default_mitigation_action: z.literal("none"),
  validation_override_mitigation_action: z.null(),
});
const SETTINGS = {
  validation_default_mitigation_action: "none",
  validation_override_mitigation_action: null,
} as const satisfies z.output<typeof settingsShape>;

const operationBody = z.looseObject({ mitigation_action: action });
const operationsBody = z.record(z.string().max(36), operationBody);
const operationShape = z.object({ mitigation_action: z.literal("none"), operation_id: z.string() });

const currentOperations = "/zones/{zone_id}/schema_validation/settings/operations";
const oneOperation = "/zones/{zone_id}/schema_validation/settings/operations/{operation_id}";

export const validationSettingRoutes: readonly Route[] = [
  ...zoneSettings("/zones/{zone_id}/schema_validation/settings", ok),
  ...zoneSettings("/zones/{zone_id}/api_gateway/settings/schema_validation", plain),
  route("GET", {
    path: currentOperations,
    summary: "List the operations whose requests are validated: none",
    access: READ,
    query: z.object(pageQuery),
    result: z.array(operationShape),
    run: ({ query }) => toPage([], query, (row) => row),
  }),
  route("DELETE", {
    path: oneOperation,
    summary: "Go back to what the zone does with requests to an operation that violate a schema: nothing",
    access: WRITE,
    result: z.object({ operation_id: z.string() }),
    run: ({ params, store }) => ok({ operation_id: checkedId(store, params.zone_id, params.operation_id) }),
  }),
  ...operationSettings(oneOperation, ok),
  ...operationSettings("/zones/{zone_id}/api_gateway/operations/{operation_id}/schema_validation", plain),
  bulkSettings(currentOperations),
  bulkSettings("/zones/{zone_id}/api_gateway/operations/schema_validation"),
];

/** The client takes what it gets from the older paths for the settings themselves. */
function plain(body: unknown): Reply {
  return { kind: "plain", body };
}

function zoneSettings(
  path: `/zones/{zone_id}/${string}`,
  answer: (settings: unknown) => Reply,
): readonly Route[] {
  return [
    route("GET", {
      path,
      summary: "Get what is done to requests that violate a schema: nothing",
      access: READ,
      result: settingsShape,
      run: () => answer(SETTINGS),
    }),
    ...(["PUT", "PATCH"] as const).map((method) =>
      route(method, {
        path,
        summary: "Set what is done to requests that violate a schema; only `none` is taken",
        access: WRITE,
        body: settingsBody,
        result: settingsShape,
        run: ({ body }) => {
          refuseAction("/validation_default_mitigation_action", body.validation_default_mitigation_action);
          return answer(SETTINGS);
        },
      }),
    ),
  ];
}

function operationSettings(path: string, answer: (settings: unknown) => Reply): readonly Route[] {
  const typed = path as "/{zone_id}/{operation_id}";
  return [
    route("GET", {
      path: typed,
      summary: "Get what is done to requests to an operation that violate a schema: nothing",
      access: READ,
      result: operationShape,
      run: ({ params, store }) => answer(toNone(checkedId(store, params.zone_id, params.operation_id))),
    }),
    route("PUT", {
      path: typed,
      summary: "Set what is done to requests to an operation that violate a schema; only `none` is taken",
      access: WRITE,
      body: operationBody,
      result: operationShape,
      run: ({ params, body, store }) => {
        const id = checkedId(store, params.zone_id, params.operation_id);
        refuseAction("/mitigation_action", body.mitigation_action);
        return answer(toNone(id));
      },
    }),
  ];
}

function bulkSettings(path: `/zones/{zone_id}/${string}`): Route {
  return route("PATCH", {
    path: path as "/{zone_id}",
    summary: "Set what is done to requests to several operations that violate a schema; only `none` is taken",
    access: WRITE,
    body: operationsBody,
    result: z.record(z.string(), operationShape.partial()),
    run: ({ params, body, store }) => {
      const ids = Object.entries(body).map(([id, { mitigation_action: wanted }]) => {
        checkedId(store, params.zone_id, id);
        refuseAction(`/${id}/mitigation_action`, wanted);
        return id;
      });
      return ok(Object.fromEntries(ids.map((id) => [id, { mitigation_action: "none" }])));
    },
  });
}

const toNone = (operationId: string): z.output<typeof operationShape> => ({
  operation_id: operationId,
  mitigation_action: "none",
});

/** @throws {ApiError} `no_operation` */
function checkedId(view: View, zoneId: string, operationId: string): string {
  const row = view.get("operations", operationKey(zoneId, operationId.toLowerCase()));
  if (row === undefined) throw apiError("no_operation", "operation not found: no operation has this id");
  return row.operation.id;
}

/** @throws {ApiError} `not_supported` for what would have to be enforced */
function refuseAction(pointer: string, wanted: z.output<typeof action>): void {
  if (wanted !== "log" && wanted !== "block") return;
  throw invalidValue(
    pointer,
    wanted,
    "requests are not validated against schemas; write `none`",
    "not_supported",
  );
}
