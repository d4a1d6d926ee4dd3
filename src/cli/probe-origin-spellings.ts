/** One path in 43 spellings that some server or other takes for the same (threats P1 to P30). */

export interface Spelling {
  readonly name: string;
  /** Request target, sent byte for byte. */
  readonly target: string;
}

/**
 * @param path canonical, with at least one segment; its last segment is the one that is respelled
 * @returns a list of one entry for each spelling that the path has room for
 */
export function spellingsOf(path: string): readonly Spelling[] {
  const slash = path.lastIndexOf("/");
  const [folder, last] = [path.slice(0, slash), path.slice(slash + 1)];
  const first = last.charAt(0);
  const code = first.charCodeAt(0).toString(16).padStart(2, "0");
  const rest = last.slice(1);
  const inner = folder === "" ? "/" : `${folder.replace(/\/([^/]*)$/, "//$1")}/`;
  const swapped = first === first.toUpperCase() ? first.toLowerCase() : first.toUpperCase();
  const semicolonInside =
    folder === "" ? `/;a=b/${last}` : `${folder.replace(/^(\/[^/]*)/, "$1;a=b")}/${last}`;
  const list: readonly (readonly [string, string])[] = [
    ["trailing slash", `${path}/`],
    ["two trailing slashes", `${path}//`],
    ["leading double slash", `/${path}`],
    ["double slash", `${inner}${last}`],
    ["dot segment", `${folder}/./${last}`],
    ["parent segment", `${folder}/x/../${last}`],
    ["encoded dot segment", `${folder}/%2e/${last}`],
    ["encoded parent segment", `${folder}/x/%2e%2e/${last}`],
    ["parent segment with an encoded slash", `${folder}/x/..%2f${last}`],
    ["encoded slash", `${folder}%2f${last}`],
    ["encoded backslash", `${folder}%5c${last}`],
    ["backslash", `${folder}\\${last}`],
    ["encoded letter", `${folder}/%${code}${rest}`],
    ["letter encoded twice", `${folder}/%25${code}${rest}`],
    ["other case", `${folder}/${swapped}${rest}`],
    ["upper case", path.toUpperCase()],
    ["parameter at the end", `${path};x=1`],
    ["parameter inside", semicolonInside],
    ["bare semicolon", `${path};`],
    ["parent segment with a semicolon", `${folder}/x/..;/${last}`],
    ["encoded semicolon", `${path}%3bx`],
    ["encoded NUL", `${path}%00`],
    ["encoded space", `${path}%20`],
    ["encoded tab", `${path}%09`],
    ["encoded line feed", `${path}%0a`],
    ["format suffix", `${path}.json`],
    ["encoded question mark", `${path}%3fa=1`],
    ["encoded number sign", `${path}%23`],
    ["raw number sign", `${path}#f`],
    ["absolute form of another host", `http://evil.invalid${path}`],
    ["absolute form in upper case", `HTTP://evil.invalid${path}`],
    ["overlong byte", `${path.slice(0, -1)}%f3`],
    ["above the root", `/..${path}`],
    ["dot segment at the end", `${path}/.`],
    ["parent segment at the end", `${path}/x/..`],
    ["empty query", `${path}?`],
    ["ampersand", `${path}&a=1`],
    ["full-width letter", `${folder}/%ef%bd%${(0x80 + (first.charCodeAt(0) & 0x1f)).toString(16)}${rest}`],
    ["%u escape", `${folder}/%u00${code}${rest}`],
    ["no leading slash", path.slice(1)],
    ["path info", `${path}/extra`],
    ["long s", path.replace(/s(?!.*s)/i, "%c5%bf")],
    ["Kelvin sign", path.replace(/k(?!.*k)/i, "%e2%84%aa")],
    ["plus", `${path}+`],
  ];
  return list.filter(([, target]) => target !== path).map(([name, target]) => ({ name, target }));
}
