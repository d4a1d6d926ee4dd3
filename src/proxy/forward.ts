/** Sends requests to the origins of zones and streams the answers back, on Node's own request and response. */
import { DownloadTurns } from "./download-turns.ts";
import { Exchange } from "./exchange.ts";
import { OriginGroup } from "./group.ts";
import type { GroupSpec, Origin } from "./group.ts";
import { DEFAULT_UPSTREAM_LIMITS } from "./limits.ts";
import type { UpstreamLimits } from "./limits.ts";
import { hasBody, hasSmallBody, readSmallBody } from "./request-body.ts";
import type { ForwardHooks, ForwardRequest, ForwardResult, NodeRequest, NodeResponse } from "./types.ts";
import { forwardUpgrade } from "./upgrade.ts";
import type { UpgradeClient } from "./upgrade.ts";

export interface Forwarder {
  /** Never rejects. Resolves when the response is finished, cut, or still to be given. */
  forward(
    node: { readonly req: NodeRequest; readonly res: NodeResponse },
    request: ForwardRequest,
    hooks: ForwardHooks,
  ): Promise<ForwardResult>;
  /** As {@link forward}, for a request to switch to WebSocket. */
  upgrade(client: UpgradeClient, request: ForwardRequest, hooks: ForwardHooks): Promise<ForwardResult>;
  /** Replaces all groups; one whose specification is the same object keeps its connections. */
  defineGroups(groups: ReadonlyMap<string, GroupSpec>): void;
  /** Closes the connections of origins that are neither named here nor in a group. */
  keepOnly(origins: ReadonlySet<string>): void;
  /** Ends all connections, those in use after their requests. */
  close(): Promise<void>;
}

/** @param limits time-outs and pool size; each member defaults to `DEFAULT_UPSTREAM_LIMITS` */
export function createForwarder(limits: Partial<UpstreamLimits> = {}): Forwarder {
  const effective = { ...DEFAULT_UPSTREAM_LIMITS, ...limits };
  let specs: ReadonlyMap<string, GroupSpec> = new Map();
  const groups = new Map<string, OriginGroup>();
  const turns = new DownloadTurns();
  const groupOf = (name: string): OriginGroup => {
    let group = groups.get(name);
    if (group === undefined) {
      group = new OriginGroup(specs.get(name) ?? { origins: [{ url: name }] }, effective);
      groups.set(name, group);
    }
    return group;
  };
  const closeGroup = async (name: string): Promise<void> => {
    const group = groups.get(name);
    groups.delete(name);
    await group?.close();
  };
  return {
    forward: (node, request, hooks) =>
      new Promise((resolve) => {
        const exchange = new Exchange(
          node,
          { hooks, turns, queueTimeoutMs: effective.queueTimeoutMs },
          resolve,
        );
        const start = (body: NodeRequest | Buffer | null): void => {
          try {
            exchange.start(groupOf(request.origin), request, body);
          } catch (error) {
            exchange.onResponseError(undefined, error as Error);
          }
        };
        if (!hasBody(node.req)) start(null);
        else if (hasSmallBody(node.req)) readSmallBody(node.req, start);
        else start(node.req);
      }),
    upgrade: (client, request, hooks) => upgradeAny(groupOf(request.origin), client, { request, hooks }),
    defineGroups(next) {
      for (const [name, spec] of specs) if (next.get(name) !== spec) void closeGroup(name);
      specs = next;
    },
    keepOnly(origins) {
      for (const name of groups.keys()) if (!origins.has(name) && !specs.has(name)) void closeGroup(name);
    },
    async close() {
      await Promise.all([...groups.keys()].map((name) => closeGroup(name)));
    },
  };
}

/** A handshake has no body: it can be made with one origin after the other until one is there. */
async function upgradeAny(
  group: OriginGroup,
  client: UpgradeClient,
  { request, hooks }: { readonly request: ForwardRequest; readonly hooks: ForwardHooks },
): Promise<ForwardResult> {
  const tried: Origin[] = [];
  let result: ForwardResult | undefined;
  for (let origin = group.pick(); origin !== undefined; origin = group.pick(tried)) {
    result = await forwardUpgrade(client, origin.address, { request, hooks });
    if (result.kind !== "unanswered" || result.reason !== "connect") break;
    origin.failed(performance.now());
    tried.push(origin);
  }
  return result ?? { kind: "unanswered", reason: "connect", error: new Error("the zone has no origin") };
}
