/** `stepgate eval`: tries expressions of the Rules language without a server. */
import { parseArgs } from "node:util";
import { defineCommand } from "citty";
import { EVERY_FIELD, PHASES, schemeFor, type Phase } from "../ruleset/index.ts";
import type { Scheme } from "../expression/index.ts";
import { answerLine, refuseLine, type CaseOptions } from "./eval-case.ts";
import { readLines } from "./eval-lines.ts";
import { answerPerson } from "./eval-person.ts";

/** Longest line of input. Cases are small; the longest of the conformance set has 100 KB. */
const MAX_LINE_BYTES = 4 << 20;

const DESCRIPTION = `Try expressions of the Rules language.

With an EXPRESSION: prints what it gives for the fields of --field.
  exit code 0: true, or a value · 1: false, or missing · 2: the expression, a field or an option is wrong
Without: reads one case a line as JSON from standard input,
  {"id": …, "expr": "…", "ctx": {"field": value, "$list": [members]}, "mode": "filter" or "value"},
  and writes a line for each: {"id", "result"}, {"id", "value"} or {"id", "error"}.
  exit code 0: every line got its answer, errors included · 2: an option is wrong`;

const args = {
  expression: { type: "positional", required: false, description: "expression to evaluate" },
  field: {
    type: "string",
    valueHint: "NAME=VALUE",
    description: "value of a field, may be repeated; text for strings and addresses, JSON for other types",
  },
  list: {
    type: "string",
    valueHint: "NAME=A,B",
    description: "members of a list, may be repeated",
  },
  value: { type: "boolean", description: "evaluate a value expression instead of a filter" },
  phase: {
    type: "string",
    valueHint: "PHASE",
    description: "allow only the fields of this phase; without it, every field that is known",
  },
  explain: { type: "boolean", description: "show what every part gave, and why" },
  format: { type: "boolean", description: "print the expression in its normal form instead" },
  "missing-not-equal": {
    type: "boolean",
    description: "let `!=` hold for missing values, as the open-source engine does",
  },
} as const;

export const evalCommand = defineCommand({
  meta: { name: "eval", description: DESCRIPTION },
  args,
  async run({ rawArgs }) {
    let options: EvalOptions;
    try {
      options = readOptions(rawArgs);
    } catch (error) {
      process.stderr.write(`stepgate eval: ${(error as Error).message}\n`);
      process.exitCode = 2;
      return;
    }
    await (options.expression === undefined ? answerStream(options) : answerOne(options.expression, options));
  },
});

interface EvalOptions extends CaseOptions {
  readonly expression: string | undefined;
  readonly mode: "filter" | "value";
  readonly fields: readonly string[];
  readonly lists: readonly string[];
  readonly format: boolean;
}

/** Reads the options strictly, for citty keeps only the last of a repeated one. */
function readOptions(rawArgs: string[]): EvalOptions {
  const { values, positionals } = parseArgs({
    args: rawArgs,
    allowPositionals: true,
    options: {
      field: { type: "string", multiple: true, default: [] },
      list: { type: "string", multiple: true, default: [] },
      value: { type: "boolean", default: false },
      phase: { type: "string" },
      explain: { type: "boolean", default: false },
      format: { type: "boolean", default: false },
      "missing-not-equal": { type: "boolean", default: false },
    },
  });
  if (positionals.length > 1) {
    throw new TypeError("expected one expression: quote it, so that the shell takes it as one word");
  }
  const [expression] = positionals;
  if (expression === undefined && process.stdin.isTTY) {
    throw new TypeError("expected an expression, or cases on standard input; see `stepgate eval --help`");
  }
  return {
    expression,
    scheme: schemeOf(values.phase),
    mode: values.value ? "value" : "filter",
    fields: values.field,
    lists: values.list,
    missingNotEqual: values["missing-not-equal"],
    explain: values.explain,
    format: values.format,
  };
}

function schemeOf(phase: string | undefined): Scheme {
  if (phase === undefined) {
    return EVERY_FIELD;
  }
  if (!(PHASES as readonly string[]).includes(phase)) {
    throw new TypeError(`expected a phase (${PHASES.join(", ")}), found \`${phase}\``);
  }
  return schemeFor(phase as Phase);
}

function answerOne(expression: string, options: EvalOptions): Promise<void> {
  const colours = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
  const answer = answerPerson(expression, { ...options, colours });
  process.stdout.write(answer.output);
  process.stderr.write(answer.errorOutput);
  process.exitCode = answer.exitCode;
  return Promise.resolve();
}

async function answerStream(options: EvalOptions): Promise<void> {
  const { stdin, stdout } = process;
  let isClosed = false;
  // A reader that has seen enough (`| head`) closes its end: that is no error of ours.
  const closed = new Promise<void>((resolve) => {
    stdout.on("error", () => {
      isClosed = true;
      resolve();
    });
  });
  for await (const lines of readLines(stdin as AsyncIterable<Uint8Array>, MAX_LINE_BYTES)) {
    const answers = lines
      .filter(({ text }) => text?.trim() !== "")
      .map(({ number, text }) =>
        text === undefined ? refuseLine(number, MAX_LINE_BYTES) : answerLine(text, number, options),
      );
    // One write for all lines that came together: a system call each would cost more than the answers.
    const output = answers.map((answer) => `${JSON.stringify(answer)}\n`).join("");
    if (!stdout.write(output)) {
      await Promise.race([new Promise((resolve) => stdout.once("drain", resolve)), closed]);
    }
    if (isClosed) {
      break;
    }
  }
}
