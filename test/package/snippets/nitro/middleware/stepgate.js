import { defineOperations, stepgate } from "stepgate/h3";

const operations = defineOperations({
  balance: "GET /accounts/{id}/balance",
  transfer: "POST /transfer",
});
const rules = [operations.require("balance").before("transfer").within("10m")];

export default stepgate({ operations, rules });
