import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { defineOperations, stepgate } from "stepgate/fetch";

const operations = defineOperations({
  balance: "GET /accounts/{id}/balance",
  transfer: "POST /transfer",
});
const rules = [operations.require("balance").before("transfer").within("10m")];

const app = new Hono();
app.get("/accounts/:id/balance", (c) => c.json({ balance: 100 }));
app.post("/transfer", (c) => c.json({ sent: true, before: c.env.sequence.previousOps }));

const guard = stepgate({ operations, rules, keys: process.env.STEPGATE_KEYS });
// Under Deno, Bun and Workers: `export default { fetch: (request, env) => guard(request, …) }`.
const handler = (request) => guard(request, (passed, sequence) => app.fetch(passed, { sequence }));

serve({ fetch: handler, port: Number(process.env.PORT ?? 3000), hostname: "127.0.0.1" });
