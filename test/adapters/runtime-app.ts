/** What Deno, Bun and workerd serve: bundled by the test, on a clock that each request brings along. */
import { stepgate } from "../../src/adapters/fetch.ts";
import { CLOCK_FIELD, optionsAt } from "./kit.ts";
import { webApp } from "./web-app.ts";

let at = 0;
const guard = stepgate(optionsAt({ now: () => at, advance: () => undefined }));

export default {
  fetch(request: Request): Promise<Response> {
    // The clock is read before anything is awaited.
    at = Number(request.headers.get(CLOCK_FIELD));
    return guard(request, webApp);
  },
};
