/**
 * `node test/package/release.ts vX.Y.Z`: whether a tag, package.json, the lock file and CHANGELOG.md agree about what is
 * released; prints the notes of the release, which are the changelog's.
 */
import { readFileSync } from "node:fs";

export interface ReleaseFiles {
  /** Text of package.json. */
  readonly manifest: string;
  /** Text of package-lock.json. */
  readonly lock: string;
  /** Text of CHANGELOG.md. */
  readonly changelog: string;
}

export interface ChangelogSection {
  /** `Unreleased`, or a version. */
  readonly name: string;
  /** `2026-11-27`; `undefined` for what is not released. */
  readonly date: string | undefined;
  readonly notes: string;
}

/** Sections in the order of the file, which is newest first. */
export function changelogSections(changelog: string): readonly ChangelogSection[] {
  const [, ...parts] = changelog.split(/^## /m);
  return parts.map((part) => {
    const [heading = "", ...lines] = part.split("\n");
    const [name = "", date] = heading.trim().split(" - ");
    return { name, date, notes: lines.join("\n").trim() };
  });
}

interface Versioned {
  readonly version?: string;
  readonly packages?: Readonly<Record<string, Versioned>>;
}

/** What does not agree, a line each with its remedy; the version before the first release is the first one's. */
export function releaseProblems({ manifest, lock, changelog }: ReleaseFiles): readonly string[] {
  const { version = "" } = JSON.parse(manifest) as Versioned;
  const locked = JSON.parse(lock) as Versioned;
  const sections = changelogSections(changelog);
  const released = sections.filter(({ name }) => name !== "Unreleased");
  const problems: string[] = [];
  if (!/^\d+\.\d+\.\d+$/.test(version)) problems.push(`package.json: \`${version}\` is no version X.Y.Z`);
  for (const found of [locked.version, locked.packages?.[""]?.version]) {
    if (found !== version)
      problems.push(`package-lock.json has ${found}, package.json ${version}; run \`npm install\``);
  }
  if (released.length > 0 && released[0]?.name !== version) {
    problems.push(`CHANGELOG.md: the newest release is ${released[0]?.name}, package.json has ${version}`);
  }
  if (sections.length === 0) problems.push("CHANGELOG.md: expected a section `## Unreleased`");
  for (const { name, date, notes } of released) {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(date ?? ""))
      problems.push(`CHANGELOG.md: expected \`## ${name} - YYYY-MM-DD\``);
    if (notes === "") problems.push(`CHANGELOG.md: ${name} has no notes`);
  }
  return problems;
}

/**
 * @param tag `v` and the version
 * @returns the notes of the release
 * @throws {Error} for whatever does not agree
 */
export function releaseNotes(tag: string, files: ReleaseFiles): string {
  const problems = [...releaseProblems(files)];
  const { version = "" } = JSON.parse(files.manifest) as Versioned;
  if (tag !== `v${version}`) problems.push(`the tag is \`${tag}\`, package.json has ${version}`);
  const section = changelogSections(files.changelog).find(({ name }) => name === version);
  if (section === undefined)
    problems.push(`CHANGELOG.md: expected \`## ${version} - YYYY-MM-DD\` in the place of \`## Unreleased\``);
  if (section === undefined || problems.length > 0) throw new Error(problems.join("\n"));
  return section.notes;
}

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

export const readReleaseFiles = (): ReleaseFiles => ({
  manifest: read("package.json"),
  lock: read("package-lock.json"),
  changelog: read("CHANGELOG.md"),
});

if (import.meta.main) {
  try {
    process.stdout.write(`${releaseNotes(process.argv[2] ?? "", readReleaseFiles())}\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
