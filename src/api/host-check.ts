/** Which names the API answers to (against DNS rebinding, spec/threats A2). */
import type { H3Event } from "h3";
import { apiError } from "./errors.ts";

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"] as const;

/** @param names more host names, without port */
export function createHostCheck(names: readonly string[]): (event: H3Event) => void {
  const allowed = new Set([...LOOPBACK_NAMES, ...names.map((name) => name.toLowerCase())]);
  return (event) => {
    // HTTP/1.1 may name another host in an absolute target: both have to be ours.
    for (const authority of [event.url.host, event.req.headers.get("host")]) {
      if (authority === null || allowed.has(withoutPort(authority))) continue;
      throw apiError(
        "host_not_allowed",
        `expected a Host of this API, found \`${authority.slice(0, 253)}\`; add it to the allowed hosts`,
      );
    }
  };
}

function withoutPort(authority: string): string {
  return authority.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
}
