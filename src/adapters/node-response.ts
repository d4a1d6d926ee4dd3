/**
 * The response of an application on Node, at the one moment at which its head is complete and not yet sent: all
 * frameworks, streams, errors and redirects come past `writeHead`, and nothing is held back.
 */
import { validateHeaderName, validateHeaderValue } from "node:http";
import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from "node:http";
import type { Answer } from "../engine/index.ts";

/** Edits the head of one response. */
export interface HeadEditor {
  /** @returns the flat list to send, or `undefined` to leave the head as it is; must not throw */
  edit(status: number, headers: string[]): readonly string[] | undefined;
}

type WriteHead = (this: HookedResponse, status: number, ...rest: readonly unknown[]) => ServerResponse;

const HOOK: unique symbol = Symbol("stepgate.hook");

/** What a response whose head is to be edited carries. */
interface Hook {
  /** `undefined` when the head was edited: others may have kept the hooked `writeHead` and call it once more. */
  editor: HeadEditor | undefined;
  readonly writeHead: WriteHead;
  /** Of another middleware of ours, whose turn comes next. */
  readonly before: Hook | undefined;
}

type HookedResponse = Omit<ServerResponse, "writeHead"> & { writeHead: WriteHead; [HOOK]?: Hook };

/**
 * Edits the head of a response once, when it is written.
 *
 * One function serves all responses. A function of its own in a property of each, which refers to that response in
 * turn, makes V8 keep the responses that came after one that has grown old until the next full collection: half of the
 * young then outlived each of their collections (seen with Node 24).
 */
export function onHead(res: ServerResponse, editor: HeadEditor): void {
  const hooked = res as unknown as HookedResponse;
  hooked[HOOK] = { editor, writeHead: hooked.writeHead, before: hooked[HOOK] };
  hooked.writeHead = editHead;
}

function editHead(this: HookedResponse, status: number, ...rest: readonly unknown[]): ServerResponse {
  const hook = this[HOOK] as Hook;
  const { editor, writeHead } = hook;
  // Interim responses come before the one that counts (RFC 9110 section 15.2); no number at all is Node's to refuse.
  if (editor === undefined || !(status >= 200)) return writeHead.call(this, status, ...rest);
  const reason = typeof rest[0] === "string" ? rest[0] : undefined;
  const given = toFlat(rest[reason === undefined ? 0 : 1] ?? rest[1]);
  const res = this as unknown as ServerResponse;
  // What Node throws at is not sent: the head of the application's answer to that error is the one that counts.
  if (isRefused(res, status, given, reason)) return writeHead.call(this, status, ...rest);
  this.writeHead = writeHead;
  hook.editor = undefined;
  if (hook.before !== undefined) this[HOOK] = hook.before;
  const edited = editor.edit(status, mergedHead(res, given));
  if (edited === undefined) return writeHead.call(this, status, ...rest);
  dropOthers(res, edited);
  return reason === undefined
    ? writeHead.call(this, status, edited)
    : writeHead.call(this, status, reason, edited);
}

/** Whether Node throws at a head rather than sending it. HTTP/2 has no reason, and drops what it does not like. */
function isRefused(
  res: ServerResponse,
  status: number,
  given: readonly string[],
  reason: string | undefined,
): boolean {
  if (status > 999 || given.length % 2 !== 0) return true;
  if ((given.length === 0 && reason === undefined) || res.req.httpVersionMajor > 1) return false;
  try {
    if (reason !== undefined) checkValue("reason", reason);
    for (let index = 0; index < given.length; index += 2) {
      const name: unknown = given[index];
      if (typeof name !== "string" || !PLAIN_NAME.test(name)) validateHeaderName(name as string);
      checkValue(name as string, given[index + 1] as string);
    }
    return false;
  } catch {
    return true;
  }
}

/** Names and values that are right beyond doubt; about all others Node decides, which takes longer. */
const PLAIN_NAME = /^[a-z-]+$/i;
const PLAIN_VALUE = /^[\t\x20-\x7e]*$/;

function checkValue(name: string, value: string): void {
  if (!PLAIN_VALUE.test(value)) validateHeaderValue(name, value);
}

/** What `writeHead` was given, in each of the forms that Node takes. */
function toFlat(headers: unknown): readonly string[] {
  if (typeof headers !== "object" || headers === null) return [];
  const flat: string[] = [];
  if (Array.isArray(headers)) {
    const items = headers as readonly unknown[];
    if (items.every((item) => typeof item === "string")) return items;
    if (items.every((item) => Array.isArray(item))) {
      for (const [name, value] of items as readonly [string, OutgoingHttpHeader][]) push(flat, name, value);
    } else {
      for (let index = 0; index + 1 < items.length; index += 2)
        push(flat, items[index] as string, items[index + 1] as OutgoingHttpHeader);
    }
    return flat;
  }
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) push(flat, name, value as OutgoingHttpHeader);
  }
  return flat;
}

function push(flat: string[], name: string, value: OutgoingHttpHeader): void {
  if (Array.isArray(value)) for (const item of value) flat.push(name, item);
  else flat.push(name, String(value));
}

/** What was set before, except where `writeHead` was given another value. */
function mergedHead(res: ServerResponse, given: readonly string[]): string[] {
  const names = spelledNames(res);
  if (names.length === 0) return [...given];
  const replaced = new Set<string>();
  for (let index = 0; index < given.length; index += 2) replaced.add((given[index] as string).toLowerCase());
  const head: string[] = [];
  for (const name of names) {
    const value = res.getHeader(name);
    if (value !== undefined && !replaced.has(name.toLowerCase())) push(head, name, value);
  }
  head.push(...given);
  return head;
}

/** Names as they were set; those of HTTP/2 are in lower case anyway. */
function spelledNames(res: ServerResponse): readonly string[] {
  const { getRawHeaderNames } = res as { readonly getRawHeaderNames?: () => string[] };
  return getRawHeaderNames === undefined ? res.getHeaderNames() : getRawHeaderNames.call(res);
}

/** Node merges what it is given into what was set: what the edit took away has to go first. */
function dropOthers(res: ServerResponse, edited: readonly string[]): void {
  const names = res.getHeaderNames();
  if (names.length === 0) return;
  const kept = new Set<string>();
  for (let index = 0; index < edited.length; index += 2) kept.add((edited[index] as string).toLowerCase());
  for (const name of names) if (!kept.has(name)) res.removeHeader(name);
}

/** Answers in the application's place. An unread body ends the connection rather than being read to its end. */
export function sendAnswer(req: IncomingMessage, res: ServerResponse, answer: Answer): void {
  const headers = [...answer.headers, "content-length", String(Buffer.byteLength(answer.body))];
  if (req.httpVersionMajor < 2 && !req.complete) headers.push("connection", "close");
  res.writeHead(answer.status, headers);
  res.end(req.method === "HEAD" ? undefined : answer.body);
}
