/** One request at one phase, as the phases see it. */
import type { Hit, PhaseInput } from "../phases/index.ts";
import type { Located } from "./located.ts";

/** Whose request it is. */
interface Host {
  readonly located: Located;
  readonly isCleared: boolean;
  fire(hit: Hit): void;
}

/** A class: what a phase rarely asks for is then no closure that every request makes. */
export class PassageInput implements PhaseInput {
  readonly values: PhaseInput["values"];
  readonly currentOp: string;
  readonly #host: Host;

  /** @param values the request's own, or at the response those of both */
  constructor(host: Host, currentOp: string, values: PhaseInput["values"]) {
    this.values = values;
    this.currentOp = currentOp;
    this.#host = host;
  }

  target(): ReturnType<PhaseInput["target"]> {
    const { request, zone, host, target, forms } = this.#host.located;
    const { scheme } = request;
    return {
      url: { scheme, host: host.host, path: forms.rules, query: target.query.slice(1) },
      authority: host.port === null ? host.host : `${host.host}:${host.port}`,
      allowsHost: (name) => zone.hosts.has(name),
    };
  }

  isCleared(): boolean {
    return this.#host.isCleared;
  }

  onHit(hit: Hit): void {
    this.#host.fire(hit);
  }
}
