/** What an origin's answers to the spellings mean: what it takes for one path, and how a zone should read paths then. */
import { canonicalTarget, createMatcher, DEFAULT_PATH_OPTIONS } from "../operation/index.ts";
import type { Operation, PathOptions } from "../operation/index.ts";
import type { OriginAnswer } from "./probe-origin-ask.ts";
import { spellingsOf } from "./probe-origin-spellings.ts";

export interface ProbedSpelling {
  readonly name: string;
  readonly target: string;
  readonly status: number;
  /** Whether the origin ran what it runs for the plain path. */
  readonly isHit: boolean;
}

export interface Dodge {
  readonly name: string;
  readonly target: string;
  /** What would be forwarded. */
  readonly canonical: string;
}

export interface ProbeReport {
  readonly path: string;
  readonly spellings: readonly ProbedSpelling[];
  /** Options that differ from the defaults. */
  readonly profile: Partial<PathOptions>;
  /** One line for each member of the profile. */
  readonly reasons: Readonly<Record<string, string>>;
  /** Spellings that reach the endpoint past its operation, with the profile in force; none is what it is for. */
  readonly dodges: readonly Dodge[];
}

export type Ask = (target: string) => Promise<OriginAnswer>;

/**
 * @param path of a harmless endpoint that answers GET alike each time
 * @throws {Error} when its answer cannot be told from that to a path that does not exist
 */
export async function probe(path: string, ask: Ask): Promise<ProbeReport> {
  const isHit = await hitTest(path, ask);
  const spellings: ProbedSpelling[] = [];
  for (const { name, target } of spellingsOf(path)) {
    const answer = await ask(target);
    spellings.push({ name, target, status: answer.status, isHit: isHit(answer) });
  }
  const { profile, reasons } = profileOf(
    new Set(spellings.filter((each) => each.isHit).map(({ name }) => name)),
  );
  const dodges = await findDodges({ path, spellings, profile }, async (target) => isHit(await ask(target)));
  return { path, spellings, profile, reasons, dodges };
}

/** Two answers are one when status, type and body are; a body that changes from call to call is left out. */
async function hitTest(path: string, ask: Ask): Promise<(answer: OriginAnswer) => boolean> {
  const [first, second] = [await ask(path), await ask(path)];
  const other = await ask(
    `${path.slice(0, path.lastIndexOf("/"))}/stepgate-probe-${Date.now().toString(36)}`,
  );
  if (first.status === 0) throw new Error(`no answer to GET \`${path}\``);
  const isSteady = first.bodyHash === second.bodyHash;
  const isHit = ({ status, contentType, bodyHash }: OriginAnswer): boolean =>
    status === first.status &&
    contentType === first.contentType &&
    (!isSteady || bodyHash === first.bodyHash);
  if (isHit(other)) {
    throw new Error(
      `the answer to \`${path}\` is that to a path that does not exist: name an endpoint with an answer of its own`,
    );
  }
  return isHit;
}

/** Rows: the option, what it becomes, and whether the hits (or their absence) say so. */
const PROPOSALS: readonly {
  readonly option: keyof PathOptions;
  readonly value: string | boolean;
  readonly spellings: readonly string[];
  /** `hit`: proposed when one of the spellings is; `none`: when none of them is. */
  readonly when: "hit" | "none";
  readonly reason: string;
}[] = [
  {
    option: "encodedSlash",
    value: "keep",
    spellings: ["encoded slash", "parent segment with an encoded slash"],
    when: "none",
    reason: "the origin does not take `%2F` for a separator, so it may stand in a segment",
  },
  {
    option: "encodedBackslash",
    value: "keep",
    spellings: ["encoded backslash", "backslash"],
    when: "none",
    reason: "the origin does not take `%5C` for a separator",
  },
  {
    option: "caseSensitive",
    value: true,
    spellings: ["other case", "upper case"],
    when: "none",
    reason: "the origin tells letters by their case",
  },
  {
    option: "caseFolding",
    value: "unicode",
    spellings: ["long s", "Kelvin sign"],
    when: "hit",
    reason: "the origin folds letters outside ASCII too",
  },
  {
    option: "trailingSlash",
    value: "keep",
    spellings: [
      "trailing slash",
      "two trailing slashes",
      "dot segment at the end",
      "parent segment at the end",
    ],
    when: "none",
    reason: "a path with a slash at its end is another one to the origin",
  },
  {
    option: "params",
    value: "keep",
    spellings: ["parameter at the end", "parameter inside", "bare semicolon", "encoded semicolon"],
    when: "none",
    reason: "a semicolon means nothing to the origin",
  },
  {
    option: "formatSuffix",
    value: "fold",
    spellings: ["format suffix"],
    when: "hit",
    reason: "the origin runs the endpoint for `.json` as well",
  },
  {
    option: "pathInfo",
    value: "prefix",
    spellings: ["path info"],
    when: "hit",
    reason: "the origin runs the endpoint for what lies below it as well",
  },
];

function profileOf(hits: ReadonlySet<string>): Pick<ProbeReport, "profile" | "reasons"> {
  const rows = PROPOSALS.filter(
    ({ spellings, when }) => spellings.some((name) => hits.has(name)) === (when === "hit"),
  );
  return {
    profile: Object.fromEntries(rows.map(({ option, value }) => [option, value])),
    reasons: Object.fromEntries(rows.map(({ option, reason }) => [option, reason])),
  };
}

/** Goes the way of a request: what would be forwarded, whether it is the operation, and what the origin makes of it. */
async function findDodges(
  { path, spellings, profile }: Pick<ProbeReport, "path" | "spellings" | "profile">,
  isHitAt: (target: string) => Promise<boolean>,
): Promise<readonly Dodge[]> {
  const options: PathOptions = { ...DEFAULT_PATH_OPTIONS, ...profile };
  const matcher = createMatcher([operationAt(path)], options);
  const dodges: Dodge[] = [];
  for (const { name, target } of spellings) {
    const canonical = canonicalTarget(target, options);
    if (canonical.kind !== "path" || matcher.match("GET", HOST, canonical.path) !== undefined) continue;
    // Another authority than the Host is refused before its path matters.
    if (canonical.authority !== null) continue;
    if (await isHitAt(canonical.path + canonical.query))
      dodges.push({ name, target, canonical: canonical.path });
  }
  return dodges;
}

const HOST = "probe.invalid";

function operationAt(endpoint: string): Operation {
  return {
    id: "00000000-0000-4000-8000-000000000000",
    shortId: "00000000",
    method: "GET",
    host: HOST,
    endpoint,
    lastUpdatedAt: 0,
    record: "forwarded",
    prefetch: "record",
  };
}
