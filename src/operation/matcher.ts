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

/** What is saved for one template, in order of saving: a few methods, so a list is the quickest table. */
type Leaf = Operation[];

interface Node {
  /** The first literal that came here: compared in place, because most nodes have one child and need no map. */
  literal: string | null;
  literalNode: Node | null;
  /** All other literals. */
  literals: Map<string, Node> | null;
  variable: Node | null;
  leaf: Leaf | null;
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
  const roots = new Map<string, Node>();
  // Hosts with variables share one tree in which the labels come before the path (see `hostKey`).
  const templated = createNode();
  for (const operation of operations) {
    const key = matchKey(operation.endpoint, options);
    if (operation.host.includes("{")) {
      insert(templated, hostKey(operation.host, key), operation);
    } else {
      let root = roots.get(operation.host);
      if (root === undefined) roots.set(operation.host, (root = createNode()));
      insert(root, key, operation);
    }
  }
  const hasTemplatedHosts = templated.literal !== null || templated.variable !== null;

  const lookUp = (method: string, host: string, key: string): Operation | undefined => {
    const root = roots.get(host);
    const found = root === undefined ? undefined : find({ key, method, options }, root, 1);
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
function find(lookup: Lookup, from: Node, start: number): Operation | undefined {
  const { key, method, options } = lookup;
  const slash = key.indexOf("/", start);
  if (slash === -1) return findLast(lookup, from, start);
  const literal = literalChild(from, key, start, slash);
  let found = literal ? find(lookup, literal, slash + 1) : undefined;
  if (found === undefined && from.variable !== null && slash > start) {
    found = find(lookup, from.variable, slash + 1);
  }
  return found ?? (options.pathInfo === "prefix" ? operationOf(from.leaf, method) : undefined);
}

/** `find` for the last segment of a key. */
function findLast(lookup: Lookup, from: Node, start: number): Operation | undefined {
  const { key, method, options } = lookup;
  let found = operationOf(literalChild(from, key, start, key.length)?.leaf, method);
  if (found === undefined && options.formatSuffix === "fold") {
    found = operationOf(literalChild(from, key, start, suffixStart(key, start))?.leaf, method);
  }
  if (found === undefined && key.length > start) found = operationOf(from.variable?.leaf, method);
  return found ?? (options.pathInfo === "prefix" ? operationOf(from.leaf, method) : undefined);
}

/** The node of the literal that stands in `key` from `start` to `end`. */
function literalChild(from: Node, key: string, start: number, end: number): Node | null | undefined {
  const { literal, literals } = from;
  if (literal === null) return null;
  if (literal.length === end - start && key.startsWith(literal, start)) return from.literalNode;
  return literals?.get(key.slice(start, end));
}

function operationOf(leaf: Leaf | null | undefined, method: string): Operation | undefined {
  if (leaf === null || leaf === undefined) return undefined;
  const own = leaf.find((operation) => operation.method === method);
  return own ?? (method === "HEAD" ? leaf.find((operation) => operation.method === "GET") : undefined);
}

function insert(root: Node, key: string, operation: Operation): void {
  let node = root;
  for (const segment of key.slice(1).split("/")) {
    node = VARIABLE.test(segment) ? (node.variable ??= createNode()) : childFor(node, segment);
  }
  (node.leaf ??= []).push(operation);
}

function childFor(node: Node, literal: string): Node {
  if (node.literal === literal && node.literalNode !== null) return node.literalNode;
  if (node.literal === null) {
    node.literal = literal;
    return (node.literalNode = createNode());
  }
  node.literals ??= new Map();
  let child = node.literals.get(literal);
  if (child === undefined) node.literals.set(literal, (child = createNode()));
  return child;
}

function createNode(): Node {
  return { literal: null, literalNode: null, literals: null, variable: null, leaf: null };
}

/** Labels, an empty segment, then the path: variables are never empty, so none can reach across the border. */
function hostKey(host: string, pathKey: string): string {
  return `/${host.replaceAll(".", "/")}/${pathKey}`;
}

/** Where the last segment of `key`, which begins at `start`, loses a suffix like `.json`; else its end. */
function suffixStart(key: string, start: number): number {
  const dot = key.lastIndexOf(".");
  return dot > start && dot < key.length - 1 ? dot : key.length;
}
