/** Finds the operation of a request: the most specific template, in time bounded by the saved operations. */
import { matchKey } from "./match-key.ts";
import { DEFAULT_PATH_OPTIONS } from "./options.ts";
import type { PathOptions } from "./options.ts";
import type { Operation } from "./types.ts";

export interface OperationMatcher {
  /**
   * The operation a request belongs to, or `undefined`.
   *
   * The most specific template wins, compared from the left, host before path: literal before variable; a variable
   * is one non-empty segment (or label). A branch that ends without an operation for `method` gives way to the next
   * best one. Of several operations with one key the first one saved counts.
   *
   * A HEAD request matches a GET operation where no HEAD operation is saved for the same template: such a request
   * has `operation.method !== method`, and is enforced but not recorded.
   *
   * @param method - as sent; compared exactly.
   * @param host - from `canonicalHost`, without port.
   * @param path - from `canonicalTarget`.
   */
  match(method: string, host: string, path: string): Operation | undefined;
}

/** What is saved for one template, by method. */
type Leaf = Map<string, Operation>;

interface Node {
  readonly literals: Map<string, Node>;
  variable: Node | null;
  leaf: Leaf | null;
}

/** The operations of one host. */
interface Site {
  /** Templates without variables, by their whole key: nothing is more specific, so this look-up comes first. */
  readonly fixed: Map<string, Leaf>;
  readonly root: Node;
}

/** Where the path ends for an origin that takes `;` for a `?`. */
const PARAMETER = /;|%3B/;
const VARIABLE = /^\{[^{}]*\}$/;

/**
 * Prepares the look-up of `operations`. Each one costs a few map entries; nothing is compiled per request. A look-up
 * visits a node at most once, so no path can cost more than the number of saved segments, whatever its shape; a
 * path alone can never make it go deeper than the longest template.
 *
 * @param operations - with normalised host and endpoint.
 * @param options - of the zone; the same as given to `canonicalTarget`.
 */
export function createMatcher(
  operations: readonly Operation[],
  options: PathOptions = DEFAULT_PATH_OPTIONS,
): OperationMatcher {
  const sites = new Map<string, Site>();
  // Hosts with variables share one tree in which the labels come before the path (see `hostKey`).
  const templated = createNode();
  for (const operation of operations) {
    const key = matchKey(operation.endpoint, options);
    if (operation.host.includes("{")) {
      insert(templated, hostKey(operation.host, key), operation);
      continue;
    }
    let site = sites.get(operation.host);
    if (site === undefined) sites.set(operation.host, (site = { fixed: new Map(), root: createNode() }));
    const leaf = insert(site.root, key, operation);
    if (!key.includes("{")) site.fixed.set(key, leaf);
  }
  const hasTemplatedHosts = templated.literals.size > 0 || templated.variable !== null;

  const lookUp = (method: string, host: string, key: string): Operation | undefined => {
    const site = sites.get(host);
    const found =
      site === undefined
        ? undefined
        : (operationOf(site.fixed.get(key), method) ?? find({ key, method, options }, site.root, 1));
    if (found !== undefined || !hasTemplatedHosts) return found;
    return find({ key: hostKey(host, key), method, options }, templated, 1);
  };

  return {
    match(method, host, path) {
      const found = lookUp(method, host, matchKey(path, options));
      if (found !== undefined || options.params !== "fold") return found;
      const cutAt = path.search(PARAMETER);
      return cutAt === -1 ? undefined : lookUp(method, host, matchKey(path.slice(0, cutAt), options));
    },
  };
}

interface Lookup {
  readonly key: string;
  readonly method: string;
  readonly options: PathOptions;
}

/** Depth first, best branch first. `start` is where the next segment of the key begins. */
function find(lookup: Lookup, node: Node, start: number): Operation | undefined {
  const { key, method, options } = lookup;
  const end = key.indexOf("/", start);
  const isLast = end === -1;
  const segment = isLast ? key.slice(start) : key.slice(start, end);
  const descend = (next: Node): Operation | undefined =>
    isLast ? operationOf(next.leaf, method) : find(lookup, next, end + 1);

  const literal = node.literals.get(segment);
  let found = literal && descend(literal);
  if (found === undefined && isLast && options.formatSuffix === "fold") {
    const withoutSuffix = node.literals.get(dropSuffix(segment));
    found = withoutSuffix && descend(withoutSuffix);
  }
  if (found === undefined && node.variable !== null && segment !== "") found = descend(node.variable);
  if (found === undefined && options.pathInfo === "prefix") found = operationOf(node.leaf, method);
  return found;
}

function operationOf(leaf: Leaf | null | undefined, method: string): Operation | undefined {
  if (leaf === null || leaf === undefined) return undefined;
  return leaf.get(method) ?? (method === "HEAD" ? leaf.get("GET") : undefined);
}

function insert(root: Node, key: string, operation: Operation): Leaf {
  let node = root;
  for (const segment of key.slice(1).split("/")) {
    if (VARIABLE.test(segment)) node = node.variable ??= createNode();
    else {
      let next = node.literals.get(segment);
      if (next === undefined) node.literals.set(segment, (next = createNode()));
      node = next;
    }
  }
  node.leaf ??= new Map();
  if (!node.leaf.has(operation.method)) node.leaf.set(operation.method, operation);
  return node.leaf;
}

function createNode(): Node {
  return { literals: new Map(), variable: null, leaf: null };
}

/** Labels, an empty segment, then the path: variables are never empty, so none can reach across the border. */
function hostKey(host: string, pathKey: string): string {
  return `/${host.replaceAll(".", "/")}/${pathKey}`;
}

/** `report` of `report.json`; without a suffix the segment itself. */
function dropSuffix(segment: string): string {
  const dot = segment.lastIndexOf(".");
  return dot > 0 && dot < segment.length - 1 ? segment.slice(0, dot) : segment;
}
