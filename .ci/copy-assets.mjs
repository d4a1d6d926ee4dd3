// Copies what the compiler leaves behind (pages, styles, scripts for browsers) from src to dist.
import { chmod, cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const folder = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
await cp(folder("src"), folder("dist"), {
  recursive: true,
  filter: (source) => !source.endsWith(".ts"),
});
// The command is started through its link, so it has to be executable; compilers write plain files.
await chmod(folder("dist/main.js"), 0o755);
