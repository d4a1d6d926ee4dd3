/**
 * The name constraints extension (RFC 5280 section 4.2.1.10), which the X.509 library does not have:
 * it confines the local CA to the hosts of this installation, so that its key, if stolen, opens nothing else.
 */
import { GeneralName } from "./x509.ts";
import type { CertificateHost } from "./hosts.ts";

export const NAME_CONSTRAINTS_OID = "2.5.29.30";

const SEQUENCE = 0x30;
/** `permittedSubtrees [0] IMPLICIT GeneralSubtrees` */
const PERMITTED = 0xa0;
/** `iPAddress [7] IMPLICIT OCTET STRING` of GeneralName. */
const IP_ADDRESS = 0x87;

/** @returns the DER value of an extension that permits these hosts (and the names below each) and no others */
export function nameConstraints(hosts: readonly CertificateHost[]): Buffer {
  return tlv(SEQUENCE, tlv(PERMITTED, Buffer.concat(hosts.map(permittedSubtree))));
}

/**
 * @param constraints the DER value of an extension that `nameConstraints` made
 * @returns whether each of the hosts stands in it
 */
export function permitsAll(constraints: Buffer, hosts: readonly CertificateHost[]): boolean {
  return hosts.every((host) => constraints.includes(permittedSubtree(host)));
}

function permittedSubtree({ type, value }: CertificateHost): Buffer {
  const name = Buffer.from(new GeneralName(type, value.replace(/^\*\./, "")).rawData);
  // An address stands as a range here: its octets, then a mask of as many (section 4.2.1.10).
  const octets = name.subarray(2);
  const base =
    type === "dns" ? name : tlv(IP_ADDRESS, Buffer.concat([octets, Buffer.alloc(octets.length, 0xff)]));
  return tlv(SEQUENCE, base);
}

/** DER tag, length, value (X.690 section 8.1.3). */
function tlv(tag: number, value: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = value.length; rest > 0; rest = Math.floor(rest / 256)) length.unshift(rest % 256);
  const header = value.length < 128 ? [tag, value.length] : [tag, 0x80 + length.length, ...length];
  return Buffer.concat([Buffer.from(header), value]);
}
