// What the page does without a document and without another program: links, changes of texts, knobs, words, and the memory of
// its engine. Needs the engine alone:
//
//     playground/build.sh && node playground/units.mjs [--all]
//
// --all does the exercises of the first course, too, and all trials with each cure, which takes minutes.

import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { engine } from "./engine.mjs";
import { parts } from "./scripts.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const wasm = process.env.WASM ?? `${root}/target/playground/wasm32-unknown-unknown/release/outgrow_playground.wasm`;
const page = parts(["strings", "scenario", "knobs", "chapter", "cures"],
  ["STRINGS", "packed", "unpacked", "faults", "withFault", "withoutFault", "repaired", "command", "compareCommand", "KNOBS", "CHAPTER", "CURES", "CURED", "cureOf"]);
const scenarios = new Map(readdirSync(`${root}/scenarios`).filter((file) => file.endsWith(".toml"))
  .map((file) => [file.replace(/\.toml$/, ""), readFileSync(`${root}/scenarios/${file}`, "utf8")]));
const ask = await engine(wasm);

let failed = 0;
function check(what, isTrue, more = "") {
  console.log(`${isTrue ? "ok   " : "WRONG"} ${what}${isTrue ? "" : ` ${more}`}`);
  failed += isTrue ? 0 : 1;
}

