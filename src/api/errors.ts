/** The catalogue of the API's errors: every code, its HTTP status and what it means, and the exception that carries them. */

interface CatalogueEntry {
  /** Stable number in the answer. */
  readonly code: number;
  readonly status: number;
  /** One sentence for the reference in the README. */
  readonly meaning: string;
}

/**
 * Codes below 20000 and the 202xx ones seen in the wild are the original's; the rest of the 20xxx codes are ours.
 * No validation error has 409 or 429: the official client retries those.
 */
export const API_ERRORS = {
  invalid_token: { code: 1000, status: 401, meaning: "the token is not known; only `verify` says so" },
  missing_authorization: {
    code: 1001,
    status: 401,
    meaning: "`verify` was asked without an Authorization header",
  },
  malformed_headers: {
    code: 6003,
    status: 400,
    meaning: "the Authorization header is not `Bearer <token>`; see `error_chain`",
  },
  no_route: { code: 7000, status: 404, meaning: "no such path in this API" },
  no_object: { code: 7003, status: 404, meaning: "the path names an object that does not exist" },
  not_authenticated: { code: 9106, status: 400, meaning: "the request carries no credentials" },
  unknown_key: {
    code: 9103,
    status: 403,
    meaning: "X-Auth-Key was sent; only bearer tokens are supported",
  },
  unauthorized: {
    code: 9109,
    status: 403,
    meaning: "the token is unknown, expired, disabled, or used from an address that it does not allow",
  },
  not_permitted: { code: 10000, status: 403, meaning: "the token lacks the permission for this" },
  no_entrypoint: { code: 10003, status: 404, meaning: "the phase has no entry point ruleset yet" },
  method_not_allowed: { code: 10405, status: 405, meaning: "the path exists, but not with this method" },
  too_many_failures: {
    code: 10429,
    status: 429,
    meaning: "too many failed authentications; wait a minute before the next attempt",
  },
  no_ruleset: { code: 20001, status: 404, meaning: "no ruleset has this id" },
  no_rule: { code: 20002, status: 404, meaning: "no rule of the ruleset has this id" },
  no_version: { code: 20003, status: 404, meaning: "the ruleset has no such version (any more)" },
  no_operation: { code: 20004, status: 404, meaning: "the zone has no operation with this id" },
  no_list: {
    code: 20005,
    status: 404,
    meaning: "the account has no list, item or bulk operation with this id",
  },
  no_token: { code: 20006, status: 404, meaning: "no token has this id" },
  no_event: { code: 20007, status: 404, meaning: "no event of the zone has this ray id (any more)" },
  no_counts: {
    code: 20008,
    status: 404,
    meaning: "requests are not counted here (`analytics.enabled` is false)",
  },
  no_schema: { code: 20010, status: 404, meaning: "the zone has no schema with this id" },
  no_endpoint: {
    code: 20009,
    status: 404,
    meaning: "discovery reports no endpoint with this id (any more)",
  },
  invalid_body: {
    code: 20021,
    status: 400,
    meaning: "the body is not JSON in UTF-8, is nested too deeply, or has a member named `__proto__`",
  },
  body_too_large: { code: 20022, status: 413, meaning: "the body is larger than this path takes" },
  host_not_allowed: {
    code: 20023,
    status: 421,
    meaning:
      "the Host header is none of the names that the API answers to (`api.allowedHosts` of the configuration adds one)",
  },
  precondition_failed: {
    code: 20024,
    status: 412,
    meaning: "the object changed since the ETag in `If-Match` was read; read it again",
  },
  missing_value: { code: 20100, status: 400, meaning: "a member that has to be there is missing" },
  invalid_value: { code: 20101, status: 400, meaning: "a value has the wrong type, form or size" },
  duplicate_value: { code: 20102, status: 400, meaning: "a value that has to be unique occurs twice" },
  unknown_reference: { code: 20103, status: 400, meaning: "a value names something that does not exist" },
  not_changeable: {
    code: 20104,
    status: 400,
    meaning: "the value cannot be changed here, or not any more",
  },
  in_use: { code: 20105, status: 400, meaning: "the object cannot go while something refers to it" },
  limit_reached: { code: 20106, status: 400, meaning: "there can be no more of these" },
  not_supported: {
    code: 20107,
    status: 400,
    meaning: "the original has it and Stepgate does not; the message says what is supported",
  },
  misplaced_parameters: {
    code: 20120,
    status: 400,
    meaning: "action parameters that the action does not take, or an action without those it needs",
  },
  blank_expression: { code: 20125, status: 400, meaning: "the expression is blank" },
  invalid_expression: {
    code: 20127,
    status: 400,
    meaning: "the expression cannot be parsed; line, column and caret show where",
  },
  second_entrypoint: {
    code: 20217,
    status: 400,
    meaning: "the phase has its one entry point ruleset already",
  },
  invalid_schema: {
    code: 21400,
    status: 400,
    meaning: "the schema is no valid OpenAPI document of version 3.0 or 3.1; the message has the place in it",
  },
  internal: { code: 20500, status: 500, meaning: "a defect in Stepgate; the log has the details" },
  counts_unavailable: {
    code: 20504,
    status: 503,
    meaning: "the counts of requests are in a Redis that does not answer",
  },
  unavailable: {
    code: 20503,
    status: 503,
    meaning: "the change could not be written (disk full, database locked); nothing has changed",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type ApiErrorName = keyof typeof API_ERRORS;

/** One error as it stands in the envelope. */
export interface ErrorItem {
  readonly code: number;
  readonly message: string;
  /** JSON pointer of what is wrong, in the request's body. */
  readonly source?: { readonly pointer: string };
  /** Place in an expression, 1-based; column and length in bytes of UTF-8. Our extension. */
  readonly expression?: {
    readonly line: number;
    readonly column: number;
    readonly length: number;
    readonly code: string;
  };
  readonly error_chain?: readonly { readonly code: number; readonly message: string }[];
}

/** An answer that is an error. Its status is that of the first item. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly items: readonly ErrorItem[];
  readonly headers: Readonly<Record<string, string>>;

  /** @throws {TypeError} when there is no item */
  constructor(status: number, items: readonly ErrorItem[], headers: Readonly<Record<string, string>> = {}) {
    const [first] = items;
    if (first === undefined) throw new TypeError("expected at least one error");
    super(first.message);
    this.status = status;
    this.items = items;
    this.headers = headers;
  }
}

/** The answer for one error of the catalogue. */
export function apiError(
  name: ApiErrorName,
  message: string,
  extra: Omit<ErrorItem, "code" | "message"> = {},
): ApiError {
  const { code, status } = API_ERRORS[name];
  return new ApiError(status, [{ code, message, ...extra }]);
}

/** 404 in the original's words for a path that names nothing. */
export function noObject(path: string): ApiError {
  const { no_object: object, no_route: route } = API_ERRORS;
  return new ApiError(object.status, [
    {
      code: object.code,
      message: `Could not route to ${path}, perhaps your object identifier is invalid?`,
    },
    { code: route.code, message: "No route for that URI" },
  ]);
}
