/**
 * Lines in the Common and the Combined Log Format (Apache HTTP Server, "Log Files"; also nginx' `combined`), with the
 * virtual host in front or not. A quoted field behind the user agent is taken for the `Cookie` header.
 */
import { isIP } from "node:net";
import { NOTHING, unreadable } from "./types.ts";
import type { ReadLine } from "./types.ts";

const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`;
const HEAD = /^(\S+) (\S+) ([^[]*)\[([^\]]+)\] /;
const LINE = new RegExp(`^${QUOTED} (\\d{3}) (?:\\d+|-)(?: ${QUOTED} ${QUOTED}(?: ${QUOTED})?)?`);
const REQUEST = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) (\S+)(?: HTTP\/\d(?:\.\d)?)?$/;
const TIME =
  /^(\d{1,2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3})\d*)? ([+-])(\d{2})(\d{2})$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function readCombinedLine(line: string): ReadLine {
  if (line.trim() === "" || line.startsWith("#")) return NOTHING;
  const head = HEAD.exec(line);
  if (head === null) return unreadable("expected an address, two names and a time in brackets");
  const [all, ...names] = head;
  const { virtualHost, address, user, time } = readNames(names);
  const at = readTime(time);
  if (at === undefined) return unreadable("expected a time such as `10/Oct/2000:13:55:36 -0700`");
  const rest = LINE.exec(line.slice(all.length));
  if (rest === null) return unreadable("expected a request in quotes, a status and a size");
  const [, requestLine = "", status = "", referer, userAgent, cookie] = rest.map(unescapeField);
  const request = REQUEST.exec(requestLine);
  if (request === null) return unreadable("expected a request such as `GET / HTTP/1.1`");
  const headers: Readonly<Record<string, string | undefined>> = { referer, "user-agent": userAgent, cookie };
  return {
    kind: "request",
    request: {
      at,
      method: (request[1] as string).toUpperCase(),
      target: request[2] as string,
      status: Number(status),
      host: virtualHost,
      address,
      user: named(user),
      header: (name) => named(headers[name] ?? ""),
    },
  };
}

/** Address, identity, user; or virtual host, address, identity, user. An identity that is an address is nobody's. */
function readNames([first = "", second = "", rest = "", time = ""]: readonly string[]) {
  if (isIP(second) === 0) return { virtualHost: undefined, address: first, user: rest.trim(), time };
  return { virtualHost: first, address: second, user: rest.replace(/^\S+ ?/, "").trim(), time };
}

/** `-` stands for nothing. */
function named(text: string): string | undefined {
  return text === "" || text === "-" ? undefined : text;
}

function readTime(text: string): number | undefined {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  const [, day, month = "", year, hours, minutes, seconds, milliseconds = "0", sign, ...zone] = parts;
  const monthIndex = MONTHS.indexOf(month);
  if (monthIndex === -1) return undefined;
  const local = Date.UTC(
    Number(year),
    monthIndex,
    Number(day),
    Number(hours),
    Number(minutes),
    Number(seconds),
    Number(milliseconds.padEnd(3, "0")),
  );
  const offsetMs = (Number(zone[0]) * 60 + Number(zone[1])) * 60_000;
  return sign === "-" ? local + offsetMs : local - offsetMs;
}

/** `\"` and `\\` of Apache, `\x22` of both. */
function unescapeField(text: string | undefined): string | undefined {
  if (text === undefined || !text.includes("\\")) return text;
  return text.replaceAll(/\\(?:x([0-9A-Fa-f]{2})|(.))/g, (_, hex: string | undefined, plain: string) =>
    hex === undefined ? plain : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
