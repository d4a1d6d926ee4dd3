/** Lists that rules name: addresses, host names, AS numbers and redirects, as they are stored; wire names stay. */

export const LIST_KINDS = ["ip", "redirect", "hostname", "asn"] as const;

export type ListKind = (typeof LIST_KINDS)[number];

interface ItemIdentity {
  /** 32 hex characters. */
  readonly id: string;
  /** RFC 3339. */
  readonly created_on: string;
  readonly modified_on: string;
  /** At most 500 characters. */
  readonly comment?: string;
}

export interface IpItem extends ItemIdentity {
  /** An IPv4 address or CIDR, or an IPv6 address or CIDR, in canonical text form. */
  readonly ip: string;
}

export interface HostnameItem extends ItemIdentity {
  readonly hostname: {
    /** Lower case; `*.example.com` stands for every name below. */
    readonly url_hostname: string;
    readonly exclude_exact_hostname?: boolean;
  };
}

export interface AsnItem extends ItemIdentity {
  readonly asn: number;
}

export const REDIRECT_STATUS_CODES = [301, 302, 307, 308] as const;

/** One row of a bulk redirect list, every default filled in. */
export interface Redirect {
  /** Host and path, with or without `http://` or `https://`. */
  readonly source_url: string;
  readonly target_url: string;
  readonly status_code: (typeof REDIRECT_STATUS_CODES)[number];
  readonly include_subdomains: boolean;
  readonly subpath_matching: boolean;
  readonly preserve_query_string: boolean;
  readonly preserve_path_suffix: boolean;
}

export interface RedirectItem extends ItemIdentity {
  readonly redirect: Redirect;
}

export type ListItem = IpItem | HostnameItem | AsnItem | RedirectItem;

interface ListIdentity {
  /** 32 hex characters. */
  readonly id: string;
  /** Lower-case letters, digits and `_`, at most 50; unique in the account. */
  readonly name: string;
}

/** A list with its items, oldest first. */
export type List =
  | (ListIdentity & { readonly kind: "ip"; readonly items: readonly IpItem[] })
  | (ListIdentity & { readonly kind: "hostname"; readonly items: readonly HostnameItem[] })
  | (ListIdentity & { readonly kind: "asn"; readonly items: readonly AsnItem[] })
  | (ListIdentity & { readonly kind: "redirect"; readonly items: readonly RedirectItem[] });
