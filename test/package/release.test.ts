/** What a release needs, before there is one. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { changelogSections, readReleaseFiles, releaseNotes, releaseProblems } from "./release.ts";
import type { ReleaseFiles } from "./release.ts";

const ROOT = new URL("../../", import.meta.url);

const RELEASED = `# Changelog

## Unreleased

## 1.2.0 - 2026-11-27

### Added

- this

## 1.1.0 - 2026-01-02

- that
`;

/** Files of a project at its release, but for what a row changes. */
function filesOf(changed: { version?: string; locked?: string; changelog?: string } = {}): ReleaseFiles {
  const { version = "1.2.0", changelog = RELEASED } = changed;
  const { locked = version } = changed;
  const lock = { version: locked, packages: { "": { version: locked } } };
  return { manifest: JSON.stringify({ version }), lock: JSON.stringify(lock), changelog };
}

test("package.json, the lock file and the changelog agree", () => {
  expect(releaseProblems(readReleaseFiles())).toEqual([]);
});

test("a version tag of this commit is the one that they name", () => {
  const tags = execFileSync("git", ["tag", "--points-at", "HEAD", "--list", "v*"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  const found = tags.split("\n").filter((tag) => tag !== "");
  expect(found.filter((tag) => releaseNotes(tag, readReleaseFiles()) === "")).toEqual([]);
});

test("the notes of a release are its section of the changelog", () => {
  expect(releaseNotes("v1.2.0", filesOf())).toBe("### Added\n\n- this");
  expect(changelogSections(filesOf().changelog).map(({ name }) => name)).toEqual([
    "Unreleased",
    "1.2.0",
    "1.1.0",
  ]);
});

test.each([
  ["v1.2.1", filesOf(), "the tag is `v1.2.1`, package.json has 1.2.0"],
  ["1.2.0", filesOf(), "the tag is `1.2.0`"],
  ["v1.3.0", filesOf({ version: "1.3.0" }), "the newest release is 1.2.0, package.json has 1.3.0"],
  ["v1.2.0", filesOf({ locked: "1.1.0" }), "package-lock.json has 1.1.0"],
  ["v1.2", filesOf({ version: "1.2" }), "`1.2` is no version X.Y.Z"],
  ["v1.2.0", filesOf({ changelog: "## Unreleased\n\n- this\n" }), "expected `## 1.2.0 - YYYY-MM-DD`"],
  ["v1.2.0", filesOf({ changelog: "## 1.2.0\n\n- this\n" }), "expected `## 1.2.0 - YYYY-MM-DD`"],
  ["v1.2.0", filesOf({ changelog: "## 1.2.0 - 2026-11-27\n" }), "1.2.0 has no notes"],
  ["v1.2.0", filesOf({ changelog: "" }), "expected a section `## Unreleased`"],
])("the tag %s is refused: %#", (tag, files, message) => {
  expect(() => releaseNotes(tag, files)).toThrow(message);
});

interface Job {
  readonly permissions: Readonly<Record<string, string>>;
  readonly needs?: string;
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

describe("the workflow of releases", () => {
  const { permissions, jobs } = parse(
    readFileSync(new URL(".github/workflows/release.yml", ROOT), "utf8"),
  ) as { readonly permissions: object; readonly jobs: Readonly<Record<string, Job>> };
  const commandsOf = ({ steps }: Job): readonly string[] => steps.flatMap(({ run = "" }) => run);

  test("gives the registry's identity token to the job that publishes, and to nothing of ours", () => {
    expect(permissions).toEqual({});
    const withToken = Object.values(jobs).filter((job) => job.permissions["id-token"] === "write");
    expect(withToken).toHaveLength(1);
    const [publish] = withToken as [Job];
    expect(commandsOf(publish).filter((run) => run !== "")).toEqual([
      "npm publish ./stepgate-*.tgz --provenance --access public",
    ]);
    expect(publish.steps.map(({ uses = "" }) => uses)).not.toContainEqual(
      expect.stringContaining("checkout"),
    );
  });

  test("publishes after everything was checked, what was packed then", () => {
    expect(jobs["publish"]?.needs).toBe("pack");
    const commands = commandsOf(jobs["pack"]!).filter((run) => run !== "");
    expect(commands.map((run) => run.split(" ").slice(0, 2).join(" "))).toEqual([
      ".ci/run",
      "node test/package/release.ts",
      "npm pkg",
      "npm pack",
    ]);
  });

  test("pins each action by its major version", () => {
    const actions = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ uses = [] }) => uses));
    expect(actions.length).toBeGreaterThan(3);
    for (const action of actions) expect(action).toMatch(/^actions\/[\w-]+@v\d+$/);
  });
});

test("the package can be published, in public and with provenance", () => {
  const manifest = JSON.parse(readReleaseFiles().manifest) as Readonly<Record<string, unknown>>;
  expect(manifest["private"]).toBeUndefined();
  expect(manifest["publishConfig"]).toEqual({ access: "public", provenance: true });
});

test("the top level holds what it shall and nothing else", () => {
  const listed = execFileSync("git", ["ls-files"], { cwd: ROOT, encoding: "utf8" });
  const names = new Set(listed.split("\n").map((path) => path.split("/")[0] ?? ""));
  expect([...names].filter((name) => name !== "" && !name.startsWith(".")).toSorted()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "certs",
    "e2e",
    "package-lock.json",
    "package.json",
    "src",
    "test",
    "tsconfig.json",
  ]);
});
