/** Finding the operation of a request: how it grows with the number of operations, and how the peers do. */
import { canonicalTarget, createMatcher } from "../../src/operation/index.ts";
import type { Operation } from "../../src/operation/index.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const HOST = "shop.example";
const ROUNDS = 9;
const ROUND_MICROSECONDS = 20_000;
/** Requests go round this many different paths: a single one would be answered from the caches of the processor. */
const PATHS = 1024;

type Task = (index: number) => unknown;

/** @returns median CPU nanoseconds per call, by name; the rounds of all tasks are interleaved. */
function cpuNanosecondsOf<Name extends string>(tasks: Readonly<Record<Name, Task>>): Record<Name, number> {
  const names = Object.keys(tasks) as Name[];
  const rounds = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) rounds.get(name)?.push(timeOf(tasks[name]));
  }
  return Object.fromEntries(names.map((name) => [name, median(rounds.get(name) ?? [])])) as Record<
    Name,
    number
  >;
}

function median(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[times.length >> 1] ?? Number.NaN;
}

/** Calls until enough CPU time has passed for the clock to be exact, whatever one call costs. */
function timeOf(task: Task): number {
  const before = process.cpuUsage();
  for (let calls = 0; ;) {
    for (let index = 0; index < PATHS; index++) {
      if (task(index) === undefined) throw new Error(`expected an answer for path ${index}`);
    }
    calls += PATHS;
    const { user, system } = process.cpuUsage(before);
    if (user + system >= ROUND_MICROSECONDS) return ((user + system) * 1000) / calls;
  }
}

/** Half fixed paths, half templates with two variables. */
function savedOperations(count: number): readonly Operation[] {
  return Array.from({ length: count }, (_, number) => {
    const id = number.toString(16).padStart(8, "0");
    return {
      id: `${id}-0000-4000-8000-000000000000`,
      shortId: id,
      method: "GET",
      host: HOST,
      endpoint:
        number % 2 === 0 ? `/api/v1/lists${number}/recent` : `/api/v1/things${number}/{var1}/parts/{var2}`,
      lastUpdatedAt: 0,
      record: "forwarded",
      prefetch: "record",
    };
  });
}

/** Paths that all belong to one of the first `count` saved operations. */
function requestPaths(count: number): readonly string[] {
  return Array.from({ length: PATHS }, (_, index) => {
    const number = (index * 7919) % count;
    return number % 2 === 0
      ? `/api/v1/lists${number}/recent`
      : `/api/v1/things${number}/user-${index}/parts/${index * 31}`;
  });
}

function matchTask(count: number): Task {
  const matcher = createMatcher(savedOperations(count));
  const paths = requestPaths(count);
  return (index) => matcher.match("GET", HOST, paths[index] ?? "");
}

/** What a list of regular expressions in order of saving costs. */
function linearTask(count: number): Task {
  const patterns = savedOperations(count).map((operation) => ({
    operation,
    pattern: new RegExp(`^${operation.endpoint.replace(/\{var\d+\}/g, "[^/]+")}$`),
  }));
  const paths = requestPaths(count);
  return (index) => patterns.find(({ pattern }) => pattern.test(paths[index] ?? ""))?.operation;
}

const pathTask = (targets: readonly string[]): Task => {
  return (index) => {
    const target = canonicalTarget(targets[index] ?? "");
    return target.kind === "path" ? target.path : undefined;
  };
};

const urlTask = (targets: readonly string[]): Task => {
  return (index) => new URL(`http://${HOST}${targets[index] ?? ""}`).pathname;
};

export async function measure(): Promise<readonly Figure[]> {
  const plain = Array.from(
    { length: PATHS },
    (_, index) => `/api/v1/users/${index}/balance?currency=EUR&n=${index}`,
  );
  const odd = plain.map((target) => target.replace("/v1/", "/./%76%31//x/../"));
  const time = cpuNanosecondsOf({
    match10: matchTask(10),
    match1k: matchTask(1000),
    match10k: matchTask(10_000),
    linear1k: linearTask(1000),
    plain: pathTask(plain),
    plainUrl: urlTask(plain),
    odd: pathTask(odd),
    oddUrl: urlTask(odd),
  });
  return [
    { name: "match-1k/match-10", value: time.match1k / time.match10, unit: "x" },
    { name: "match-10k/match-10", value: time.match10k / time.match10, unit: "x" },
    { name: "linear-regex-1k/match-1k", value: time.linear1k / time.match1k, unit: "x" },
    { name: "new-url/canonical-target", value: time.plainUrl / time.plain, unit: "x" },
    { name: "new-url/canonical-target-odd-spelling", value: time.oddUrl / time.odd, unit: "x" },
  ];
}
