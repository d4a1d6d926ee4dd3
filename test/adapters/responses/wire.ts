/** One exchange on a socket of its own, and the answer in a form in which two of them can be compared. */
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import type { RunningCases } from "./apps.ts";
import { nextExchange, noted, openGate } from "./kit.ts";
import type { Case } from "./kit.ts";

/** After it the gate opens by itself: a stream that is held back is a difference, no endless test. */
const HELD_BACK_MS = 2000;

/** After it the client gives up. */
const GIVEN_UP_MS = 5000;

/** Fields that are ours, and what the time of day makes. */
const OURS = /^(?:set-cookie: __Host-sq\.|stepgate-ray:|cache-control:|date:)/i;

export interface Exchange {
  /** Status, fields, pieces of the body, trailers, the end of the connection and what the handler noted. */
  readonly seen: string;
  readonly isSealed: boolean;
}

export async function exchangeHttp1(
  { port, settled }: RunningCases,
  name: string,
  asked: Case,
): Promise<Exchange> {
  nextExchange();
  const { method = "GET", fields = "", body = "", leaves = false } = asked;
  const socket = connect(port, "127.0.0.1");
  const waits = fields.includes("100-continue");
  const length =
    body === "" || fields.includes("Transfer-Encoding") ? "" : `Content-Length: ${body.length}\r\n`;
  const head = `${method} /case/${name} HTTP/1.1\r\nHost: shop.example\r\n${fields}${length}`;
  const connection = fields.includes("Connection:") ? "" : "Connection: close\r\n";
  socket.write(`${head}${connection}\r\n${waits ? "" : body}`);
  socket.setTimeout(GIVEN_UP_MS, () => socket.destroy(new Error("given up")));
  let text = "";
  let isBodySent = !waits;
  let isOpen = false;
  const late = setTimeout(() => {
    text += "(held back)";
    openGate();
  }, HELD_BACK_MS);
  const end = await new Promise<string>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!isBodySent && text.startsWith("HTTP/1.1 100")) {
        isBodySent = true;
        socket.write(body);
      }
      if (isOpen || !(method === "HEAD" ? /\r\n\r\n/ : /\r\n\r\n./s).test(withoutInterim(text))) return;
      isOpen = true;
      openGate();
      if (leaves) socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("close", () => resolve(leaves ? "left" : "closed"));
  });
  clearTimeout(late);
  await settled();
  const answer = leaves ? text.slice(0, text.indexOf("\r\n\r\n") + 4) : text;
  const seen = [...messagesOf(answer, method), end, ...noted()];
  return {
    seen: (asked.isReframed === true ? withoutFraming(seen) : seen).join("\n"),
    isSealed: /^set-cookie: __Host-sq\./im.test(text),
  };
}

const withoutInterim = (text: string): string => text.replace(/^(?:HTTP\/1\.1 1.*?\r\n\r\n)+/s, "");

/** Every message of a connection, one after the other. */
function messagesOf(text: string, method: string): readonly string[] {
  const found: string[] = [];
  let rest = text;
  while (rest.startsWith("HTTP/1.1 ")) {
    const end = rest.indexOf("\r\n\r\n");
    if (end === -1) break;
    const [status = "", ...fields] = rest.slice(0, end).split("\r\n");
    found.push(status, ...comparableFields(fields));
    rest = rest.slice(end + 4);
    const hasBody = method !== "HEAD" && !/^HTTP\/1\.1 (?:1|204|304)/.test(status);
    if (!hasBody) continue;
    const [body, after] = bodyOf(fields, rest);
    found.push(...body);
    rest = after;
  }
  return [...found, rest];
}

const withoutFraming = (seen: readonly string[]): readonly string[] =>
  seen
    .filter((line) => !/^(?:content-length|transfer-encoding):|^end$|^$/.test(line))
    .map((line) => line.replace(/^(?:piece|body) /, ""));

/** Fields of one name in their order; names among each other are in no order. */
const comparableFields = (fields: readonly string[]): readonly string[] =>
  fields
    .filter((field) => !OURS.test(field))
    .map((field) => field.replace(/^[^:]*/, (name) => name.toLowerCase()))
    .toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : Number(nameOf(left) > nameOf(right))));

const nameOf = (field: string): string => field.slice(0, field.indexOf(":"));

/** @returns the pieces of a body, and what comes behind it */
function bodyOf(fields: readonly string[], text: string): readonly [readonly string[], string] {
  const value = (name: string): string | undefined =>
    fields
      .find((field) => nameOf(field).toLowerCase() === name)
      ?.slice(name.length + 1)
      .trim();
  if (value("transfer-encoding") !== "chunked") {
    const length = Number(value("content-length") ?? text.length);
    return [[`body ${text.slice(0, length)}`], text.slice(length)];
  }
  const pieces: string[] = [];
  let rest = text;
  for (;;) {
    const size = Number.parseInt(rest, 16);
    const start = rest.indexOf("\r\n") + 2;
    if (Number.isNaN(size)) return [[...pieces, "(no end)"], rest];
    if (size === 0) {
      const end = rest.indexOf("\r\n\r\n");
      const trailers = rest
        .slice(start, Math.max(start, end))
        .split("\r\n")
        .filter((line) => line !== "");
      return [[...pieces, ...trailers.map((line) => `trailer ${line}`), "end"], rest.slice(end + 4)];
    }
    pieces.push(`piece ${rest.slice(start, start + size)}`);
    rest = rest.slice(start + size + 2);
  }
}

/** The same over HTTP/2, in clear text. */
export async function exchangeHttp2(
  { port, settled }: RunningCases,
  name: string,
  asked: Case,
): Promise<Exchange> {
  nextExchange();
  const { method = "GET", fields = "", body = "", leaves = false } = asked;
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const own = fields
    .split("\r\n")
    .filter((line) => line !== "" && !/^(?:connection|transfer-encoding):/i.test(line));
  const stream = session.request({
    ":method": method,
    ":path": `/case/${name}`,
    ":authority": "shop.example",
    ...Object.fromEntries(own.map((line) => line.split(": ") as [string, string])),
  });
  stream.setTimeout(GIVEN_UP_MS, () => stream.destroy(new Error("given up")));
  stream.end(body === "" ? undefined : body);
  const seen: string[] = [];
  let text = "";
  let isSealed = false;
  const late = setTimeout(() => {
    seen.push("(held back)");
    openGate();
  }, HELD_BACK_MS);
  const onHead = (kind: string, headers: object): void => {
    const lines = Object.entries(headers as Record<string, string | string[]>).flatMap(([field, value]) =>
      (Array.isArray(value) ? value : [value]).map((item) => `${field}: ${item}`),
    );
    isSealed ||= lines.some((line) => line.startsWith("set-cookie: __Host-sq."));
    seen.push(kind, ...comparableFields(lines));
  };
  await new Promise<void>((resolve) => {
    stream.on("headers", (headers) => onHead("interim", headers));
    stream.on("response", (headers) => {
      onHead("head", headers);
      if (method === "HEAD") openGate();
    });
    stream.on("trailers", (headers) => onHead("trailers", headers));
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      openGate();
      if (leaves) stream.close();
    });
    stream.on("error", (error) => seen.push(error.message));
    stream.on("close", () => resolve());
  });
  clearTimeout(late);
  await settled();
  session.destroy();
  return { seen: [...seen, text, `code ${stream.rstCode}`, ...noted()].join("\n"), isSealed };
}
