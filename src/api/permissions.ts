/** Permission groups, and what a token may do. */
import { ALL_PERMISSIONS, ALL_RESOURCES, derivedId } from "../store/index.ts";
import type { TokenPolicy } from "../store/index.ts";

/** What a permission is about; each kind of group fits one kind of resource. */
export type ResourceKind = "zone" | "account" | "user";

export type Level = "Read" | "Write";

/** The original's names of products; each has a Read and a Write group. */
const PRODUCTS = {
  Zone: "zone",
  "Zone Settings": "zone",
  "Zone WAF": "zone",
  "API Gateway": "zone",
  "Fraud Detection": "zone",
  "Dynamic URL Redirects": "zone",
  "Zone Transform Rules": "zone",
  "Account Settings": "account",
  "Account Rulesets": "account",
  "Account WAF": "account",
  "Account Rule Lists": "account",
  "Mass URL Redirects": "account",
  "Account API Tokens": "account",
  "API Tokens": "user",
} as const satisfies Readonly<Record<string, ResourceKind>>;

export type Product = keyof typeof PRODUCTS;

export interface PermissionGroup {
  /** 32 hex characters. */
  readonly id: string;
  readonly name: `${Product} ${Level}`;
  readonly kind: ResourceKind;
}

/** The original's id of this group is known from public code; the others are derived from their names. */
const KNOWN_IDS: Readonly<Record<string, string>> = {
  "Fraud Detection Write": "685f9605fd4e44ec937b6a0db658e629",
};

export const PERMISSION_GROUPS: readonly PermissionGroup[] = (
  Object.entries(PRODUCTS) as readonly [Product, ResourceKind][]
).flatMap(([product, kind]) =>
  (["Read", "Write"] as const).map((level) => {
    const name = `${product} ${level}` as const;
    return { id: KNOWN_IDS[name] ?? derivedId("permission group", name), name, kind };
  }),
);

const GROUP_BY_ID = new Map(PERMISSION_GROUPS.map((group) => [group.id, group]));
const ID_BY_NAME = new Map<string, string>(PERMISSION_GROUPS.map((group) => [group.name, group.id]));

export function permissionGroup(id: string): PermissionGroup | undefined {
  return GROUP_BY_ID.get(id);
}

/** One thing that a token may or may not touch. */
export type Resource =
  | { readonly kind: "zone"; readonly id: string; readonly accountId: string | undefined }
  | { readonly kind: "account"; readonly id: string }
  | { readonly kind: "user" };

const PREFIX = "com.cloudflare.api";

/** Every resource name that covers `resource`, as it may stand in a policy. */
function coveringNames(resource: Resource): readonly string[] {
  switch (resource.kind) {
    case "zone": {
      const zones = [`${PREFIX}.account.zone.${resource.id}`, `${PREFIX}.account.zone.*`];
      const accounts = [`${PREFIX}.account.*`, `${PREFIX}.account.${resource.accountId ?? ""}`];
      return [...zones, ...accounts.flatMap((account) => zones.map((zone) => `${account}/${zone}`))];
    }
    case "account":
      return [`${PREFIX}.account.${resource.id}`, `${PREFIX}.account.*`];
    case "user":
      return [`${PREFIX}.user.*`];
  }
}

/**
 * Whether the policies allow one of `products` at `level` on `resource`. Having Write includes Read; being denied Read
 * includes Write. A policy that denies wins over any that allows; what no policy names is not allowed.
 */
export function isAllowed(
  policies: readonly TokenPolicy[],
  products: readonly Product[],
  level: Level,
  resource: Resource,
): boolean {
  const names = new Set([...coveringNames(resource), ALL_RESOURCES]);
  const covering = policies.filter(({ resources }) => resources.some((name) => names.has(name)));
  const isNamed = (effect: TokenPolicy["effect"], groups: ReadonlySet<string>): boolean =>
    covering.some(
      (policy) => policy.effect === effect && policy.permissionGroups.some((id) => groups.has(id)),
    );
  return products.some((product) => {
    const [read, write] = [ID_BY_NAME.get(`${product} Read`) ?? "", ID_BY_NAME.get(`${product} Write`) ?? ""];
    const allowing = new Set([ALL_PERMISSIONS, write, ...(level === "Read" ? [read] : [])]);
    const denying = new Set([ALL_PERMISSIONS, read, ...(level === "Write" ? [write] : [])]);
    return isNamed("allow", allowing) && !isNamed("deny", denying);
  });
}

/**
 * Whether everything that `inner` allows is allowed by `outer` too, so that nobody hands out more than they have.
 * Compares policy by policy and resource name by resource name: stricter than necessary, never laxer. What `outer`
 * denies has to be denied by `inner` in the same words.
 */
export function isWithin(inner: readonly TokenPolicy[], outer: readonly TokenPolicy[]): boolean {
  const denials = outer.filter(({ effect }) => effect === "deny");
  const keepsDenials = denials.every((denial) =>
    inner.some((policy) => policy.effect === "deny" && covers(policy, denial)),
  );
  return (
    keepsDenials &&
    inner
      .filter(({ effect }) => effect === "allow")
      .every((policy) =>
        policy.permissionGroups.every((group) =>
          policy.resources.every((resource) =>
            outer.some(
              (candidate) =>
                candidate.effect === "allow" &&
                candidate.permissionGroups.some((held) => groupCovers(held, group)) &&
                candidate.resources.some((held) => nameCovers(held, resource)),
            ),
          ),
        ),
      )
  );
}

function covers(policy: TokenPolicy, other: TokenPolicy): boolean {
  return (
    other.permissionGroups.every((group) =>
      policy.permissionGroups.some((held) => groupCovers(held, group)),
    ) && other.resources.every((name) => policy.resources.some((held) => nameCovers(held, name)))
  );
}

function groupCovers(held: string, wanted: string): boolean {
  if (held === wanted || held === ALL_PERMISSIONS) return true;
  const [heldName, wantedName] = [GROUP_BY_ID.get(held)?.name, GROUP_BY_ID.get(wanted)?.name];
  return wantedName?.endsWith(" Read") === true && heldName === wantedName.replace(/ Read$/, " Write");
}

/** `com.cloudflare.api.account.*` covers every account, and as the outer part also the zones of every account. */
function nameCovers(held: string, wanted: string): boolean {
  if (held === wanted || held === ALL_RESOURCES) return true;
  const [heldParts, wantedParts] = [held.split("/"), wanted.split("/")];
  if (heldParts.length === 1 && wantedParts.length === 2) return starCovers(held, wantedParts[1] ?? "");
  return (
    heldParts.length === wantedParts.length &&
    heldParts.every((part, index) => starCovers(part, wantedParts[index] ?? ""))
  );
}

function starCovers(held: string, wanted: string): boolean {
  if (held === wanted) return true;
  if (!held.endsWith(".*")) return false;
  const stem = held.slice(0, -1);
  // `…account.*` names accounts only: `…account.zone.<id>` is of another kind.
  return wanted.startsWith(stem) && !wanted.slice(stem.length).includes(".");
}
