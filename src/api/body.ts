/** Request bodies: bounded, UTF-8, JSON, not too deep, whatever their content type says. */
import type { H3Event } from "h3";
import { apiError } from "./errors.ts";
import { MAX_BODY_DEPTH } from "./limits.ts";

/**
 * Reads a body as JSON. The content type is not looked at: the documented `curl --data` to switch sequence cookies
 * off labels its JSON as a form. That opens no door to forged requests of browsers, because nothing a browser sends
 * by itself (cookies, cached credentials) authenticates here, and no other origin is told that it may read answers.
 *
 * @returns `undefined` when there is no body
 * @throws {ApiError} `body_too_large` or `invalid_body`
 */
export async function readJsonBody(event: H3Event, maxBytes: number): Promise<unknown> {
  const bytes = await readBody(event, maxBytes);
  return bytes.length === 0 ? undefined : parseJson(bytes);
}

/**
 * Reads a form (`multipart/form-data`): texts and files, both as text.
 *
 * @returns an object without prototype; of fields of the same name the last one
 * @throws {ApiError} `body_too_large` or `invalid_body`
 */
export async function readFormBody(
  event: H3Event,
  maxBytes: number,
): Promise<Readonly<Record<string, string>>> {
  const type = event.req.headers.get("content-type") ?? "";
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    throw apiError("invalid_body", "expected a form (`multipart/form-data` with a boundary)");
  }
  const bytes = await readBody(event, maxBytes);
  const fields = Object.create(null) as Record<string, string>;
  let form: FormData;
  try {
    form = await new Response(bytes, { headers: { "content-type": type } }).formData();
  } catch (error) {
    throw apiError("invalid_body", `expected a form, found: ${(error as Error).message}`);
  }
  for (const [name, value] of form) {
    const text = typeof value === "string" ? value : decodeUtf8(new Uint8Array(await value.arrayBuffer()));
    refuseHalfPairs(name);
    refuseHalfPairs(text);
    fields[name] = text;
  }
  return fields;
}

async function readBody(event: H3Event, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(event.req.headers.get("content-length") ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  return readBytes(event.req.body, maxBytes);
}

async function readBytes(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (stream === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the stream.
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

const tooLarge = (maxBytes: number): Error =>
  apiError(
    "body_too_large",
    `expected a body of at most ${maxBytes} bytes, found a larger one; send it in parts`,
  );

const toUtf8 = new TextDecoder("utf-8", { fatal: true });

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return toUtf8.decode(bytes);
  } catch {
    throw apiError("invalid_body", "expected text in UTF-8");
  }
}

function parseJson(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(toUtf8.decode(bytes));
  } catch (error) {
    throw apiError("invalid_body", `expected a body of JSON in UTF-8, found: ${(error as Error).message}`);
  }
  refuseHostileShape(value);
  return value;
}

/**
 * Walks the value without recursion. `__proto__` would become a prototype when objects are copied member by member;
 * half a surrogate pair would come back from the database as another character.
 */
function refuseHostileShape(root: unknown): void {
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value === "string") refuseHalfPairs(value);
    if (typeof value !== "object" || value === null) continue;
    if (depth > MAX_BODY_DEPTH) {
      throw apiError(
        "invalid_body",
        `expected at most ${MAX_BODY_DEPTH} levels of arrays and objects, found more`,
      );
    }
    for (const [name, member] of Object.entries(value)) {
      if (name === "__proto__") throw apiError("invalid_body", "expected no member named `__proto__`");
      refuseHalfPairs(name);
      pending.push({ value: member, depth: depth + 1 });
    }
  }
}

function refuseHalfPairs(text: string): void {
  if (!text.isWellFormed()) {
    throw apiError("invalid_body", "expected well-formed text, found half a surrogate pair");
  }
}
