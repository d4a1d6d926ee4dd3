/** OPTIONS requests that are for the gateway itself (RFC 9110 sections 7.6.2 and 9.3.7). */
import type { Answer, Engine, EngineRequest } from "../engine/index.ts";
import { canonicalHost } from "../operation/index.ts";

const ALLOW = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/**
 * `OPTIONS *` is about the server as a whole, and `Max-Forwards: 0` names us as the last to answer. Neither goes on.
 *
 * @returns the answer, or `undefined` for every other request
 */
export function ownOptionsAnswer(
  request: EngineRequest,
  engine: Pick<Engine, "hasHost">,
): Answer | undefined {
  if (request.method !== "OPTIONS") return undefined;
  if (request.target !== "*" && request.header("max-forwards") !== "0") return undefined;
  const host = canonicalHost(request.authority ?? "");
  // A host that is not ours is refused like any other request for it.
  if (host.kind === "error" || !engine.hasHost(host.host)) return undefined;
  return { status: 200, headers: ["allow", ALLOW, "stepgate-ray", request.rayId], body: "" };
}