/** Numbers that look random and are the same each time. */
function* numbers(seed) {
  for (let state = seed; ; ) yield (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}
const draw = numbers(18);
const below = (most) => Math.floor(draw.next().value * most);
const letters = [..."abcxyz019 \n\t=[]{}\"'#.%&<>\\/", "é", "한", "글", "🜛", "\u2028"];
const word = () => Array.from({ length: below(2000) }, () => letters[below(letters.length)]).join("");

async function links() {
  let wrong = 0;
  const contents = [...[...scenarios].map(([name, text]) => ({ name, text, time: 1.5, files: {} })),
    ...Array.from({ length: 500 }, () => ({ name: word(), text: word(), time: below(1000) / 7, files: { [word()]: word() } }))];
  for (const content of contents) {
    const fragment = await page.packed(content);
    wrong += /^#s=1\.[\w-]+$/.test(fragment) && JSON.stringify(await page.unpacked(fragment)) === JSON.stringify(content) ? 0 : 1;
  }
  check(`a link gives back its content: ${scenarios.size} scenarios and 500 random ones`, wrong === 0, `${wrong} do not`);
  const whole = await page.packed({ name: "a", text: scenarios.get("01-single-server") });
  let quiet = 0;
  for (const cut of [8, 20, whole.length >> 1, whole.length - 2]) {
    const broken = await page.unpacked(whole.slice(0, cut)).then(() => true, () => false);
    quiet += broken ? 1 : 0;
  }
  check("a link that was cut is broken", quiet === 0, `${quiet} are taken`);
  check("another fragment is no link", (await page.unpacked("#play")) === null && (await page.unpacked("")) === null);
}

function texts() {
  let wrong = [];
  for (const [name, text] of scenarios) {
    const fault = { kind: "crash", target: "a", at: 12.5 };
    const before = page.faults(text).length;
    const added = page.withFault(text, fault);
    const [own] = page.faults(added).slice(-1);
    const mended = page.repaired(added, own, 20);
    const [ended] = page.faults(mended).slice(-1);
    const left = page.withoutFault(mended, ended);
    const isRight = own.at === 12.5 && own.until === Infinity && ended.until === 20 && page.faults(left).length === before && left.trimEnd() === text.trimEnd();
    if (!isRight) wrong.push(name);
  }
  check("a fault is added, ended and taken away in each text", wrong.length === 0, wrong.join(" "));
  const [both] = page.faults('[[fault]]\nkind = "crash"\ntarget = ["a-1", "b"]\nat = "2s"\n');
  check("a fault of several boxes names them all", both.target === "a-1, b" && both.targets.join() === "a-1,b");
  const design = (more) => ({ name: "a b.toml", base: "x = 1", baseSet: [], set: [], text: "x = 1", files: {}, ...more });
  check("a command names the file and each key once", page.command(design({ baseSet: [["run.seed", "7"]], set: [["web.count", "2"], ["web.count", "3"]], text: "y" }), 1) ===
    "outgrow run 'a b.toml' --set run.seed=7 --set web.count=3 --trials 1");
  check("a text that has been changed is in the command", page.command(design({ text: "y = 'EOF'\nEOF" }), 1) === "outgrow run - --trials 1 <<'EOFF'\ny = 'EOF'\nEOF\nEOFF");
  check("with files the text is written beside them", page.command(design({ name: "d/a.toml", text: "y", files: { t: "1" } }), 1).startsWith("cat >d/changed.toml <<'EOF'\ny\nEOF\noutgrow run d/changed.toml"));
  check("a comparison says which design is changed", page.compareCommand([design({}), design({ set: [["web.count", "2"]], text: "y" })], 5) ===
    "outgrow compare 'a b.toml' 'a b.toml' --set '2?web.count=2' --trials 5");
}

/** Each value of each knob is one that the scenario takes. */
function knobs() {
  const wrong = [];
  for (const [name, knobs] of Object.entries(page.KNOBS)) {
    for (const { key, values } of knobs) {
      for (const value of values) {
        const { error, keys } = ask({ name, toml: scenarios.get(name) ?? "", set: [[key, String(value)]], keys: [key], want: ["text"] });
        if (!error && String(keys[key]) !== String(value)) wrong.push(`${name}: ${key} is read back as ${keys[key]}`);
        if (error) wrong.push(`${name}: ${key}=${value}: ${error.split("\n")[0]}`);
      }
    }
  }
  check("every value of every knob can run", wrong.length === 0, wrong.join("\n"));
}

/** The coin toss falls on both sides; with each cure it falls on one. The numbers of the small pictures are those of a whole run. */
function cures() {
  const collapses = (name, set, trials) => {
    const each = Array.from({ length: trials }, (_, first) => ask({ name, toml: scenarios.get(name), set, first, trials: 1, want: ["result"] }));
    const wrong = each.find(({ error }) => error);
    if (wrong) throw new Error(wrong.error);
    return each.map(({ result }) => result.collapse?.of ?? null);
  };
  for (const [name, trials] of Object.entries(page.CURED)) {
    const n = Math.min(trials, process.argv.includes("--all") ? trials : 4);
    for (const [cure, set] of Object.entries(page.CURES)) {
      const many = cure === "nothing" ? trials : n;
      const each = collapses(name, set, many);
      const of = each.filter((one) => one === 1).length;
      const isRight = !each.includes(null) && (cure === "nothing" ? of > 0 && (trials === 1 || of < trials) : of === 0);
      check(`${name}, ${cure}: ${of} of ${many} collapse`, isRight, each.join(" "));
      check(`${name}, ${cure}: the cure is told from its overrides`, page.cureOf([["fault.0.for", "9s"], ...set]) === cure);
    }
  }
  const [name, trials] = ["24-coin-toss", page.CURED["24-coin-toss"]];
  const whole = ask({ name, toml: scenarios.get(name), trials, want: ["result"] }).result.collapse;
  const of = collapses(name, [], trials).filter((one) => one === 1).length;
  const { low, high } = ask({ proportion: [of, trials] });
  check("the interval is that of a whole run", whole.of === of && whole.low === low && whole.high === high, JSON.stringify({ whole, of, low, high }));
}

/** Every exercise of every course is done from the prediction to the explanation, in both languages by turns. */
function exercises() {
  const shelf = Object.fromEntries(scenarios);
  const at = (lesson) => ask({ lesson: { student: "7", shelf, ...lesson } });
  const { courses } = at({}).lesson;
  check(`there are three courses: ${courses.map(([, title]) => title).join(", ")}`, courses.length === 3);
  /** An answer of the right form. */
  const answer = ({ kind, options, form }) => {
    if (kind === "number") return form.split(",")[0];
    if (kind === "choice") return options[0][0];
    if (kind === "order") return form;
    return kind === "curve" ? options.map(() => form.split(",")[0]).join(",") : null;
  };
  for (const [course] of courses.slice(process.argv.includes("--all") ? 0 : 1)) {
    const wrong = [];
    let answers = "";
    const { list } = at({ course }).lesson;
    for (const [number, { id }] of list.entries()) {
      const korean = number % 2 === 1;
      const step = (step) => {
        const { lesson, error } = at({ course, id, korean, answers, step });
        if (error) throw new Error(error);
        ({ answers } = lesson);
        return lesson;
      };
      try {
        const { asks, cure, runs } = step(null).exercise;
        for (const { scenario, toml, set } of runs) {
          const text = toml ?? scenarios.get([...scenarios.keys()].find((name) => name === scenario || name.replace(/^[\d-]+/, "") === scenario));
          const { error } = ask({ name: scenario, toml: text ?? "", set, want: ["text"] });
          if (error) wrong.push(`${id}: the bench: ${error.split("\n")[0]}`);
        }
        // What a cure is worth is another test's.
        if (cure || asks.some((one) => answer(one) === null)) continue;
        step({ predict: asks.map(answer) });
        const ran = step("run");
        const [why] = ran.exercise.asks;
        const told = why ? step({ why: answer(why) }) : ran;
        const isKorean = /[가-힣]/.test(told.said);
        if (told.exercise.stage !== "done" || told.said.length < 100 || isKorean !== korean || /\{[=\w]/.test(told.said)) wrong.push(`${id}: ${told.said}`);
      } catch (error) {
        wrong.push(`${id}: ${error.message}`);
      }
    }
    check(`all ${list.length} exercises of the course ${course} are done`, wrong.length === 0, wrong.join("\n"));
    const other = at({ answers });
    check("and the file of answers tells its course", other.lesson?.course === course, other.error);
  }
}

function words() {
  const { en, ko } = page.STRINGS;
  const holes = (text) => (text.match(/\{\w+\}/g) ?? []).sort().join();
  const wrong = Object.keys({ ...en, ...ko }).filter((key) => !(key in en) || !(key in ko) || (holes(en[key]) !== holes(ko[key]) && key !== "now.load.times"));
  check("both languages have the same words", wrong.length === 0, wrong.join(" "));
  const unnamed = Object.keys(page.CURES).filter((name) => !(`cure.${name}` in en));
  check("every cure has a name", unnamed.length === 0, unnamed.join(" "));
  const nameless = Object.values(page.KNOBS).flat().filter(({ words }) => !(`knob.${words}` in en)).map(({ key }) => key);
  check("every knob has a name", nameless.length === 0, nameless.join(" "));
  const korean = [...Object.values(ko), ...page.CHAPTER.flatMap((step) => step.ko)].join("\n");
  const banned = ["일꾼", "이름 서버", "고리", "프라이머리", "균형기", "건강 검사", "활용도", "반응 시간", "걸음마다", "잃은 쓰기", "예언"];
  const found = banned.filter((word) => korean.includes(word));
  check("the Korean keeps to its table of words", found.length === 0, found.join(" "));
  const missing = page.CHAPTER.filter(({ name }) => !scenarios.has(name)).map(({ name }) => name);
  check("every step of the chapter is a scenario", missing.length === 0, missing.join(" "));
}

/** The memory of the engine after 10 runs and after 200, in bytes. */
function memory() {
  const toml = scenarios.get("01-single-server");
  const sizes = [];
  for (let run = 1; run <= 200; run++) {
    ask({ name: "a", toml, set: [["users.users", String(100 + 7 * (run % 90))], ["run.duration", "20s"], ["run.warmup", "2s"]], trials: 1, want: ["text", "board", "result", "charts"] });
    if (run === 10 || run === 200) sizes.push(ask.memory());
  }
  const [early, late] = sizes.map((bytes) => (bytes / 2 ** 20).toFixed(1));
  check(`memory after 200 runs is that after 10, to a fifth: ${early} and ${late} MiB`, sizes[1] <= 1.2 * sizes[0]);
}

await links();
texts();
knobs();
cures();
exercises();
words();
memory();
process.exit(failed ? 1 : 0);
