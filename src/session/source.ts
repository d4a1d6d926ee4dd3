/** Who stands behind an address, as far as the address tells. */

/** Groups of 16 bits in an IPv6 address, and how many of them a subscriber's network has in common (RFC 6177). */
const GROUPS = 8;
const NETWORK_GROUPS = 4;

const MAPPED_IPV4 = /^(?:0*:){0,5}:?ffff:(?<address>\d{1,3}(?:\.\d{1,3}){3})$/i;

/**
 * An IPv4 address as it is; of an IPv6 address the /64 that one subscriber has at least; an IPv4 address mapped into
 * IPv6 (RFC 4291 section 2.5.5.2) as the IPv4 address. Anything else comes back unchanged.
 *
 * @param address textual, without brackets and zone index
 */
export function sourceOf(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = MAPPED_IPV4.exec(address)?.groups?.["address"];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = address.split("::", 2);
  const leading = head === "" ? [] : head.split(":");
  const trailing = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - leading.length - trailing.length);
  const groups = [...leading, ...Array.from({ length: zeros }, () => "0"), ...trailing];
  return `${groups.slice(0, NETWORK_GROUPS).map(shortest).join(":")}::/64`;
}

function shortest(group: string): string {
  return group.toLowerCase().replace(/^0+(?=.)/, "");
}
