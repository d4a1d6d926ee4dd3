import { describe, expect, test } from "vitest";
import { originRequestHeaders } from "../../src/proxy/index.ts";
import { clientResponseHeaders } from "../../src/proxy/headers.ts";

const facts = {
  host: "shop.example",
  clientAddress: "192.0.2.1",
  scheme: "https" as const,
  cookie: undefined,
  rayId: "0123456789abcdef",
};

/** The end-to-end part: what is left of the client's own fields. */
function passed(raw: readonly string[]): string[] {
  const headers = originRequestHeaders(raw, facts);
  const own = new Set(["host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "stepgate-ray"]);
  return headers.filter((_, index) => !own.has(headers[index - (index % 2)] as string));
}

describe("originRequestHeaders", () => {
  test.each([
    [
      "ordinary fields keep their order, spelling and repeats",
      ["X-B", "2", "x-a", "1", "X-B", "3"],
      ["X-B", "2", "x-a", "1", "X-B", "3"],
    ],
    [
      "hop-by-hop fields go",
      [
        "Connection",
        "close",
        "Keep-Alive",
        "1",
        "TE",
        "trailers",
        "Upgrade",
        "h2c",
        "Transfer-Encoding",
        "chunked",
        "Proxy-Connection",
        "x",
      ],
      [],
    ],
    [
      "nominated fields go",
      ["Connection", "x-drop, X-Too", "X-Drop", "1", "x-too", "2", "x-stay", "3"],
      ["x-stay", "3"],
    ],
    [
      "what gives a message its meaning cannot be nominated away",
      [
        "Connection",
        "authorization, content-type, content-length",
        "Authorization",
        "a",
        "Content-Type",
        "b",
        "Content-Length",
        "3",
      ],
      ["Authorization", "a", "Content-Type", "b", "Content-Length", "3"],
    ],
    ["pseudo-headers of HTTP/2 go", [":method", "GET", ":path", "/", "accept", "*/*"], ["accept", "*/*"]],
    [
      "forged forwarding fields go",
      [
        "X-Forwarded-For",
        "1.1.1.1",
        "Forwarded",
        "for=1.1.1.1",
        "X-Real-IP",
        "1.1.1.1",
        "X-Forwarded-Proto",
        "http",
        "Stepgate-Ray",
        "x",
      ],
      [],
    ],
    [
      "names that an origin would read as ours go, other underscores stay",
      ["X_Forwarded_For", "1.1.1.1", "Content_Length", "5", "transfer_encoding", "chunked", "x_own", "1"],
      ["x_own", "1"],
    ],
    [
      "method overrides go",
      ["X-HTTP-Method-Override", "DELETE", "X-Method-Override", "PUT", "X-HTTP-Method", "PUT"],
      [],
    ],
    ["the client's cookie text is never passed on as it was", ["Cookie", "a=1"], []],
  ])("%s", (_name, raw, expected) => {
    expect(passed(raw)).toEqual(expected);
  });

  test("the client cannot nominate away what the proxy adds", () => {
    const headers = originRequestHeaders(["Connection", "x-forwarded-for, stepgate-ray, host, cookie"], {
      ...facts,
      cookie: "a=1",
    });
    expect(headers).toEqual([
      "host",
      "shop.example",
      "cookie",
      "a=1",
      "x-forwarded-for",
      "192.0.2.1",
      "x-forwarded-host",
      "shop.example",
      "x-forwarded-proto",
      "https",
      "stepgate-ray",
      "0123456789abcdef",
    ]);
  });
});

describe("clientResponseHeaders", () => {
  test("byte values survive, hop-by-hop and nominated fields do not", () => {
    const raw = [
      "Set-Cookie",
      "a=1",
      "Set-Cookie",
      "b=2",
      "Connection",
      "x-hop",
      "X-Hop",
      "1",
      "X-Byte",
      "\xe9",
    ].map((part) => Buffer.from(part, "latin1"));
    expect(clientResponseHeaders(raw)).toEqual(["Set-Cookie", "a=1", "Set-Cookie", "b=2", "X-Byte", "\xe9"]);
  });
});
