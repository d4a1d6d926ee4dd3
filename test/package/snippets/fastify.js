import fastify from "fastify";
import { defineOperations, fastifyStepgate, sequenceOf } from "stepgate/node";

const operations = defineOperations({
  balance: "GET /accounts/{id}/balance",
  transfer: "POST /transfer",
});
const rules = [operations.require("balance").before("transfer").within("10m")];

const app = fastify();
fastifyStepgate(app, { operations, rules });
app.get("/accounts/:id/balance", (request, reply) => reply.send({ balance: 100 }));
app.post("/transfer", (request, reply) =>
  reply.send({ sent: true, before: sequenceOf(request.raw).previousOps }),
);

await app.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1" });
