/** A visitor's request as the engine sees it, whatever carries it (gateway, middleware, fetch handler). */
export interface EngineRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** What the client named as host: the `Host` field or `:authority`. */
  readonly authority: string | undefined;
  /** The request-target as it arrived, before any decoding. */
  readonly target: string;
  /**
   * Whether the one who answers reads `target` itself and not its canonical form, as an application does that
   * carries the engine. A spelling of its own is then not the operation to the letter. `false` when absent.
   */
  readonly isRoutedAsSent?: boolean;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  /** Header section, flat: name, value, name, value; values are binary strings. */
  readonly rawHeaders: readonly string[];
  /** All values of a field joined as HTTP says (`, `; `; ` for Cookie); `name` in lower case. */
  header(name: string): string | undefined;
  /** Address of the client, textual. */
  readonly clientAddress: string;
  readonly connection: ConnectionFacts;
  /** When the request's header section was complete, epoch milliseconds. */
  readonly receivedAt: number;
  /** 16 hex characters naming this request in pages, headers and logs. */
  readonly rayId: string;
}

/** What is known of the transport; members that a carrier cannot know are left out. */
export interface ConnectionFacts {
  readonly clientPort?: number;
  readonly serverAddress?: string;
  readonly serverPort?: number;
  readonly tlsVersion?: string;
  readonly tlsCipher?: string;
}

/** A real CORS preflight (Fetch standard, section "CORS-preflight fetch"), as against any other OPTIONS. */
export function isPreflight(request: EngineRequest): boolean {
  return (
    request.method === "OPTIONS" &&
    request.header("origin") !== undefined &&
    request.header("access-control-request-method") !== undefined
  );
}

/** Field names by which browsers and frameworks mark a speculative request. */
const PREFETCH_FIELDS = ["sec-purpose", "purpose", "x-purpose", "x-sec-purpose", "x-moz"] as const;

/** Whether the request was made before the visitor asked for it (prefetch, prerender). */
export function isPrefetch(request: EngineRequest): boolean {
  for (const field of PREFETCH_FIELDS) {
    const value = request.header(field);
    if (value !== undefined && /prefetch|prerender|preview/i.test(value)) return true;
  }
  return request.header("next-router-prefetch") !== undefined;
}
