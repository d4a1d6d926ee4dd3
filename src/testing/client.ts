/**
 * Entry `stepgate/testing`: journeys in unit tests of an application.
 *
 * @module stepgate/testing
 */
export { createTestClock } from "./clock.ts";
export type { Duration, DurationUnit } from "../adapters/words.ts";
export type { TestClock } from "./clock.ts";
export { createCookieJar } from "./jar.ts";
export type { CookieJar } from "./jar.ts";
export { createVisitor } from "./visitor.ts";
export type { Decision, TestTarget, VisitInit, Visitor, VisitorOptions, VisitorResponse } from "./visitor.ts";
