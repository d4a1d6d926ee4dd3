import { defineHandler } from "nitro/h3";

export default defineHandler(() => ({ balance: 100 }));
