/** Sealing and opening a sequence of ten operations: against the bare cipher, and what the peers take for the same. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { H3Event, getSession, sealSession, unsealSession } from "h3";
import { sealData, unsealData } from "iron-session";
import { CompactEncrypt, compactDecrypt } from "jose";

import {
  createKeyRing,
  createRandomSource,
  createSequenceCookies,
  generateMasterKey,
} from "../../src/cookie/index.ts";
import { openToken, sealToken } from "../../src/cookie/jwe.ts";
import { decodePayload, encodePayload } from "../../src/sequence/index.ts";
import type { SequencePayload } from "../../src/sequence/index.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const ZONE = "0123456789abcdef0123456789abcdef";
const NOW = 1_790_000_000_000;
const PASSWORD = "a password of at least thirty-two characters";
const ROUNDS = 9;
const ROUND_MICROSECONDS = 30_000;

const random = createRandomSource();
const keyRing = createKeyRing([generateMasterKey(random)]);

/** Ten operations, minutes apart: what a visitor at rest carries. */
const PAYLOAD: SequencePayload = {
  sid: 0x0102_0304_0506,
  genesis: false,
  entries: Array.from({ length: 10 }, (_, index) => ({
    op: (0xa000_0000 + index).toString(16),
    at: NOW - index * 180_000,
  })),
};
const PLAINTEXT = encodePayload(PAYLOAD);

/** One seal and one opening; gives what was opened, in a form that can be compared. */
type Task = () => unknown;

/** @returns ratios of CPU time within one run, and sizes in bytes */
export async function measure(): Promise<Figure[]> {
  const key = keyRing.zone(ZONE).sealing(NOW)?.key;
  if (key === undefined) throw new Error("expected a key");
  const ours = {
    raw: rawTask(key),
    seal: () => openToken(key, sealToken(key, random(12), PLAINTEXT)),
    whole: () =>
      decodePayload(openToken(key, sealToken(key, random(12), encodePayload(PAYLOAD))) ?? PLAINTEXT, NOW),
    request: requestTask(),
  } satisfies Record<string, Task>;
  const peers = { whole: ours.whole, jose: await joseTask(key), iron: ironTask, h3: await h3Task() };
  await checkAll({ ...ours, ...peers });
  // Apart from one another: the garbage that the peers leave would be collected in our rounds.
  const times = await cpuMicrosecondsOf(ours);
  const peerTimes = await cpuMicrosecondsOf(peers);
  return [
    { name: "seal-open/raw-gcm", value: times.seal / times.raw, unit: "x" },
    { name: "seal-open-with-codec/raw-gcm", value: times.whole / times.raw, unit: "x" },
    { name: "read-write-request/raw-gcm", value: times.request / times.raw, unit: "x" },
    { name: "jose/seal-open", value: peerTimes.jose / peerTimes.whole, unit: "x" },
    { name: "iron-session/seal-open", value: peerTimes.iron / peerTimes.whole, unit: "x" },
    { name: "h3-seal-session/seal-open", value: peerTimes.h3 / peerTimes.whole, unit: "x" },
    { name: "cookie-bytes-10-ops", value: sequenceHeader().length, unit: "bytes" },
  ];
}

/** The least that authenticated encryption costs on this runtime: no text, no checks, the same random IVs. */
function rawTask(key: KeyObject): Task {
  const options = { authTagLength: 16 };
  const aad = Buffer.from("eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0");
  return () => {
    const iv = random(12);
    const cipher = createCipheriv("aes-256-gcm", key, iv, options);
    cipher.setAAD(aad);
    const ciphertext = cipher.update(PLAINTEXT);
    cipher.final();
    const tag = cipher.getAuthTag();
    const decipher = createDecipheriv("aes-256-gcm", key, iv, options);
    decipher.setAAD(aad);
    decipher.setAuthTag(tag);
    const plaintext = decipher.update(ciphertext);
    decipher.final();
    return plaintext;
  };
}

/** Everything of one request and its response: header, opening, merge, append, sealing, Set-Cookie lines. */
function requestTask(): Task {
  const cookies = createSequenceCookies({ zoneId: ZONE, keyRing, random, leads: Number.POSITIVE_INFINITY });
  const header = `consent=1; ${sequenceHeader()}; theme=dark`;
  return () => {
    const state = cookies.read(header, NOW + 1_000);
    const lines = cookies.write(state, "a0000000", NOW + 1_000);
    return lines.length === 2 ? state.sequence : undefined;
  };
}

async function joseTask(key: KeyObject): Promise<Task> {
  const raw = Uint8Array.from(key.export());
  const web = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  return async () => {
    const jwe = new CompactEncrypt(PLAINTEXT).setProtectedHeader({ alg: "dir", enc: "A256GCM" });
    const { plaintext } = await compactDecrypt(await jwe.encrypt(web), web);
    return plaintext;
  };
}

async function ironTask(): Promise<unknown> {
  const sealed = await sealData({ entries: PAYLOAD.entries }, { password: PASSWORD });
  return unsealData(sealed, { password: PASSWORD });
}

async function h3Task(): Promise<Task> {
  const event = new H3Event(new Request("https://shop.example/"));
  const config = { password: PASSWORD, name: "sequence" };
  const session = await getSession<{ entries?: SequencePayload["entries"] }>(event, config);
  session.data.entries = PAYLOAD.entries;
  return async () => {
    const opened = await unsealSession(event, config, await sealSession(event, config));
    return opened.data;
  };
}

/** A fast wrong answer is no answer. */
async function checkAll(tasks: Readonly<Record<string, Task>>): Promise<void> {
  for (const [name, task] of Object.entries(tasks)) {
    const opened = await task();
    const isRight =
      opened instanceof Uint8Array
        ? Buffer.from(opened).equals(PLAINTEXT)
        : JSON.stringify(entriesOf(opened)) === JSON.stringify(PAYLOAD.entries);
    if (!isRight) throw new Error(`expected \`${name}\` to open what it sealed`);
  }
}

function entriesOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && "entries" in value ? value.entries : undefined;
}

/** @returns median CPU microseconds per call, by name; the rounds of all tasks are interleaved */
async function cpuMicrosecondsOf<Name extends string>(
  tasks: Readonly<Record<Name, Task>>,
): Promise<Record<Name, number>> {
  const names = Object.keys(tasks) as Name[];
  const rounds = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) rounds.get(name)?.push(await timeOf(tasks[name]));
  }
  return Object.fromEntries(names.map((name) => [name, median(rounds.get(name) ?? [])])) as Record<
    Name,
    number
  >;
}

/** Calls in growing batches until enough CPU time of all threads has passed for the clock to be exact. */
async function timeOf(task: Task): Promise<number> {
  const before = process.cpuUsage();
  let calls = 0;
  for (let batch = 1; ; batch = Math.min(batch * 2, 512)) {
    for (let index = 0; index < batch; index += 1) {
      const result = task();
      if (result instanceof Promise) await result;
    }
    calls += batch;
    const { user, system } = process.cpuUsage(before);
    if (user + system >= ROUND_MICROSECONDS) return (user + system) / calls;
  }
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}

/** `name=value` of the cookie of ten operations minutes apart. */
function sequenceHeader(): string {
  const cookies = createSequenceCookies({ zoneId: ZONE, keyRing, random });
  let header: string | undefined;
  for (const { op, at } of PAYLOAD.entries.toReversed()) {
    const [line = ""] = cookies.write(cookies.read(header, at), op, at);
    header = line.slice(0, line.indexOf(";"));
  }
  return header ?? "";
}
