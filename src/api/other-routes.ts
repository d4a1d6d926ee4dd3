/** What no route takes: the path is unknown, or known with other methods. */
import type { H3Event } from "h3";
import { API_ERRORS, ApiError, apiError } from "./errors.ts";
import { ROUTES } from "./routes.ts";

/** What the original has where we have the id of an operation: no operation has such an id. */
export const FOREIGN_PATHS = ["labels", "schema_validation"].map(
  (name) => `/zones/{zone_id}/api_gateway/operations/${name}`,
);

/**
 * Tells the methods of a path to who asks for them with OPTIONS. No header of CORS is in the answer: pages of other
 * sites have nothing to do here.
 *
 * @throws {ApiError} `no_route`, `method_not_allowed`
 */
export function answerOtherwise(event: H3Event, basePath: string): Response {
  const methods = methodsOf(event.url.pathname, basePath);
  if (methods.length === 0) throw apiError("no_route", "No route for that URI");
  const allow = [...methods, "OPTIONS"].join(", ");
  if (event.req.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  const { code, status } = API_ERRORS.method_not_allowed;
  const message = `expected one of ${methods.join(", ")} here, found ${event.req.method}`;
  throw new ApiError(status, [{ code, message }], { allow });
}

function methodsOf(pathname: string, basePath: string): readonly string[] {
  if (!pathname.startsWith(`${basePath}/`)) return [];
  const path = pathname.slice(basePath.length);
  const methods = ROUTES.filter((route) => matchesPath(route.path, path)).map(({ method }) => method);
  return [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))];
}

function matchesPath(template: string, path: string): boolean {
  const [parts, given] = [template.split("/"), path.replace(/\/$/, "").split("/")];
  return (
    parts.length === given.length &&
    parts.every((part, index) => (part.startsWith("{") ? given[index] !== "" : part === given[index]))
  );
}
