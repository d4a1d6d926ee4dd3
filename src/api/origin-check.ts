/** Which origins zones made through the API may have (against server-side request forgery, spec/threats T4). */

/**
 * @param allowed `http://10.0.0.5:3000` allows one origin, `http://10.0.0.5` every port of it; loopback addresses
 *   only unless given. Names are compared as text: what they resolve to is the operator's business, who listed them
 * @throws {TypeError} for an entry that is no http(s) URL
 */
export function createOriginCheck(allowed: readonly string[] | undefined): (origin: URL) => boolean {
  if (allowed === undefined) return isLoopback;
  const entries = allowed.map((text) => {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw new TypeError(`expected an allowed origin like \`http://10.0.0.5:3000\`, found \`${text}\``);
    }
    return { url, hasPort: /:\d+\/?$/.test(text) };
  });
  return (origin) =>
    entries.some(
      ({ url, hasPort }) =>
        url.protocol === origin.protocol &&
        url.hostname === origin.hostname &&
        (!hasPort || url.port === origin.port),
    );
}

/** Literal loopback addresses. `localhost` is left out: what it resolves to can be changed. */
function isLoopback({ hostname }: URL): boolean {
  return hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
