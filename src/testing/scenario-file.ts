/** Scenario files: YAML or JSON, and recorded traffic (HAR). */
import { LineCounter, parseDocument } from "yaml";
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
    const { journey, skipped } = parseHar(parseJson(text), name);
    return { scenario: { headers: {}, journeys: [journey] }, skipped };
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) throw new TypeError(error.message.split("\n\n")[0]);
  return { scenario: parseScenario(document.toJS({ maxAliasCount: MAX_ALIASES })), skipped: 0 };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError(`expected a HAR document in JSON: ${(error as Error).message}`, { cause: error });
  }
}
