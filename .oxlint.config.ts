/** Lint rules, and the layers of the source tree: who may import whom (one row per folder). */
import { defineConfig } from "oxlint";
import type { OxlintOverride } from "oxlint";

interface Layer {
  /** Folders of `src/` whose door (`index.ts`) this folder may import. */
  readonly mayImport: readonly string[];
  /** Libraries and `node:` modules only this folder (and others that name them) may use. */
  readonly libraries: readonly string[];
  /** A pure folder has no I/O, no clock and no randomness of its own. */
  readonly pure: boolean;
}

const pure = (mayImport: readonly string[] = [], libraries: readonly string[] = []): Layer => ({
  mayImport,
  libraries,
  pure: true,
});
const edge = (mayImport: readonly string[], libraries: readonly string[]): Layer => ({
  mayImport,
  libraries: ["node:*", ...libraries],
  pure: false,
});

const PURE_FOLDERS = [
  "expression",
  "operation",
  "sequence",
  "session",
  "ratelimit",
  "ruleset",
  "phases",
  "analytics",
  "challenge",
  "engine",
] as const;

const LAYERS: Readonly<Record<string, Layer>> = {
  expression: pure([], ["@noble/hashes", "re2js"]),
  operation: pure(),
  sequence: pure(),
  session: pure(),
  ratelimit: pure(),
  analytics: pure(),
  // Proof-of-work challenges: the page and the arithmetic; sealing is handed in by `cookie`.
  challenge: pure(),
  ruleset: pure(["expression"]),
  phases: pure(["expression", "ruleset", "ratelimit", "sequence"]),
  engine: pure(PURE_FOLDERS.filter((folder) => folder !== "engine")),
  cookie: edge(["sequence", "challenge"], ["jose", "cookie"]),
  tls: edge([], ["@peculiar/x509", "@abraham/reflection"]),
  store: edge(PURE_FOLDERS, ["ioredis"]),
  proxy: edge([], ["undici", "httpxy"]),
  gateway: edge(["cookie", "proxy", "store", ...PURE_FOLDERS], ["h3", "srvx", "@opentelemetry/api"]),
  // The engine as middleware: it is handed a configuration in the words of the pure folders. Counts in memory.
  adapters: edge(["cookie", "store", ...PURE_FOLDERS], ["h3", "@noble/hashes"]),
  // Journeys for tests of applications: written with the adapters' words, run against them, a URL or the engine.
  testing: edge(["adapters", "cookie", ...PURE_FOLDERS], ["cookie", "yaml"]),
  // Requests of the past, out of logs, counted as the gateway counts those of the present.
  history: edge(["testing", ...PURE_FOLDERS], []),
  api: edge(
    ["store", ...PURE_FOLDERS],
    ["h3", "srvx", "zod", "zod-openapi", "swagger-ui-dist", "yaml", "@seriousme/openapi-schema-validator"],
  ),
  // The bank signs the tokens of its mobile app.
  demo: edge([], ["h3", "srvx", "jose"]),
  cli: edge(
    [
      "cookie",
      "tls",
      "store",
      "proxy",
      "gateway",
      "adapters",
      "api",
      "demo",
      "testing",
      "history",
      ...PURE_FOLDERS,
    ],
    ["citty", "pino", "prom-client", "zod"],
  ),
};

/** Parts of folders that can be had without what their door needs: Node, a database, an engine. */
const SIDE_DOORS: Readonly<Record<string, readonly string[]>> = {
  adapters: ["words.ts"],
  cookie: ["portable.ts"],
  store: ["memory-rate-limits.ts"],
};

/** The folders of `src/` that have a row: a test sees to it that none is without. */
export const layeredFolders: readonly string[] = Object.keys(LAYERS);

const impureGlobals = [
  { name: "Date", message: "take `now` (epoch ms) as an argument" },
  { name: "process", message: "configuration comes in as an argument" },
  ...[
    "globalThis",
    "fetch",
    "crypto",
    "setTimeout",
    "setInterval",
    "setImmediate",
    "performance",
    "Buffer",
    "console",
  ].map((name) => ({
    name,
    message: "this folder is pure and runtime-neutral: have it handed in",
  })),
];

function layerOverride(folder: string, layer: Layer): OxlintOverride {
  const forbiddenFolders = Object.keys(LAYERS).filter(
    (other) => other !== folder && !layer.mayImport.includes(other),
  );
  const patterns = [
    {
      group: [
        ...forbiddenFolders.map((other) => `**/../${other}/**`),
        "**/src/**",
        "../main.ts",
        "../index.ts",
      ],
      message: `src/${folder} may import only: ${layer.mayImport.join(", ") || "nothing outside its own folder"}`,
    },
    ...(layer.mayImport.length === 0
      ? []
      : [
          {
            group: [
              ...layer.mayImport.flatMap((other) => [`**/../${other}/**`, `!**/../${other}/index.ts`]),
              ...layer.mayImport.flatMap((other) =>
                (SIDE_DOORS[other] ?? []).map((door) => `!**/../${other}/${door}`),
              ),
            ],
            message: "import another folder through its index.ts",
          },
        ]),
    { group: ["./index.ts"], message: "inside a folder import the sibling file, not the door" },
    // An allow list: a package that no row names yet is refused too. The exceptions are a pattern of their own,
    // because an exception ends the search in every pattern: one for `../**` would let everything relative in.
    {
      group: layer.libraries.flatMap((library) => [`!${library}`, `!${library}/**`]),
      message: "libraries of this folder",
    },
    {
      regex: "^[^.]",
      message: `src/${folder} may use only these libraries: ${layer.libraries.join(", ") || "none"}`,
    },
  ];
  return {
    files: [`src/${folder}/**`],
    rules: {
      "no-restricted-imports": ["error", { patterns }],
      ...(layer.pure
        ? {
            "no-restricted-globals": ["error", ...impureGlobals],
            "no-restricted-properties": ["error", { object: "Math", property: "random" }],
          }
        : {}),
    },
  };
}

export default defineConfig({
  plugins: ["typescript", "unicorn", "oxc", "import", "node", "promise", "vitest"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  rules: {
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "typescript/no-explicit-any": "error",
    "typescript/no-floating-promises": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/consistent-type-imports": "error",
    "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
    "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
    "max-params": ["error", 4],
    complexity: ["error", 15],
    "unicorn/filename-case": ["error", { case: "kebabCase" }],
    "no-console": "error",
    // It does not see that a switch is exhaustive; the compiler's noImplicitReturns does.
    "typescript/consistent-return": "off",
    "vitest/expect-expect": ["error", { assertFunctionNames: ["expect", "expect*", "fc.assert", "assert*"] }],
    // Attackers send control characters; the code that refuses them has to name them.
    "no-control-regex": "off",
    // Sequential awaits are what bounded retries, migrations and ordered tests need.
    "no-await-in-loop": "off",
    // An index that was just checked is still `T | undefined` to the compiler; a guard there costs the hot path.
    "typescript/no-unsafe-type-assertion": "off",
    // A loop that closes over its variable is clearer here than a helper with four parameters.
    "no-loop-func": "off",
  },
  overrides: [
    ...Object.entries(LAYERS).map(([folder, layer]) => layerOverride(folder, layer)),
    {
      files: ["test/**", "e2e/**"],
      rules: {
        "max-lines": "off",
        "max-lines-per-function": "off",
        "no-console": "off",
        complexity: "off",
      },
    },
  ],
});
