// Opens the page in headless Chromium as a reader does: from a file, without a network. Fails on a message in the console,
// on any request, and where a figure is not that of the program. Needs target/playground/play.html, the program, Chromium,
// and two packages from npm, which stay below target:
//
//     npm install --prefix target/playground/node playwright-core axe-core
//     node playground/browser.mjs [--shots DIR]

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(`${root}/target/playground/node/package.json`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const page_file = process.env.PAGE ?? `${root}/target/playground/play.html`;
const program = process.env.OUTGROW ?? `${root}/target/release/outgrow`;
const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
if (shots) mkdirSync(shots, { recursive: true });

const profile = mkdtempSync(`${tmpdir()}/outgrow-`);
const names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const context = await chromium.launchPersistentContext(profile, {
  executablePath: names.find((name) => existsSync(name)),
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  viewport: { width: 1280, height: 900 },
  locale: "en-GB",
});

const complaints = [];
function watch(page) {
  // The browser advises against reading a canvas, as this test does.
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && !message.text().includes("willReadFrequently") && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => /^(https?|ws|ftp):/.test(request.url()) && complaints.push(`request: ${request.url()}`));
}

let failed = 0;
function check(what, isTrue, more = "") {
  console.log(`${isTrue ? "ok   " : "WRONG"} ${what}${isTrue ? "" : ` ${more}`}`);
  failed += isTrue ? 0 : 1;
}

/** The fingerprint that the program gives for a command of the page, as a shell reads it. */
function native(command) {
  const script = `outgrow() { "$PROGRAM" "$@" --json - --quiet; }\n${command}\n`;
  const { stdout, stderr, error } = spawnSync("bash", ["-c", script], {
    env: { ...process.env, PROGRAM: program }, encoding: "utf8", maxBuffer: 1 << 28,
  });
  if (!stdout) throw new Error(stderr || `${program}: ${error}`);
  return JSON.parse(stdout).fingerprint;
}

const shown = (page) => page.evaluate(() => document.body.dataset.ready);
async function settled(page, before) {
  await page.waitForFunction((before) => document.body.dataset.ready && document.body.dataset.ready !== before, before, { timeout: 60000 });
  return shown(page);
}
const command = (page) => page.textContent("#command");
async function same(page, what) {
  const [own, there] = [await shown(page), native(await command(page))];
  check(`${what}: ${own} here and on the command line`, own === there, there);
}

async function newPage(options = {}, fragment = "") {
  const page = await context.newPage();
  watch(page);
  if (options.width) await page.setViewportSize({ width: options.width, height: options.height ?? 900 });
  await page.emulateMedia({ colorScheme: options.dark ? "dark" : "light", reducedMotion: options.still ? "reduce" : "no-preference" });
  const start = Date.now();
  await page.goto(`file://${page_file}${fragment}`);
  const fingerprint = await settled(page, null);
  return { page, fingerprint, took: Date.now() - start };
}

async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  const words = serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  check(`${what}: axe-core finds nothing serious`, serious.length === 0, words.join("; "));
}

