/** What each entry of the package loads and weighs. */
import { gzipSync } from "node:zlib";
import { createContext, runInContext } from "node:vm";
import { rolldown } from "rolldown";
import { describe, expect, test } from "vitest";
import { moduleGraph } from "./graph.ts";

const source = (path: string): URL => new URL(`../../src/${path}`, import.meta.url);

/**
 * Packages that each entry may load, and its budget: bytes of the minified bundle of everything it loads, gzipped.
 * More than half of each adapter is the Rules language with its regular expressions (re2js).
 */
const ENTRIES = [
  {
    entry: "h3",
    file: "adapters/h3.ts",
    packages: ["@noble/hashes", "cookie", "jose", "re2js"],
    budget: 140_000,
  },
  {
    entry: "node",
    file: "adapters/node.ts",
    packages: ["@noble/hashes", "cookie", "jose", "re2js"],
    budget: 140_000,
  },
  {
    entry: "fetch",
    file: "adapters/fetch.ts",
    packages: ["@noble/hashes", "cookie", "jose", "re2js"],
    budget: 145_000,
  },
  { entry: "testing", file: "testing/client.ts", packages: ["cookie"], budget: 3_000 },
] as const;

async function bundle(
  file: string,
  format: "esm" | "cjs",
): Promise<{ readonly code: string; readonly imports: readonly string[] }> {
  const build = await rolldown({
    input: source(file).pathname,
    platform: "neutral",
    external: /^node:/,
    logLevel: "silent",
  });
  const { output } = await build.generate({ format, minify: true, codeSplitting: false });
  await build.close();
  const [chunk] = output;
  return { code: chunk.code, imports: chunk.imports };
}

describe.each(ENTRIES)("stepgate/$entry", ({ entry, file, packages, budget }) => {
  test("loads nothing that it does not use", async () => {
    const graph = await moduleGraph(source(file));
    expect([...graph.packages].toSorted()).toEqual(packages);
    for (const folder of ["api", "gateway", "proxy", "cli", "demo", "tls"]) {
      expect(graph.folders, `src/${folder}`).not.toContain(folder);
    }
    expect(graph.builtins).not.toContain("node:sqlite");
    const neutral = entry === "fetch" || entry === "testing";
    expect([...graph.builtins].filter(() => neutral)).toEqual([]);
  });

  test("stays within its size", async () => {
    const { code } = await bundle(file, "esm");
    expect(gzipSync(code).length).toBeLessThan(budget);
  });
});

test("a program that imports only the declarations leaves the engine out", async () => {
  const build = await rolldown({
    input: "program",
    platform: "neutral",
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === "program" ? id : null),
        load: (id) =>
          id === "program"
            ? `import { defineOperations } from ${JSON.stringify(source("adapters/fetch.ts").pathname)};
               console.log(defineOperations({ a: "GET /a" }).shortIds.a);`
            : null,
      },
    ],
    logLevel: "silent",
    treeshake: { moduleSideEffects: false },
  });
  const { output } = await build.generate({ minify: true });
  await build.close();
  expect(gzipSync(output[0].code).length).toBeLessThan(12_000);
});

test("the bundle of stepgate/fetch runs where there is nothing but the web's own globals", async () => {
  const { code, imports } = await bundle("adapters/fetch.ts", "cjs");
  expect(imports).toEqual([]);
  expect(code).not.toMatch(/["'`]node:/);
  const {
    Request,
    Response,
    Headers,
    URL,
    TextEncoder,
    TextDecoder,
    AbortSignal,
    crypto,
    CryptoKey,
    btoa,
    atob,
    Uint8Array,
  } = globalThis;
  const exports: Record<string, unknown> = {};
  const web = {
    Request,
    Response,
    Headers,
    URL,
    TextEncoder,
    TextDecoder,
    AbortSignal,
    crypto,
    CryptoKey,
    btoa,
    atob,
    Uint8Array,
  };
  const context = createContext({ ...web, exports, module: { exports } });
  runInContext(code, context);
  context["keys"] = {
    keys: [{ kty: "oct", kid: "a", k: Buffer.alloc(32, "ab").fill(7, 3, 9).toString("base64url") }],
  };
  const statuses: unknown = await runInContext(
    `(async () => {
      const { stepgate, defineOperations } = module.exports;
      const operations = defineOperations({ look: "GET /look", go: "POST /go" });
      const rules = [operations.require("look").before("go")];
      const guard = stepgate({ operations, rules, keys });
      const app = () => new Response("ok");
      const send = (method, path, cookie) =>
        guard(new Request("https://app.test" + path, { method, headers: cookie ? { cookie } : {} }), app);
      const early = await send("POST", "/go");
      const look = await send("GET", "/look");
      const cookie = look.headers.getSetCookie()[0].split(";")[0];
      const late = await send("POST", "/go", cookie);
      return [early.status, look.status, late.status].join(" ");
    })()`,
    context,
  );
  expect(statuses).toBe("403 200 200");
});
