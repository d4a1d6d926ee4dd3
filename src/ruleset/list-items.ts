/** Items of lists: checked, in canonical form, told apart (product pages "Lists" and "Bulk Redirects"). */
import { canonicalCidr } from "./cidr.ts";
import type { RulesetIssue } from "./issues.ts";
import { MAX_COMMENT_LENGTH, MAX_SUBPATH_SLASHES, MAX_URL_LENGTH } from "./limits.ts";
import { LIST_KINDS, REDIRECT_STATUS_CODES } from "./list-types.ts";
import type { AsnItem, HostnameItem, IpItem, ListKind, Redirect, RedirectItem } from "./list-types.ts";
import { Place } from "./report.ts";

type Content<Item> = Omit<Item, "id" | "created_on" | "modified_on">;

/** What an item says, without its identity. */
export type ListItemContent =
  | Content<IpItem>
  | Content<HostnameItem>
  | Content<AsnItem>
  | Content<RedirectItem>;

export interface CheckedItems {
  readonly items: readonly ListItemContent[];
  readonly issues: readonly RulesetIssue[];
}

/** The member that is called like the kind of the list. */
type ItemValue =
  | Pick<IpItem, "ip">
  | Pick<HostnameItem, "hostname">
  | Pick<AsnItem, "asn">
  | Pick<RedirectItem, "redirect">;

const CHECKERS: Readonly<Record<ListKind, (place: Place) => ItemValue | undefined>> = {
  ip: checkIp,
  hostname: checkHostname,
  asn: checkAsn,
  redirect: checkRedirect,
};

/**
 * Checks items of a list of one kind; nothing may be in them twice.
 *
 * @param pointerOf JSON pointer of the item at an index
 */
export function checkListItems(
  kind: ListKind,
  items: readonly unknown[],
  pointerOf: (index: number) => string,
): CheckedItems {
  const issues: RulesetIssue[] = [];
  const seen = new Set<string>();
  const checked = items.flatMap((item, index) => {
    const place = new Place(issues, item, pointerOf(index));
    const content = checkItem(kind, place);
    if (content === undefined) return [];
    const key = listItemKey(content);
    if (seen.has(key)) place.member(kind).report("another item of the list is the same", "duplicate");
    seen.add(key);
    return [content];
  });
  return { items: checked, issues };
}

function checkItem(kind: ListKind, place: Place): ListItemContent | undefined {
  if (place.object() === undefined) return undefined;
  for (const other of LIST_KINDS) {
    const member = place.member(other);
    if (other !== kind && member.isPresent) member.report(`items of this list have only \`${kind}\``);
  }
  const comment = place.member("comment").string({ max: MAX_COMMENT_LENGTH, required: false });
  const value = CHECKERS[kind](place.member(kind));
  if (value === undefined) return undefined;
  return comment === undefined ? value : { ...value, comment };
}

/** Text that two items of a list share only if they are about the same thing. */
export function listItemKey(item: ListItemContent): string {
  if ("ip" in item) return item.ip;
  if ("asn" in item) return String(item.asn);
  if ("hostname" in item) return item.hostname.url_hostname;
  return sourceKey(item.redirect.source_url);
}

function checkIp(place: Place): ItemValue | undefined {
  const text = place.string({ max: 50 });
  if (text === undefined) return undefined;
  const ip = canonicalCidr(text);
  return ip === undefined
    ? place.report(
        "it is no IPv4 address or CIDR from /8 to /32, and no IPv6 address or CIDR from /12 to /128",
      )
    : { ip };
}

const MAX_ASN = 4_294_967_295;

function checkAsn(place: Place): ItemValue | undefined {
  const asn = place.integer({ min: 0, max: MAX_ASN });
  return asn === undefined ? undefined : { asn };
}

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const HOSTNAME = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
const MAX_HOSTNAME_LENGTH = 253;

function checkHostname(place: Place): ItemValue | undefined {
  if (place.object() === undefined) return undefined;
  const namePlace = place.member("url_hostname");
  const text = namePlace.string({ min: 1, max: MAX_HOSTNAME_LENGTH });
  const name = text === undefined ? undefined : toAsciiName(text.toLowerCase());
  const excludes = place.member("exclude_exact_hostname").boolean();
  if (name === undefined) return undefined;
  if (!HOSTNAME.test(name)) {
    return namePlace.report("it is no host name; `*.` in front stands for every name below");
  }
  return {
    hostname: {
      url_hostname: name,
      ...(excludes === undefined ? {} : { exclude_exact_hostname: excludes }),
    },
  };
}

