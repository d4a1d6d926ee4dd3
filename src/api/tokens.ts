/** Tokens: from bodies to rows and back, and who may make which. */
import { ALL_PERMISSIONS, ALL_RESOURCES, randomId } from "../store/index.ts";
import type { Scope, TokenPolicy, TokenRow, View } from "../store/index.ts";
import { tokenStatus } from "./auth.ts";
import { invalid, pointerTo } from "./issues.ts";
import type { Issue } from "./issues.ts";
import { permissionGroup, PERMISSION_GROUPS } from "./permissions.ts";
import type { ResourceKind } from "./permissions.ts";
import type { PolicyBody, TokenBody } from "./schemas/tokens.ts";
import { timestamp } from "./wire.ts";

/** The token as it is shown: never its hash. */
export function toWireToken(token: TokenRow, at: number) {
  const { ipIn, ipNotIn } = token;
  const hasCondition = ipIn.length > 0 || ipNotIn.length > 0;
  return {
    id: token.id,
    name: token.name,
    status: tokenStatus(token, at),
    issued_on: timestamp(token.issuedAt),
    modified_on: timestamp(token.modifiedAt),
    ...(token.notBeforeAt === null ? {} : { not_before: timestamp(token.notBeforeAt) }),
    ...(token.expiresAt === null ? {} : { expires_on: timestamp(token.expiresAt) }),
    policies: token.policies.map(toWirePolicy),
    ...(hasCondition
      ? {
          condition: {
            request_ip: {
              ...(ipIn.length === 0 ? {} : { in: ipIn }),
              ...(ipNotIn.length === 0 ? {} : { not_in: ipNotIn }),
            },
          },
        }
      : {}),
  };
}

const ACCOUNT = "com.cloudflare.api.account";
const ZONE = "com.cloudflare.api.account.zone";
const USER = "com.cloudflare.api.user";
const EVERYTHING = [`${ACCOUNT}.*`, `${ZONE}.*`, `${USER}.*`];

function toWirePolicy(policy: TokenPolicy) {
  const groups = policy.permissionGroups.includes(ALL_PERMISSIONS)
    ? PERMISSION_GROUPS.map(({ id }) => id)
    : policy.permissionGroups;
  return {
    id: policy.id,
    effect: policy.effect,
    resources: toWireResources(policy.resources),
    permission_groups: groups.map((id) => ({ id, name: permissionGroup(id)?.name ?? "" })),
  };
}

function toWireResources(names: readonly string[]) {
  const resources: Record<string, string | Record<string, string>> = {};
  for (const name of names.includes(ALL_RESOURCES) ? EVERYTHING : names) {
    const [outer = "", inner] = name.split("/");
    if (inner === undefined) resources[outer] = "*";
    else {
      const held = resources[outer];
      resources[outer] = { ...(typeof held === "object" ? held : {}), [inner]: "*" };
    }
  }
  return resources;
}

interface PolicyContext {
  readonly view: View;
  readonly scope: Scope;
  readonly random: (lengthBytes: number) => Uint8Array;
}

/** @throws {ApiError} with every mistake in any policy */
export function toPolicies(bodies: readonly PolicyBody[], context: PolicyContext): readonly TokenPolicy[] {
  const issues: Issue[] = [];
  const policies = bodies.map((body, index) => {
    const pointer = `/policies/${index}`;
    const names = flatResources(body.resources);
    issues.push(...resourceIssues(names, `${pointer}/resources`, context));
    issues.push(...groupIssues(body, names, pointer));
    return {
      id: randomId(context.random),
      effect: body.effect,
      permissionGroups: body.permission_groups.map(({ id }) => id),
      resources: names.map(({ name }) => name),
    };
  });
  if (issues.length > 0) throw invalid(issues);
  return policies;
}

interface NamedResource {
  readonly name: string;
  readonly path: readonly string[];
  readonly value: string;
}

/** `{"…account.<id>": {"…zone.*": "*"}}` becomes `…account.<id>/…zone.*`. */
function flatResources(resources: PolicyBody["resources"]): readonly NamedResource[] {
  return Object.entries(resources).flatMap(([outer, value]): readonly NamedResource[] =>
    typeof value === "string"
      ? [{ name: outer, path: [outer], value }]
      : Object.entries(value).map(([inner, star]) => ({
          name: `${outer}/${inner}`,
          path: [outer, inner],
          value: star,
        })),
  );
}

