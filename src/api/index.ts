export { createApi } from "./app.ts";
export type { Api, ApiLogger, ApiOptions } from "./app.ts";