/** Requests name hosts in ASCII (RFC 5891): so does the list. */
function toAsciiName(name: string): string {
  const [, wildcard = "", rest = ""] = /^(\*\.)?(.*)$/s.exec(name) ?? [];
  if (!/[^\0-\x7f]/.test(rest) || /[\s/?#@:\\]/.test(rest)) return name;
  return wildcard + (URL.parse(`http://${rest}/`)?.hostname ?? rest);
}

function checkRedirect(place: Place): ItemValue | undefined {
  if (place.object() === undefined) return undefined;
  const source = checkSource(place.member("source_url"));
  const redirect: Omit<Redirect, "source_url" | "target_url"> = {
    status_code: place.member("status_code").oneOf(REDIRECT_STATUS_CODES, { required: false }) ?? 301,
    include_subdomains: place.member("include_subdomains").boolean() ?? false,
    subpath_matching: place.member("subpath_matching").boolean() ?? false,
    preserve_query_string: place.member("preserve_query_string").boolean() ?? false,
    // The documentation says true and an older API description false; only subpath matching asks for it.
    preserve_path_suffix: place.member("preserve_path_suffix").boolean() ?? true,
  };
  const target = checkTarget(place.member("target_url"), redirect.preserve_query_string);
  if (source === undefined || target === undefined) return undefined;
  const slashes = source.replace(/^https?:\/\//, "").split("/").length - 1;
  if (redirect.subpath_matching && slashes > MAX_SUBPATH_SLASHES) {
    return place
      .member("source_url")
      .report(`with \`subpath_matching\` its path has at most ${MAX_SUBPATH_SLASHES} slashes`);
  }
  return { redirect: { source_url: source, target_url: target, ...redirect } };
}

const SOURCE = /^(?:(https?):\/\/)?([^/?#:@\\]+)(\/[^?#]*)?$/i;

function checkSource(place: Place): string | undefined {
  const text = place.string({ min: 1, max: MAX_URL_LENGTH });
  if (text === undefined) return undefined;
  const match = SOURCE.exec(text);
  const url = match === null ? null : URL.parse(`${match[1] ?? "https"}://${match[2]}${match[3] ?? "/"}`);
  if (match === null || url === null || /[\u0000-\u0020\u007f\\*]/.test(text)) {
    return place.report(
      "it has to be a host with a path, perhaps after `http://` or `https://`, without port, user, query, fragment or wildcard",
    );
  }
  const scheme = match[1] === undefined ? "" : `${match[1].toLowerCase()}://`;
  return `${scheme}${url.hostname}${match[3] ?? ""}`;
}

/** `example.com` and `example.com/` are one source. */
function sourceKey(source: string): string {
  return /^(?:https?:\/\/)?[^/]+$/.test(source) ? `${source}/` : source;
}

/** Schemes with which a redirect would run or show text of ours in the name of the site. */
const FORBIDDEN_SCHEMES: ReadonlySet<string> = new Set([
  "javascript:",
  "data:",
  "vbscript:",
  "blob:",
  "file:",
]);

function checkTarget(place: Place, preservesQuery: boolean): string | undefined {
  const text = place.string({ min: 1, max: MAX_URL_LENGTH });
  if (text === undefined) return undefined;
  const url = /[\u0000-\u0020\u007f]/.test(text) ? null : URL.parse(text);
  if (url === null || FORBIDDEN_SCHEMES.has(url.protocol)) {
    return place.report("it has to be a whole URL with a scheme that browsers can be sent to");
  }
  // `https:evil` parses, but says its host in a way that nobody reads.
  if (/^https?:$/.test(url.protocol) && !/^https?:\/\/[^/\\]/i.test(text)) {
    return place.report("it has to name its host after `//`");
  }
  if (preservesQuery && url.search !== "") {
    return place.report("it cannot have a query of its own when `preserve_query_string` is true");
  }
  return text;
}
