/** One row of the API's table of routes, and what its handler is given. */
import type { z } from "zod";
import type { EventStore, Store, Transaction, ZoneRow } from "../store/index.ts";
import type { AnalyticsReader } from "./analytics-reader.ts";
import type { Principal } from "./auth.ts";
import type { Reply } from "./envelope.ts";
import { parseShape } from "./issues.ts";
import type { Level, Product, Resource } from "./permissions.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Names in braces of a path: `/zones/{zone_id}` has `zone_id`. A path that is put together has any. */
export type PathParams<Path extends string> = string extends Path
  ? Readonly<Record<string, string>>
  : Path extends `${string}{${infer Name}}${infer Rest}`
    ? { readonly [Key in Name]: string } & PathParams<Rest>
    : unknown;

/**
 * Who may call a route: anybody with a valid token, somebody with one of `products` on the resource that the path
 * names, or whom the handler lets (it then calls `require` itself).
 */
export type Access =
  | { readonly kind: "any_token" }
  | { readonly kind: "handler" }
  | {
      readonly kind: "permission";
      readonly on: "zone" | "account" | "user";
      readonly products: readonly Product[];
      readonly level: Level;
    };

/** What a handler knows of its request. */
export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly principal: Principal;
  readonly store: Store;
  readonly deps: ApiDependencies;
  /** Path of the request, for error messages. */
  readonly path: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly dryRun: boolean;
  /**
   * Compares the ETags in `If-Match` and `If-None-Match` with the object's; to be called inside the write.
   *
   * @param tag ETag of the object as it is now, `undefined` when there is none
   * @throws {ApiError} `precondition_failed`
   */
  readonly checkPreconditions: (tag: string | undefined) => void;
  /** @throws {ApiError} `not_permitted` unless the caller has one of `products` on `resource` */
  readonly require: (products: readonly Product[], level: Level, resource: Resource) => void;
  readonly isAllowed: (products: readonly Product[], level: Level, resource: Resource) => boolean;
  /** Runs `work` as one transaction, or as a dry run when the client asked for one. */
  readonly write: <Result>(work: (transaction: Transaction) => Result) => Result;
}

/**
 * Checks JWKs that are to verify tokens.
 *
 * @param pointer JSON pointer of the list
 * @returns everything there is to correct; messages quote no key material
 */
export type TokenKeyCheck = (
  keys: unknown,
  pointer: string,
) => Promise<readonly { readonly pointer: string; readonly message: string }[]>;

/** What handlers use of the outside world. */
export interface ApiDependencies {
  readonly now: () => number;
  readonly random: (lengthBytes: number) => Uint8Array;
  /** What rules did to requests; nothing is known of that without it. */
  readonly events: EventStore | undefined;
  /** What was counted of requests; nothing is counted without it. */
  readonly analytics: AnalyticsReader | undefined;
  /** Whether a zone made through the API may forward to this origin. */
  readonly isOriginAllowed: (origin: URL) => boolean;
  /** Problems of the keys of a token configuration; without it none can be saved. */
  readonly checkTokenKeys?: TokenKeyCheck;
}

export type TypedCall<Path extends string, Body, Query> = Omit<Call, "params"> & {
  readonly params: PathParams<Path>;
  readonly body: Body;
  readonly query: Query;
};

export interface Route {
  readonly method: Method;
  readonly path: string;
  /** One line for the API document. */
  readonly summary: string;
  readonly access: Access;
  readonly bodySchema?: z.ZodType;
  readonly querySchema?: z.ZodType;
  /** Shape of `result`, for the API document. */
  readonly resultSchema?: z.ZodType;
  readonly maxBodyBytes?: number;
  /** Whether the body is a form, of which the handler gets the fields as texts; otherwise it is JSON. */
  readonly takesForm?: boolean;
  readonly run: (
    call: Call,
    input: { readonly body: unknown; readonly query: unknown },
  ) => Reply | Promise<Reply>;
}

export interface RouteDefinition<Path extends string, Body extends z.ZodType, Query extends z.ZodType> {
  readonly path: Path;
  readonly summary: string;
  readonly access: Access;
  readonly body?: Body;
  readonly query?: Query;
  readonly result?: z.ZodType;
  readonly maxBodyBytes?: number;
  readonly takesForm?: boolean;
  readonly run: (call: TypedCall<Path, z.output<Body>, z.output<Query>>) => Reply | Promise<Reply>;
}

/** Builds a row: the handler gets its body and query checked and typed. */
export function route<
  const Path extends string,
  Body extends z.ZodType = z.ZodUnknown,
  Query extends z.ZodType = z.ZodUnknown,
>(method: Method, definition: RouteDefinition<Path, Body, Query>): Route {
  const { path, summary, access, body, query, result, maxBodyBytes, takesForm, run } = definition;
  return {
    method,
    path,
    summary,
    access,
    ...(body === undefined ? {} : { bodySchema: body }),
    ...(query === undefined ? {} : { querySchema: query }),
    ...(result === undefined ? {} : { resultSchema: result }),
    ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
    ...(takesForm === undefined ? {} : { takesForm }),
    run: (call, input) =>
      run({
        ...call,
        // The router found these names in this path.
        params: call.params as PathParams<Path>,
        body: (body === undefined ? undefined : parseShape(body, input.body)) as z.output<Body>,
        query: (query === undefined ? undefined : parseShape(query, input.query)) as z.output<Query>,
      }),
  };
}

/** Access by permission on what the path names. */
export function permission(
  on: "zone" | "account" | "user",
  level: Level,
  ...products: readonly Product[]
): Access {
  return { kind: "permission", on, products, level };
}

export const ANY_TOKEN: Access = { kind: "any_token" };
export const HANDLER_DECIDES: Access = { kind: "handler" };

export const zoneResource = (zone: Pick<ZoneRow, "id" | "accountId">): Resource => ({
  kind: "zone",
  id: zone.id,
  accountId: zone.accountId,
});
