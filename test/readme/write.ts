/** `npm run readme`: brings the README's generated blocks in step with the code. */
import { readFileSync, writeFileSync } from "node:fs";
import { withBlocks } from "./blocks.ts";

const file = new URL("../../README.md", import.meta.url);
writeFileSync(file, withBlocks(readFileSync(file, "utf8")));
