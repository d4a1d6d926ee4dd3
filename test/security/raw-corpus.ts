/**
 * Requests that HTTP servers are known to read in more than one way, as bytes: the wordings of published work on
 * request smuggling (RFC 9112 section 11.2, "HTTP Desync Attacks", the cases of the http-garden) and llhttp's own.
 */

export interface RawCase {
  readonly name: string;
  /** One character per byte. Whatever hides in it is a request for `/hidden-NNNN`, with the place of the case. */
  readonly bytes: string;
}

const HOST = "Host: shop.example\r\n";
const HIDDEN = `GET /hidden-#### HTTP/1.1\r\n${HOST}\r\n`;
const CHUNKED_HIDDEN = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;

const get = (line: string, headers = HOST): string => `${line}\r\n${headers}\r\n`;
const post = (headers: string, body: string): string =>
  `POST /shown-#### HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;

/** Wordings of a `Transfer-Encoding` that some parser takes for chunked and another does not. */
const ENCODINGS: readonly string[] = [
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: Chunked",
  "Transfer-Encoding:chunked",
  "Transfer-Encoding:  chunked",
  "Transfer-Encoding:\tchunked",
  "Transfer-Encoding: chunked ",
  "Transfer-Encoding: chunked\t",
  "Transfer-Encoding: \x0bchunked",
  "Transfer-Encoding: \x0cchunked",
  "Transfer-Encoding: \xa0chunked",
  "Transfer-Encoding: \xffchunked",
  "Transfer-Encoding: chunked\xff",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding: chunkedx",
  "Transfer-Encoding: chunke",
  "Transfer-Encoding: ,chunked",
  "Transfer-Encoding: chunked,",
  "Transfer-Encoding: , chunked ,",
  "Transfer-Encoding: chunked, chunked",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: identity, chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked;q=0.5",
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: identity",
  "Transfer-Encoding: cow",
  "Transfer-Encoding:",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
  "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding\t: chunked",
  " Transfer-Encoding: chunked",
  "X: y\r\n Transfer-Encoding: chunked",
  "Transfer-Encoding:\r\n chunked",
  "X: y\rTransfer-Encoding: chunked",
  "X: y\nTransfer-Encoding: chunked",
  "X: y\0Transfer-Encoding: chunked",
  "Transfer_Encoding: chunked",
  "Transfer-Encoding\0: chunked",
  "Transfer-\rEncoding: chunked",
  "tRANSFER-eNCODING: chunked",
  "Content-Encoding: chunked",
  "TE: chunked",
];

/** Wordings of a `Content-Length` of the given number. */
const LENGTHS: readonly ((length: number) => string)[] = [
  (length) => `Content-Length: ${length}`,
  (length) => `Content-Length: +${length}`,
  (length) => `Content-Length: -${length}`,
  (length) => `Content-Length: 0${length}`,
  (length) => `Content-Length: 0x${length.toString(16)}`,
  (length) => `Content-Length: ${length}, ${length}`,
  (length) => `Content-Length: ${length} ${length}`,
  (length) => `Content-Length: ${length};`,
  (length) => `Content-Length: "${length}"`,
  (length) => `Content-Length: ${length}.0`,
  (length) => `Content-Length: ${length}e0`,
  (length) => `Content-Length: \x0b${length}`,
  (length) => `Content-Length: ${length}\x0b`,
  (length) => `Content-Length: \xa0${length}`,
  (length) => `Content-Length: 1_${length}`,
  (length) => `Content-Length:\r\n ${length}`,
  (length) => `Content-Length: ${length}\r\nContent-Length: ${length}`,
  (length) => `Content-Length: ${length}\r\nContent-Length: 0`,
  (length) => `Content-Length: 0\r\nContent-Length: ${length}`,
  (length) => `Content-Length : ${length}`,
  (length) => ` Content-Length: ${length}`,
  (length) => `Content_Length: ${length}`,
  (length) => `Content-Length: ${length}\0`,
  (length) => `Content-Length: ${2n ** 64n + BigInt(length)}`,
  (length) => `Content-Length: ${2n ** 32n + BigInt(length)}`,
  () => "Content-Length:",
  () => "Content-Length: ",
];

/** Chunked bodies in which one parser finds a request behind the end and another does not. */
const CHUNKS: Readonly<Record<string, string>> = {
  "a plain last chunk": `0\r\n\r\n${HIDDEN}`,
  "a chunk": CHUNKED_HIDDEN,
  "an extension": `0;a=b\r\n\r\n${HIDDEN}`,
  "an extension with a line feed": `0;a\n\r\n\r\n${HIDDEN}`,
  "an extension with a quoted line end": `0;a="\r\n\r\n${HIDDEN}`,
  "a long extension": `0;${"a".repeat(20_000)}\r\n\r\n${HIDDEN}`,
  "a space behind the size": `0 \r\n\r\n${HIDDEN}`,
  "a tab behind the size": `0\t\r\n\r\n${HIDDEN}`,
  "a sign": `+0\r\n\r\n${HIDDEN}`,
  "a minus": `-0\r\n\r\n${HIDDEN}`,
  "0x": `0x0\r\n\r\n${HIDDEN}`,
  "an underscore": `0_0\r\n\r\n${HIDDEN}`,
  "many zeros": `${"0".repeat(100)}\r\n\r\n${HIDDEN}`,
  "a size of 2^64": `10000000000000000\r\n\r\n${HIDDEN}`,
  "a size of 2^32": `100000000\r\n\r\n${HIDDEN}`,
  "no size": `\r\n\r\n${HIDDEN}`,
  "a line feed for the line end": `0\n\r\n${HIDDEN}`,
  "line feeds for all line ends": `0\n\n${HIDDEN}`,
  "a carriage return for the line end": `0\r\r\n${HIDDEN}`,
  "a chunk longer than its size": `1\r\nxyz\r\n0\r\n\r\n${HIDDEN}`,
  "a chunk without its line end": `1\r\nx0\r\n\r\n${HIDDEN}`,
  "a chunk with a bare line feed behind": `1\r\nx\n0\r\n\r\n${HIDDEN}`,
  "a chunk with two other bytes behind": `1\r\nxab0\r\n\r\n${HIDDEN}`,
  trailers: `0\r\nX: y\r\n\r\n${HIDDEN}`,
  "trailers with framing": `0\r\nContent-Length: ${HIDDEN.length}\r\nTransfer-Encoding: chunked\r\n\r\n${HIDDEN}`,
  "trailers with a host": `0\r\nHost: evil.example\r\nCookie: a=b\r\n\r\n${HIDDEN}`,
  "trailers without end": `0\r\n${HIDDEN}`,
  "a trailer with a bare line feed": `0\r\nX: y\n\r\n${HIDDEN}`,
};

