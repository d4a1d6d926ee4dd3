import { execFile } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createServer as createHttpsServer } from "node:https";
import { isIP } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkServerIdentity, connect } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ensureDevCertificate } from "../../src/tls/index.ts";
import type { DevCertificate } from "../../src/tls/index.ts";
import { issueLeaf } from "../../src/tls/issue.ts";
import type { PemPair } from "../../src/tls/issue.ts";

const DAY_MS = 86_400_000;

let dir = "";
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), "stepgate-tls-")), "certs");
});
afterEach(async () => {
  await rm(join(dir, ".."), { recursive: true, force: true });
});

const read = (name: string): Promise<string> => readFile(join(dir, name), "utf8");
const modeOf = async (name: string): Promise<number> => (await stat(join(dir, name))).mode & 0o777;
const allFiles = (): Promise<readonly string[]> =>
  Promise.all(["ca.crt", "ca.key", "server.crt", "server.key"].map(read));

/** What a TLS client that trusts only `ca` says of the certificate when it asks for `host`. */
async function handshake(certificate: Pick<DevCertificate, "cert" | "key">, ca: string, host: string) {
  const server = createHttpsServer({ cert: certificate.cert, key: certificate.key });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise<string>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port, ca, ...identity(host) }, () => {
        resolve("trusted");
        socket.destroy();
      });
      socket.on("error", (error: NodeJS.ErrnoException) =>
        resolve(error.code === "UNSPECIFIED" ? error.message : (error.code ?? error.message)),
      );
    });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** What the client checks: a name is sent as SNI, an address may not be. */
function identity(host: string): ConnectionOptions {
  return isIP(host) === 0
    ? { servername: host }
    : { checkServerIdentity: (_, peer) => checkServerIdentity(host, peer) };
}

