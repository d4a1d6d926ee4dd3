import Koa from "koa";
import { defineOperations, koaStepgate } from "stepgate/node";

const operations = defineOperations({
  balance: "GET /accounts/{id}/balance",
  transfer: "POST /transfer",
});
const rules = [operations.require("balance").before("transfer").within("10m")];

const app = new Koa();
app.use(koaStepgate({ operations, rules }));
app.use((ctx) => {
  ctx.body =
    ctx.method === "POST" ? { sent: true, before: ctx.state.sequence.previousOps } : { balance: 100 };
});

app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
