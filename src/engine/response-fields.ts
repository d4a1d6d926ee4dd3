/** The fields of the Rules language once there is a response: those of the response, and the request as it was sent on. */
import type { FieldValues, Value } from "../expression/index.ts";
import { applyHeaderEdits } from "../phases/index.ts";
import type { HeaderEdit } from "../phases/index.ts";
import { fieldSlot } from "../ruleset/index.ts";
import { RequestFields } from "./fields.ts";
import { headerPairs, toMultimap } from "./request-maps.ts";
import type { EngineRequest } from "./request.ts";

export interface ResponseFacts {
  readonly status: number;
  /** Flat; values are binary strings. */
  readonly headers: readonly string[];
  /** What `http_request_late_transform` changed on the way to the origin. */
  readonly requestEdits: readonly HeaderEdit[];
}

type Getter = (facts: ResponseFacts) => Value | undefined;

const headersOf: Getter = ({ headers }) => toMultimap(headerPairs(headers));
const namesOf: Getter = ({ headers }) => headerPairs(headers).map(([name]) => name);
const valuesOf: Getter = ({ headers }) => headerPairs(headers).map(([, value]) => value);

const RESPONSE_FIELDS: ReadonlyMap<number, Getter> = bySlot({
  "http.response.code": ({ status }) => status,
  "http.response.content_type.media_type": mediaType,
  "http.response.headers": headersOf,
  "http.response.headers.names": namesOf,
  "http.response.headers.values": valuesOf,
  "raw.http.response.headers": headersOf,
  "raw.http.response.headers.names": namesOf,
  "raw.http.response.headers.values": valuesOf,
});

/**
 * Request fields that request header modifications change, with the header they come from; all of them for `undefined`.
 * Those of `raw.` never change.
 */
const HEADER_FIELDS: ReadonlyMap<number, string | undefined> = new Map(
  (
    [
      ["http.request.headers", undefined],
      ["http.request.headers.names", undefined],
      ["http.request.headers.values", undefined],
      ["http.request.accepted_languages", "accept-language"],
      ["http.request.cookies", "cookie"],
      ["http.cookie", "cookie"],
      ["http.referer", "referer"],
      ["http.user_agent", "user-agent"],
      ["http.x_forwarded_for", "x-forwarded-for"],
    ] as const
  ).map(([field, header]) => [fieldSlot(field), header]),
);

/** Field values at the response of one request. */
export class ResponseFields implements FieldValues {
  readonly #request: RequestFields;
  readonly #response: ResponseFacts;
  readonly #values = new Map<number, Value | undefined>();
  #edited: RequestFields | undefined;

  constructor(request: RequestFields, response: ResponseFacts) {
    this.#request = request;
    this.#response = response;
  }

  get isHistoryUnknown(): boolean {
    return this.#request.isHistoryUnknown;
  }

  get(slot: number): Value | undefined {
    const getter = RESPONSE_FIELDS.get(slot);
    if (getter !== undefined) {
      if (!this.#values.has(slot)) this.#values.set(slot, getter(this.#response));
      return this.#values.get(slot);
    }
    const { requestEdits } = this.#response;
    if (requestEdits.length === 0 || !isEdited(slot, requestEdits)) return this.#request.get(slot);
    this.#edited ??= new RequestFields(editedFacts(this.#request, requestEdits));
    return this.#edited.get(slot);
  }
}

function isEdited(slot: number, edits: readonly HeaderEdit[]): boolean {
  if (!HEADER_FIELDS.has(slot)) return false;
  const header = HEADER_FIELDS.get(slot);
  return header === undefined || edits.some(({ name }) => name.toLowerCase() === header);
}

function editedFacts({ facts }: RequestFields, edits: readonly HeaderEdit[]): RequestFields["facts"] {
  const { request } = facts;
  const rawHeaders = applyHeaderEdits(request.rawHeaders, edits);
  const headers = new Map<string, string>();
  for (const [name, value] of headerPairs(rawHeaders)) {
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  }
  const removesCookie = edits.some(({ name }) => name.toLowerCase() === "cookie");
  // Getters do not survive a spread: what the fields ask for is named.
  const edited: EngineRequest = {
    method: request.method,
    scheme: request.scheme,
    authority: request.authority,
    target: request.target,
    httpVersion: request.httpVersion,
    rawHeaders,
    header: (name) => headers.get(name),
    clientAddress: request.clientAddress,
    connection: request.connection,
    receivedAt: request.receivedAt,
    rayId: request.rayId,
  };
  return {
    request: edited,
    zoneName: facts.zoneName,
    host: facts.host,
    path: facts.path,
    query: facts.query,
    cookie: removesCookie ? "" : facts.cookie,
    isIdentified: facts.isIdentified,
    randomSeed: () => facts.randomSeed(),
  };
}

/** `text/html` of `Text/HTML; charset=utf-8`; missing without a content type. */
function mediaType({ headers }: ResponseFacts): string | undefined {
  const value = headerPairs(headers).find(([name]) => name === "content-type")?.[1];
  return value?.split(";", 1)[0]?.trim().toLowerCase();
}

function bySlot(getters: Readonly<Record<string, Getter>>): ReadonlyMap<number, Getter> {
  return new Map(Object.entries(getters).map(([name, getter]) => [fieldSlot(name), getter]));
}
