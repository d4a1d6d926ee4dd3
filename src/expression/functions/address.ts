/** `cidr` and `cidr6`: the network an address lies in. */
import { parameter, type FunctionDefinition } from "./definition.ts";
import { isIpv4, networkOf, type Ip } from "../ip.ts";

const bits = (max: number) =>
  parameter("literal", ["Int"], (value) =>
    (value as number) >= 1 && (value as number) <= max ? undefined : `a prefix length from 1 to ${max}`,
  );

const ADDRESS = parameter("field", ["Ip"]);

export const ADDRESS_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "cidr",
    parameters: [ADDRESS, bits(32), bits(128)],
    required: 3,
    returns: () => "Ip",
    bind:
      ([, v4Bits, v6Bits]) =>
      (ip) =>
        ip === undefined ? undefined : networkOf(ip as Ip, Number(isIpv4(ip as Ip) ? v4Bits : v6Bits)).first,
  },
  {
    name: "cidr6",
    parameters: [ADDRESS, bits(128)],
    required: 2,
    returns: () => "Ip",
    bind:
      ([, v6Bits]) =>
      (ip) => {
        if (ip === undefined || isIpv4(ip as Ip)) {
          return ip;
        }
        return networkOf(ip as Ip, Number(v6Bits)).first;
      },
  },
];
