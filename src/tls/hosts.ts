/** The names and addresses that a development certificate is for. */
import { isIP, SocketAddress } from "node:net";
import { domainToASCII } from "node:url";
import { CertificateError } from "./errors.ts";

export type HostKind = "dns" | "ip";

export interface CertificateHost {
  readonly type: HostKind;
  /** ASCII, lower case; addresses in their shortest form, IPv6 without brackets. */
  readonly value: string;
}

/** What every development certificate is for. */
const LOCAL_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "::1"];

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * @param host a host name, a wildcard name (`*.shop.example`) or an IP address (IPv6 with or without brackets)
 * @throws CertificateError ERR_CERTIFICATE_HOST when it is none of these
 */
function parseHost(host: string): CertificateHost {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  const family = isIP(bare);
  if (family !== 0 && !bare.includes("%")) {
    return { type: "ip", value: SocketAddress.parse(family === 6 ? `[${bare}]` : bare)?.address ?? bare };
  }
  const wildcard = host.startsWith("*.");
  const name = domainToASCII(wildcard ? host.slice(2) : host).replace(/\.$/, "");
  if (name === "" || name.length > 253 || !name.split(".").every((label) => LABEL.test(label))) {
    throw new CertificateError(
      "ERR_CERTIFICATE_HOST",
      `expected a host name or an IP address without scheme and port, found \`${host}\``,
    );
  }
  return { type: "dns", value: wildcard ? `*.${name}` : name };
}

/** All hosts of a certificate: the local ones first, then the extra ones, each once. */
export function certificateHosts(extra: readonly string[]): readonly CertificateHost[] {
  const byKey = new Map<string, CertificateHost>();
  for (const host of [...LOCAL_HOSTS, ...extra].map(parseHost)) byKey.set(hostKey(host), host);
  return [...byKey.values()];
}

export function hostKey(host: CertificateHost): string {
  return `${host.type}:${host.value}`;
}
