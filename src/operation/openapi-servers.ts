/** Where the operations of an OpenAPI document lie: its servers, with the variables of their URLs. */
import type { DescribedServers, SkippedPart } from "./openapi.ts";

export interface ServerPlace {
  /** Host, perhaps with variable labels; `undefined` for the server that the document itself comes from. */
  readonly host: string | undefined;
  /** Path that stands before every path, without a slash at its end. */
  readonly base: string;
}

export interface ServerPlaces {
  readonly places: readonly ServerPlace[];
  readonly skipped: readonly SkippedPart[];
}

type Members = Readonly<Record<string, unknown>>;

/** Servers of one list. */
const MAX_SERVERS = 32;
/** Values of a variable that are told apart; with more of them a label of a host is one with a variable. */
const MAX_VALUES = 8;
/** Places that the variables of one server make. */
const MAX_PLACES = 64;

const URL_PARTS = /^(?:[a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)([^?#]*)/i;
const VARIABLE = /\{([^{}]*)\}/g;

/** No servers means one server at `/` (OpenAPI 3.1.1 section 4.8.1). */
export function serverPlaces({ pointer, list }: DescribedServers): ServerPlaces {
  if (list === undefined || (Array.isArray(list) && list.length === 0)) {
    return { places: [{ host: undefined, base: "" }], skipped: [] };
  }
  if (!Array.isArray(list)) return { places: [], skipped: [{ pointer, reason: "expected an array" }] };
  const skipped: SkippedPart[] = [];
  const places = (list as readonly unknown[]).flatMap((server, index) => {
    const found =
      index < MAX_SERVERS
        ? placesOf(server)
        : `expected at most ${MAX_SERVERS} servers; leave out those that are not protected here`;
    if (typeof found !== "string") return found;
    skipped.push({ pointer: `${pointer}/${index}`, reason: found });
    return [];
  });
  return { places, skipped };
}

function placesOf(server: unknown): readonly ServerPlace[] | string {
  const { url, variables } = asMembers(server);
  if (typeof url !== "string") return "expected an object with a `url`";
  const urls = substitute(url, asMembers(variables));
  if (typeof urls === "string") return urls;
  return urls.map((text) => {
    const [, authority, path = text.startsWith("/") ? text : ""] = URL_PARTS.exec(text) ?? [];
    const host = authority?.replace(/^.*@/, "").replace(/:\d*$/, "");
    return {
      host: host === "" ? undefined : host,
      base: path.replace(/[?#].*$/s, "").replace(/\/+$/, ""),
    };
  });
}

/** The URLs that the variables make; a variable that is a whole label of the host, of any value, stays one. */
function substitute(url: string, variables: Members): readonly string[] | string {
  let urls = [url];
  for (const [text, name = ""] of new Set(url.matchAll(VARIABLE))) {
    const values = valuesOf(url, text, asMembers(variables[name]));
    if (values === undefined) return `variable \`${name}\` has neither a default nor values`;
    urls = urls.flatMap((each) => values.map((value) => each.replaceAll(text, value)));
    if (urls.length > MAX_PLACES) return `its variables make more than ${MAX_PLACES} servers; write them out`;
  }
  return urls;
}

function valuesOf(url: string, text: string, variable: Members): readonly string[] | undefined {
  const { enum: given, default: initial } = variable;
  const values = Array.isArray(given) ? given.filter((value) => typeof value === "string") : [];
  if (values.length > 0 && values.length <= MAX_VALUES) return values;
  if (isLabel(url, text) && !(typeof initial === "string" && initial.includes("."))) return [text];
  return typeof initial === "string" ? [initial] : undefined;
}

/** Whether a variable is a label of the host, and not the last one: that would be no host of anybody's. */
function isLabel(url: string, text: string): boolean {
  const authority = URL_PARTS.exec(url)?.[1] ?? "";
  return authority.split(".").slice(0, -1).includes(text);
}

function asMembers(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}
