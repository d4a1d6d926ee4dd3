/** The bank's pages: read once when the bank opens, served from memory by exact path. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { answer } from "./answers.ts";

const FOLDER = new URL("pages/", import.meta.url);

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Everything comes from the bank itself, nothing is inline, and nobody may put the bank into a frame. */
const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
} as const;

interface Page {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly etag: string;
}

export interface Pages {
  /**
   * @param path path of the request, as sent
   * @param ifNoneMatch value of the request's `If-None-Match`
   * @returns undefined when there is no such page
   */
  find(path: string, ifNoneMatch: string | null): Response | undefined;
  /** What a person sees who asks for a page that is not there. */
  notFound(): Response;
}

export async function loadPages(): Promise<Pages> {
  const pages = new Map<string, Page>();
  for (const name of await readdir(FOLDER)) {
    const contentType = CONTENT_TYPES[extname(name)];
    if (contentType === undefined) continue;
    const body = new Uint8Array(await readFile(new URL(name, FOLDER)));
    const digest = createHash("sha256").update(body).digest("base64url").slice(0, 22);
    pages.set(`/${name}`, { body, contentType, etag: `"${digest}"` });
  }
  const alias = (path: string, name: string): void => {
    const page = pages.get(name);
    if (page === undefined) throw new Error(`the bank's page \`${name}\` is missing`);
    pages.set(path, page);
  };
  alias("/", "/index.html");
  // Browsers ask for it under this name by themselves; the type says what it is.
  alias("/favicon.ico", "/favicon.svg");
  return {
    find(path, ifNoneMatch) {
      const page = pages.get(path);
      if (page === undefined) return undefined;
      const headers = { ...PAGE_HEADERS, etag: page.etag, "cache-control": "no-cache" };
      return ifNoneMatch === page.etag
        ? answer(304, null, headers)
        : answer(200, page.body, { ...headers, "content-type": page.contentType });
    },
    notFound() {
      const page = pages.get("/not-found.html");
      return answer(404, page?.body ?? null, {
        ...PAGE_HEADERS,
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
      });
    },
  };
}
