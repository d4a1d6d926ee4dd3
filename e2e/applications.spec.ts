/** Applications that keep a line open, in Chromium: what the page sees is the same directly and through the gateway. */
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { startChat, startTicker } from "./support/applications.ts";
import type { Application } from "./support/applications.ts";
import { createApiClient } from "./support/api.ts";
import { startStepgateProcess } from "./support/process.ts";
import type { StepgateProcess } from "./support/process.ts";

// Without it every test would start the demo, too.
test.use({ baseURL: "http://localhost" });

/** What of socket.io's client a page uses. */
interface ChatSocket {
  readonly connected: boolean;
  readonly io: { readonly engine: { readonly transport: { readonly name: string } } };
  emit(event: string, ...args: unknown[]): void;
  on(event: string, listener: (value: string) => void): void;
  once(event: string, listener: (value: string) => void): void;
  timeout(ms: number): { emitWithAck(event: string, ...args: unknown[]): Promise<unknown> };
  disconnect(): void;
}

/** Everything that a chat client does, and how it went, as text. Runs in the page. */
async function chat(transports: readonly string[]): Promise<string[]> {
  const { io } = window as unknown as { readonly io: (options: object) => ChatSocket };
  const open = (): ChatSocket => io({ transports, forceNew: true, reconnectionDelay: 50 });
  // oxlint-disable-next-line consistent-function-scoping -- only the function itself is sent to the page
  const heard = (socket: ChatSocket, event: string): Promise<string> =>
    new Promise((resolve) => socket.once(event, resolve));
  const log: string[] = [];
  const [ada, bob] = [open(), open()];
  await Promise.all([heard(ada, "connect"), heard(bob, "connect")]);
  for (const socket of [ada, bob]) await socket.timeout(5_000).emitWithAck("join", "room");
  log.push(`2 + 3 = ${String(await ada.timeout(5_000).emitWithAck("add", 2, 3))}`);
  const sent = Uint8Array.from({ length: 400_000 }, (_, index) => index % 251);
  const reversed = new Uint8Array((await ada.timeout(10_000).emitWithAck("reverse", sent)) as ArrayBuffer);
  log.push(`reversed: ${sent.every((byte, index) => reversed[reversed.length - 1 - index] === byte)}`);
  const said: string[] = [];
  bob.on("said", (text) => said.push(text));
  for (let index = 0; index < 50; index++) ada.emit("say", "room", `${index} ✓`);
  while (said.length < 50) await new Promise((resolve) => setTimeout(resolve, 5));
  log.push(`bob heard ${said.join()}`, `over ${ada.io.engine.transport.name}`);
  // Longer than several pings: a line that something in between cuts when it is silent would be lost by now.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  log.push(`still there: ${ada.connected && bob.connected}`);
  let ended = heard(ada, "disconnect");
  const back = heard(ada, "connect");
  ada.emit("drop the line");
  log.push(`the line was dropped: ${await ended}`);
  await back;
  log.push(`back again: ${String(await ada.timeout(5_000).emitWithAck("add", 20, 22))}`);
  ended = heard(bob, "disconnect");
  bob.emit("send me away");
  log.push(`the server ended it: ${await ended}`);
  ada.disconnect();
  log.push(`connected: ${ada.connected}`);
  return log;
}

/** Everything that a reader of streams does, and how it went, as text. Runs in the page. */
async function readStreams(): Promise<string[]> {
  const log: string[] = [];
  const ticks: string[] = [];
  const events = new EventSource("/events");
  events.addEventListener("tick", ({ data, lastEventId }) => ticks.push(`${lastEventId}: ${String(data)}`));
  while (ticks.length < 9) await new Promise((resolve) => setTimeout(resolve, 5));
  events.close();
  log.push(...ticks.slice(0, 9));

  const name = crypto.randomUUID();
  const response = await fetch(`/lockstep/${name}`);
  log.push(`${response.status} ${response.headers.get("content-type")}`);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = "", count = 0; ;) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
    const lines = text.split("\n").length - 1;
    if (lines > count) await fetch(`/took/${name}/${(count = lines)}`, { method: "POST" });
    if (lines === 20) log.push(text);
  }

  const silent = new EventSource("/silent");
  await new Promise((resolve) => silent.addEventListener("open", resolve));
  log.push("a stream that says nothing has opened");
  const left: unknown = await (await fetch("/left")).json();
  silent.close();
  while ((await (await fetch("/left")).json()) === left)
    await new Promise((resolve) => setTimeout(resolve, 5));
  log.push("the application noticed that its reader has left");

  const large = new Uint8Array(await (await fetch("/large")).arrayBuffer());
  log.push(`${large.length} bytes: ${large.every((byte, index) => byte === (index >> 16) % 256)}`);
  const body = new Blob([new Uint8Array(8 << 20)]);
  log.push(`uploaded ${await (await fetch("/upload", { method: "POST", body })).text()}`);
  return log;
}

/** Runs the same in a page of the application itself and in one behind a Stepgate that judges every request. */
async function compare(
  { page, dataDir, certsDir }: { page: Page; dataDir: string; certsDir: string },
  start: () => Promise<Application>,
  run: (page: Page) => Promise<string[]>,
): Promise<string[]> {
  const application = await start();
  let stepgate: StepgateProcess | undefined;
  try {
    await page.goto(application.url);
    const direct = await run(page);
    const config = { zones: [{ name: "localhost", origin: application.url }] };
    stepgate = await startStepgateProcess({ dataDir, certsDir, config });
    const api = await createApiClient(stepgate);
    await api.setSequenceCookies(true);
    await api.saveOperation("GET", "/");
    await api.setCustomRules([
      { description: "nobody", expression: 'http.request.uri.path eq "/forbidden"', action: "block" },
    ]);
    await api.close();
    await page.goto(stepgate.gatewayUrl);
    expect((await page.context().cookies()).map(({ name }) => name).join()).toMatch(/^__Host-sq\./);
    const through = await run(page);
    expect(through).toEqual(direct);
    return through;
  } finally {
    await stepgate?.stop();
    await application.close();
  }
}

test("socket.io over WebSocket, over polling, and from one to the other", async ({
  page,
  dataDir,
  certsDir,
}) => {
  // Six chats, one after the other: a quarter of a minute on a machine that does nothing else.
  test.slow();
  const log = await compare({ page, dataDir, certsDir }, startChat, async (at) => [
    ...(await at.evaluate(chat, ["websocket"])),
    ...(await at.evaluate(chat, ["polling"])),
    ...(await at.evaluate(chat, ["polling", "websocket"])),
  ]);
  expect(log.filter((line) => line.startsWith("over "))).toEqual([
    "over websocket",
    "over polling",
    "over websocket",
  ]);
  expect(log.filter((line) => line === "back again: 42")).toHaveLength(3);
});

test("event streams, streams in step with their reader, large bodies", async ({
  page,
  dataDir,
  certsDir,
}) => {
  const log = await compare({ page, dataDir, certsDir }, startTicker, (at) => at.evaluate(readStreams));
  expect(log).toContain("9: tick 9\nof a clock");
  expect(log).toContain("a stream that says nothing has opened");
});
