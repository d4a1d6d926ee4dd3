/** The bank's mobile app: a program over HTTPS with a token, and no cookies. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "undici";
import type { PageCall } from "./visitor.ts";

export interface AppAnswer {
  readonly status: number;
  readonly rayId: string;
  /** `Set-Cookie` lines: an app has nowhere to keep them. */
  readonly setCookies: readonly string[];
  readonly json: Readonly<Record<string, unknown>>;
}

export interface App {
  /** @returns a token of the bank */
  signIn(userId: string, pin: string): Promise<string>;
  call(call: PageCall): Promise<AppAnswer>;
  /** The status of each call, one after the other. */
  walk(token: string, calls: readonly PageCall[]): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** @param caFile PEM file of the installation's own CA, the only one that the app trusts */
export async function createApp(gatewayUrl: string, caFile: string): Promise<App> {
  const ca = await readFile(caFile, "utf8");
  const dispatcher = new Agent({ connect: { ca, servername: "localhost" }, keepAliveTimeout: 1_000 });
  const app: App = {
    async signIn(userId, pin) {
      const { status, json } = await app.call({
        method: "POST",
        path: "/api/v1/login",
        body: { user_id: userId, pin },
      });
      if (status !== 200) throw new Error(`log-in of ${userId}: ${status}`);
      return json["access_token"] as string;
    },
    async call({ method = "GET", path, body, token }) {
      const {
        statusCode,
        headers,
        body: answer,
      } = await request(`${gatewayUrl}${path}`, {
        dispatcher,
        method: method as "GET",
        headers: {
          accept: "application/json",
          "user-agent": "harbour-app/1.0",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      });
      return {
        status: statusCode,
        rayId: String(headers["stepgate-ray"] ?? ""),
        setCookies: [headers["set-cookie"] ?? []].flat(),
        json: (await answer.json()) as AppAnswer["json"],
      };
    },
    async walk(token, calls) {
      const statuses: number[] = [];
      for (const call of calls) statuses.push((await app.call({ ...call, token })).status);
      return statuses;
    },
    close: () => dispatcher.destroy(),
  };
  return app;
}
