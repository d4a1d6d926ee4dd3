import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureDevCertificate, loadCertificate } from "../../src/tls/index.ts";
import type { DevCertificate } from "../../src/tls/index.ts";

const DAY_MS = 86_400_000;
const nowMs = Date.now();

let dir = "";
let made: DevCertificate;
const at = (name: string): string => join(dir, name);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "stepgate-own-"));
  made = await ensureDevCertificate({ dir, nowMs });
  const key = createPrivateKey(made.key);
  const files: Readonly<Record<string, string>> = {
    "ca-first.crt": made.ca + made.cert,
    "empty.pem": "",
    "der.crt": "0\u0082\u0001",
    "damaged.crt": made.cert.replace(/\n[^-\n]{64}\n/, "\nAAAA\n"),
    "encrypted.key": key
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" })
      .toString(),
    "sec1.key": key.export({ type: "sec1", format: "pem" }).toString(),
    "other.key": generateKeyPairSync("rsa", { modulusLength: 2048 })
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString(),
    "huge.crt": "-".repeat(1_048_577),
    "crlf.crt": `Bag Attributes\r\n  friendlyName: x\r\n${made.cert.replaceAll("\n", "\r\n")}`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text, { mode: 0o600 });
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

const load = (cert: string, key: string, now = nowMs) =>
  loadCertificate({ certFile: at(cert), keyFile: at(key) }, now);

describe("a certificate and its key", () => {
  test.each([
    ["server.crt", "server.key"],
    ["server.crt", "sec1.key"],
    ["crlf.crt", "server.key"],
  ])("%s with %s are taken as they are", async (cert, key) => {
    const own = await load(cert, key);
    expect(own.expiresAt).toBe(made.expiresAt);
    expect(own.warnings).toEqual([]);
    expect(own.cert).toContain("BEGIN CERTIFICATE");
    expect(createPrivateKey(own.key).asymmetricKeyType).toBe("ec");
  });

  test.each([
    ["expired", 0, "expired on DAY: renew it"],
    ["about to expire", -13 * DAY_MS, "expires on DAY: renew it"],
  ])("one that is %s is taken with a warning", async (_, offsetMs, text) => {
    const day = new Date(made.expiresAt).toISOString().slice(0, 10);
    const { warnings } = await load("server.crt", "server.key", made.expiresAt + offsetMs);
    expect(warnings).toEqual([`the certificate \`${at("server.crt")}\` ${text.replace("DAY", day)}`]);
  });

  test("one that is not valid yet is taken with a warning", async () => {
    const { warnings } = await load("server.crt", "server.key", nowMs - DAY_MS);
    expect(warnings).toEqual([expect.stringMatching(/is valid only from \d{4}-\d\d-\d\d: check the clock$/)]);
  });
});

describe("what cannot be used is one line with the file and the remedy", () => {
  test.each([
    [
      "missing.crt",
      "server.key",
      "ERR_CERTIFICATE_FILE",
      "cannot read the certificate `missing.crt`: it does not exist",
    ],
    [
      "server.crt",
      "missing.key",
      "ERR_CERTIFICATE_FILE",
      "cannot read the key `missing.key`: it does not exist",
    ],
    [
      "huge.crt",
      "server.key",
      "ERR_CERTIFICATE_FILE",
      "cannot read the certificate `huge.crt`: more than 1048576 bytes",
    ],
    [
      "empty.pem",
      "server.key",
      "ERR_CERTIFICATE_INVALID",
      "expected a PEM certificate in `empty.pem`: export it as PEM",
    ],
    [
      "der.crt",
      "server.key",
      "ERR_CERTIFICATE_INVALID",
      "expected a PEM certificate in `der.crt`: export it as PEM",
    ],
    [
      "damaged.crt",
      "server.key",
      "ERR_CERTIFICATE_INVALID",
      "`damaged.crt` has a damaged certificate: export it again as PEM",
    ],
    [
      "server.key",
      "server.crt",
      "ERR_CERTIFICATE_INVALID",
      "expected a PEM certificate in `server.key`: it holds a private key; are the two files swapped?",
    ],
    [
      "server.crt",
      "server.crt",
      "ERR_CERTIFICATE_KEY_INVALID",
      "expected a PEM private key in `server.crt`: it holds a certificate; are the two files swapped?",
    ],
    [
      "server.crt",
      "empty.pem",
      "ERR_CERTIFICATE_KEY_INVALID",
      "expected a PEM private key in `empty.pem`: export it as PEM",
    ],
    [
      "server.crt",
      "encrypted.key",
      "ERR_CERTIFICATE_KEY_INVALID",
      "the key `encrypted.key` is encrypted: decrypt it first (`openssl pkey -in … -out …`)",
    ],
    [
      "server.crt",
      "other.key",
      "ERR_CERTIFICATE_KEY_MISMATCH",
      "the key `other.key` does not belong to the first certificate of `server.crt`: they belong to different requests",
    ],
    [
      "ca-first.crt",
      "server.key",
      "ERR_CERTIFICATE_KEY_MISMATCH",
      "the key `server.key` does not belong to the first certificate of `ca-first.crt`: put the server's certificate first in the file",
    ],
  ])("%s with %s", async (cert, key, code, message) => {
    const error: unknown = await load(cert, key).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ name: "CertificateError", code });
    expect((error as Error).message.replaceAll(`${dir}/`, "")).toBe(message);
  });
});
