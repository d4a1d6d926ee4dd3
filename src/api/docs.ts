/** The reference page: the API's description, shown by a viewer that is served from here and asks nobody else. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { H3 } from "h3";
import { createApiDocument } from "./openapi.ts";

const require = createRequire(import.meta.url);

/** Files of the viewer, and how browsers have to take them. */
const VIEWER_FILES = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
} as const;

/** Nothing from elsewhere, nothing inline, no frame around it; images in the style sheet are data. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Stepgate API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="reference"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** Closed at first: beyond a hundred open operations the viewer draws only those in sight, and a page search finds no others. */
const START = `SwaggerUIBundle({ url: "/openapi.json", domNode: document.getElementById("reference"), deepLinking: true, docExpansion: "none" });
`;

/** Adds `/openapi.json` and `/docs`. They say what the API can do, not what is in it, and need no token. */
export function addDocs(app: H3, version: string, basePath: string): void {
  let document: string | undefined;
  app.get("/openapi.json", () => {
    document ??= JSON.stringify(createApiDocument(version, basePath));
    return fileResponse(document, "application/json; charset=utf-8");
  });
  app.get("/docs", () => fileResponse(PAGE, "text/html; charset=utf-8"));
  app.get("/docs/start.js", () => fileResponse(START, "text/javascript; charset=utf-8"));
  for (const [name, type] of Object.entries(VIEWER_FILES)) {
    let content: Buffer<ArrayBuffer> | undefined;
    app.get(`/docs/${name}`, () => {
      content ??= readFileSync(require.resolve(`swagger-ui-dist/${name}`));
      return fileResponse(content, type);
    });
  }
}

function fileResponse(content: string | Buffer<ArrayBuffer>, type: string): Response {
  return new Response(content, {
    headers: {
      "content-type": type,
      "cache-control": "no-cache",
      "content-security-policy": CONTENT_SECURITY_POLICY,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}
