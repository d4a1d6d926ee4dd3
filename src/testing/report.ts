/** What came of journeys: for people, and as JUnit XML for continuous integration. */
import type { JourneyResult, StepResult } from "./run.ts";

/** @returns lines for a terminal, ending in a count */
export function renderReport(results: readonly JourneyResult[]): string {
  const failed = results.filter(({ hasPassed }) => !hasPassed).length;
  const lines = results.flatMap((result) => [
    `${result.hasPassed ? "✓" : "✗"} ${result.name} (${result.steps.length} requests, ${result.durationMs.toFixed(0)} ms)`,
    ...result.steps.filter(({ problems }) => problems.length > 0).flatMap(renderStep),
  ]);
  return [...lines, "", `${results.length} journeys, ${failed} failed`, ""].join("\n");
}

function renderStep({ index, request, problems, reasons, rayId }: StepResult): readonly string[] {
  return [
    `    step ${index}: ${request}`,
    ...problems.map((problem) => `      ${problem}`),
    ...reasons.map((reason) => `      ${reason}`),
    ...(rayId === undefined ? [] : [`      ray id ${rayId}`]),
  ];
}

/** One test suite, one test case for each journey. */
export function renderJunit(results: readonly JourneyResult[], suite: string): string {
  const failed = results.filter(({ hasPassed }) => !hasPassed).length;
  const total = results.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const cases = results.map((result) => {
    const head = `  <testcase classname="${escape(suite)}" name="${escape(result.name)}" time="${seconds(result.durationMs)}"`;
    if (result.hasPassed) return `${head}/>`;
    const details = result.steps.filter(({ problems }) => problems.length > 0).flatMap(renderStep);
    const [, message = ""] = details;
    return `${head}>\n    <failure message="${escape(message.trim())}">${escape(details.join("\n"))}</failure>\n  </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escape(suite)}" tests="${results.length}" failures="${failed}" errors="0" skipped="0" time="${seconds(total)}">`,
    ...cases,
    "</testsuite>",
    "",
  ].join("\n");
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML 1.0 section 2.2 has no place for control characters, however they are written. */
function escape(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd")
    .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}
