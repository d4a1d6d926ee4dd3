/** Every route of the API: the router, the API document and the list of supported methods are made from this table. */
import { accountRoutes } from "./resources/accounts.ts";
import { analyticsRoutes } from "./resources/analytics.ts";
import { discoveryRoutes } from "./resources/discovery.ts";
import { entrypointRoutes } from "./resources/entrypoints.ts";
import { eventRoutes } from "./resources/events.ts";
import { listItemRoutes } from "./resources/list-items.ts";
import { listRoutes } from "./resources/lists.ts";
import { operationSchemaRoutes } from "./resources/operation-schemas.ts";
import { operationRoutes } from "./resources/operations.ts";
import { ruleRoutes } from "./resources/rules.ts";
import { rulesetVersionRoutes } from "./resources/ruleset-versions.ts";
import { rulesetRoutes } from "./resources/rulesets.ts";
import { schemaOperationRoutes } from "./resources/schema-operations.ts";
import { schemaRoutes } from "./resources/schemas.ts";
import { seqRuleRoutes } from "./resources/seqrules.ts";
import { sequenceCookieRoutes } from "./resources/sequence-cookies.ts";
import { simulateRoutes } from "./resources/simulate.ts";
import { tokenConfigRoutes } from "./resources/token-configs.ts";
import { tokenRoutes } from "./resources/tokens.ts";
import { validationSettingRoutes } from "./resources/validation-settings.ts";
import { zoneDocumentRoutes } from "./resources/zone-documents.ts";
import { zoneSettingRoutes } from "./resources/zone-settings.ts";
import { zoneRoutes } from "./resources/zones.ts";
import type { Route } from "./route.ts";

export const ROUTES: readonly Route[] = [
  ...tokenRoutes,
  ...accountRoutes,
  ...zoneRoutes,
  ...zoneSettingRoutes,
  ...tokenConfigRoutes,
  ...zoneDocumentRoutes,
  ...operationRoutes,
  ...operationSchemaRoutes,
  ...schemaRoutes,
  ...schemaOperationRoutes,
  ...validationSettingRoutes,
  ...discoveryRoutes,
  ...sequenceCookieRoutes,
  ...seqRuleRoutes,
  ...entrypointRoutes,
  ...rulesetRoutes,
  ...ruleRoutes,
  ...rulesetVersionRoutes,
  ...listRoutes,
  ...listItemRoutes,
  ...eventRoutes,
  ...analyticsRoutes,
  ...simulateRoutes,
];
