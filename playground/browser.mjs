// Opens the page in headless Chromium as a reader does: from a file, without a network. Fails on a message in the console,
// on any request, and where a figure is not that of the program. Needs target/playground/play.html, the program, Chromium,
// and two packages from npm, which stay below target:
//
//     npm install --prefix target/playground/node playwright-core axe-core
//     node playground/browser.mjs [--short] [--shots DIR]
//
// Chromium is installed by its package where it is missing and root may do so. --short leaves out the parts that take
// minutes: every scenario, and all sizes and colours. Exit status 3: a browser or a package is not to be had.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parts } from "./scripts.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(`${root}/target/playground/node/package.json`);

function given(what, found) {
  if (found) return found;
  console.error(`skipped: ${what}`);
  process.exit(3);
}

function packages() {
  try {
    return { chromium: require("playwright-core").chromium, axe: readFileSync(require.resolve("axe-core/axe.min.js"), "utf8") };
  } catch {
    return null;
  }
}
const { chromium, axe } = given("npm install --prefix target/playground/node playwright-core axe-core", packages());

const page_file = process.env.PAGE ?? `${root}/target/playground/play.html`;
const program = process.env.OUTGROW ?? `${root}/target/release/outgrow`;
const options = process.argv.slice(2);
const shots = options.includes("--shots") ? options[options.indexOf("--shots") + 1] : null;
if (shots) mkdirSync(shots, { recursive: true });

