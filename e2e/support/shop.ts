/** An application of a test's own behind Stepgate: a shop with two steps, which shows what reached it. */
import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Shop {
  readonly url: string;
  /** Every request that reached it, in order. */
  readonly seen: readonly SeenRequest[];
  close(): Promise<void>;
}

const page = (title: string, body = ""): string =>
  `<!doctype html><html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1>${body}</body></html>`;

const PAGES: Readonly<Record<string, string>> = {
  "/cart": page("Cart", '<a href="/checkout">Check out</a>'),
  "/checkout": page("Checkout", '<form method="post" action="/pay"><button>Pay</button></form>'),
  "/pay": page("Paid"),
  "/": page("Shop"),
};

export async function startShop(): Promise<Shop> {
  const seen: SeenRequest[] = [];
  const server = createServer((req, res) => {
    const path = (req.url ?? "").split("?", 1)[0] ?? "";
    seen.push({ method: req.method ?? "", path, headers: req.headers });
    req.resume();
    answer(res, PAGES[path]);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(res: ServerResponse, body: string | undefined): void {
  const headers = { "content-type": "text/html; charset=utf-8", "x-powered-by": "shop" };
  res.writeHead(body === undefined ? 404 : 200, headers).end(body ?? page("Not found"));
}
