import { createServer } from "node:http";
import { defineOperations, sequenceOf, stepgate } from "stepgate/node";

const operations = defineOperations({
  balance: "GET /accounts/{id}/balance",
  transfer: "POST /transfer",
});
const rules = [operations.require("balance").before("transfer").within("10m")];

const guard = stepgate({ operations, rules });

const server = createServer((req, res) =>
  guard(req, res, () => {
    const answer =
      req.method === "POST" ? { sent: true, before: sequenceOf(req).previousOps } : { balance: 100 };
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(answer));
  }),
);
server.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
