/** Lines out of a stream of bytes, of bounded length whatever arrives. */

export type Line =
  | { readonly number: number; readonly text: string }
  /** The line was longer than allowed; nothing of it was kept. */
  | { readonly number: number; readonly text: undefined };

const NEWLINE = 0x0a;

/**
 * Splits a stream at line feeds, and gives the lines as they arrive: those of one chunk together. Bytes that
 * are no UTF-8 become U+FFFD. Lines are numbered from 1; the last needs no line feed.
 */
export async function* readLines(
  stream: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<readonly Line[]> {
  const decoder = new TextDecoder();
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let number = 1;
  const endLine = (): Line => {
    const text = heldBytes > maxLineBytes ? undefined : decoder.decode(Buffer.concat(held));
    held = [];
    heldBytes = 0;
    return { number: number++, text };
  };
  const hold = (bytes: Uint8Array) => {
    heldBytes += bytes.length;
    // A line that is too long is counted, not kept.
    held = heldBytes > maxLineBytes ? [] : [...held, bytes];
  };
  for await (const chunk of stream) {
    const lines: Line[] = [];
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      hold(chunk.subarray(start, at));
      lines.push(endLine());
      start = at + 1;
    }
    hold(chunk.subarray(start));
    if (lines.length > 0) {
      yield lines;
    }
  }
  if (heldBytes > 0) {
    yield [endLine()];
  }
}