describe("the first start", () => {
  test("makes a CA and a leaf that a real client trusts for every local name", async () => {
    const made = await ensureDevCertificate({ dir, nowMs: Date.now() });
    expect(made.made).toBe("authority");
    expect(made.caFile).toBe(join(dir, "ca.crt"));
    for (const host of ["localhost", "127.0.0.1", "::1"]) {
      expect([host, await handshake(made, made.ca, host)]).toEqual([host, "trusted"]);
    }
    expect(await handshake(made, made.ca, "example.com")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  test("a client that does not trust the CA refuses", async () => {
    const made = await ensureDevCertificate({ dir, nowMs: Date.now() });
    const other = await ensureDevCertificate({ dir: join(dir, "other"), nowMs: Date.now() });
    expect(await handshake(made, other.ca, "localhost")).toMatch(/SELF_SIGNED|UNABLE_TO/);
  });

  test("gives what is in the files", async () => {
    const made = await ensureDevCertificate({ dir, nowMs: Date.now() });
    expect([made.ca, made.cert, made.key]).toEqual([
      await read("ca.crt"),
      await read("server.crt"),
      await read("server.key"),
    ]);
  });

  test("keys are readable by their owner only, whatever the umask, and git ignores the folder", async () => {
    const before = process.umask(0);
    try {
      await ensureDevCertificate({ dir, nowMs: Date.now() });
    } finally {
      process.umask(before);
    }
    expect([await modeOf("ca.key"), await modeOf("server.key")]).toEqual([0o600, 0o600]);
    expect([await modeOf("ca.crt"), await modeOf("server.crt")]).toEqual([0o644, 0o644]);
    expect(await read(".gitignore")).toBe("*\n");
    expect((await readdir(dir)).toSorted()).toEqual([
      ".gitignore",
      "ca.crt",
      "ca.key",
      "server.crt",
      "server.key",
    ]);
  });

  test("the extensions are those of a CA and of a server, and no more", async () => {
    const nowMs = Date.now();
    const made = await ensureDevCertificate({ dir, nowMs });
    const ca = new X509Certificate(made.ca);
    const leaf = new X509Certificate(made.cert);
    expect([ca.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(made.key))).toBe(true);
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    expect(leaf.subjectAltName).toBe("DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
    expect(leaf.serialNumber).not.toBe(ca.serialNumber);
    const lifetimeMs = leaf.validToDate.getTime() - leaf.validFromDate.getTime();
    expect(lifetimeMs).toBeLessThanOrEqual(397 * DAY_MS);
    expect(lifetimeMs).toBeGreaterThan(300 * DAY_MS);
    expect(leaf.validFromDate.getTime()).toBeLessThan(nowMs);
    expect(made.expiresAt).toBe(leaf.validToDate.getTime());
    // Critical: basic constraints, key usage, name constraints (RFC 5280 sections 4.2.1.9, .3, .10).
    for (const oid of ["0603551d130101ff", "0603551d0f0101ff"]) {
      expect(ca.raw.toString("hex")).toContain(oid);
      expect(leaf.raw.toString("hex")).toContain(oid);
    }
    expect(ca.raw.toString("hex")).toContain("0603551d1e0101ff");
    // Subject and authority key identifier: the leaf names the key that the CA says it has.
    const subjectKeyId = /0603551d0e04160414([0-9a-f]{40})/.exec(ca.raw.toString("hex"))?.[1];
    expect(leaf.raw.toString("hex")).toContain(`0603551d23041830168014${subjectKeyId}`);
  });

  test("the CA's key, stolen, makes no certificate for another site", async () => {
    const made = await ensureDevCertificate({ dir, nowMs: Date.now() });
    const stolen = { cert: made.ca, key: await read("ca.key") };
    const forge = (type: "dns" | "ip", value: string): Promise<PemPair> =>
      issueLeaf(stolen, [{ type, value }], Date.now());
    expect(await handshake(await forge("dns", "bank.example"), made.ca, "bank.example")).toBe(
      "permitted subtree violation",
    );
    expect(await handshake(await forge("ip", "10.0.0.1"), made.ca, "10.0.0.1")).toBe(
      "permitted subtree violation",
    );
    expect(await handshake(await forge("dns", "localhost"), made.ca, "localhost")).toBe("trusted");
  });
});

describe("later starts", () => {
  test("use what is there", async () => {
    const nowMs = Date.now();
    const first = await ensureDevCertificate({ dir, nowMs });
    const files = await allFiles();
    const second = await ensureDevCertificate({ dir, nowMs: nowMs + 366 * DAY_MS });
    expect(second).toEqual({ ...first, made: "nothing" });
    expect(await allFiles()).toEqual(files);
  });

  test("renew the leaf, not the CA, when 30 days are left", async () => {
    const nowMs = Date.now();
    const first = await ensureDevCertificate({ dir, nowMs });
    const late = first.expiresAt - 30 * DAY_MS;
    expect((await ensureDevCertificate({ dir, nowMs: late - 1000 })).made).toBe("nothing");
    const renewed = await ensureDevCertificate({ dir, nowMs: late });
    expect(renewed.made).toBe("leaf");
    expect(renewed.ca).toBe(first.ca);
    expect(renewed.expiresAt).toBeGreaterThan(first.expiresAt + 300 * DAY_MS);
    expect(await handshake(renewed, first.ca, "localhost")).toMatch(/trusted|CERT_NOT_YET_VALID/);
  });

  test("an expired leaf is replaced", async () => {
    const nowMs = Date.now();
    await ensureDevCertificate({ dir, nowMs: nowMs - 500 * DAY_MS });
    const renewed = await ensureDevCertificate({ dir, nowMs });
    expect(renewed.made).toBe("leaf");
    expect(await handshake(renewed, renewed.ca, "localhost")).toBe("trusted");
  });

  test("renew the CA before a leaf could outlive it", async () => {
    const nowMs = Date.now();
    const first = await ensureDevCertificate({ dir, nowMs });
    const caEndsAt = new X509Certificate(first.ca).validToDate.getTime();
    const renewed = await ensureDevCertificate({ dir, nowMs: caEndsAt - 397 * DAY_MS });
    expect(renewed.made).toBe("authority");
    expect(new X509Certificate(renewed.ca).subject).not.toBe(new X509Certificate(first.ca).subject);
    expect(renewed.expiresAt).toBeLessThanOrEqual(new X509Certificate(renewed.ca).validToDate.getTime());
  });

  test("a clock that went back makes a leaf that is valid now", async () => {
    const nowMs = Date.now();
    await ensureDevCertificate({ dir, nowMs: nowMs + 100 * DAY_MS });
    const made = await ensureDevCertificate({ dir, nowMs });
    expect(made.made).toBe("authority");
    expect(await handshake(made, made.ca, "localhost")).toBe("trusted");
  });

  test.each([
    ["ca.crt is gone", "ca.crt", undefined, "authority"],
    ["ca.key is gone", "ca.key", undefined, "authority"],
    ["server.crt is gone", "server.crt", undefined, "leaf"],
    ["server.key is gone", "server.key", undefined, "leaf"],
    ["server.crt is cut short", "server.crt", "-----BEGIN CERTIFICATE-----\nMIIB", "leaf"],
    ["server.key is empty", "server.key", "", "leaf"],
    ["ca.crt is noise", "ca.crt", "\0".repeat(100), "authority"],
    ["server.key is huge", "server.key", "-".repeat(2_000_000), "leaf"],
  ] as const)("mend the folder where %s", async (_, name, content, made) => {
    const nowMs = Date.now();
    await ensureDevCertificate({ dir, nowMs });
    await (content === undefined ? rm(join(dir, name)) : writeFile(join(dir, name), content));
    const mended = await ensureDevCertificate({ dir, nowMs });
    expect(mended.made).toBe(made);
    expect(await handshake(mended, mended.ca, "localhost")).toBe("trusted");
    expect((await ensureDevCertificate({ dir, nowMs })).made).toBe("nothing");
  });

  test.each([
    ["server.key", "leaf"],
    ["ca.key", "authority"],
    ["ca.crt", "authority"],
    ["server.crt", "leaf"],
  ] as const)("do not use %s of another installation", async (name, made) => {
    const nowMs = Date.now();
    await ensureDevCertificate({ dir, nowMs });
    const other = join(dir, "..", "other");
    await ensureDevCertificate({ dir: other, nowMs });
    await writeFile(join(dir, name), await readFile(join(other, name)));
    const mended = await ensureDevCertificate({ dir, nowMs });
    expect(mended.made).toBe(made);
    expect(await handshake(mended, mended.ca, "localhost")).toBe("trusted");
  });

  test("a leaf and key that fit each other, but were signed by another CA, are replaced", async () => {
    const nowMs = Date.now();
    await ensureDevCertificate({ dir, nowMs });
    const other = join(dir, "..", "other");
    await ensureDevCertificate({ dir: other, nowMs });
    for (const name of ["server.crt", "server.key"]) {
      await writeFile(join(dir, name), await readFile(join(other, name)));
    }
    const mended = await ensureDevCertificate({ dir, nowMs });
    expect(mended.made).toBe("leaf");
    expect(await handshake(mended, mended.ca, "localhost")).toBe("trusted");
  });

  test("a key that others may read is closed", async () => {
    const nowMs = Date.now();
    await ensureDevCertificate({ dir, nowMs });
    await chmod(join(dir, "ca.key"), 0o644);
    await chmod(join(dir, "server.key"), 0o640);
    expect((await ensureDevCertificate({ dir, nowMs })).made).toBe("nothing");
    expect([await modeOf("ca.key"), await modeOf("server.key")]).toEqual([0o600, 0o600]);
  });
});

describe("hosts", () => {
  test("a new host is added to those before, and the next start without it changes nothing", async () => {
    const nowMs = Date.now();
    await ensureDevCertificate({ dir, nowMs });
    const hosts = ["Shop.Example.", "*.shop.example", "10.0.0.5", "[2001:DB8:0::5]", "bücher.example"];
    const widened = await ensureDevCertificate({ dir, nowMs, hosts });
    expect(widened.made).toBe("authority");
    expect(new X509Certificate(widened.cert).subjectAltName).toBe(
      "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:shop.example, DNS:*.shop.example, " +
        "IP Address:10.0.0.5, IP Address:2001:DB8:0:0:0:0:0:5, DNS:xn--bcher-kva.example",
    );
    for (const host of [
      "shop.example",
      "www.shop.example",
      "10.0.0.5",
      "2001:db8::5",
      "xn--bcher-kva.example",
    ]) {
      expect([host, await handshake(widened, widened.ca, host)]).toEqual([host, "trusted"]);
    }
    expect((await ensureDevCertificate({ dir, nowMs })).made).toBe("nothing");
    expect((await ensureDevCertificate({ dir, nowMs, hosts: hosts.toReversed() })).made).toBe("nothing");
    const further = await ensureDevCertificate({ dir, nowMs, hosts: ["other.example"] });
    expect(new X509Certificate(further.cert).subjectAltName).toMatch(/shop\.example.*other\.example/);
  });

  test("a name below one that the CA may vouch for already needs a leaf only if it is named itself", async () => {
    const nowMs = Date.now();
    const hosts = Array.from({ length: 40 }, (_, index) => `host-${index}.a-rather-long-name.example`);
    const made = await ensureDevCertificate({ dir, nowMs, hosts });
    expect(await handshake(made, made.ca, "host-39.a-rather-long-name.example")).toBe("trusted");
    await rm(join(dir, "server.crt"));
    expect((await ensureDevCertificate({ dir, nowMs, hosts: hosts.slice(5, 7) })).made).toBe("leaf");
  });

  test.each([
    "",
    "shop.example:8443",
    "https://shop.example",
    "a b",
    "*",
    "*.*.example",
    "shop..example",
    "fe80::1%lo",
    "x".repeat(64),
  ])("`%s` is no host", async (host) => {
    await expect(ensureDevCertificate({ dir, nowMs: Date.now(), hosts: [host] })).rejects.toMatchObject({
      name: "CertificateError",
      code: "ERR_CERTIFICATE_HOST",
      message: `expected a host name or an IP address without scheme and port, found \`${host}\``,
    });
  });
});

describe("several starts at once", () => {
  test("twelve starts in one process end with the same files", async () => {
    const nowMs = Date.now();
    const all = await Promise.all(Array.from({ length: 12 }, () => ensureDevCertificate({ dir, nowMs })));
    expect(new Set(all.map(({ ca }) => ca)).size).toBe(1);
    expect(new Set(all.map(({ cert, key }) => cert + key)).size).toBe(1);
    expect(all.filter(({ made }) => made === "authority")).toHaveLength(1);
    expect((await readdir(dir)).filter((name) => /tmp|lock/.test(name))).toEqual([]);
  });

  test("eight processes end with the same files", async () => {
    const door = new URL("../../src/tls/index.ts", import.meta.url).href;
    const script = `
      const { ensureDevCertificate } = await import(${JSON.stringify(door)});
      const { cert, key, ca, made } = await ensureDevCertificate({ dir: ${JSON.stringify(dir)}, nowMs: Date.now() });
      process.stdout.write(JSON.stringify({ cert, key, ca, made }));`;
    const runs = Array.from({ length: 8 }, () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]),
    );
    const all = (await Promise.all(runs)).map(({ stdout }) => JSON.parse(stdout) as DevCertificate);
    expect(new Set(all.map(({ cert, key, ca }) => cert + key + ca)).size).toBe(1);
    expect(all.filter(({ made }) => made === "authority")).toHaveLength(1);
    expect(await handshake(all[0] as DevCertificate, await read("ca.crt"), "localhost")).toBe("trusted");
  });

  test("a lock left by a process that died is taken over", async () => {
    const nowMs = Date.now();
    await ensureDevCertificate({ dir, nowMs });
    await rm(join(dir, "server.crt"));
    await writeFile(join(dir, ".lock"), "1 dead");
    const longAgo = new Date(nowMs - 60_000);
    await utimes(join(dir, ".lock"), longAgo, longAgo);
    expect((await ensureDevCertificate({ dir, nowMs })).made).toBe("leaf");
    expect(await readdir(dir)).not.toContain(".lock");
  });
});

test("a folder that cannot be made is one clear line", async () => {
  const file = join(dir, "..", "file");
  await writeFile(file, "");
  await expect(ensureDevCertificate({ dir: join(file, "certs"), nowMs: Date.now() })).rejects.toMatchObject({
    name: "CertificateError",
    code: "ERR_CERTIFICATE_FILE",
    message: `cannot keep certificates in \`${join(file, "certs")}\`: ENOTDIR`,
  });
});
