/** Makes the local CA and the leaf that it signs: ECDSA on P-256 with SHA-256, which every TLS client takes. */
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "./x509.ts";
import { createPrivateKey, KeyObject, randomBytes } from "node:crypto";
import type { CertificateHost } from "./hosts.ts";
import { CA_LIFETIME_MS, CLOCK_SKEW_MS, LEAF_LIFETIME_MS } from "./limits.ts";
import { NAME_CONSTRAINTS_OID, nameConstraints, permitsAll } from "./name-constraints.ts";

/** A certificate and its private key, both PEM; the key as unencrypted PKCS #8. */
export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;

/**
 * @param hosts the only names and addresses that the CA may vouch for (a critical name constraint)
 * @param nowMs epoch ms
 */
export async function issueAuthority(hosts: readonly CertificateHost[], nowMs: number): Promise<PemPair> {
  const keys = await generateKeys();
  const serialNumber = serial();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // The serial is part of the name: a renewed CA beside its forerunner in a trust store is told apart by name.
    name: [{ CN: [`Stepgate development CA ${serialNumber.slice(0, 8)}`] }, { O: ["Stepgate"] }],
    keys,
    serialNumber,
    ...validity(nowMs, CA_LIFETIME_MS),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign + KeyUsageFlags.cRLSign, true),
      new Extension(NAME_CONSTRAINTS_OID, true, new Uint8Array(nameConstraints(hosts))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return toPems(certificate, keys.privateKey);
}

/** @returns a server certificate for `hosts`, signed by `authority`, without the authority's own */
export async function issueLeaf(
  authority: PemPair,
  hosts: readonly CertificateHost[],
  nowMs: number,
): Promise<PemPair> {
  const issuer = new X509Certificate(authority.cert);
  const signingKey = await crypto.subtle.importKey(
    "pkcs8",
    new Uint8Array(createPrivateKey(authority.key).export({ type: "pkcs8", format: "der" })),
    KEY_ALGORITHM,
    false,
    ["sign"],
  );
  const keys = await generateKeys();
  const [first] = hosts;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [(first?.value ?? "localhost").slice(0, 64)] }, { O: ["Stepgate"] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    ...validity(nowMs, LEAF_LIFETIME_MS),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(hosts.map(({ type, value }) => ({ type, value }))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return toPems(certificate, keys.privateKey);
}

/** The hosts that a certificate names, as `hostKey` writes them. */
export function namedHosts(certificatePem: string): ReadonlySet<string> {
  const names = new X509Certificate(certificatePem).getExtension(SubjectAlternativeNameExtension)?.names;
  return new Set(names?.toJSON().map(({ type, value }) => `${type}:${value}`));
}

/** Whether a CA certificate of ours may vouch for all of these hosts. */
export function mayVouchFor(authorityPem: string, hosts: readonly CertificateHost[]): boolean {
  const extension = new X509Certificate(authorityPem).getExtension(NAME_CONSTRAINTS_OID);
  return extension !== null && permitsAll(Buffer.from(extension.value), hosts);
}

function generateKeys() {
  return crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
}

/** A positive integer of 16 octets with no leading zero (RFC 5280 section 4.1.2.2). */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

function validity(nowMs: number, lifetimeMs: number) {
  const notBeforeMs = nowMs - CLOCK_SKEW_MS;
  return { notBefore: new Date(notBeforeMs), notAfter: new Date(notBeforeMs + lifetimeMs) };
}

function toPems(certificate: X509Certificate, privateKey: CryptoKey): PemPair {
  return {
    cert: `${certificate.toString("pem")}\n`,
    key: KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
