/** Operations declared in code: names for the program, stable ids for rules and cookies. */
import { normalizeEndpoint, OPERATION_METHODS, operationKey } from "../operation/index.ts";
import type { Operation, OperationMethod, PrefetchPolicy, RecordPolicy } from "../operation/index.ts";
import { SequenceRule } from "./sequence-rule.ts";
import type { NamedOperation } from "./sequence-rule.ts";
import { operationIds } from "./stable-ids.ts";

/** `"GET /api/v1/accounts/{id}/balance"`: a method, a space, a path template. */
export type OperationText = `${OperationMethod} /${string}`;

/** An operation with more to say about it than its method and path. */
export interface OperationDefinition {
  /** Method and path template. */
  readonly operation: OperationText;
  /** What makes a request count as done: that the application saw it (default), or that it answered below 400. */
  readonly record?: RecordPolicy;
  /** What to do with a request that a browser makes ahead of time; `record` unless given. */
  readonly prefetch?: PrefetchPolicy;
}

/** Operation without a host: an application's own, whatever host name it is asked for. */
export type DefinedOperation = Omit<Operation, "host" | "lastUpdatedAt"> & {
  /** Its name in the program. */
  readonly name: string;
};

/** The first half of a rule; `before` completes it. */
export interface Requirement<Name extends string> {
  /**
   * Completes the rule.
   *
   * @param operation the one that must not be called without what is required
   */
  before(operation: Name): SequenceRule;
}

/** The first half of a rule; `after` completes it. */
export interface Prohibition<Name extends string> {
  /**
   * Completes the rule.
   *
   * @param operations any of them makes the forbidden one forbidden
   */
  after(...operations: readonly [Name, ...Name[]]): SequenceRule;
}

/** Declared operations, whatever their names. */
export interface OperationSet {
  /** By their names in the program. */
  readonly operations: Readonly<Record<string, DefinedOperation>>;
}

/** Declared operations, and the rules that speak of them by name. The functions need no `this`. */
export interface DefinedOperations<Name extends string> extends OperationSet {
  /** By their names in the program. */
  readonly operations: Readonly<Record<Name, DefinedOperation>>;
  /** What expressions quote, by name: `cf.sequence.current_op eq "${shortIds.balance}"`. */
  readonly shortIds: Readonly<Record<Name, string>>;
  /** Name of a short id, `undefined` for one that is not declared here. */
  readonly nameOf: (shortId: string) => Name | undefined;
  /** All of these must have been called before. */
  readonly require: (...operations: readonly [Name, ...Name[]]) => Requirement<Name>;
  /** One of these must have been called before. */
  readonly requireAny: (...operations: readonly [Name, ...Name[]]) => Requirement<Name>;
  /**
   * The operation must not follow others. A visitor that drops its cookies has no past, so such a rule binds only
   * those that keep them: prefer `require` where it can say the same.
   */
  readonly forbid: (operation: Name) => Prohibition<Name>;
}

/**
 * Declares operations. The id of each is the hash of its method and template, names of variables aside: it stays
 * the same in every process and after every restart, and changes with the definition.
 *
 * @throws {TypeError} for a text that is no method and template, or two names for one operation
 */
export function defineOperations<
  const Definitions extends Record<string, OperationText | OperationDefinition>,
>(definitions: Definitions): DefinedOperations<Extract<keyof Definitions, string>> {
  type Name = Extract<keyof Definitions, string>;
  const parsed = Object.entries(definitions).map(([name, definition]) => parseDefinition(name, definition));
  refuseDoubles(parsed);
  const ids = operationIds(parsed.map(({ key }) => key));
  const defined = parsed.map(({ key, name, method, endpoint, record, prefetch }): DefinedOperation => {
    const id = ids.get(key) as string;
    return { name, id, shortId: id.slice(0, 8), method, endpoint, record, prefetch };
  });
  const operations = Object.fromEntries(defined.map((operation) => [operation.name, operation]));
  const names = new Map(defined.map(({ shortId, name }) => [shortId, name]));
  const find = (name: string): NamedOperation => {
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined) {
      throw new TypeError(`expected one of ${Object.keys(operations).join(", ")}, found \`${name}\``);
    }
    return operation;
  };
  const requirement =
    (needs: "all" | "any") =>
    (...earlier: readonly string[]): Requirement<Name> => ({
      before: (operation) => toRule(needs, earlier.map(find), find(operation)),
    });
  return {
    operations: operations as Record<Name, DefinedOperation>,
    shortIds: Object.fromEntries(defined.map(({ name, shortId }) => [name, shortId])) as Record<Name, string>,
    nameOf: (shortId) => names.get(shortId) as Name | undefined,
    require: requirement("all"),
    requireAny: requirement("any"),
    forbid: (operation) => ({ after: (...earlier) => toRule("none", earlier.map(find), find(operation)) }),
  };
}

function toRule(
  needs: "all" | "any" | "none",
  earlier: readonly NamedOperation[],
  operation: NamedOperation,
): SequenceRule {
  if (earlier.length === 0) throw new TypeError("expected at least one earlier operation");
  return new SequenceRule({ needs, earlier, operation, directly: false });
}

type ParsedDefinition = Omit<DefinedOperation, "id" | "shortId"> & { readonly key: string };

function parseDefinition(name: string, definition: OperationText | OperationDefinition): ParsedDefinition {
  const {
    operation,
    record = "forwarded",
    prefetch = "record",
  } = typeof definition === "string" ? { operation: definition } : definition;
  const space = operation.indexOf(" ");
  const method = OPERATION_METHODS.find((known) => known === operation.slice(0, space));
  if (method === undefined) {
    throw new TypeError(
      `operation \`${name}\`: expected a method (${OPERATION_METHODS.join(", ")}), a space and a path such as \`GET /cart/{id}\`, found \`${operation}\``,
    );
  }
  const normalized = normalizeEndpoint(operation.slice(space + 1));
  if (normalized.kind === "error") throw new TypeError(`operation \`${name}\`: ${normalized.message}`);
  const { endpoint } = normalized;
  return { name, method, endpoint, record, prefetch, key: operationKey(method, "", endpoint) };
}

function refuseDoubles(parsed: readonly ParsedDefinition[]): void {
  const names = new Map<string, string>();
  for (const { key, name } of parsed) {
    const earlier = names.get(key);
    if (earlier !== undefined) {
      throw new TypeError(
        `expected each operation once, found it as \`${earlier}\` and \`${name}\`; remove one of the names`,
      );
    }
    names.set(key, name);
  }
}
