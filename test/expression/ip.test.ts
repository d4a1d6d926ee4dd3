/** Addresses, against Node's own. */
import { BlockList, isIP, SocketAddress } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compileIpRanges,
  ipToText,
  networkOf,
  parseIp,
  parseIpRange,
  type Ip,
} from "../../src/expression/index.ts";
import { errorOf, evaluate } from "./support.ts";

const v4 = fc.ipV4();
const v6 = fc.ipV6();

function addressOf(text: string): Ip {
  const ip = parseIp(text);
  if (ip === undefined) {
    throw new TypeError(`expected an address, found \`${text}\``);
  }
  return ip;
}

describe("text", () => {
  test("what Node takes for an address is one, and its text means the same", () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (text) => {
        const ip = addressOf(text);
        const family = isIP(text) === 4 ? "ipv4" : "ipv6";
        const again = ipToText(ip);
        expect(parseIp(again)).toEqual(ip);
        expect(new SocketAddress({ address: again, family }).address.toLowerCase()).toBe(
          new SocketAddress({ address: text, family }).address.toLowerCase(),
        );
      }),
    );
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.256",
    "1.2.3.-4",
    " 1.2.3.4",
    "1.2.3.4 ",
    "0x1.2.3.4",
    "1.2.3.4/32",
    ":",
    ":::",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "12345::",
    "g::",
    "::1.2.3",
    "::1.2.3.04",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "fe80::1%eth0",
    "1:",
    ":1",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::ffff:1.2.3.4.5",
  ])("%j is no address", (text) => {
    expect(parseIp(text)).toBeUndefined();
    expect(isIP(text.replace(/%.*$/, "%"))).toBe(0);
  });

  test.each([
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4"],
    ["2001:DB8::A:0:0:0", "2001:db8:0:0:a::"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["::1.2.3.4", "::102:304"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ])("%s is written %s", (text, canonical) => {
    const ip = parseIp(text);
    expect(ip === undefined ? undefined : ipToText(ip)).toBe(canonical);
  });
});

describe("ranges", () => {
  test("agree with Node's BlockList", () => {
    const subnet = fc.oneof(
      fc.tuple(v4, fc.integer({ min: 0, max: 32 }), fc.constant("ipv4" as const)),
      fc.tuple(v6, fc.integer({ min: 0, max: 128 }), fc.constant("ipv6" as const)),
    );
    fc.assert(
      fc.property(
        fc.array(subnet, { maxLength: 8 }),
        fc.array(fc.oneof(v4, v6), { minLength: 1 }),
        (subnets, addresses) => {
          // Node also finds IPv4 addresses in IPv6 networks; the language keeps the families apart.
          const blockLists = { ipv4: new BlockList(), ipv6: new BlockList() };
          const ranges = subnets.map(([address, bits, family]) => {
            blockLists[family].addSubnet(address, bits, family);
            return networkOf(addressOf(address), bits);
          });
          const matches = compileIpRanges(ranges);
          for (const address of [...addresses, ...subnets.map(([base]) => base)]) {
            const family = isIP(address) === 4 ? "ipv4" : "ipv6";
            const isIn = blockLists[family].check(address, family);
            expect({ address, isIn: matches(addressOf(address)) }).toEqual({ address, isIn });
          }
        },
      ),
    );
  });

  test.each([
    ["10.0.0.0/8", "10.0.0.0", "10.255.255.255"],
    ["10.1.2.3", "10.1.2.3", "10.1.2.3"],
    ["10.0.0.1..10.0.1.0", "10.0.0.1", "10.0.1.0"],
    ["::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
    ["2001:db8::..2001:db8::ff", "2001:db8::", "2001:db8::ff"],
  ])("%s", (text, first, last) => {
    const range = parseIpRange(text);
    expect(range === undefined ? undefined : [ipToText(range.first), ipToText(range.last)]).toEqual([
      first,
      last,
    ]);
  });

  test.each([
    "10.0.0.1/8",
    "10.0.0.0/33",
    "::/129",
    "10/8",
    "10.0.0.0/",
    "1.2.3.4..::1",
    "1.2.3.4..1.2.3.3",
    "1.2.3.4..x",
    "a/8",
    "1.0.0.0/8/8",
    "1.0.0.0/-1",
  ])("%s is no range", (text) => {
    expect(parseIpRange(text)).toBeUndefined();
  });
});

describe("in expressions", () => {
  test.each([
    ["ip.src in {10/8}", "10.9.8.7", true],
    ["ip.src in {10.1.2.03}", "10.1.2.3", true],
    ["ip.src in {10}", "10.0.0.0", true],
    ["ip.src in {10}", "10.0.0.1", false],
    ["ip.src in {192.168/016}", "192.168.5.5", true],
    ["ip.src in {1.1.1.1..1.1.1.9 1.1.1.5..1.1.2.0 9.9.9.9}", "1.1.1.200", true],
    ["ip.src in {1.1.1.1..1.1.1.9 1.1.1.2..1.1.1.3}", "1.1.1.8", true],
    ["ip.src in {::ffff:0:0/96}", "1.2.3.4", false],
    ["ip.src in {0.0.0.0/0}", "::ffff:1.2.3.4", false],
    ["ip.src in $net", "10.0.0.5", true],
    ["ip.src in $net", "10.0.1.5", false],
  ])("%s, %s: %s", (source, address, result) => {
    expect(evaluate(source, { "ip.src": address, $net: ["10.0.0.0/24", "::1"] })).toBe(result);
  });

  test.each([
    "ip.src == 10.1.2.03",
    "ip.src == 10",
    "ip.src in {1.2.3.4.5}",
    "ip.src in {10/8/8}",
    "ip.src in {10/256}",
    "ip.src in {256}",
    "ip.src in {..}",
  ])("%s is refused", (source) => {
    expect(errorOf(source).code).toBe("invalid_address");
  });
});
