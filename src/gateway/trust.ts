/** Which peers are believed when they say who the client is (CWE-348; `gateway.trustedProxies`). */
import { BlockList, isIP, isIPv6 } from "node:net";

/** Proxies in a row that are walked past; a longer chain was not built by anyone's own proxies. */
const MAX_HOPS = 32;

export interface ProxyTrust {
  trusts(address: string): boolean;
  /**
   * The client behind trusted proxies: `X-Forwarded-For` is read from the right, where the nearest proxy wrote, and
   * the first address that is not trusted is the client. Whatever stands left of it is that client's own claim.
   *
   * @param peer address of the connection, which is trusted
   * @param forwardedFor value of `X-Forwarded-For`
   */
  clientOf(peer: string, forwardedFor: string): string;
}

/**
 * @param networks addresses or CIDR ranges, IPv4 or IPv6
 * @throws {TypeError} for a text that is neither
 */
export function createProxyTrust(networks: readonly string[]): ProxyTrust {
  const list = new BlockList();
  for (const network of networks) addNetwork(list, network);
  const trusts = (address: string): boolean => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  return {
    trusts,
    clientOf(peer, forwardedFor) {
      let client = peer;
      let end = forwardedFor.length;
      for (let hop = 0; hop < MAX_HOPS && end > 0 && trusts(client); hop++) {
        const comma = forwardedFor.lastIndexOf(",", end - 1);
        const address = addressOf(forwardedFor.slice(comma + 1, end).trim());
        // What cannot be read was not written by a proxy of ours: the last address that was is the client.
        if (address === undefined) return client;
        client = address;
        end = comma;
      }
      return client;
    },
  };
}

function addNetwork(list: BlockList, network: string): void {
  const [address = "", prefix, ...rest] = network.split("/");
  const family = isIP(address);
  const bits = family === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  const valid = family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix ?? "0") && length <= bits;
  if (!valid) {
    throw new TypeError(
      `expected an IP address or a CIDR range such as \`10.0.0.0/8\`, found \`${network}\``,
    );
  }
  list.addSubnet(address, length, family === 4 ? "ipv4" : "ipv6");
}

/** Some proxies write a port behind the address, and brackets around it. */
function addressOf(text: string): string | undefined {
  const plain = /^\[([0-9a-f:.]+)\](?::\d+)?$/i.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const unmapped = plain.toLowerCase().startsWith("::ffff:") && plain.includes(".") ? plain.slice(7) : plain;
  return isIP(unmapped) === 0 ? undefined : unmapped;
}
