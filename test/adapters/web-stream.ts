/** A stream of the web, pulled piece by piece. */
export function streamOf(pieces: AsyncGenerator<string>, cancel?: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const next = await pieces.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    ...(cancel === undefined ? {} : { cancel }),
  });
}