const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
const widest = (page) => page.evaluate(() => [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
  .map(({ tagName, id, className }) => `${tagName}#${id}.${className}`).slice(0, 8).join(" "));

async function shot(page, name) {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
}

/** The rows of the table behind the first chart before a time, in seconds. */
async function past(page, until) {
  const summary = page.locator("#charts details summary").first();
  await summary.click();
  await page.waitForSelector("#charts td");
  return page.evaluate((until) => [...document.querySelectorAll("#charts table")[0].rows].slice(1)
    .filter(({ cells }) => cells[0].textContent.split(":").reduce((sum, part) => 60 * sum + Number(part), 0) < until - 2)
    .map((row) => row.textContent), until);
}

async function firstStep() {
  const { page, took } = await newPage();
  const start = Date.now();
  await page.waitForFunction(() => document.body.dataset.ran, null, { timeout: 60000 });
  console.log(`first picture ${took} ms after opening, first trial of the engine ${took + Date.now() - start} ms`);
  check("the engine repeats the trial that is shown before", (await page.evaluate(() => document.body.dataset.ran)) === (await shown(page)));
  await same(page, "single-server");
  await page.waitForFunction(() => document.querySelector("#caption").textContent.includes("Each dot"), null, { timeout: 30000 });
  const dotted = await page.evaluate(async () => {
    const canvas = document.querySelector("#dots");
    const inked = () => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
    for (let at = 0; at < 100 && !inked(); at++) await new Promise((next) => setTimeout(next, 50));
    return inked();
  });
  check("requests are drawn", dotted);
  await page.waitForFunction(() => document.querySelectorAll("#knee circle").length > 10, null, { timeout: 60000 });
  check("the knee has its points", true);
  await shot(page, "single-server-1280-light");
  await accessible(page, "the first step");

  let before = await shown(page);
  await page.focus("#load");
  await page.evaluate(() => {
    const slider = document.querySelector("#load");
    for (let at = 0; at < 50; at++) {
      slider.value = 300 + 10 * at;
      slider.dispatchEvent(new Event("input"));
    }
    slider.value = 824;
    slider.dispatchEvent(new Event("input"));
    slider.dispatchEvent(new Event("change"));
  });
  await page.waitForFunction(() => /users=14\d\d/.test(document.querySelector("#command").textContent), null, { timeout: 60000 });
  check("of fifty inputs the last one wins", true);
  await same(page, "twice the users");

  const early = await past(page, 300);
  await page.evaluate(() => {
    for (const [id, value] of [["#time", 300], ["#load", 300]]) {
      document.querySelector("#fromnow").checked = true;
      const slider = document.querySelector(id);
      slider.value = value;
      slider.dispatchEvent(new Event("input"));
      slider.dispatchEvent(new Event("change"));
    }
  });
  await page.waitForFunction(() => /profile=/.test(document.querySelector("#command").textContent), null, { timeout: 60000 });
  check("a load from the cursor on is a profile in the text", /\["0s", 1\], \["300(\.\d+)?s", 0\.\d+\]/.test(await page.inputValue("#toml")), await command(page));
  await same(page, "fewer users from the middle on");
  check("and the past does not move", early.length > 5 && early.join() === (await past(page, 300)).join());
  await page.uncheck("#fromnow");

  before = await shown(page);
  const rows = await page.evaluate(() => document.querySelectorAll(".charts path.ghost").length);
  check("the run before stays as a thin line", rows > 0);
  await page.click('[data-box="box"] .body');
  await page.click('[data-do="crash"]');
  await settled(page, before);
  check("a click is a fault in the text", (await page.inputValue("#toml")).includes('kind   = "crash"'));
  await same(page, "the box is killed");
  before = await shown(page);
  await page.press("body", "ArrowRight");
  await page.press("body", "ArrowRight");
  await page.focus('[data-box="box"]');
  await page.keyboard.press("Enter");
  await page.click('[data-do="repair"]');
  await settled(page, before);
  check("a repair ends the fault", /for {4}= "\d/.test(await page.inputValue("#toml")), await page.inputValue("#toml"));
  await same(page, "and repaired");

  const good = await shown(page);
  await page.fill("#toml", (await page.inputValue("#toml")).replace("think_time", "think_tine"));
  await page.waitForFunction(() => document.querySelector("#error").textContent.includes("think_tine"), null, { timeout: 20000 });
  check("a mistake is told with its caret", (await page.textContent("#error")).includes("^"), await page.textContent("#error"));
  check("and the last result stays", (await shown(page)) === good);

  await page.click("#back");
  await settled(page, good);
  await page.click("#share");
  await page.waitForFunction(() => location.hash.startsWith("#s=1."));
  const fragment = await page.evaluate(() => location.hash);
  const { page: other, fingerprint } = await newPage({}, fragment);
  check("a link opens the same trial", fingerprint === (await shown(page)));
  await other.close();
  const { page: broken } = await newPage({}, "#s=1.abcdef");
  check("a broken link is told", (await broken.textContent("#said")).length > 10);
  await broken.close();
  await page.click("#pictures");
  await page.waitForSelector("#saved a");
  await page.click("#trials");
  await page.waitForSelector("#verdicts li", { timeout: 120000 });
  await page.waitForFunction(() => document.querySelectorAll("#multiples svg").length === 10, null, { timeout: 120000 });
  await shot(page, "trials-1280-light");
  check("all trials give verdicts", (await page.locator("#verdicts .holds").count()) > 0);
  await page.close();
}

/** A newcomer opens the page, kills the primary, reads off outage and lost writes, and runs the command. */
async function newcomer() {
  const { page } = await newPage();
  let before = await shown(page);
  await page.selectOption("#pick", "12-primary-dies");
  await settled(page, before);
  before = await shown(page);
  await page.click("#faults li > button:last-child");
  await settled(page, before);
  before = await shown(page);
  await page.click('[data-box="db.primary"] .body');
  await page.click('[data-do="crash"]');
  await settled(page, before);
  const figure = (name) => page.textContent(`[data-figure="${name}"]`);
  check("the outage and the lost writes are told", /^[\d.]+ s/.test(await figure("rto")) && /^\d/.test(await figure("lost")), `${await figure("rto")} ${await figure("lost")}`);
  await same(page, "the primary is killed by a click");
  await shot(page, "primary-dies-1280-light");
  await page.close();
}

async function everyStep() {
  const { page } = await newPage();
  const first = await shown(page);
  await page.click("#found summary");
  await page.click("#next");
  await settled(page, first);
  check("the button leads to the next step", (await page.inputValue("#pick")) === "02-database-split-off");
  await same(page, "02-database-split-off");
  const all = await page.evaluate(() => [...document.querySelectorAll("#pick option")].map(({ value }) => value));
  const times = [];
  for (const name of all.slice(2)) {
    const before = await shown(page);
    const start = Date.now();
    await page.selectOption("#pick", name);
    await settled(page, before);
    times.push([name, Date.now() - start]);
    await same(page, name);
    check(`${name} fits the window`, await fits(page), await widest(page));
    if (["18-whole-chapter", "17-two-regions", "15-ring", "05-scale-up-wall", "20-cache"].includes(name)) {
      await page.waitForTimeout(1200);
      await shot(page, `${name}-1280-light`);
    }
  }
  console.log(times.map(([name, took]) => `${name} ${took} ms`).join(", "));
  await page.close();
}

async function looks() {
  for (const [width, dark, korean] of [[400, false, false], [400, true, true], [768, false, true], [768, true, false], [1280, true, true]]) {
    const { page } = await newPage({ width, dark });
    if (korean) {
      await page.click("#lang");
      check("the page is Korean", (await page.getAttribute("html", "lang")) === "ko");
    }
    check(`${width} px: nothing is wider than the window`, await fits(page), await widest(page));
    await page.waitForFunction(() => document.querySelectorAll("#knee circle").length > 10, null, { timeout: 60000 });
    await accessible(page, `${width} px, ${dark ? "dark" : "light"}`);
    await shot(page, `single-server-${width}-${dark ? "dark" : "light"}${korean ? "-ko" : ""}`);
    const before = await shown(page);
    await page.selectOption("#pick", "12-primary-dies");
    await settled(page, before);
    await page.evaluate(() => {
      document.querySelector("#time").value = 306;
      document.querySelector("#time").dispatchEvent(new Event("input"));
    });
    await page.waitForTimeout(600);
    check(`${width} px, primary-dies: nothing is wider than the window`, await fits(page), await widest(page));
    await shot(page, `primary-dies-${width}-${dark ? "dark" : "light"}${korean ? "-ko" : ""}`);
    if (korean) await page.click("#lang");
    await page.close();
  }
}

async function stillness() {
  const { page } = await newPage({ still: true });
  const inked = await page.evaluate(() => {
    const canvas = document.querySelector("#dots");
    return canvas.width > 0 && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
  });
  check("without motion there are no dots", !inked);
  const clock = await page.textContent("#clock");
  await page.press("body", " ");
  await page.press("body", "ArrowRight");
  check("the keyboard moves the time", (await page.textContent("#clock")) !== clock);
  const before = await shown(page);
  await page.keyboard.press("k");
  await page.keyboard.press("2");
  await page.keyboard.press("Enter");
  await settled(page, before);
  check("the keyboard kills a box", (await page.inputValue("#toml")).includes('target = "box"'));
  await same(page, "killed by the keyboard");
  await page.close();
}

/** The picture of the README. */
async function picture() {
  const { page } = await newPage({ width: 1200, height: 860 });
  const before = await shown(page);
  await page.selectOption("#pick", "07-web-server-dies");
  await settled(page, before);
  const move = (time) => page.evaluate((time) => {
    document.querySelector("#time").value = time;
    document.querySelector("#time").dispatchEvent(new Event("input"));
  }, time);
  await page.click("#play");
  await page.selectOption("#speed", "0.02");
  await move(302.2);
  await page.waitForFunction(() => document.querySelectorAll("#knee circle").length > 10, null, { timeout: 60000 });
  await page.waitForFunction(() => document.querySelector("#caption").textContent.includes("Each dot"), null, { timeout: 30000 });
  // A moment at which requests fail: most red pixels.
  let best = [0, 0];
  for (let time = 302.2; time < 302.7; time += 0.01) {
    await move(time);
    const red = await page.evaluate(() => {
      const canvas = document.querySelector("#dots");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, at) => at % 4 === 0 && value > 150 && data[at + 3] > 200 && data[at + 1] < 80).length;
    });
    if (red > best[0]) best = [red, time];
  }
  await move(best[1]);
  await page.evaluate(() => (document.activeElement.blur(), scrollTo(0, 0)));
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${shots}/playground.png` });
  await page.close();
}

/** Frames a second while dots move. */
async function frames() {
  const { page } = await newPage();
  await page.waitForFunction(() => document.querySelector("#caption").textContent.includes("Each dot"), null, { timeout: 30000 });
  const rate = await page.evaluate(() => new Promise((answer) => {
    let count = 0;
    const start = performance.now();
    const next = (now) => (now - start > 3000 ? answer((1000 * count) / (now - start)) : (count++, requestAnimationFrame(next)));
    requestAnimationFrame(next);
  }));
  console.log(`${rate.toFixed(1)} frames a second while dots move`);
  await page.close();
}

const parts = { firstStep, newcomer, stillness, frames, looks, everyStep, picture };
const asked = (process.env.PARTS ?? "firstStep,newcomer,stillness,frames,looks,everyStep").split(",");
try {
  for (const part of asked) await parts[part]();
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
check("no message in the console and no request", complaints.length === 0, complaints.slice(0, 5).join("\n"));
process.exit(failed ? 1 : 0);