const profile = mkdtempSync(`${tmpdir()}/outgrow-`);
const names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
function browser() {
  const installed = () => names.find((name) => existsSync(name));
  if (!installed() && existsSync("/usr/bin/apt-get") && process.getuid() === 0) {
    spawnSync("bash", ["-c", "apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium"], { stdio: "ignore" });
  }
  return installed();
}
const executablePath = given("there is no chromium here", browser());
const context = await chromium.launchPersistentContext(profile, {
  executablePath,
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

/** The result that the program gives for a command of the page, as a shell reads it. */
const result = (command) => JSON.parse(said(command, "--json - --quiet"));
const native = (command) => result(command).fingerprint;

/** What the program prints for a command of the page, with more options. */
function said(command, more) {
  const script = `outgrow() { "$PROGRAM" "$@" ${more}; }\n${command}\n`;
  const { stdout, stderr, error } = spawnSync("bash", ["-c", script], {
    env: { ...process.env, PROGRAM: program }, encoding: "utf8", maxBuffer: 1 << 28, cwd: profile,
  });
  if (!stdout) throw new Error(stderr || `${program}: ${error}`);
  return stdout;
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

async function newPage(options = {}, fragment = "", file = page_file) {
  const page = await context.newPage();
  watch(page);
  if (options.width) await page.setViewportSize({ width: options.width, height: options.height ?? 900 });
  await page.emulateMedia({ colorScheme: options.dark ? "dark" : "light", reducedMotion: options.still ? "reduce" : "no-preference" });
  const start = Date.now();
  await page.goto(`file://${file}${fragment}`);
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
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".charts, .scroll, .command, textarea"))
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
  await page.evaluate(async () => {
    const slider = document.querySelector("#load");
    for (let at = 0; at < 50; at++) {
      slider.value = 300 + 10 * at;
      slider.dispatchEvent(new Event("input"));
      await new Promise((next) => setTimeout(next, 40));
    }
    slider.value = 824;
    slider.dispatchEvent(new Event("input"));
    slider.dispatchEvent(new Event("change"));
  });
  await page.waitForFunction(() => /users=14\d\d/.test(document.querySelector("#command").textContent), null, { timeout: 60000 });
  check("of fifty inputs in two seconds the last one wins", true);
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
  for (const [width, dark, korean] of [[400, false, false], [400, false, true], [400, true, false], [400, true, true], [768, false, true], [768, true, false], [1280, false, false], [1280, false, true], [1280, true, false], [1280, true, true]]) {
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
    const kind = `${width}-${dark ? "dark" : "light"}${korean ? "-ko" : ""}`;
    await shot(page, `primary-dies-${kind}`);
    for (const [screen, done] of [["compare", "compared"], ["sweep", "swept"]]) {
      await page.click(`[data-visit="${screen}"]`);
      await page.waitForFunction((done) => document.body.dataset[done], done, { timeout: 120000 });
      await page.waitForTimeout(300);
      check(`${kind}, ${screen}: nothing is wider than the window`, await fits(page), await widest(page));
      await shot(page, `${screen}-${kind}`);
    }
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

/** Knobs, two designs beside each other, and a curve: each with the figures of the command below it. */
async function screens() {
  const { page, fingerprint } = await newPage();
  await page.selectOption("#pick", "07-web-server-dies");
  let before = await settled(page, fingerprint);
  await page.selectOption('[data-key="lb.retries"]', "1");
  before = await settled(page, before);
  check("a knob is an override", (await command(page)).includes("--set lb.retries=1"), await command(page));
  check("and the last run stays as ghost lines", (await page.locator("path.ghost").count()) > 0);
  await same(page, "one retry of the balancer");
  await page.click('[data-visit="compare"]');
  await compared(page, "the design against what it was", null);
  await shot(page, "compare-1280-light");
  await accessible(page, "compare");
  before = await page.evaluate(() => document.body.dataset.rival);
  await page.evaluate(() => {
    document.querySelector("#time").value = 200;
    document.querySelector("#time").dispatchEvent(new Event("input"));
  });
  const last = await page.evaluate(() => document.body.dataset.compared);
  await page.click('#rivaldiagram [data-box="lb"] .body');
  await page.click('[data-do="restart"]');
  await compared(page, "the other design is changed by a click", last);
  await page.setViewportSize({ width: 400, height: 900 });
  await page.waitForTimeout(1000);
  check("compare, 400 px: nothing is wider than the window", await fits(page), await widest(page));
  await shot(page, "compare-400-light");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.click('[data-visit="sweep"]');
  await page.waitForFunction(() => document.body.dataset.swept, null, { timeout: 120000 });
  check("a sweep has a point for each value", (await page.locator(".point").count()) === (await page.inputValue("#sweepvalues")).split(",").length);
  const rows = said(await page.textContent("#sweepcommand"), "--quiet --out -").trim().split("\n").map((row) => row.split(","));
  const at = rows[0].indexOf("fingerprint");
  const own = await page.evaluate(() => document.body.dataset.swept);
  check("and the fingerprints of the command", at >= 0 && own === rows.slice(1).map((row) => row[at]).join(" "), `${own} ${rows[0]}`);
  await shot(page, "sweep-1280-light");
  await accessible(page, "sweep");
  await page.setViewportSize({ width: 400, height: 900 });
  await page.waitForTimeout(1000);
  check("sweep, 400 px: nothing is wider than the window", await fits(page), await widest(page));
  await shot(page, "sweep-400-light");
  before = await shown(page);
  await page.locator(".point").last().click();
  await settled(page, before);
  check("a click on a point opens it on the bench", (await page.getAttribute("body", "data-screen")) === "bench" && /web\.count=8/.test(await command(page)), await command(page));
  await same(page, "the point");
  await page.close();
}

/** Waits for new differences; the designs have the fingerprints of the command. */
async function compared(page, what, before) {
  await page.waitForFunction((before) => document.body.dataset.compared && document.body.dataset.compared !== before, before, { timeout: 120000 });
  const own = await page.evaluate(() => document.body.dataset.compared);
  const line = await page.textContent("#comparecommand");
  const result = JSON.parse(said(line, "--json - --quiet"));
  const there = result.designs.map(({ fingerprint }) => fingerprint).join(" ");
  check(`${what}: ${own} here and on the command line`, own === there, `${there}: ${line}`);
  const rows = await page.locator("#differences tbody tr").count();
  check(`${what}: all differences are shown`, rows === result.differences.length, `${rows} of ${result.differences.length}`);
}

/** A fault of the engine is told, and the next run works. The page is changed so that its engine panics at one name. */
async function panics() {
  const call = "const [answer, where, length] = text(exports, exports.run(at, bytes.length));";
  const text = readFileSync(page_file, "utf8");
  const changed = text.replace(call, `${call}\n  if (question.toml.includes("BROKEN")) exports.alloc(-1);`);
  check("the page can be made to panic", changed !== text);
  const file = `${profile}/panic.html`;
  writeFileSync(file, changed);
  const { page } = await newPage({}, "", file);
  await page.waitForFunction(() => document.body.dataset.ran, null, { timeout: 60000 });
  const good = await shown(page);
  await page.fill("#toml", `${await page.inputValue("#toml")}\n# BROKEN`);
  await page.waitForFunction(() => document.querySelector("#error").textContent.includes("capacity overflow"), null, { timeout: 20000 });
  const told = await page.textContent("#error");
  check("a panic is told with its place, version and command", /panicked at/.test(told) && /outgrow \d/.test(told) && /outgrow run/.test(told), told);
  check("and the last result stays", (await shown(page)) === good);
  await page.selectOption("#pick", "06-scale-out");
  await settled(page, good);
  check("and the next run works", (await page.locator("#error").isHidden()) && (await command(page)).includes("06-scale-out"));
  await page.close();
}

/** Each screen without a pointer. */
async function keyboard() {
  const { page, fingerprint } = await newPage();
  const reached = async (selector) => {
    for (let at = 0; at < 90; at++) {
      if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`Tab does not reach ${selector}`);
  };
  await reached("#pick");
  await page.keyboard.press("ArrowDown");
  let before = await settled(page, fingerprint);
  check("a step is chosen by the keyboard", (await page.inputValue("#pick")) === "02-database-split-off");
  await reached("#load");
  await page.keyboard.press("PageUp");
  before = await settled(page, before);
  await reached('[data-key="web.instance"]');
  await page.keyboard.press("ArrowDown");
  before = await settled(page, before);
  check("load and design are changed by the keyboard", /users=.*instance=|instance=.*users=/.test(await command(page)), await command(page));
  await same(page, "changed by the keyboard");
  await page.evaluate(() => document.activeElement.blur());
  await reached('[data-visit="compare"]');
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.body.dataset.compared, null, { timeout: 60000 });
  await reached("#rival");
  await reached('#rivaldiagram [data-box]');
  await page.evaluate(() => scrollTo(0, 0));
  await page.evaluate(() => document.querySelector('[data-visit="compare"]').focus());
  await reached('[data-visit="sweep"]');
  await page.keyboard.press("Enter");
  await reached("#sweepvalues");
  await page.keyboard.press("Control+a");
  await page.keyboard.type("500, 900");
  await reached("#sweeprun");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelectorAll(".point").length === 2, null, { timeout: 60000 });
  await reached(".point");
  await page.keyboard.press("Enter");
  await settled(page, before);
  check("a point is opened by the keyboard", (await page.getAttribute("body", "data-screen")) === "bench");
  await page.close();
}

/** An exercise of the course from the prediction to the explanation; the program reads the file of answers. */
async function lessons() {
  const { page } = await newPage();
  await page.waitForFunction(() => document.body.dataset.ran, null, { timeout: 60000 });
  await page.click('[data-visit="lesson"]');
  await page.fill("#student", "20261234");
  await page.click("#begin");
  await page.click('[data-exercise="box-is-down"]');
  await page.waitForSelector("#exercise input");
  const at = (stage) => page.waitForFunction((stage) => document.body.dataset.lesson === `box-is-down ${stage}`, stage, { timeout: 120000 });
  await page.fill("#exercise input", "much");
  await page.click('[data-step="predict"]');
  await page.waitForSelector("#lessonerror:not([hidden])");
  check("an answer of another form is refused with an example", (await page.textContent("#lessonerror")).includes("such as"));
  await page.fill("#exercise input", "80%");
  await page.click('[data-step="predict"]');
  await at("predicted");
  await page.click('[data-step="run"]');
  await at("ran");
  check("the run is told beside the prediction", (await page.textContent("#lessonsaid")).includes("80%"));
  await accessible(page, "the course");
  await page.check('input[value="once"]');
  await page.click('[data-step="why"]');
  await at("done");
  check("the explanation comes last", (await page.textContent("#lessonsaid")).length > 100);
  await shot(page, "course-1280-light");
  await page.setViewportSize({ width: 400, height: 900 });
  await page.waitForTimeout(500);
  check("course, 400 px: nothing is wider than the window", await fits(page), await widest(page));
  await shot(page, "course-400-light");
  await page.setViewportSize({ width: 1280, height: 900 });
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#savefile")]);
  await download.saveAs(`${profile}/answers.toml`);
  const list = said("outgrow learn list", "--answers answers.toml");
  check("the program takes the file of answers", /box-is-down.*(done|100)/.test(list), list);
  await secondCourse(page);
  await page.click('[data-course="chapter"]');
  await page.click('[data-exercise="box-is-down"]');
  await at("done");
  const before = await shown(page);
  await page.click("#exercise .line .command + button");
  await page.waitForFunction((before) => document.body.dataset.ready !== before && /run.seed/.test(document.querySelector("#command").textContent), before, { timeout: 60000 });
  check("a run opens on the bench", (await page.getAttribute("body", "data-screen")) === "bench");
  await same(page, "the run of an exercise");
  await page.close();
}

/** The course beside the first, with a file of its own; an exercise of it whose scenario no other page has. */
async function secondCourse(page) {
  await page.click('[data-course="overload"]');
  await page.click('[data-exercise="idle-and-down"]');
  const at = (stage) => page.waitForFunction((stage) => document.body.dataset.lesson === `idle-and-down ${stage}`, stage, { timeout: 120000 });
  await at("new");
  check("the second course has ten exercises", (await page.locator("[data-exercise]").count()) === 10);
  await page.click("#lang");
  await page.waitForFunction(() => document.querySelector("#exercise h2").textContent.includes("놀고 있는데"), null, { timeout: 60000 });
  check("it is in Korean, too", (await page.textContent('[data-course="overload"]')) === "과부하와 처방", await page.textContent("#courses"));
  await page.click("#lang");
  await page.waitForFunction(() => document.querySelector("#exercise h2").textContent.includes("idle tier"), null, { timeout: 60000 });
  await page.fill("#exercise input", "300/s");
  await page.click('[data-step="predict"]');
  await at("predicted");
  await page.click('[data-step="run"]');
  await at("ran");
  await page.check('input[value="held"]');
  await page.click('[data-step="why"]');
  await at("done");
  check("its explanation comes last", (await page.textContent("#lessonsaid")).includes("holds its worker"));
  await accessible(page, "the second course");
  await shot(page, "course-2-1280-light");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#savefile")]);
  await download.saveAs(`${profile}/second.toml`);
  const list = said("outgrow learn list", "--answers second.toml");
  check("the program takes the file of the second course", /idle-and-down.*(done|100)/.test(list), list);
  const before = await shown(page);
  await page.click("#exercise .line .command + button");
  await page.waitForFunction((before) => document.body.dataset.ready !== before && /run.seed|seed *=/.test(document.querySelector("#command").textContent), before, { timeout: 60000 });
  await same(page, "a scenario of the second course on the bench");
  await page.click('[data-visit="lesson"]');
}

/** A step on overload: twenty trials as small pictures, and the same with a cure. */
async function cures() {
  const { page, fingerprint } = await newPage();
  await page.selectOption("#pick", "24-coin-toss");
  const before = await settled(page, fingerprint);
  const done = () => page.waitForFunction(() => document.body.dataset.cured, null, { timeout: 120000 });
  const count = (how) => page.locator(`#curetrials [data-ended=${how}]`).count();
  await done();
  const [fell, back] = [await count("fell"), await count("back")];
  check("some of twenty trials collapse and some do not", fell > 0 && back > 0 && fell + back === 20, `${fell} and ${back}`);
  const said = await page.textContent("#cureended");
  const probability = result((await command(page)).replace("--trials 1", "--trials 20")).collapse;
  const [share, low, high] = [...said.matchAll(/([\d.]+) %/g)].map(([, number]) => Number(number) / 100);
  const near = (a, b) => Math.abs(a - b) < 0.001;
  check(`the sentence is that of the program: ${said}`, said.startsWith(`${fell} of 20`) && probability.of === fell && near(share, fell / 20) && near(low, probability.low) && near(high, probability.high), JSON.stringify(probability));
  check("the knob of the fault shows its value", (await page.inputValue('[data-key="fault.0.for"]')) === "9.2s");
  await accessible(page, "small pictures");
  await shot(page, "cures-1280-light");
  await page.click('[data-cure="budget"]');
  await settled(page, before);
  await done();
  check("with a budget none collapses", (await count("fell")) === 0 && (await page.textContent("#cureended")).startsWith("0 of 20"), await page.textContent("#cureended"));
  check("and the cure is an override of the command", /--set users.retry.budget=20%/.test(await command(page)), await command(page));
  check("one cure is on", (await page.locator('[data-cure][aria-pressed="true"]').count()) === 1);
  await same(page, "with a cure");
  await page.setViewportSize({ width: 500, height: 900 });
  await page.waitForTimeout(500);
  check("cures, 500 px: nothing is wider than the window", await fits(page), await widest(page));
  await page.close();
}

/** Reports of a program with the page inside. */
async function reports() {
  const file = (name) => `${profile}/${name}.html`;
  said("outgrow run single-server --set users.users=800 --seed 7 --trials 2 --quiet", `--report ${file("run")} && echo done`);
  if (!readFileSync(file("run"), "utf8").includes('id="playground"')) return console.log("skipped: the program has no playground inside");
  said("outgrow run single-server --trials 1 --quiet", `--light --report ${file("light")} && echo done`);
  check("a light report has no script", !readFileSync(file("light"), "utf8").includes("<script"));
  const page = await context.newPage();
  watch(page);
  await page.goto(`file://${file("run")}`);
  await accessible(page, "a report");
  await page.click('a[href="#play"]');
  await settled(page, null);
  check("the page opens with the report's scenario", /--set users.users=800 --set run.seed=7/.test(await command(page)), await command(page));
  await same(page, "opened from a report");
  await page.goBack();
  await page.waitForSelector("#change");
  check("and the way back leads to the report", (await page.locator("table").count()) > 0);
  said("outgrow compare single-server database-split-off --set users.users=500 --trials 2 --quiet", `--report ${file("compare")} && echo done`);
  await page.goto(`file://${file("compare")}#play`);
  await compared(page, "a report of a comparison", null);
  said("outgrow sweep single-server --vary users.users=300,600 --trials 2 --quiet", `--report ${file("sweep")} --out ${profile}/s.csv && echo done`);
  await page.goto(`file://${file("sweep")}#play`);
  await page.waitForFunction(() => document.body.dataset.swept, null, { timeout: 60000 });
  check("a report of a sweep opens its curve", (await page.inputValue("#sweepvalues")) === "300, 600");
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

/** Frames a second while some 300 dots move: a load of 160 a second, two seconds there and back. */
async function frames() {
  const text = `title = "300 dots"\n[run]\nduration = "60s"\ntrials = 1\n[network]\nclient = "2s"\n[client.users]\nrate = "160/s"\ntarget = "box"\n[server.box]\npublic = true\ncores = 8\nsteps = [{ cpu = "5ms" }]\n`;
  const { packed } = parts(["scenario"], ["packed"]);
  const { page } = await newPage({}, await packed({ name: "dots", text, time: 30, speed: 0.02 }));
  await page.waitForFunction(() => document.querySelector("#caption").textContent.includes("Each dot"), null, { timeout: 30000 });
  await page.evaluate(() => {
    document.querySelector("#time").value = 31;
    document.querySelector("#time").dispatchEvent(new Event("input"));
  });
  const { rate, dots } = await page.evaluate(() => new Promise((answer) => {
    const { arc } = CanvasRenderingContext2D.prototype;
    let [count, drawn] = [0, 0];
    CanvasRenderingContext2D.prototype.arc = function (...all) {
      drawn++;
      return arc.apply(this, all);
    };
    const start = performance.now();
    const next = (now) => (now - start > 3000 ? answer({ rate: (1000 * count) / (now - start), dots: drawn / count }) : (count++, requestAnimationFrame(next)));
    requestAnimationFrame(next);
  }));
  console.log(`${rate.toFixed(1)} frames a second with ${dots.toFixed(0)} dots`);
  check("there are some 300 dots", dots > 200 && dots < 450, String(dots));
  await page.close();
}

const all = { firstStep, newcomer, stillness, keyboard, screens, panics, lessons, cures, reports, frames, looks, everyStep, picture };
const short = ["firstStep", "newcomer", "stillness", "keyboard", "screens", "panics", "lessons", "cures", "reports"];
const usual = options.includes("--short") ? short : [...short, "frames", "looks", "everyStep"];
const asked = process.env.PARTS?.split(",") ?? usual;
try {
  for (const part of asked) {
    const start = Date.now();
    await all[part]();
    console.log(`${part}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
  }
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
check("no message in the console and no request", complaints.length === 0, complaints.slice(0, 5).join("\n"));
process.exit(failed ? 1 : 0);
