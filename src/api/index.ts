export { createApi } from "./app.ts";
export type { Api, ApiLogger, ApiOptions } from "./app.ts";
export { API_ERRORS, ApiError } from "./errors.ts";
export type { ApiErrorName, ErrorItem } from "./errors.ts";
export { exportZone, zoneDocumentText } from "./zone-export.ts";
export { importZone } from "./zone-import.ts";
export type { ImportDependencies, ImportSummary } from "./zone-import.ts";
