/** Reads a certificate that the operator brings. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { CertificateError, systemReason } from "./errors.ts";
import { readPem } from "./files.ts";
import { DAY_MS } from "./limits.ts";

/** What a TLS listener needs. */
export interface Certificate {
  /** PEM text: the server's certificate, then those of its issuers. */
  readonly cert: string;
  /** PEM text of the private key, unencrypted. */
  readonly key: string;
  /** When the server's certificate ends, epoch ms. */
  readonly expiresAt: number;
}

export interface CertificateFiles {
  /** PEM file: the server's certificate first, then its issuers (what certbot calls `fullchain.pem`). */
  readonly certFile: string;
  /** PEM file of the private key (`privkey.pem`). */
  readonly keyFile: string;
}

export interface OwnCertificate extends Certificate {
  /** One line each: what clients will complain about although the listener can start. */
  readonly warnings: readonly string[];
}

/** From here on a renewal that should have happened is worth a line in the log. */
const EXPIRES_SOON_MS = 14 * DAY_MS;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * @param nowMs the present, epoch ms, for the warnings; default the system's clock
 * @throws CertificateError with one line that names the file: ERR_CERTIFICATE_FILE (missing, unreadable, too
 *   large), ERR_CERTIFICATE_INVALID, ERR_CERTIFICATE_KEY_INVALID, ERR_CERTIFICATE_KEY_MISMATCH
 */
export async function loadCertificate(
  files: CertificateFiles,
  nowMs: number = Date.now(),
): Promise<OwnCertificate> {
  const cert = await read("certificate", files.certFile);
  const key = await read("key", files.keyFile);
  const chain = parseChain(cert, files.certFile);
  const [server] = chain;
  if (!server.checkPrivateKey(parseKey(key, files))) throw mismatch(chain, createPrivateKey(key), files);
  return {
    cert,
    key,
    expiresAt: server.validToDate.getTime(),
    warnings: warningsOf(server, files.certFile, nowMs),
  };
}

async function read(what: "certificate" | "key", file: string): Promise<string> {
  try {
    return await readPem(file);
  } catch (error) {
    throw new CertificateError(
      "ERR_CERTIFICATE_FILE",
      `cannot read the ${what} \`${file}\`: ${systemReason(error)}`,
      { cause: error },
    );
  }
}

function parseChain(pem: string, file: string): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  try {
    const [first, ...rest] = blocks.map((block) => new X509Certificate(block));
    if (first !== undefined) return [first, ...rest];
  } catch (error) {
    throw new CertificateError(
      "ERR_CERTIFICATE_INVALID",
      `\`${file}\` has a damaged certificate: export it again as PEM`,
      { cause: error },
    );
  }
  const hint = pem.includes("PRIVATE KEY-----")
    ? "it holds a private key; are the two files swapped?"
    : "export it as PEM";
  throw new CertificateError("ERR_CERTIFICATE_INVALID", `expected a PEM certificate in \`${file}\`: ${hint}`);
}

function parseKey(pem: string, files: CertificateFiles): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new CertificateError("ERR_CERTIFICATE_KEY_INVALID", keyProblem(pem, files), { cause: error });
  }
}

function keyProblem(pem: string, { keyFile }: CertificateFiles): string {
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    return `the key \`${keyFile}\` is encrypted: decrypt it first (\`openssl pkey -in … -out …\`)`;
  }
  const hint = pem.includes("BEGIN CERTIFICATE")
    ? "it holds a certificate; are the two files swapped?"
    : "export it as PEM";
  return `expected a PEM private key in \`${keyFile}\`: ${hint}`;
}

function mismatch(
  chain: readonly X509Certificate[],
  key: KeyObject,
  { certFile, keyFile }: CertificateFiles,
): CertificateError {
  const hint = chain.some((certificate) => certificate.checkPrivateKey(key))
    ? "put the server's certificate first in the file"
    : "they belong to different requests";
  return new CertificateError(
    "ERR_CERTIFICATE_KEY_MISMATCH",
    `the key \`${keyFile}\` does not belong to the first certificate of \`${certFile}\`: ${hint}`,
  );
}

function warningsOf(server: X509Certificate, file: string, nowMs: number): readonly string[] {
  const endsAt = server.validToDate.getTime();
  if (endsAt <= nowMs) return [`the certificate \`${file}\` expired on ${day(server.validToDate)}: renew it`];
  if (server.validFromDate.getTime() > nowMs) {
    return [`the certificate \`${file}\` is valid only from ${day(server.validFromDate)}: check the clock`];
  }
  return endsAt - nowMs < EXPIRES_SOON_MS
    ? [`the certificate \`${file}\` expires on ${day(server.validToDate)}: renew it`]
    : [];
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
