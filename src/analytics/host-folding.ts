/** Hosts that differ in their first label only, and behave the same, are one host with a variable. */
import { DISCOVERY_MIN_SUBDOMAINS } from "./limits.ts";
import { foldPaths, overlap } from "./path-folding.ts";
import { mergeNodes } from "./path-tree.ts";
import type { PathNode } from "./path-tree.ts";

/** A subdomain of any name (Cloudflare, Endpoint Management, "Host wildcards"). */
const ANY_SUBDOMAIN = "{hostVar1}.";
const IPV4 = /^\d+(?:\.\d+){3}$/;

/** Host of a template that stands for a host and its siblings, `undefined` for a host that has none. */
export function hostTemplateOf(host: string): string | undefined {
  const dot = host.indexOf(".");
  const parent = host.slice(dot + 1);
  if (dot < 1 || !parent.includes(".") || IPV4.test(host) || host.startsWith("[")) return undefined;
  return `${ANY_SUBDOMAIN}${parent}`;
}

/**
 * @param hosts trees by host, some perhaps by host template
 * @param least subdomains from which on they are folded; those that behave otherwise keep their name
 */
export function foldHosts(
  hosts: ReadonlyMap<string, PathNode>,
  least = DISCOVERY_MIN_SUBDOMAINS,
): Map<string, PathNode> {
  const families = new Map<string, [string, PathNode][]>();
  for (const [host, tree] of hosts) {
    const template = hostTemplateOf(host);
    if (template !== undefined) families.set(template, [...(families.get(template) ?? []), [host, tree]]);
  }
  const folded = new Map(hosts);
  for (const [template, members] of families) {
    const known = hosts.get(template);
    const subdomains = members.filter(([host]) => host !== template);
    if (subdomains.length < least && (known === undefined || subdomains.length === 0)) continue;
    const all = foldPaths(mergeNodes(members.map(([, tree]) => tree)));
    const alike = subdomains.filter(([, tree]) => overlap(tree, all).share >= 0.5);
    if (alike.length < least && known === undefined) continue;
    for (const [host] of alike) folded.delete(host);
    const trees = alike.map(([, tree]) => tree);
    folded.set(template, mergeNodes(known === undefined ? trees : [known, ...trees]));
  }
  return folded;
}
