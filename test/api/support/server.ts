/** The API on a real port of 127.0.0.1, with a store of its own. */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Cloudflare from "cloudflare";
import { checkTokenKeys } from "../../../src/cookie/index.ts";
import { createApi } from "../../../src/api/index.ts";
import type { ApiOptions } from "../../../src/api/index.ts";
import { openStore } from "../../../src/store/index.ts";
import type { Store, ZoneRow } from "../../../src/store/index.ts";

export interface RunningApi {
  readonly store: Store;
  readonly origin: string;
  readonly baseUrl: string;
  readonly token: string;
  readonly zone: ZoneRow;
  readonly client: Cloudflare;
  /** A client with another token. */
  clientWith(token: string): Cloudflare;
  /** A plain request below `/client/v4`; JSON in, status and JSON out. */
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, without a content type. */
  readonly rawBody?: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The shape is what the tests are about.
  // oxlint-disable-next-line typescript/no-explicit-any -- answers are compared member by member
  readonly json: any;
}

const random = (lengthBytes: number): Uint8Array => randomBytes(lengthBytes);

export async function startApi(
  options: Partial<ApiOptions> & { readonly path?: string } = {},
): Promise<RunningApi> {
  const now = options.now ?? Date.now;
  const store = options.store ?? openStore({ path: options.path ?? ":memory:", now, random });
  const [zone] = store.ensureZones([
    { name: "shop.example", hosts: ["shop.example"], origin: "http://127.0.0.1:9" },
  ]);
  const token = store.ensureAdminToken() ?? "";
  const api = createApi({ now, random, checkTokenKeys, ...options, store });
  const server = createServer(api.handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const baseUrl = `${origin}/client/v4`;
  const clientWith = (apiToken: string): Cloudflare => new Cloudflare({ baseURL: baseUrl, apiToken });
  return {
    store,
    origin,
    baseUrl,
    token,
    zone: zone as ZoneRow,
    client: clientWith(token),
    clientWith,
    request: (method, path, requestOptions) => request(baseUrl + path, method, { token, ...requestOptions }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      store.close();
    },
  };
}

async function request(
  url: string,
  method: string,
  { token, body, headers = {}, rawBody }: RequestOptions & { readonly token: string },
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    body: (rawBody as BodyInit | undefined) ?? (body === undefined ? null : JSON.stringify(body)),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    json: text === "" ? undefined : JSON.parse(text),
  };
}
