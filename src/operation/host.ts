/** One spelling for each host, whatever the Host header or `:authority` looks like (RFC 9110 section 7.2). */
import { MAX_HOST_LENGTH, MAX_LABEL_LENGTH } from "./limits.ts";
import { quoted } from "./quote.ts";

/** Why a host has no canonical form. */
export type HostErrorCode =
  | "ERR_HOST_EMPTY"
  | "ERR_HOST_LENGTH"
  | "ERR_HOST_NON_ASCII"
  | "ERR_HOST_CHARACTER"
  | "ERR_HOST_LABEL"
  | "ERR_HOST_IPV6"
  | "ERR_HOST_PORT";

export interface CanonicalHost {
  readonly kind: "host";
  /** Lower case, without the final dot; IPv6 addresses compressed and in brackets. */
  readonly host: string;
  /** `null` if there is none, or if it is the default of the scheme. */
  readonly port: number | null;
}

/** A host that has to be answered with 400. */
export interface HostError {
  readonly kind: "error";
  readonly code: HostErrorCode;
  /** What was expected, what was found, and what to write instead. */
  readonly message: string;
}

/** Host, colon, port: longer text is refused before it is looked at. Covers the final dot and `:65535`. */
const MAX_AUTHORITY_LENGTH = MAX_HOST_LENGTH + 7;
const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** An IPv6 literal in brackets, or a name; then perhaps a colon and a port. */
const HOST_AND_PORT = /^(\[[^\]]*\]|[^:[\]]*)(?::([^]*))?$/;
/** Letters, digits and hyphen, and the underscore that internal names use; neither percent-encoding nor sub-delims. */
const NAME = /^[A-Za-z0-9_.-]+$/;
const IPV6_LITERAL = /^\[[0-9A-Fa-f:.]{2,45}\]$/;
const PORT = /^[0-9]{1,5}$/;
const MAX_PORT = 65_535;

/**
 * Gives the text of a Host header, of `:authority` or of an absolute-form target its canonical form.
 *
 * Lower-cases; strips one final dot; drops the default port of `scheme`, and an empty one; compresses IPv6. Refuses
 * empty hosts and labels, labels over 63 and names over 253 characters, userinfo, `/`, `?`, `#`, lists, IPv6 without
 * brackets or with a zone, and everything outside ASCII: a header carries bytes, and mapping them as text could turn
 * one host into another. Internationalised names arrive as A-labels (`xn--…`) from every browser.
 *
 * @param text - one character per byte, as Node gives it.
 * @param scheme - decides which port is the default one.
 */
export function canonicalHost(text: string, scheme: "http" | "https" = "https"): CanonicalHost | HostError {
  if (text === "") return hostError("ERR_HOST_EMPTY", "expected a host, found nothing; send a Host header");
  if (text.length > MAX_AUTHORITY_LENGTH) {
    return hostError(
      "ERR_HOST_LENGTH",
      `expected a host of at most ${MAX_HOST_LENGTH} characters, found ${text.length}; use a shorter name`,
    );
  }
  const parts = HOST_AND_PORT.exec(text);
  if (parts === null) return characterError(text);
  const name = parts[1]!;
  const host = name.startsWith("[") ? canonicalIpv6(name) : canonicalName(name);
  if (typeof host !== "string") return host;
  return withPort(host, parts[2], DEFAULT_PORT[scheme]);
}

/**
 * Lower-cases a host name and strips one final dot, or says what is wrong with it.
 *
 * @param text - a name without port: letters, digits, `-`, `_` and dots.
 */
export function canonicalName(text: string): string | HostError {
  const lower = text.toLowerCase();
  // `ſhop` and `Kelvin` turn into ASCII when lower-cased, so the text is tested, not the result.
  if (!NAME.test(text)) return text === "" ? emptyLabelError(text) : characterError(text);
  const name = lower.endsWith(".") ? lower.slice(0, -1) : lower;
  if (name.length > MAX_HOST_LENGTH) {
    return hostError(
      "ERR_HOST_LENGTH",
      `expected a host of at most ${MAX_HOST_LENGTH} characters, found ${name.length}; use a shorter name`,
    );
  }
  for (const label of name.split(".")) {
    if (label === "") return emptyLabelError(text);
    if (label.length > MAX_LABEL_LENGTH) {
      return hostError(
        "ERR_HOST_LABEL",
        `expected labels of at most ${MAX_LABEL_LENGTH} characters, found one of ${label.length} in \`${quoted(text)}\`; use a shorter one`,
      );
    }
  }
  return name;
}

/** Compresses an IPv6 address in brackets as RFC 5952 asks, through the WHATWG URL parser. */
export function canonicalIpv6(literal: string): string | HostError {
  const url = IPV6_LITERAL.test(literal) ? URL.parse(`http://${literal}/`) : null;
  return (
    url?.hostname ??
    hostError(
      "ERR_HOST_IPV6",
      `expected an IPv6 address in brackets, found \`${quoted(literal)}\`; write it like \`[2001:db8::1]\`, without a zone`,
    )
  );
}

function withPort(host: string, port: string | undefined, defaultPort: number): CanonicalHost | HostError {
  if (port === undefined || port === "") return { kind: "host", host, port: null };
  const number = PORT.test(port) ? Number(port) : 0;
  if (number < 1 || number > MAX_PORT) {
    return hostError(
      "ERR_HOST_PORT",
      `expected a port from 1 to ${MAX_PORT} after the host, found \`${quoted(port)}\`; write an IPv6 address in brackets`,
    );
  }
  return { kind: "host", host, port: number === defaultPort ? null : number };
}

function emptyLabelError(text: string): HostError {
  return hostError(
    "ERR_HOST_EMPTY",
    `expected a name between the dots, found none in \`${quoted(text)}\`; write the full host name`,
  );
}

function characterError(text: string): HostError {
  const isAscii = /^[\u0000-\u007f]*$/.test(text);
  return isAscii
    ? hostError(
        "ERR_HOST_CHARACTER",
        `expected a host of letters, digits, \`-\`, \`_\` and dots, found \`${quoted(text)}\`; send the bare host name`,
      )
    : hostError(
        "ERR_HOST_NON_ASCII",
        `expected a host in ASCII, found \`${quoted(text)}\`; write internationalised names as A-labels (\`xn--…\`)`,
      );
}

function hostError(code: HostErrorCode, message: string): HostError {
  return { kind: "error", code, message };
}
