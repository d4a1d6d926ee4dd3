/** Every route of the API: the router, the API document and the list of supported methods are made from this table. */
import { entrypointRoutes } from "./resources/entrypoints.ts";
import { operationRoutes } from "./resources/operations.ts";
import { rulesetRoutes } from "./resources/rulesets.ts";
import { sequenceCookieRoutes } from "./resources/sequence-cookies.ts";
import { zoneRoutes } from "./resources/zones.ts";
import type { Route } from "./route.ts";

export const ROUTES: readonly Route[] = [
  ...zoneRoutes,
  ...operationRoutes,
  ...sequenceCookieRoutes,
  ...entrypointRoutes,
  ...rulesetRoutes,
];
