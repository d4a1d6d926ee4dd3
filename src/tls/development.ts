/** The certificates that a start without own ones uses: a local CA and a leaf, kept and renewed in one folder. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { CertificateError, systemReason } from "./errors.ts";
import { keepPrivate, prepareFolder, readPem, withFolderLock, writeAtomically } from "./files.ts";
import { certificateHosts, hostKey } from "./hosts.ts";
import type { CertificateHost } from "./hosts.ts";
import { issueAuthority, issueLeaf, mayVouchFor, namedHosts } from "./issue.ts";
import type { PemPair } from "./issue.ts";
import { LEAF_LIFETIME_MS, LEAF_RENEWAL_MS } from "./limits.ts";
import type { Certificate } from "./own.ts";

export interface DevCertificateOptions {
  /** Folder of `ca.crt`, `ca.key`, `server.crt` and `server.key`; made if missing, ignored by git. */
  readonly dir: string;
  /** The present, epoch ms. */
  readonly nowMs: number;
  /** Host names and IP addresses beside `localhost`, `127.0.0.1` and `::1`; default none. */
  readonly hosts?: readonly string[];
}

export interface DevCertificate extends Certificate {
  /** The CA's certificate: what a client has to trust. */
  readonly caFile: string;
  /** PEM text of the CA's certificate. */
  readonly ca: string;
  /** What this call had to make; after `authority` the new CA has to be trusted. */
  readonly made: "nothing" | "leaf" | "authority";
}

interface Files {
  readonly caCert: string;
  readonly caKey: string;
  readonly serverCert: string;
  readonly serverKey: string;
}

/**
 * Gives the development certificate of a folder: what is there while it serves, else a new one.
 *
 * The leaf is made anew when it ends within 30 days, lacks one of the hosts, or does not fit its key or its CA;
 * hosts that it was for before stay in it, so that two configurations used by turns do not renew each other's.
 * The CA is made anew when it could not outlive a new leaf, may not vouch for one of the hosts (its name
 * constraints hold nothing else), or does not fit its key. Private keys are created with mode 0600.
 * Safe when several processes start at once: all end up with the same files.
 *
 * @throws CertificateError ERR_CERTIFICATE_HOST for a host that is none, ERR_CERTIFICATE_FILE when the folder
 *   cannot be written, ERR_CERTIFICATE_BUSY when another process holds the folder for 10 s
 */
export async function ensureDevCertificate(options: DevCertificateOptions): Promise<DevCertificate> {
  const { dir, nowMs } = options;
  const asked = certificateHosts(options.hosts ?? []);
  const files: Files = {
    caCert: join(dir, "ca.crt"),
    caKey: join(dir, "ca.key"),
    serverCert: join(dir, "server.crt"),
    serverKey: join(dir, "server.key"),
  };
  const present = await readUsable(files, asked, nowMs);
  if (present !== undefined) return describe(files, present, "nothing");
  await prepareFolder(dir);
  try {
    return await withFolderLock(dir, async () => {
      // Another process may have done the work while this one waited for the lock.
      const meanwhile = await readUsable(files, asked, nowMs);
      return meanwhile === undefined
        ? await makeAnew(files, asked, nowMs)
        : describe(files, meanwhile, "nothing");
    });
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    throw new CertificateError(
      "ERR_CERTIFICATE_FILE",
      `cannot write certificates to \`${dir}\`: ${systemReason(error)}`,
      { cause: error },
    );
  }
}

interface Usable {
  readonly authorityCert: string;
  readonly leaf: PemPair;
}

async function readUsable(
  files: Files,
  hosts: readonly CertificateHost[],
  nowMs: number,
): Promise<Usable | undefined> {
  const authority = await readPair(files.caCert, files.caKey);
  const leaf = await readPair(files.serverCert, files.serverKey);
  if (authority === undefined || leaf === undefined) return undefined;
  const isUsable =
    isCurrent(authority.cert, nowMs, 0) &&
    isCurrent(leaf.cert, nowMs, LEAF_RENEWAL_MS) &&
    isIssuedBy(leaf.cert, authority.cert) &&
    hosts.every((host) => namedHosts(leaf.cert).has(hostKey(host)));
  if (!isUsable) return undefined;
  await keepPrivate(files.caKey);
  await keepPrivate(files.serverKey);
  return { authorityCert: authority.cert, leaf };
}

async function makeAnew(
  files: Files,
  asked: readonly CertificateHost[],
  nowMs: number,
): Promise<DevCertificate> {
  const former = await readPair(files.serverCert, files.serverKey);
  const hosts = former === undefined ? asked : union(asked, former.cert);
  const kept = await readPair(files.caCert, files.caKey);
  const isKept =
    kept !== undefined && isCurrent(kept.cert, nowMs, LEAF_LIFETIME_MS) && mayVouchFor(kept.cert, hosts);
  const authority = isKept ? kept : await issueAuthority(hosts, nowMs);
  const issued = await issueLeaf(authority, hosts, nowMs);
  const leaf: PemPair = { cert: issued.cert + authority.cert, key: issued.key };
  // Whatever point a crash leaves this at, the next start finds parts that do not fit and makes them anew.
  if (!isKept) {
    await writeAtomically(files.caKey, authority.key, 0o600);
    await writeAtomically(files.caCert, authority.cert, 0o644);
  }
  await writeAtomically(files.serverKey, leaf.key, 0o600);
  await writeAtomically(files.serverCert, leaf.cert, 0o644);
  return describe(files, { authorityCert: authority.cert, leaf }, isKept ? "leaf" : "authority");
}

/** @returns undefined when a file is missing or unreadable, or the two do not belong together */
async function readPair(certFile: string, keyFile: string): Promise<PemPair | undefined> {
  try {
    const [cert, key] = await Promise.all([readPem(certFile), readPem(keyFile)]);
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

function isCurrent(certPem: string, nowMs: number, spareMs: number): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certPem);
  return validFromDate.getTime() <= nowMs && nowMs + spareMs < validToDate.getTime();
}

function isIssuedBy(leafPem: string, authorityPem: string): boolean {
  const authority = new X509Certificate(authorityPem);
  const leaf = new X509Certificate(leafPem);
  return authority.ca && leaf.checkIssued(authority) && leaf.verify(authority.publicKey);
}

function union(asked: readonly CertificateHost[], formerPem: string): readonly CertificateHost[] {
  const formerHosts = [...namedHosts(formerPem)].map((key) => key.slice(key.indexOf(":") + 1));
  return certificateHosts([...formerHosts, ...asked.map(({ value }) => value)]);
}

function describe(
  files: Files,
  { authorityCert, leaf }: Usable,
  made: DevCertificate["made"],
): DevCertificate {
  return {
    cert: leaf.cert,
    key: leaf.key,
    ca: authorityCert,
    caFile: files.caCert,
    expiresAt: new X509Certificate(leaf.cert).validToDate.getTime(),
    made,
  };
}
