import express from "express";
import { defineOperations, sequenceOf, stepgate } from "stepgate/node";

const operations = defineOperations({
  balance: "GET /accounts/{id}/balance",
  transfer: "POST /transfer",
});
const rules = [operations.require("balance").before("transfer").within("10m")];

const app = express();
app.use(stepgate({ operations, rules }));
app.get("/accounts/:id/balance", (req, res) => res.json({ balance: 100 }));
app.post("/transfer", (req, res) => res.json({ sent: true, before: sequenceOf(req).previousOps }));

app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