/** Request lines; `/hidden` is what must not be reached unjudged. */
const LINES: readonly string[] = [
  "GET /hidden-#### HTTP/1.0",
  "GET /hidden-#### HTTP/0.9",
  "GET /hidden-#### HTTP/2.0",
  "GET /hidden-#### HTTP/1.2",
  "GET /hidden-#### HTTP/1.10",
  "GET /hidden-#### HTTP/11",
  "GET /hidden-#### HTTP/1.1 ",
  "GET /hidden-#### http/1.1",
  "GET /hidden-#### HTTPS/1.1",
  "GET /hidden-#### ICE/1.0",
  "GET /hidden-####",
  "GET  /hidden-#### HTTP/1.1",
  "GET /hidden-####  HTTP/1.1",
  "GET\t/hidden-####\tHTTP/1.1",
  " GET /hidden-#### HTTP/1.1",
  "\r\nGET /hidden-#### HTTP/1.1",
  "\nGET /hidden-#### HTTP/1.1",
  "\0GET /hidden-#### HTTP/1.1",
  "get /hidden-#### HTTP/1.1",
  "GET, /hidden-#### HTTP/1.1",
  "QUERY /hidden-#### HTTP/1.1",
  "FOO /hidden-#### HTTP/1.1",
  "GET /a /hidden-#### HTTP/1.1",
  "GET /a HTTP/1.1 /hidden-#### HTTP/1.1",
  "GET /a\rGET /hidden-#### HTTP/1.1",
  "GET /a\0/hidden-#### HTTP/1.1",
  "GET /a\x0b/hidden-#### HTTP/1.1",
  "GET /a\xff/hidden-#### HTTP/1.1",
  "GET hidden-#### HTTP/1.1",
  "GET ?hidden-#### HTTP/1.1",
  "GET #hidden-#### HTTP/1.1",
  "GET \\hidden-#### HTTP/1.1",
  "GET //hidden-#### HTTP/1.1",
  "GET ///shop.example/hidden-#### HTTP/1.1",
  "GET /a/../hidden-#### HTTP/1.1",
  "GET /a/..%2fhidden-#### HTTP/1.1",
  "GET /../hidden-#### HTTP/1.1",
  "GET /%68idden-#### HTTP/1.1",
  "GET /hidden-##### HTTP/1.1",
  "GET /hidden-####%00 HTTP/1.1",
  "GET /hidden-####%0d%0aX:%20y HTTP/1.1",
  "GET /hidden-####%zz HTTP/1.1",
  "GET https://shop.example/hidden-#### HTTP/1.1",
  "GET http://shop.example/hidden-#### HTTP/1.1",
  "GET https://evil.example/hidden-#### HTTP/1.1",
  "GET https://user@shop.example/hidden-#### HTTP/1.1",
  "GET https://shop.example:8443/hidden-#### HTTP/1.1",
  "GET https:///hidden-#### HTTP/1.1",
  "GET ftp://shop.example/hidden-#### HTTP/1.1",
  "GET shop.example:443 HTTP/1.1",
  "GET * HTTP/1.1",
  "OPTIONS * HTTP/1.1",
  "CONNECT shop.example:443 HTTP/1.1",
  "CONNECT /hidden-#### HTTP/1.1",
  "TRACE /hidden-#### HTTP/1.1",
  "PRI * HTTP/2.0",
];

