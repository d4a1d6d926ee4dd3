import { H3, serve } from "h3";
import { defineOperations, stepgate } from "stepgate/h3";

const operations = defineOperations({
  balance: "GET /accounts/{id}/balance",
  transfer: "POST /transfer",
});
const rules = [operations.require("balance").before("transfer").within("10m")];

const app = new H3();
app.use(stepgate({ operations, rules }));
app.get("/accounts/:id/balance", () => ({ balance: 100 }));
app.post("/transfer", (event) => ({ sent: true, before: event.context.sequence.previousOps }));

serve(app, { port: Number(process.env.PORT ?? 3000), hostname: "127.0.0.1" });
