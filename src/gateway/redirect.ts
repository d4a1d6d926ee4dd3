/** The plain HTTP listener's only answer: the same address over HTTPS. */
import { canonicalHost } from "../operation/index.ts";
import type { RequestHandler } from "./pipelining.ts";

/**
 * @param httpsPort port the visitor is sent to; 443 is left out of the address
 * @param hasHost whether a canonical host is one of ours: anything else is not redirected anywhere
 */
export function redirectToHttps(httpsPort: () => number, hasHost: (host: string) => boolean): RequestHandler {
  return (req, res) => {
    const host = canonicalHost(req.headers.host ?? "");
    const target = req.url ?? "";
    if (host.kind === "error" || !hasHost(host.host) || !target.startsWith("/")) {
      res.writeHead(421, { "content-type": "text/plain", connection: "close" });
      res.end("no site is served here under this host name\n");
      return;
    }
    const port = httpsPort() === 443 ? "" : `:${httpsPort()}`;
    // 308 keeps method and body, so that a form sent to the wrong scheme is not silently turned into a GET.
    res.writeHead(308, {
      location: `https://${host.host}${port}${target}`,
      "content-length": "0",
      connection: "close",
    });
    res.end();
  };
}
