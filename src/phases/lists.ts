/** The lists of an account as expressions ask for them: compiled once per list, found by name. */
import { compileIpRanges, networkOf, parseIp } from "../expression/index.ts";
import type { IpRange, ListLookup, ListMatcher } from "../expression/index.ts";
import type { HostnameItem, IpItem, List, Phase } from "../ruleset/index.ts";
import { indexRedirects, splitUrl } from "./redirect-list.ts";
import type { RedirectIndex } from "./redirect-list.ts";

export interface CompiledLists {
  /** Lists that expressions of a phase may name. */
  lookupFor(phase: Phase): ListLookup;
  /** The redirects of a list of kind `redirect`. */
  redirects(name: string): RedirectIndex | undefined;
}

interface CompiledList {
  readonly list: List;
  readonly type: "Bytes" | "Int" | "Ip";
  readonly matches: ListMatcher;
  readonly redirects?: RedirectIndex;
}

/** Makes lists ready; a list that is the same object as before keeps what was compiled of it. */
export function createListCompiler(): (lists: readonly List[]) => CompiledLists {
  let known: ReadonlyMap<string, CompiledList> = new Map();
  return (lists) => {
    const compiled = new Map<string, CompiledList>();
    for (const list of lists) {
      const before = known.get(list.name);
      compiled.set(list.name, before?.list === list ? before : compileList(list));
    }
    known = compiled;
    return {
      lookupFor: (phase) => (name, type) => {
        const list = compiled.get(name);
        if (list === undefined || list.type !== type) return undefined;
        // The product keeps redirect lists to bulk redirects.
        if (list.redirects !== undefined && phase !== "http_request_redirect") return undefined;
        return list.matches;
      },
      redirects: (name) => compiled.get(name)?.redirects,
    };
  };
}

export const NO_LISTS: CompiledLists = createListCompiler()([]);

function compileList(list: List): CompiledList {
  switch (list.kind) {
    case "ip":
      return { list, type: "Ip", matches: compileIpRanges(list.items.flatMap(toIpRange)) };
    case "asn": {
      const numbers = new Set(list.items.map(({ asn }) => asn));
      return { list, type: "Int", matches: (value) => numbers.has(value as number) };
    }
    case "hostname":
      return { list, type: "Bytes", matches: compileHostnames(list.items) };
    case "redirect": {
      const redirects = indexRedirects(list.items.map(({ redirect }) => redirect));
      return {
        list,
        type: "Bytes",
        redirects,
        matches: (value) => redirects.find(splitUrl(value as string)) !== undefined,
      };
    }
  }
}

function toIpRange({ ip }: IpItem): readonly IpRange[] {
  const [text = "", bits] = ip.split("/", 2);
  const address = parseIp(text);
  // INVARIANT: items are checked before they are stored.
  if (address === undefined) return [];
  return [networkOf(address, bits === undefined ? address.bytes.length * 8 : Number(bits))];
}

/** `*.example.com` stands for the names below, and for `example.com` itself where the item says so. */
function compileHostnames(items: readonly HostnameItem[]): ListMatcher {
  const exact = new Set<string>();
  const parents = new Set<string>();
  for (const { hostname } of items) {
    const { url_hostname: name, exclude_exact_hostname: excludesExact = true } = hostname;
    if (name.startsWith("*.")) parents.add(name.slice(2));
    if (!name.startsWith("*.")) exact.add(name);
    else if (!excludesExact) exact.add(name.slice(2));
  }
  return (value) => {
    const name = (value as string).toLowerCase();
    return exact.has(name) || (parents.size > 0 && hasParent(name, parents));
  };
}

function hasParent(name: string, parents: ReadonlySet<string>): boolean {
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
    if (parents.has(name.slice(dot + 1))) return true;
  }
  return false;
}
