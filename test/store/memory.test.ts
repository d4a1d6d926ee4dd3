import { randomBytes } from "node:crypto";
import { openStore } from "../../src/store/index.ts";
import { describeStore } from "./contract.ts";

describeStore("memory", {
  open: () =>
    openStore({ path: ":memory:", now: Date.now, random: (lengthBytes) => randomBytes(lengthBytes) }),
});
