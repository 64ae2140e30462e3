/* Opens a page in a headless Chromium and keeps what is on its canvases: node browse.js BROWSER PAGE FOLDER. Errors on the
 * console are the page's mistakes. The browser is spoken to over a pipe. */
const { spawn } = require("child_process");
const { writeFileSync } = require("fs");
const [browser, page, folder] = process.argv.slice(2);

const chromium = spawn(browser, ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
  `--user-data-dir=${folder}/profile`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const waiting = new Map(), mistakes = [];
let last = 0, rest = "";
const finish = (status, text) => { if (text) console.log(text); chromium.kill(); process.exit(status); };
chromium.on("exit", () => finish(77, "skipped: chromium does not run here"));
setTimeout(() => finish(1, "the page was not ready in time"), 120000);

const listeners = {
  "Runtime.exceptionThrown": (p) => mistakes.push(p.exceptionDetails.exception?.description ?? p.exceptionDetails.text),
  "Runtime.consoleAPICalled": (p) => mistakes.push(`console.${p.type}: ${p.args.map((a) => a.value ?? a.description).join(" ")}`),
  "Log.entryAdded": (p) => p.entry.level === "error" && mistakes.push(p.entry.text), // that canvases are read is advised against
};
function take(text) {
  const message = JSON.parse(text);
  if (!message.id) return listeners[message.method]?.(message.params);
  if (message.error) finish(1, JSON.stringify(message.error));
  waiting.get(message.id)(message.result);
}
chromium.stdio[4].on("data", (bytes) => {
  const parts = (rest + bytes).split("\0");
  rest = parts.pop();
  parts.forEach(take);
});
const send = (method, params = {}, sessionId) => new Promise((done) => {
  waiting.set(++last, done);
  chromium.stdio[3].write(JSON.stringify({ id: last, method, params, sessionId }) + "\0");
});

/* What a visitor sees: every canvas, and the rows of the table. */
const LOOK = `document.body.dataset.ready && JSON.stringify({
  rows: [...document.querySelectorAll("#times tbody tr")].map((row) => ({...row.dataset})),
  canvases: Object.fromEntries([...document.querySelectorAll("canvas")].map((c) =>
    [c.id, [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]]))})`;

(async () => {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  for (const domain of ["Runtime", "Log", "Page"]) await send(`${domain}.enable`, {}, sessionId);
  await send("Page.navigate", { url: `file://${page}` }, sessionId);
  for (let seen; !seen; await new Promise((later) => setTimeout(later, 200))) {
    if (mistakes.length) finish(1, mistakes.join("\n"));
    seen = (await send("Runtime.evaluate", { expression: LOOK }, sessionId)).result.value;
    if (seen) writeFileSync(`${folder}/seen.json`, seen);
  }
  finish(mistakes.length ? 1 : 0, mistakes.join("\n"));
})();
