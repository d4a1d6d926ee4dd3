/** Which modules an entry loads, as the runtime itself tells it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface ModuleGraph {
  /** Built-in modules, `node:fs`. */
  readonly builtins: ReadonlySet<string>;
  /** Packages. */
  readonly packages: ReadonlySet<string>;
  /** Folders of our `src/`. */
  readonly folders: ReadonlySet<string>;
}

/** Reports every resolution that our own files and their packages ask for, by a hook in a process of its own. */
const LISTEN = `
import { registerHooks } from "node:module";
const seen = new Set();
registerHooks({ resolve(specifier, context, next) {
  const resolved = next(specifier, context);
  seen.add(resolved.url);
  return resolved;
} });
await import(process.argv[1]);
process.stdout.write(JSON.stringify([...seen]));
process.exit(0);
`;

export async function moduleGraph(entry: URL): Promise<ModuleGraph> {
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", LISTEN, entry.href], {
    maxBuffer: 16 << 20,
  });
  const urls = JSON.parse(stdout) as readonly string[];
  const matches = (pattern: RegExp): ReadonlySet<string> =>
    new Set(urls.flatMap((url) => pattern.exec(url)?.[1] ?? []));
  return {
    builtins: matches(/^(node:.*)$/),
    packages: matches(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/),
    folders: matches(/\/src\/([^/]+)\/[^?]*\.ts$/),
  };
}
