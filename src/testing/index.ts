/** For the command; programs import the entry `stepgate/testing`. */
export { createTestClock } from "./clock.ts";
export type { TestClock } from "./clock.ts";
export { readHarEntries } from "./har.ts";
export type { AnsweredEntry } from "./har.ts";
export { renderJunit, renderReport } from "./report.ts";
export { runJourney } from "./run.ts";
export type { JourneyResult, Stage } from "./run.ts";
export { readScenario } from "./scenario-file.ts";
export { appStage, urlStage, zoneStage } from "./stage.ts";
export { createVisitor } from "./visitor.ts";
export type { TestTarget, Visitor } from "./visitor.ts";
