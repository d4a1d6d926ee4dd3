import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { probe } from "../../src/cli/probe-origin-report.ts";
import type { OriginAnswer } from "../../src/cli/probe-origin-ask.ts";
import { askOrigin } from "../../src/cli/probe-origin-ask.ts";
import { spellingsOf } from "../../src/cli/probe-origin-spellings.ts";

const PATH = "/api/v1/transferFunds";
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const answer = (isHit: boolean): OriginAnswer => ({
  status: isHit ? 200 : 404,
  contentType: "text/plain",
  bodyHash: isHit ? "hit" : "miss",
});

/** An origin that routes in its own way. */
const origin =
  (routes: (target: string) => boolean) =>
  (target: string): Promise<OriginAnswer> =>
    Promise.resolve(answer(routes(target)));

describe("the profile", () => {
  test.each([
    [
      "exact",
      (target: string) => target === PATH || target === `${PATH}?`,
      {
        encodedSlash: "keep",
        encodedBackslash: "keep",
        caseSensitive: true,
        trailingSlash: "keep",
        params: "keep",
      },
    ],
    [
      "decodes before it routes, as Flask does",
      (target: string) => /^\/api\/v1(?:\/|%2f)transferFunds\??$/i.test(target),
      {
        encodedBackslash: "keep",
        trailingSlash: "keep",
        params: "keep",
      },
    ],
    [
      "Rails",
      (target: string) => new RegExp(`^${PATH}/?(?:\\.json)?\\??$`).test(target),
      {
        encodedSlash: "keep",
        encodedBackslash: "keep",
        caseSensitive: true,
        params: "keep",
        formatSuffix: "fold",
      },
    ],
    [
      "CGI",
      (target: string) => target.startsWith(PATH),
      {
        encodedSlash: "keep",
        encodedBackslash: "keep",
        caseSensitive: true,
        formatSuffix: "fold",
        pathInfo: "prefix",
      },
    ],
    [
      "servlet container",
      (target: string) => target.replace(/;[^/]*/g, "") === PATH,
      {
        encodedSlash: "keep",
        encodedBackslash: "keep",
        caseSensitive: true,
        trailingSlash: "keep",
      },
    ],
  ] as const)("of an origin that is %s", async (_name, routes, profile) => {
    expect((await probe(PATH, origin(routes))).profile).toEqual(profile);
  });

  test("a spelling that no option covers is named", async () => {
    const report = await probe(
      PATH,
      origin((target) => target === PATH || target === `${PATH}+`),
    );
    expect(report.dodges).toEqual([{ name: "plus", target: `${PATH}+`, canonical: `${PATH}+` }]);
  });

  test("an endpoint that answers like one that does not exist cannot be probed", async () => {
    await expect(
      probe(
        PATH,
        origin(() => true),
      ),
    ).rejects.toThrow(/does not exist/);
  });
});

test("at least the 43 spellings, each another target", () => {
  const targets = spellingsOf(`${PATH}k`).map(({ target }) => target);
  expect(new Set(targets).size).toBe(targets.length);
  expect(targets.length).toBeGreaterThanOrEqual(43);
});

test("targets arrive byte for byte", async () => {
  const seen: string[] = [];
  const server = createServer((req, res) => {
    seen.push(req.url ?? "");
    res.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  const base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const targets = ["//a//b/../%2e%2F;x", "/a\\b", "http://evil.invalid/a"];
  for (const target of targets) await askOrigin(base, target, undefined);
  expect(seen).toEqual(targets);
});