function resourceIssues(
  names: readonly NamedResource[],
  pointer: string,
  { view, scope }: PolicyContext,
): readonly Issue[] {
  if (names.length === 0) {
    return [{ name: "missing_value", pointer, value: {}, reason: "it must name at least one resource" }];
  }
  return names.flatMap((resource) => {
    const reason = resourceMistake(resource, view, scope);
    const at = pointerTo(pointer, ...resource.path);
    return reason === undefined
      ? []
      : [{ name: "unknown_reference", pointer: at, value: resource.name, field: "resources", reason }];
  });
}

const NAME = /^com\.cloudflare\.api\.(account\.zone|account|user)\.(\*|[0-9a-f]{32})$/;

function resourceMistake({ path, value }: NamedResource, view: View, scope: Scope): string | undefined {
  if (value !== "*") return 'its value must be "*"';
  const parts = path.map((part) => NAME.exec(part));
  if (parts.includes(null)) {
    return `expected ${ACCOUNT}.<id>, ${ZONE}.<id> or ${USER}.*, with \`*\` for all`;
  }
  const kinds = parts.map((match) => match?.[1]).join("/");
  if (path.length === 2 && kinds !== "account/account.zone")
    return "only zones can be named inside an account";
  if (kinds === "user" && scope !== "user") return "a token of an account cannot touch users";
  return parts
    .map((match) => missingObject(match?.[1], match?.[2] ?? "", view))
    .find((reason) => reason !== undefined);
}

function missingObject(kind: string | undefined, id: string, view: View): string | undefined {
  if (id === "*" || kind === "user") return undefined;
  if (kind === "account")
    return view.get("accounts", id) === undefined ? "there is no account with this id" : undefined;
  return view.get("zones", id) === undefined ? "there is no zone with this id" : undefined;
}

const KIND_OF_NAME = { "account.zone": "zone", account: "account", user: "user" } as const;

/** A group on resources of another kind would be a permission for nothing: certainly a slip. */
function groupIssues(body: PolicyBody, names: readonly NamedResource[], pointer: string): readonly Issue[] {
  const kinds = new Set<ResourceKind | undefined>(
    names.map(({ path }) => {
      const kind = NAME.exec(path.at(-1) ?? "")?.[1];
      return kind === undefined ? undefined : KIND_OF_NAME[kind as keyof typeof KIND_OF_NAME];
    }),
  );
  return body.permission_groups.flatMap(({ id }, index): readonly Issue[] => {
    const group = permissionGroup(id);
    const at = { pointer: `${pointer}/permission_groups/${index}/id`, value: id };
    if (group === undefined) {
      return [
        { name: "unknown_reference" as const, ...at, reason: "there is no permission group with this id" },
      ];
    }
    if (kinds.has(group.kind) || kinds.has(undefined)) return [];
    const reason = `\`${group.name}\` is about a ${group.kind}, and the policy names none`;
    return [{ name: "invalid_value" as const, ...at, reason }];
  });
}

/** @throws {ApiError} when the instants cannot be */
export function checkInstants(
  { expires_on: expiresAt, not_before: notBeforeAt }: TokenBody,
  at: number,
): void {
  const issues: Issue[] = [];
  if (expiresAt !== undefined && expiresAt <= at) {
    issues.push({
      name: "invalid_value",
      pointer: "/expires_on",
      value: timestamp(expiresAt),
      reason: "it must be in the future",
    });
  }
  if (expiresAt !== undefined && notBeforeAt !== undefined && notBeforeAt >= expiresAt) {
    issues.push({
      name: "invalid_value",
      pointer: "/not_before",
      value: timestamp(notBeforeAt),
      reason: "it must be before `expires_on`",
    });
  }
  if (issues.length > 0) throw invalid(issues);
}

/** The members of a row that a body decides. */
export function toTokenFacts(
  body: TokenBody,
  policies: readonly TokenPolicy[],
): Pick<TokenRow, "name" | "policies" | "ipIn" | "ipNotIn" | "notBeforeAt" | "expiresAt"> {
  return {
    name: body.name,
    policies,
    ipIn: body.condition?.request_ip?.in ?? [],
    ipNotIn: body.condition?.request_ip?.not_in ?? [],
    notBeforeAt: body.not_before ?? null,
    expiresAt: body.expires_on ?? null,
  };
}
