/** Scenario files: YAML or JSON, and recorded traffic (HAR). */
import { LineCounter, parseDocument } from "yaml";
import type { Document, YAMLParseError } from "yaml";
import { parseHar } from "./har.ts";
import { parseScenario } from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

/** Aliases could blow a small file up to any size ("billion laughs"). */
const MAX_ALIASES = 100;

export interface ReadScenario {
  readonly scenario: Scenario;
  /** What was left out of a recording, for the report. */
  readonly skipped: number;
}

/**
 * @param name of the file: `.har` is a recording, everything else YAML, of which JSON is a part
 * @throws {TypeError} with the place of the mistake
 */
export function readScenario(text: string, name: string): ReadScenario {
  if (name.endsWith(".har")) {
    // Some tools begin their files with a byte order mark.
    const { journey, skipped } = parseHar(parseJson(text.replace(/^\ufeff/, "")), name);
    return { scenario: { headers: {}, journeys: [journey] }, skipped };
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: true });
  const [mistake] = document.errors;
  if (mistake !== undefined) throw new TypeError(explain(mistake));
  const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
  try {
    return { scenario: parseScenario(value), skipped: 0 };
  } catch (error) {
    const { message } = error as Error;
    const place = placeOf(message, document, lineCounter);
    throw new TypeError(place === undefined ? message : `line ${place.line}, ${message}`, { cause: error });
  }
}

/** The library's words, the place in front like in every other message. */
function explain({ message, linePos }: YAMLParseError): string {
  const what = (message.split("\n\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, "");
  const [start] = linePos ?? [];
  return `${start === undefined ? "" : `line ${start.line}, column ${start.col}: `}${what} (the file is no YAML)`;
}

/** The line of what a message speaks of: it starts with the path, `journeys[0].steps[2].wait: …`. */
function placeOf(
  message: string,
  document: Document,
  lines: LineCounter,
): { readonly line: number } | undefined {
  const path = (/^[\w[\].]+(?=: )/.exec(message)?.[0] ?? "").match(/\w+/g) ?? [];
  const keys = path.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  // What is missing has no place: then that of what should hold it.
  for (let length = keys.length; length > 0; length -= 1) {
    const { range } = (document.getIn(keys.slice(0, length), true) ?? {}) as {
      readonly range?: readonly number[];
    };
    const [start] = range ?? [];
    if (start !== undefined) return lines.linePos(start);
  }
  return undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError(`expected a HAR document in JSON: ${(error as Error).message}`, { cause: error });
  }
}
