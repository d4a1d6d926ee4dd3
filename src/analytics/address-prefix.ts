/** Addresses that one customer of a provider usually holds: what a single attacker can easily change within. */

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.\d{1,3}$/;
const GROUPS = 8;
const PREFIX_GROUPS = 3;

/**
 * The /24 of an IPv4 address and the /48 of an IPv6 address (what a site gets, RFC 6177), as text to compare.
 *
 * @param address as a socket reports it; an IPv4-mapped IPv6 address counts as IPv4, a zone id is ignored
 * @returns `""` for anything that is no address
 */
export function addressPrefix(address: string): string {
  const plain = address.split("%", 1)[0] ?? "";
  const ipv4 = IPV4.exec(plain.toLowerCase().startsWith("::ffff:") ? plain.slice(7) : plain);
  if (ipv4 !== null) return `${ipv4[1]}.${ipv4[2]}.${ipv4[3]}.0/24`;
  const groups = toGroups(plain);
  if (groups === undefined) return "";
  return `${groups
    .slice(0, PREFIX_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/48`;
}

/** The eight groups of an IPv6 address (RFC 4291 section 2.2). */
function toGroups(address: string): readonly string[] | undefined {
  const halves = address.split("::");
  if (halves.length > 2 || address.length > 45) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = GROUPS - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? groups : undefined;
}
