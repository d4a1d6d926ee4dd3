/** Hosts of saved endpoints: names, addresses, and names with variable labels (API Shield, host variables). */
import { canonicalIpv6, canonicalName } from "./host.ts";
import { inputError } from "./input-error.ts";
import type { OperationInputError, OperationInputErrorCode } from "./input-error.ts";
import { MAX_HOST_TEMPLATE_LENGTH } from "./limits.ts";
import { quoted } from "./quote.ts";

export interface NormalizedHost {
  readonly kind: "host_template";
  /** Lower case, no final dot, no port; variable labels numbered from the right. At most 255 characters. */
  readonly host: string;
}

type Misuse = readonly [code: OperationInputErrorCode, reason: string];

const VARIABLE_LABEL = /^\{[^{}.]+\}$/;
const A_LABEL = /^xn--[a-z0-9-]+$/;
/** Letters, digits and marks: nothing that the URL parser would take for syntax, or that IDNA would drop. */
const U_LABEL = /^[\p{L}\p{M}\p{N}_-]+$/u;
const NOT_ASCII = /[^\u0000-\u007f]/;

/**
 * Gives the host of an operation its normal form: lower case, one final dot stripped, IPv6 compressed, labels outside
 * ASCII turned into A-labels (IDNA, through the WHATWG URL parser; refused if that gives anything but one A-label).
 *
 * Variables are whole labels and stand for exactly one. They are renumbered **from the right**, `{hostVar1}` being
 * the one nearest to the registered domain: all three documented examples are then their own normal form,
 * `{hostVar2}.{hostVar1}.example.com` included. Idempotent.
 *
 * @param template - without port or scheme, at most 255 characters before and after.
 */
export function normalizeHostTemplate(template: string): NormalizedHost | OperationInputError {
  const fail = (code: OperationInputErrorCode, reason: string): OperationInputError =>
    inputError("host", code, template, reason);
  const misuse = findMisuse(template);
  if (misuse !== null) return fail(...misuse);
  if (template.startsWith("[")) {
    const address = canonicalIpv6(template);
    return typeof address === "string"
      ? { kind: "host_template", host: address }
      : fail(
          "ERR_HOST_TEMPLATE_NAME",
          "it is not an IPv6 address in brackets; write it like `[2001:db8::1]`",
        );
  }
  const labels: string[] = [];
  for (const label of template.replace(/\.$/, "").split(".")) {
    const normalized = normalizeLabel(label);
    if (typeof normalized !== "string") return fail(...normalized);
    labels.push(normalized);
  }
  const host = numberFromRight(labels).join(".");
  if (host.length > MAX_HOST_TEMPLATE_LENGTH) return fail(...tooLong(host.length));
  return { kind: "host_template", host };
}

function findMisuse(template: string): Misuse | null {
  if (template.length > MAX_HOST_TEMPLATE_LENGTH) return tooLong(template.length);
  if (template === "") return ["ERR_HOST_TEMPLATE_NAME", "it is empty; write the host name of the endpoint"];
  if (!template.startsWith("[") && template.includes(":")) {
    return [
      "ERR_HOST_TEMPLATE_PORT",
      "it has a scheme or a port; write the host name only, and IPv6 addresses in brackets",
    ];
  }
  return null;
}

/** A label in canonical form, or `{}` for a variable. */
function normalizeLabel(label: string): string | Misuse {
  if (VARIABLE_LABEL.test(label)) return "{}";
  if (/[{}]/.test(label)) {
    return [
      "ERR_HOST_TEMPLATE_VARIABLE",
      `label \`${quoted(label)}\` is not a variable as a whole; write \`{hostVar1}\` between two dots`,
    ];
  }
  const ascii = NOT_ASCII.test(label) ? toALabel(label) : label;
  const name = ascii === null || ascii === "" ? null : canonicalName(ascii);
  if (typeof name === "string") return name;
  return [
    "ERR_HOST_TEMPLATE_NAME",
    `label \`${quoted(label)}\` is not a host label; use 1 to 63 letters, digits, \`-\` or \`_\`, an A-label (\`xn--…\`), or \`{hostVar1}\` for any label`,
  ];
}

function toALabel(label: string): string | null {
  const hostname = U_LABEL.test(label) ? (URL.parse(`http://${label}/`)?.hostname ?? "") : "";
  return A_LABEL.test(hostname) ? hostname : null;
}

function numberFromRight(labels: readonly string[]): readonly string[] {
  let number = labels.filter((label) => label === "{}").length;
  return labels.map((label) => (label === "{}" ? `{hostVar${number--}}` : label));
}

function tooLong(length: number): Misuse {
  return [
    "ERR_HOST_TEMPLATE_LENGTH",
    `it has ${length} characters and may have ${MAX_HOST_TEMPLATE_LENGTH}; shorten it`,
  ];
}
