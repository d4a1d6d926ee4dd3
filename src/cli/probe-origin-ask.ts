/** Asks an origin for request targets byte for byte and tells its answers apart. */
import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

const TIMEOUT_MS = 5_000;
/** Bytes of an answer that are looked at. */
const MAX_BODY_BYTES = 262_144;

export interface OriginAnswer {
  /** 0 when there was no answer. */
  readonly status: number;
  readonly contentType: string;
  /** SHA-256 of the body, hex. */
  readonly bodyHash: string;
}

const NO_ANSWER: OriginAnswer = { status: 0, contentType: "", bodyHash: "" };

/** @param ca PEM text; the system's certificates when absent */
export function askOrigin(base: URL, target: string, ca: string | undefined): Promise<OriginAnswer> {
  const start = base.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    try {
      const call = start(
        {
          host: base.hostname.replace(/^\[|\]$/g, ""),
          port: base.port || undefined,
          path: target,
          headers: {
            host: base.host,
            "user-agent": "stepgate-probe-origin",
            accept: "*/*",
            connection: "close",
          },
          agent: false,
          timeout: TIMEOUT_MS,
          ...(ca === undefined ? {} : { ca }),
        },
        (response) => void readAnswer(response).then(resolve, () => resolve(NO_ANSWER)),
      );
      call.on("timeout", () => call.destroy());
      call.on("error", () => resolve(NO_ANSWER));
      call.end();
    } catch {
      // A target that Node itself refuses to send cannot reach an origin through us either.
      resolve(NO_ANSWER);
    }
  });
}

async function readAnswer(response: IncomingMessage): Promise<OriginAnswer> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) break;
  }
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers["content-type"] ?? "",
    bodyHash: hash.digest("hex"),
  };
}
