/** Addresses that one customer of a provider usually holds: what a single attacker can easily change within. */

const IPV4_DOTS = 3;
const IPV4_DIGITS = 3;
const DOT = 0x2e;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const GROUPS = 8;
const PREFIX_GROUPS = 3;

/**
 * The /24 of an IPv4 address and the /48 of an IPv6 address (what a site gets, RFC 6177), as text to compare.
 *
 * @param address as a socket reports it; an IPv4-mapped IPv6 address counts as IPv4, a zone id is ignored
 * @returns `""` for anything that is no address
 */
export function addressPrefix(address: string): string {
  // The way of nearly every request, which is why it is no regular expression.
  const network = ipv4Network(address);
  if (network !== undefined) return `${network}.0/24`;
  const plain = address.split("%", 1)[0] ?? "";
  const mapped = ipv4Network(plain.toLowerCase().startsWith("::ffff:") ? plain.slice(7) : plain);
  if (mapped !== undefined) return `${mapped}.0/24`;
  const groups = toGroups(plain);
  if (groups === undefined) return "";
  return `${groups
    .slice(0, PREFIX_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/48`;
}

/** The first three numbers of an IPv4 address, each of one to three digits. */
function ipv4Network(address: string): string | undefined {
  let dots = 0;
  let digits = 0;
  let lastDot = 0;
  for (let at = 0; at < address.length; at += 1) {
    const code = address.charCodeAt(at);
    if (code === DOT) {
      if (digits === 0) return undefined;
      dots += 1;
      digits = 0;
      lastDot = at;
    } else {
      digits += 1;
      if (code < DIGIT_0 || code > DIGIT_9 || digits > IPV4_DIGITS) return undefined;
    }
  }
  return dots === IPV4_DOTS && digits > 0 ? address.slice(0, lastDot) : undefined;
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