/** `Host` header sections, and others that odd parsers read as something else. */
const HEADERS: readonly string[] = [
  "",
  "Host:\r\n",
  "Host: shop.example\r\nHost: shop.example\r\n",
  "Host: shop.example\r\nHost: evil.example\r\n",
  "Host: shop.example\r\n Host: evil.example\r\n",
  "Host: shop.example, evil.example\r\n",
  "Host: shop.example evil.example\r\n",
  "Host: SHOP.example.\r\n",
  "Host: shop.example:443\r\n",
  "Host: shop.example:99999\r\n",
  "Host: shop.example:443:443\r\n",
  "Host: user@shop.example\r\n",
  "Host: shop.example/hidden-####\r\n",
  "Host: shop.example?hidden-####\r\n",
  "Host: shop.example#hidden-####\r\n",
  "Host: shop.example\\hidden-####\r\n",
  "Host: shop%2eexample\r\n",
  "Host: [::1\r\n",
  "Host : shop.example\r\n",
  "\tHost: shop.example\r\n",
  "Host\r\n",
  "host_: evil.example\r\nHost: shop.example\r\n",
  "Host: shop.example\r\n: nameless\r\n",
  "Host: shop.example\r\nno colon\r\n",
  "Host: shop.example\r\nX Y: z\r\n",
  "Host: shop.example\r\nX\xff: z\r\n",
  "Host: shop.example\r\nX: a\0b\r\n",
  "Host: shop.example\r\nX: a\rb\r\n",
  "Host: shop.example\r\nX: a\nGET /hidden-#### HTTP/1.1\r\n",
  "Host: shop.example\r\nX: a\r\n\tfolded\r\n",
  "Host: shop.example\nX: y\n",
  "Host: shop.example\r\nConnection: Host, Content-Length\r\n",
  "Host: shop.example\r\nConnection: close, keep-alive\r\n",
  "Host: shop.example\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
  "Host: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
  "Host: shop.example\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n",
  "Host: shop.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
  "Host: shop.example\r\nExpect: 200-fine\r\n",
  "Host: shop.example\r\nX-HTTP-Method-Override: DELETE\r\n",
  "Host: shop.example\r\nContent-Length: 3\r\n\r\nabc",
];

const CASES: readonly RawCase[] = [
  ...ENCODINGS.flatMap((encoding) => [
    { name: `${encoding} alone`, bytes: post(`${encoding}\r\n`, `0\r\n\r\n${HIDDEN}`) },
    {
      name: `${encoding} before a length that covers what hides`,
      bytes: post(`${encoding}\r\nContent-Length: ${5 + HIDDEN.length}\r\n`, `0\r\n\r\n${HIDDEN}`),
    },
    {
      name: `${encoding} behind a length that does not`,
      bytes: post(`Content-Length: 4\r\n${encoding}\r\n`, CHUNKED_HIDDEN),
    },
  ]),
  ...LENGTHS.map((wording) => ({
    name: wording(HIDDEN.length),
    bytes: post(`${wording(HIDDEN.length)}\r\n`, HIDDEN),
  })),
  ...Object.entries(CHUNKS).map(([name, body]) => ({
    name: `chunks: ${name}`,
    bytes: post("Transfer-Encoding: chunked\r\n", body),
  })),
  ...LINES.map((line) => ({ name: `line: ${line}`, bytes: get(line) })),
  ...HEADERS.map((headers) => ({
    name: `headers: ${headers}`,
    bytes: get("GET /shown-#### HTTP/1.1", headers),
  })),
  {
    name: "chunked with HTTP/1.0",
    bytes: `POST /shown-#### HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
  },
  {
    name: "a GET with a body",
    bytes: `GET /shown-#### HTTP/1.1\r\n${HOST}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  },
  {
    name: "a HEAD with a body",
    bytes: `HEAD /shown-#### HTTP/1.1\r\n${HOST}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
  },
  { name: "two requests in a row", bytes: `${get("GET /shown-#### HTTP/1.1")}${HIDDEN}` },
];

export const RAW_CORPUS: readonly RawCase[] = CASES.map(({ name, bytes }, index) => {
  const place = String(index).padStart(4, "0");
  return { name: name.replaceAll("-####", ""), bytes: bytes.replaceAll("####", place) };
});

/** The place in the corpus of the case that a request belongs to; `undefined` for another. */
export function caseOf(target: string): number | undefined {
  const place = /idden-(\d{4})|shown-(\d{4})/.exec(target);
  return place === null ? undefined : Number(place[1] ?? place[2]);
}

/** Ends the connection of a server that has understood where the message before it ends. */
export const LAST_REQUEST = `GET /last HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;
