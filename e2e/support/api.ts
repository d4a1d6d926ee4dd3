/** A client of the control plane: bearer token, and trust in the installation's own CA only. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "undici";

export interface ApiAnswer {
  readonly status: number;
  readonly body: {
    readonly success: boolean;
    readonly errors: readonly { readonly code: number; readonly message: string }[];
    // The shape of a result differs from route to route; a test knows what it asked for.
    readonly result: Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[] | null;
  };
}

export interface CustomRule {
  readonly description?: string;
  readonly expression: string;
  readonly action: "block" | "log";
  readonly action_parameters?: Readonly<Record<string, unknown>>;
}

export interface SavedOperation {
  readonly operation_id: string;
  /** First eight characters of the id: what expressions use. */
  readonly shortId: string;
  readonly method: string;
  readonly endpoint: string;
}

export interface ApiClient {
  readonly zoneId: string;
  send(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  /** Turns sequence cookies on or off, and requires that it worked. */
  setSequenceCookies(isEnabled: boolean): Promise<void>;
  /** Replaces all custom rules of the zone, and requires that it worked. */
  setCustomRules(rules: readonly CustomRule[]): Promise<void>;
  operations(): Promise<readonly SavedOperation[]>;
  /** Those that the demo saved at its first start. */
  bankOperations(): Promise<BankOperations>;
  saveOperation(method: string, endpoint: string): Promise<SavedOperation>;
  close(): Promise<void>;
}

/** The bank's operations by name. */
export type BankOperations = Readonly<
  Record<"accounts" | "balance" | "transfer" | "profile", SavedOperation>
>;

export interface ApiOptions {
  readonly apiUrl: string;
  readonly tokenFile: string;
  /** PEM file. */
  readonly caFile: string;
}

export async function createApiClient({ apiUrl, tokenFile, caFile }: ApiOptions): Promise<ApiClient> {
  const token = (await readFile(tokenFile, "utf8")).trim();
  const ca = await readFile(caFile, "utf8");
  const dispatcher = new Agent({ connect: { ca }, keepAliveTimeout: 1_000 });
  const send: ApiClient["send"] = async (method, path, body) => {
    const response = await request(`${apiUrl}${path}`, {
      dispatcher,
      method: method as "GET",
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: response.statusCode, body: (await response.body.json()) as ApiAnswer["body"] };
  };
  const must = async (...args: Parameters<typeof send>): Promise<ApiAnswer["body"]["result"]> => {
    const answer = await send(...args);
    if (answer.status >= 400 || !answer.body.success) {
      throw new Error(`${args[0]} ${args[1]}: ${answer.status} ${JSON.stringify(answer.body.errors)}`);
    }
    return answer.body.result;
  };
  const zones = (await must("GET", "/zones")) as readonly { readonly id: string; readonly name: string }[];
  const zoneId = zones.find(({ name }) => name === "localhost")?.id ?? "";
  const operations: ApiClient["operations"] = async () => {
    const result = await must("GET", `/zones/${zoneId}/api_gateway/operations?per_page=50`);
    return (result as readonly Omit<SavedOperation, "shortId">[]).map(toSaved);
  };
  return {
    zoneId,
    send,
    async setSequenceCookies(enabled) {
      await must("PUT", `/zones/${zoneId}/fraud_detection/sequence_cookies`, { enabled });
    },
    async setCustomRules(rules) {
      await must("PUT", `/zones/${zoneId}/rulesets/phases/http_request_firewall_custom/entrypoint`, {
        rules,
      });
    },
    operations,
    async bankOperations() {
      const saved = await operations();
      const find = (end: string): SavedOperation => {
        const operation = saved.find(({ endpoint }) => endpoint.endsWith(end));
        if (operation === undefined) throw new Error(`no saved operation ends with \`${end}\``);
        return operation;
      };
      return {
        accounts: find("/accounts"),
        balance: find("/balance"),
        transfer: find("/transferFunds"),
        profile: find("/profile"),
      };
    },
    async saveOperation(method, endpoint) {
      const body = { method, host: "localhost", endpoint };
      const result = await must("POST", `/zones/${zoneId}/api_gateway/operations/item`, body);
      return toSaved(result as unknown as Omit<SavedOperation, "shortId">);
    },
    close: () => dispatcher.destroy(),
  };
}

function toSaved(operation: Omit<SavedOperation, "shortId">): SavedOperation {
  return { ...operation, shortId: operation.operation_id.slice(0, 8) };
}
