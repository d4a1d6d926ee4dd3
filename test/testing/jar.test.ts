/** The jar keeps and drops cookies as browsers do; the clock moves it. */
import { expect, test } from "vitest";
import { createCookieJar, createTestClock } from "../../src/testing/client.ts";

const start = (): ReturnType<typeof createTestClock> => createTestClock(1_790_000_000_000);

test("cookies live as long as they say", () => {
  const clock = start();
  const jar = createCookieJar(clock.now);
  jar.store([
    "a=1; Max-Age=60; Path=/",
    "b=2; Path=/",
    `c=3; Expires=${new Date(clock.now() + 5000).toUTCString()}`,
  ]);
  expect(jar.header("/")).toBe("a=1; b=2; c=3");
  clock.advance("10s");
  expect(jar.header("/")).toBe("a=1; b=2");
  clock.advance("50s");
  expect(jar.header("/")).toBe("b=2");
  jar.store(["b=; Max-Age=0; Path=/"]);
  expect(jar.header("/")).toBeUndefined();
});

test.each([
  ["__Host-x=1; Path=/", false],
  ["__Host-x=1; Secure; Path=/shop", false],
  ["__Host-x=1; Secure; Path=/; Domain=a.test", false],
  ["__Host-x=1; Secure; Path=/", true],
  ["__Secure-x=1; Path=/", false],
  ["__Secure-x=1; Secure; Domain=a.test", true],
  [`x=${"v".repeat(4096)}; Path=/`, false],
])("%.60s", (line, isKept) => {
  const jar = createCookieJar(start().now);
  jar.store([line]);
  expect(jar.entries().size).toBe(isKept ? 1 : 0);
});

test("a path keeps a cookie to itself", () => {
  const jar = createCookieJar(start().now);
  jar.store(["a=1; Path=/shop"]);
  expect(["/shop", "/shop/cart", "/shopping", "/"].map((path) => jar.header(path))).toEqual([
    "a=1",
    "a=1",
    undefined,
    undefined,
  ]);
});
