/** A web `Request` as the engine's. Runtime-neutral. */
import type { EngineRequest } from "../engine/index.ts";
import type { Guard } from "./guard.ts";

export interface WebRequestOptions {
  /** Address of the client, which a `Request` does not tell: from the runtime, or a header of a proxy of your own. */
  readonly clientAddress?: (request: Request) => string | undefined;
}

const NO_CONNECTION = {};

export class WebRequest implements EngineRequest {
  readonly method: string;
  readonly target: string;
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly isRoutedAsSent = true;
  /** A `Request` does not tell. */
  readonly httpVersion = "";
  readonly connection = NO_CONNECTION;
  readonly receivedAt: number;
  readonly #request: Request;
  readonly #guard: Guard;
  readonly #options: WebRequestOptions;
  #rayId: string | undefined;

  constructor(request: Request, guard: Guard, options: WebRequestOptions) {
    this.#request = request;
    this.#guard = guard;
    this.#options = options;
    const { url } = request;
    const authorityAt = url.indexOf("://") + 3;
    const pathAt = url.indexOf("/", authorityAt);
    const hashAt = url.indexOf("#", authorityAt);
    const end = hashAt === -1 ? url.length : hashAt;
    this.method = request.method;
    this.scheme = url.startsWith("https:") ? "https" : "http";
    this.target = pathAt === -1 ? "/" : url.slice(pathAt, end);
    this.authority =
      guard.host ?? (url.slice(authorityAt, pathAt === -1 ? end : pathAt) || (guard.fallbackHost ?? ""));
    this.receivedAt = guard.now();
  }

  get rayId(): string {
    return (this.#rayId ??= this.#guard.rayId());
  }

  get rawHeaders(): readonly string[] {
    return [...this.#request.headers].flat();
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  get clientAddress(): string {
    return this.#options.clientAddress?.(this.#request) ?? "";
  }
}
