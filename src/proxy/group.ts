/** The origins of one zone: weighted choice among those that work. */
import type { Pool } from "undici";
import type { UpstreamLimits } from "./limits.ts";
import { createPool, toOriginAddress } from "./origin.ts";
import type { OriginAddress, OriginSpec } from "./origin.ts";

/** How origins are asked whether they work; without it only failed requests tell. */
export interface HealthCheck {
  /** Asked with GET; a status below 400 is health. */
  readonly path: string;
  readonly intervalMs: number;
  /** `Host` of the question. */
  readonly host: string;
}

export interface GroupSpec {
  readonly origins: readonly OriginSpec[];
  readonly health?: HealthCheck;
}

/** Connections that fail in a row before an origin is left alone: one may be a restart. */
const FAILURES_UNTIL_DOWN = 3;
/** Milliseconds an origin is left alone; as nginx's `fail_timeout`. */
const DOWN_MS = 10_000;

export class Origin {
  readonly address: OriginAddress;
  readonly url: string;
  readonly pool: Pool;
  readonly weight: number;
  /** Of the smooth weighted round robin: grows by the weight, falls by the sum of all when chosen. */
  credit = 0;
  #failures = 0;
  #downUntil = 0;
  #answersChecks = true;

  constructor(spec: OriginSpec, limits: UpstreamLimits) {
    this.url = spec.url;
    this.address = toOriginAddress(spec);
    this.weight = spec.weight ?? 1;
    this.pool = createPool(this.address, limits);
  }

  /** @param nowMs of a clock that never goes back */
  isUp(nowMs: number): boolean {
    return this.#answersChecks && nowMs >= this.#downUntil;
  }

  failed(nowMs: number): void {
    this.#failures += 1;
    if (this.#failures >= FAILURES_UNTIL_DOWN) this.#downUntil = nowMs + DOWN_MS;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#downUntil = 0;
  }

  checked(healthy: boolean): void {
    this.#answersChecks = healthy;
  }
}

export class OriginGroup {
  readonly origins: readonly Origin[];
  readonly #timer: NodeJS.Timeout | undefined;

  constructor({ origins, health }: GroupSpec, limits: UpstreamLimits) {
    this.origins = origins.map((spec) => new Origin(spec, limits));
    if (health === undefined) return;
    const check = (): void => void Promise.all(this.origins.map((origin) => checkHealth(origin, health)));
    this.#timer = setInterval(check, health.intervalMs).unref();
    check();
  }

  /**
   * The next origin, in proportion to the weights. While none works all are tried: an origin that was given up by
   * mistake is better than none.
   *
   * @returns `undefined` when every origin is among `tried`
   */
  pick(tried: readonly Origin[] = []): Origin | undefined {
    if (this.origins.length === 1) return tried.length === 0 ? this.origins[0] : undefined;
    const nowMs = performance.now();
    const left = this.origins.filter((origin) => !tried.includes(origin));
    const up = left.filter((origin) => origin.isUp(nowMs));
    return chooseByWeight(up.length === 0 ? left : up);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.origins.map(({ pool }) => pool.close()));
  }
}

/** Smooth weighted round robin, as nginx does it: 5, 1, 1 gives a a b a c a a, not a a a a a b c. */
function chooseByWeight(origins: readonly Origin[]): Origin | undefined {
  let chosen: Origin | undefined;
  let sum = 0;
  for (const origin of origins) {
    origin.credit += origin.weight;
    sum += origin.weight;
    if (chosen === undefined || origin.credit > chosen.credit) chosen = origin;
  }
  if (chosen !== undefined) chosen.credit -= sum;
  return chosen;
}

async function checkHealth(origin: Origin, { path, host, intervalMs }: HealthCheck): Promise<void> {
  try {
    const { statusCode, body } = await origin.pool.request({
      path,
      method: "GET",
      headers: { host },
      headersTimeout: intervalMs,
      bodyTimeout: intervalMs,
    });
    await body.dump();
    origin.checked(statusCode < 400);
  } catch {
    origin.checked(false);
  }
}
