/** Thread that reads OpenAPI documents: megabytes take seconds, in which the gateway has requests to serve. */
import { parentPort } from "node:worker_threads";
import { readOpenApiSource } from "./openapi-source.ts";

parentPort?.on("message", (text: string) => {
  void readOpenApiSource(text).then((read) => parentPort?.postMessage(read, []));
});
// Loading what it takes to read is no part of the time that a document has.
parentPort?.postMessage("ready", []);
