/** Entry `stepgate/testing`: journeys in unit tests of an application. */
export { createTestClock } from "./clock.ts";
export type { TestClock } from "./clock.ts";
export { createCookieJar } from "./jar.ts";
export type { CookieJar } from "./jar.ts";
export { createVisitor } from "./visitor.ts";
export type { Decision, TestTarget, VisitInit, Visitor, VisitorOptions, VisitorResponse } from "./visitor.ts";
