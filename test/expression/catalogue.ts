/** The reference of error codes as the README has it. */
import { ERROR_CATALOGUE } from "../../src/expression/index.ts";

export const CATALOGUE_START = "<!-- expression-errors -->";
export const CATALOGUE_END = "<!-- /expression-errors -->";

/** The block between the markers, markers included. */
export function errorCatalogueMarkdown(): string {
  const rows = Object.entries(ERROR_CATALOGUE).map(
    ([code, { category, meaning }]) =>
      `| \`${code}\` | \`${category}\` | ${meaning.replaceAll("|", "\\|")} |`,
  );
  return [
    CATALOGUE_START,
    "",
    "| code | category | meaning |",
    "|---|---|---|",
    ...rows,
    "",
    CATALOGUE_END,
  ].join("\n");
}
