/** The API's own description, made from the table of routes and the schemas that check requests. */
import { z } from "zod";
import { createDocument } from "zod-openapi";
import type { ZodOpenApiObject, ZodOpenApiOperationObject, ZodOpenApiPathsObject } from "zod-openapi";
import { MAX_BODY_BYTES } from "./limits.ts";
import { ROUTES } from "./routes.ts";
import type { Route } from "./route.ts";

const errorItem = z
  .object({
    code: z.int(),
    message: z.string(),
    source: z.object({ pointer: z.string() }).optional(),
    expression: z.object({ line: z.int(), column: z.int(), length: z.int(), code: z.string() }).optional(),
  })
  .meta({ id: "Error" });

const errorEnvelope = z
  .object({
    result: z.null(),
    success: z.literal(false),
    errors: z.array(errorItem),
    messages: z.array(z.unknown()),
  })
  .meta({ id: "ErrorEnvelope" });

const message = z.object({ code: z.int(), message: z.string() }).meta({ id: "Message" });

/** @param basePath prefix of every path, on the server that the document is read from */
export function createApiDocument(version: string, basePath: string): unknown {
  const document: ZodOpenApiObject = {
    openapi: "3.1.0",
    info: {
      title: "Stepgate",
      version,
      description:
        "The control plane of Stepgate, in the shapes of the Cloudflare v4 API. Paths below `stepgate/` are its own.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: basePath }],
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    paths: pathsOf(ROUTES),
  };
  return createDocument(document);
}

function pathsOf(routes: readonly Route[]): ZodOpenApiPathsObject {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of [...VERIFY_ROUTES, ...routes]) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  }
  return paths;
}

/** Checked before permissions are, so that they are no rows of the table. */
const VERIFY_ROUTES = ["/user/tokens/verify", "/accounts/{account_id}/tokens/verify"].map((path) => ({
  method: "GET" as const,
  path,
  summary: "Tell whether the token is good",
  access: { kind: "any_token" as const },
  resultSchema: z.object({ id: z.string(), status: z.enum(["active", "disabled", "expired"]) }),
}));

type DescribedRoute = Omit<Route, "run">;

function operationOf(route: DescribedRoute): ZodOpenApiOperationObject {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  return {
    summary: route.summary,
    tags: [tagOf(route.path)],
    description: descriptionOf(route),
    requestParams: {
      ...(names.length === 0
        ? {}
        : { path: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) }),
      ...(route.querySchema instanceof z.ZodObject ? { query: route.querySchema } : {}),
    },
    ...(route.bodySchema === undefined
      ? {}
      : { requestBody: { content: { [bodyTypeOf(route)]: { schema: route.bodySchema } } } }),
    responses: responsesOf(route),
  };
}

const bodyTypeOf = ({ takesForm }: DescribedRoute): string =>
  takesForm === true ? "multipart/form-data" : "application/json";

function responsesOf({ resultSchema }: DescribedRoute): ZodOpenApiOperationObject["responses"] {
  const envelope = z.object({
    ...(resultSchema === undefined ? {} : { result: resultSchema }),
    success: z.literal(true),
    errors: z.array(errorItem).max(0),
    messages: z.array(message),
    result_info: z.looseObject({}).optional(),
  });
  return {
    "200": { description: "Success", content: { "application/json": { schema: envelope } } },
    default: { description: "Failure", content: { "application/json": { schema: errorEnvelope } } },
  };
}

/** The first part of a path that is no object's id says what it is about. */
function tagOf(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && !part.startsWith("{"));
  return parts[0] === "zones" || parts[0] === "accounts"
    ? (parts[1] ?? parts[0])
    : parts.slice(0, 2).join(" ");
}

function descriptionOf({ access, maxBodyBytes }: DescribedRoute): string {
  const permissions =
    access.kind === "permission"
      ? `Needs ${access.products.map((product) => `**${product} ${access.level}**`).join(" or ")}.`
      : access.kind === "handler"
        ? "Needs the permission for what it touches."
        : "Any token.";
  const limit =
    maxBodyBytes === undefined || maxBodyBytes === MAX_BODY_BYTES
      ? ""
      : ` Bodies up to ${maxBodyBytes} bytes.`;
  return permissions + limit;
}
