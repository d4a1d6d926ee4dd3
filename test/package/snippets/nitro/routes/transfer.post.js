import { defineHandler } from "nitro/h3";

export default defineHandler((event) => ({ sent: true, before: event.context.sequence.previousOps }));
