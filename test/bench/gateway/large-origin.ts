/** `node large-origin.ts`: the origin behind what attackers ask much of, so that they do not slow the visitors' down. */
import { portOf, startOrigin } from "./origin.ts";

process.once("disconnect", () => process.exit(0));
process.send?.(portOf(await startOrigin()));
