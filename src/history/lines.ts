/** The lines of a file or stream, packed or not, in constant memory. */
import { createGunzip } from "node:zlib";
import { pipeline } from "node:stream";
import type { Readable } from "node:stream";

/** Longest line: servers cut requests off long before. */
const MAX_LINE_BYTES = 65_536;

export interface NumberedLine {
  /** From 1. */
  readonly number: number;
  /** `undefined` for a line that is too long. */
  readonly text: string | undefined;
}

/** Bytes that gzip files begin with (RFC 1952 section 2.3.1). */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const NEWLINE = 0x0a;

/**
 * @param input bytes; gzip is recognised by its first ones
 * @throws what the stream throws, and for packed data that is damaged
 */
export async function* linesOf(input: Readable): AsyncGenerator<NumberedLine> {
  let number = 0;
  let rest: Buffer = Buffer.alloc(0);
  let isTooLong = false;
  for await (const chunk of unpacked(input)) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([rest, chunk.subarray(from, end)]);
      number += 1;
      yield { number, text: isTooLong || line.length > MAX_LINE_BYTES ? undefined : toText(line) };
      rest = Buffer.alloc(0);
      isTooLong = false;
      from = end + 1;
    }
    // What is beyond the longest line is not kept, only that there was more.
    if (rest.length + chunk.length - from > MAX_LINE_BYTES) {
      isTooLong = true;
      rest = Buffer.alloc(0);
    } else rest = Buffer.concat([rest, chunk.subarray(from)]);
  }
  if (isTooLong || rest.length > 0) {
    yield { number: number + 1, text: isTooLong ? undefined : toText(rest) };
  }
}

/** Logs hold what clients sent: bytes that are no UTF-8 become replacement characters, and no error. */
function toText(line: Buffer): string {
  return line.toString("utf8").replace(/\r$/, "");
}

async function* unpacked(input: Readable): AsyncGenerator<Buffer> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  if (first.done === true) return;
  const all = (async function* () {
    yield first.value;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  })();
  if (!first.value.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)) {
    yield* all;
    return;
  }
  // Errors reach the one who reads the last stream.
  yield* pipeline(all, createGunzip(), () => undefined) as unknown as AsyncIterable<Buffer>;
}
