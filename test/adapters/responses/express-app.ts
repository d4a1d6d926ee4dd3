/** Express 4 and 5: handlers of Node in them, and what Express itself makes of answers and errors. */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import express from "express";
import { stepgate } from "../../../src/adapters/node.ts";
import { listen, runNodeCase } from "./apps.ts";
import type { App } from "./apps.ts";
import { appError, breaking, guardOptions, note, slowly } from "./kit.ts";
import type { Case } from "./kit.ts";
import { NODE_CASES } from "./node-cases.ts";

interface ExpressCase extends Case {
  readonly handle: express.RequestHandler;
  /** Goes past the application's own handler for errors. */
  readonly isUnhandled?: boolean;
}

const FILE = fileURLToPath(new URL("../../../package-lock.json", import.meta.url));

const EXPRESS_CASES: Readonly<Record<string, ExpressCase>> = {
  "express-json": { handle: (_req, res) => void res.status(201).json({ a: 1 }) },
  "express-text-with-etag": { handle: (_req, res) => void res.send("hello".repeat(100)) },
  "express-not-modified": {
    handle: (_req, res) => void res.set("ETag", '"1"').send("hello"),
    fields: 'If-None-Match: "1"\r\n',
  },
  "express-status": { handle: (_req, res) => void res.sendStatus(204) },
  "express-redirect": { handle: (_req, res) => res.redirect("/elsewhere") },
  "express-redirect-for-ever": { handle: (_req, res) => res.redirect(301, "https://other.example/") },
  "express-cookies": {
    handle: (_req, res) => void res.cookie("a", "1").cookie("b", "2").clearCookie("c").send("a"),
  },
  "express-format": {
    handle: (_req, res) => void res.format({ text: () => res.send("text"), json: () => res.json({}) }),
    fields: "Accept: application/json\r\n",
  },
  "express-file": { handle: (_req, res) => res.sendFile(FILE) },
  "express-file-range": { handle: (_req, res) => res.sendFile(FILE), fields: "Range: bytes=10-99\r\n" },
  "express-file-missing": { handle: (_req, res) => res.sendFile("/nowhere") },
  "express-download": { handle: (_req, res) => res.download(FILE, "lock.json") },
  "express-stream": {
    handle: (_req, res) => void Readable.from(slowly("one ", "two")).pipe(res),
    hasHead: false,
  },
  "express-stream-that-breaks": {
    handle(_req, res, next) {
      const stream = Readable.from(breaking());
      stream.on("error", next);
      stream.pipe(res);
    },
    hasHead: false,
  },
  "express-thrown": {
    handle() {
      throw appError({ status: 409 });
    },
  },
  "express-thrown-unhandled": {
    handle() {
      throw appError();
    },
    isUnhandled: true,
  },
  "express-next-error": { handle: (_req, _res, next) => next(appError({ status: 422 })) },
  "express-next-route": { handle: (_req, _res, next) => next("route") },
  "express-no-answer-here": { handle: (_req, _res, next) => next(), isUnhandled: true },
  "express-answered-late": { handle: (_req, res) => void setImmediate(() => res.send("late")) },
  "express-thrown-after-the-head": {
    handle(_req, res) {
      res.set("Content-Length", "100");
      res.write("one ");
      throw appError();
    },
    isUnhandled: true,
    hasHead: false,
  },
};

/** Where fields were set before, as Express does, Node throws at pairs; with the guard they are sent. */
const { "list-of-pairs": _pairs, ...nodeCases } = NODE_CASES;

/** Express 4 does not look at what handlers return. */
const EXPRESS_5_CASES: Readonly<Record<string, ExpressCase>> = {
  ...EXPRESS_CASES,
  "express-rejected": { handle: async () => Promise.reject(appError({ status: 409 })) },
  "express-rejected-unhandled": { handle: async () => Promise.reject(appError()), isUnhandled: true },
};

function expressApp(name: string, create: typeof express, own: Readonly<Record<string, ExpressCase>>): App {
  return {
    name,
    protocol: "http1",
    cases: { ...nodeCases, ...own },
    start(isGuarded) {
      const app = create();
      app.set("env", "test");
      if (isGuarded) app.use(stepgate(guardOptions()));
      for (const [path, { handle, method = "get" }] of Object.entries(own)) {
        app[method.toLowerCase() as "get"](`/case/${path}`, handle);
      }
      app.all("/case/:name", (req, res, next) =>
        (req.params.name ?? "") in own ? next() : void runNodeCase(req, res),
      );
      app.use(((error, req, res, next) => {
        note(`error ${(error as Error).message}`);
        const { isUnhandled = false } = own[req.path.slice("/case/".length)] ?? {};
        if (isUnhandled || res.headersSent) next(error);
        else res.status((error as { status?: number }).status ?? 500).send("handled");
      }) as express.ErrorRequestHandler);
      return listen(createServer(app));
    },
  };
}

/** The alias has no declarations; what is used of it is the same in both versions. */
const express4 = createRequire(import.meta.url)("express4") as typeof express;

export const EXPRESS_APPS: readonly App[] = [
  expressApp("Express 5", express, EXPRESS_5_CASES),
  expressApp("Express 4", express4, EXPRESS_CASES),
];
