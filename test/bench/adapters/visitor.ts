/** A visitor of the adapters' bench: one connection, and the cookies that its answers set. */
import { connect } from "node:net";
import type { Asker } from "../gateway/rounds.ts";

export async function openVisitor(port: number, path: string): Promise<Asker> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await new Promise((resolve) => socket.once("connect", resolve));
  const jar = new Map<string, string>();
  let answered: (() => void) | undefined;
  let buffered = "";
  socket.on("data", (chunk: Buffer) => {
    buffered += chunk.toString("latin1");
    const headEnd = buffered.indexOf("\r\n\r\n");
    if (headEnd === -1) return;
    const head = buffered.slice(0, headEnd);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (!head.startsWith("HTTP/1.1 200 ") || length === undefined)
      throw new Error(`expected 200 and a length, found: ${head}`);
    if (buffered.length < headEnd + 4 + Number(length)) return;
    buffered = "";
    keep(jar, head);
    answered?.();
  });
  return {
    socket,
    ask(next) {
      answered = next;
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const field = cookie === "" ? "" : `Cookie: ${cookie}\r\n`;
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${field}\r\n`);
    },
  };
}

function keep(jar: Map<string, string>, head: string): void {
  for (const [, name = "", value = "", rest = ""] of head.matchAll(
    /\r\nset-cookie: ([^=]+)=([^;]*)([^\r]*)/gi,
  )) {
    if (/max-age=0/i.test(rest)) jar.delete(name);
    else jar.set(name, value);
  }
}
