// The page: what is open, the moment that is shown, and what the reader does.

const SPEEDS = [0.02, 0.05, 0.2, 1, 10, 60];
const TRIALS_SHOWN = 1;

/** The greatest length of a link that browsers take. */
const LINK_MAX = 500000;

/** What the page shows before its engine is ready; `null` without it. */
const recorded = $("record") && !location.hash.startsWith("#s=") ? unzipped("record").json() : null;

const engines = (() => {
  const module = compiled();
  return { module, main: new Engine(module), side: new Engine(module), eye: new Engine(module), saver: new Engine(module), curer: new Engine(module), rival: new Engine(module), rivalEye: new Engine(module), sweeper: new Engine(module) };
})();

const builtins = new Map([...document.querySelectorAll("script[data-scenario]")].map((script) => [script.dataset.scenario, script.textContent]));

/** What the page was written with: scenarios of a command line or a report, and a language. */
const opening = JSON.parse($("opened").textContent);
const opened = opening.scenarios ?? [];

/** The scenario that a value of the lists stands for; `null` if there is none. */
function known(id) {
  if (id.startsWith("@")) return opened[Number(id.slice(1))] ?? null;
  return builtins.has(id) ? { name: id, toml: builtins.get(id), set: [], files: {} } : null;
}

const state = {
  id: "", name: "", base: null, baseSet: [], files: {}, text: "", set: [], loadKeys: [], screen: "bench", board: null, record: null, ghost: null, time: 0, speed: 0.05,
  isPlaying: true, wasLoad: null, factor: 1, expected: null, took: 0, changeAt: null,
};

const still = matchMedia("(prefers-reduced-motion: reduce)");
const phone = matchMedia("(max-width: 46rem)");
let isStill = still.matches;

const diagram = new Diagram($("diagram"), (name, part) => showMenu(name, part, state));
state.diagram = diagram;
const dots = new Dots($("dots"), engines.eye, () => paint());
const charts = new Charts((time) => seek(time));
const knee = new Knee(engines.side, () => showSlider());

// Opening -----------------------------------------------------------------------------------------------------------

/** Opens a scenario of the lists, or a text that came with a link. */
async function open(id, { name = id, text = null, files = null, time = null, speed = null } = {}) {
  const found = known(id);
  const base = found?.toml ?? null;
  text ??= base;
  name = found?.name ?? name;
  if (state.wasShown) state.expected = null;
  Object.assign(state, { id, name, base, baseSet: found?.set ?? [], files: files ?? found?.files ?? {}, loadKeys: [], ghost: null, wasLoad: null, factor: 1, record: null });
  $("pick").value = id;
  const first = Math.min(...faults(text).map(({ at }) => at ?? Infinity));
  const hasFault = Number.isFinite(first);
  state.start = time ?? (hasFault ? Math.max(0, first - 3) : null);
  setSpeed(speed ?? (hasFault ? 1 : isStill ? 10 : 0.05));
  state.isPlaying = true;
  $("found").open = false;
  $("hint").hidden = name !== "01-single-server";
  say("");
  $("saved").replaceChildren();
  $("verdicts").replaceChildren();
  $("multiples").replaceChildren();
  $("ended").replaceChildren();
  $("cures").hidden = !(name in CURED);
  telling();
  const early = await recorded;
  if (early?.name === id && text === base && !state.wasShown) {
    accept({ text, set: [], board: early.board, result: early.result, took: null }, false);
    dots.keep(early.span, early.calls);
    paint();
    state.expected = early.result.fingerprint;
  }
  state.wasShown = true;
  await simulate({ text, set: [] });
  if (state.screen === "compare" && state.record) await challenge(usualRival());
}

/** Runs a text, and shows it if it can run. */
async function simulate({ text, set = [], load = null, keepsSet = false }) {
  const question = { name: state.name, toml: text, files: state.files, keys: (KNOBS[state.name] ?? []).map(({ key }) => key), trials: TRIALS_SHOWN, want: ["text", "board", "result"] };
  if (load !== null) question.load = load;
  if (set.length) question.set = set;
  const slow = setTimeout(() => ($("stop").hidden = false), 700);
  let answer = null;
  try {
    answer = await engines.main.ask(question, (trial, share) => {
      $("cost").textContent = t("running", { trial, share: percent(share, 2) });
    });
  } catch (panic) {
    broken(panic, text);
  } finally {
    clearTimeout(slow);
  }
  if (!answer) return;
  $("stop").hidden = true;
  if (answer.error) {
    if (state.record) showKnobs();
    return told(answer.error, text);
  }
  told("");
  if (load !== null && keepsSet) state.loadKeys = answer.set.slice(set.length).map(([key]) => key);
  else if (!keepsSet) state.loadKeys = [];
  if (state.board?.load?.unit === "times" && load !== null) state.factor = keepsSet ? load : state.factor * load;
  accept(answer, keepsSet);
}

/** The engine has panicked: what a report of that needs. */
function broken(panic, text = state.text) {
  const line = command({ ...state, base: null, text }, TRIALS_SHOWN);
  told([t("panic"), `outgrow ${state.record?.result.version ?? ""}`, panic.message, line].join("\n"));
}

/** The text that was tried cannot run, or runs again. */
function told(error, text = null) {
  $("error").hidden = !error;
  $("error").textContent = error;
  $("alarm").hidden = !error;
  $("alarm").textContent = error ? t("failed") : "";
  if (error) $("stop").hidden = true;
  if (error && text !== null && document.activeElement !== $("toml")) $("toml").value = text;
  if (error) $("source").open = true;
}

function accept({ text, set, board, keys, result, warnings, took }, keepsSet) {
  const isNew = state.record === null;
  if (state.expected === result.fingerprint && state.text === text && !isNew) {
    // The engine has repeated the trial that was shown before it was ready.
    state.expected = null;
    Object.assign(state, { took, keys });
    showKnobs();
    showCost();
    document.body.dataset.ran = result.fingerprint;
    return;
  }
  if (!isNew && state.text !== text) {
    state.ghost = state.record;
    // What was said of the text before holds no longer.
    for (const id of ["verdicts", "multiples", "ended", "saved"]) $(id).replaceChildren();
  }
  state.text = text;
  state.set = keepsSet ? last(set) : [];
  state.keys = keys ?? {};
  state.took = took;
  state.board = board;
  state.record = new Record(result);
  if (isNew) state.time = state.start ?? result.warmup_s;
  state.time = clamp(state.time, 0, state.record.end);
  if ($("toml").value !== text && !state.isTyping) $("toml").value = text;
  if (warnings) ($("error").textContent = warnings), ($("error").hidden = false);
  dots.forget();
  arrange();
  drawCharts();
  showLoad();
  showKnobs();
  showFigures();
  showFaults();
  showMarks();
  $("fingerprint").textContent = result.fingerprint;
  showCost();
  $("command").textContent = command(state, TRIALS_SHOWN);
  $("trials").textContent = t("trials", { n: board.trials });
  $("time").max = state.record.end;
  if (state.expected && state.expected !== result.fingerprint) say(t("mismatch", { now: result.fingerprint, then: state.expected }), true);
  state.expected = null;
  document.body.dataset.ready = result.fingerprint;
  paint();
  showCures();
  if (state.screen === "compare") differences(PAIRED);
  else if (state.screen === "sweep") enterSweep();
}

/** The knobs of the design, with the values of the text. */
function showKnobs() {
  drawKnobs($("structure"), knobsOf(state.name, state.board), state.keys, turn);
}

/** Another value of a key: an override where nothing else has been changed, else a change of the text. */
function turn(key, value) {
  if (!isPlain(state)) return void simulate({ text: state.text, set: [[key, value]] });
  simulate({ text: state.base, set: [...state.set.filter(([other]) => other !== key), [key, value]], keepsSet: true });
}

/** Shows another screen: the bench, two designs beside each other, or a key over several values. */
function visit(screen) {
  state.screen = screen;
  document.body.dataset.screen = screen;
  for (const tab of document.querySelectorAll("[data-visit]")) tab.setAttribute("aria-pressed", String(tab.dataset.visit === screen));
  if (!state.record) return;
  arrange();
  drawCharts();
  paint();
  if (screen === "compare") {
    if (!rival) challenge(usualRival());
    else differences(PAIRED);
  } else if (screen === "sweep") enterSweep();
  else if (screen === "lesson") learn(course.exercise?.id);
}

function showCost() {
  const { took, record } = state;
  $("cost").textContent = `${record.result.events.toLocaleString("en")} events${took ? `, ${millis(took)}` : ""}`;
}

function drawCharts() {
  painted = "";
  const isCompared = state.screen === "compare";
  const ghost = isCompared ? rival?.record ?? null : state.ghost;
  $("ghostwords").textContent = ghost ? t(isCompared ? "ghost.rival" : "ghost.before") : "";
  if (state.record) charts.draw(state.record, ghost, faults(state.text).filter(({ at }) => at !== null), phone.matches ? 360 : 560);
}

/** Draws the boxes for the width of the window. */
function arrange() {
  if (!state.board) return;
  painted = "";
  const share = phone.matches ? 0.95 : 1;
  diagram.draw(state.board, phone.matches, $("stage").clientWidth * share);
  if (rival?.board && state.screen === "compare") rivalBoard.draw(rival.board, phone.matches, $("rivalstage").clientWidth * share);
  hideMenu();
}

// Changes -----------------------------------------------------------------------------------------------------------

/** A click on a box of a design: one more fault in its text, or the end of one. */
function change(kind, name, design) {
  hideMenu();
  const at = Number(state.time.toFixed(3));
  const edited = (text) => (design === state ? edit(text) : simulateRival(text));
  if (kind === "repair") {
    const fault = active(name, design).at(-1);
    if (fault) edited(fault.at >= at ? withoutFault(design.text, fault) : repaired(design.text, fault, at));
    return;
  }
  const fault = { crash: { kind: "crash" }, pause: { kind: "pause", lasts: 10 }, slow: { kind: "slow", factor: 4 }, restart: { kind: "crash", lasts: 5 } }[kind];
  edited(withFault(design.text, { ...fault, target: name, at }));
}

/** The faults that hold a box at this time, by its own name or that of its group. */
function active(name, design) {
  const group = design.diagram.layout.members.get(name)?.box.name;
  return faults(design.text).filter(({ targets, at, until }) => (targets.includes(name) || targets.includes(group)) && at !== null && at <= state.time && until > state.time);
}

function edit(text) {
  state.set = [];
  simulate({ text });
}

/** The slider has moved: another load from the start, or from the cursor on. */
const load = paced(() => {
  $("hint").hidden = true;
  const value = fromSlider($("load").value);
  // The command names the load alone where nothing else has been changed.
  const isAsked = isPlain(state);
  const isProfile = ([name]) => name.endsWith(".profile");
  const text = isAsked ? state.base : state.text;
  const steps = loadSteps(state.text);
  if ($("fromnow").checked && steps) {
    // The past does not move: the load changes at the cursor.
    state.changeAt ??= Number(state.time.toFixed(2));
    const factor = Number((value / loadOf(0)).toPrecision(4));
    const clients = state.board.boxes.filter((box) => box.client).map((box) => box.name);
    const profile = loadFrom(clients, steps, state.changeAt, factor);
    const set = isAsked ? [...state.set.filter((pair) => !isProfile(pair)), ...profile] : profile;
    return simulate({ text, set, keepsSet: isAsked });
  }
  const scale = state.board.load.unit === "times" && !isAsked ? state.factor : 1;
  const others = state.set.filter(([name]) => !state.loadKeys.includes(name));
  simulate({ text, set: isAsked ? others : [], load: value / scale, keepsSet: isAsked });
}, 100);

// The load ----------------------------------------------------------------------------------------------------------

/** The load at a time, in the unit of the slider. */
function loadOf(time) {
  const { load: knob } = state.board;
  const own = knob.unit === "times" ? state.factor : knob.own;
  return time === 0 ? own : own * factorAt(loadSteps(state.text) ?? [], time);
}

const fromSlider = (value) => {
  const [low, high] = knee.range();
  const at = low + (Number(value) / 1000) * (high - low);
  return state.board.load.unit === "users" ? Math.max(1, Math.round(at)) : Number(at.toPrecision(4));
};

function showLoad() {
  const { load: knob } = state.board;
  $("loadknob").hidden = $("knee").hidden = !knob;
  if (!knob) return;
  const { steady_state, metrics } = state.record.result;
  // The points are measured without faults and at one load, so the mean of a trial with such is none of them.
  const isPlain = !faults(state.text).length && loadSteps(state.text)?.length === 1;
  const mean = steady_state.reached && isPlain ? metrics.response_ms.mean.mean : null;
  // The load itself is no part of the design.
  const text = loadSteps(state.text) ? state.text.replace(STEPS, "") : state.text;
  const structure = `${state.name}\n${without(text, ["fault", "expect", "check"]).replace(/^\s*(users|rate|sessions|times)\s*=.*$/gm, "").trim()}`;
  // Several clients have a factor instead of a load, which is 1 in each text.
  const now = knob.unit === "times" ? state.factor : knob.own;
  state.wasLoad ??= now;
  knee.measure(state.name, text, { ...knob, own: state.wasLoad, now, scale: now / knob.own, mean }, structure);
  $("loadname").textContent = t(`load.${knob.unit}`);
  showSlider();
}

function showSlider() {
  const { load: knob } = state.board;
  const now = loadOf(state.time);
  $("fromnow").disabled = loadSteps(state.text) === null;
  const [low, high] = knee.range();
  $("load").setAttribute("aria-valuetext", `${three(now)} ${t(`unit.${knob.unit}`)}`);
  if (state.isDragging) return;
  $("loadvalue").textContent = three(now);
  $("load").value = ((now - low) / (high - low)) * 1000;
}

// Figures -----------------------------------------------------------------------------------------------------------

function figuresOf({ result }) {
  const { metrics, bottleneck, steady_state: steady } = result;
  const shown = [["availability", percent(metrics.availability.mean, 5)]];
  shown.push(["mean", steady.reached ? millis(metrics.response_ms.mean.mean) : t("unsteady")]);
  shown.push(["p99", steady.reached ? millis(metrics.response_ms.p99.mean) : t("unsteady")]);
  const rto = metrics.data?.rto_s?.mean;
  if (rto !== null && rto !== undefined) shown.push(["rto", millis(1000 * rto)]);
  const lost = metrics.data?.lost_writes?.mean;
  if (lost !== null && lost !== undefined) shown.push(["lost", three(lost)]);
  if (bottleneck) shown.push(["busiest", `${bottleneck.component} ${percent(bottleneck.utilisation)}`]);
  return shown;
}

function showFigures() {
  const before = new Map(state.ghost ? figuresOf(state.ghost) : []);
  $("figures").replaceChildren(...figuresOf(state.record).flatMap(([name, value]) => {
    const was = before.get(name);
    return [el("dt", {}, t(`figure.${name}`)), el("dd", { "data-figure": name }, value, was && was !== value ? el("small", {}, ` ${t("was", { value: was })}`) : null)];
  }));
}

function showFaults() {
  const list = faults(state.text);
  $("faults").replaceChildren(...(list.length ? [el("h2", {}, t("faults")), el("ul", {}, ...list.map((fault) => {
    const { kind, target, at, until } = fault;
    const when = at === null ? "" : ` ${clock(at)}${until < Infinity ? `–${clock(until)}` : " →"}`;
    const words = `${kind} ${target ?? ""}${when}`;
    return el("li", {}, el("button", { type: "button", class: "link", onclick: () => at !== null && seek(at) }, words),
      el("button", { type: "button", "aria-label": `${t("remove")}: ${words}`, title: t("remove"), onclick: () => edit(withoutFault(state.text, fault)) }, "×"));
  }))] : []));
}

function showMarks() {
  const { end, events } = state.record;
  $("marks").replaceChildren(...events.slice(0, 200).map(({ t_s, event }) =>
    el("i", { class: /crash|dead|off|hang|pause|slow|partition|disk full/.test(event) ? "bad" : "", style: `left: ${((100 * t_s) / end).toFixed(2)}%` })));
}

// The moment --------------------------------------------------------------------------------------------------------

let spoken = { event: null, at: 0 };

/** What the boxes and numbers show: they change with the window and the events, not with every frame. */
let painted = "";

function paint() {
  const { record, board, time } = state;
  if (!record) return;
  const row = record.at(time);
  const hasDots = state.speed <= SLOW_MAX && !isStill;
  charts.move(time);
  paintDots(row, hasDots);
  $("clock").textContent = clock(time, state.speed < 1 ? 2 : 1);
  $("time").value = time;
  paintRival();
  drawLog($("log"), record, time);
  speak();
  const key = `${row} ${record.events.findLastIndex(({ t_s }) => t_s <= time)} ${hasDots}`;
  if (key === painted) return;
  painted = key;
  if (board.load) showSlider();
  diagram.show(record, time, hasDots);
  charts.show(row);
  $("time").setAttribute("aria-valuetext", clock(time));
  const errors = record.value("errors_rps", row) ?? 0;
  const busiest = record.named("busy:").reduce((most, name) => {
    const busy = record.value(`busy:${name}`, row) ?? 0;
    return busy > most.busy ? { name, busy } : most;
  }, { name: "–", busy: 0 });
  const words = board.load ? t(`now.load.${board.load.unit}`, { load: three(loadOf(time)) }) : board.title;
  $("now").textContent = t(errors > 0.02 * (record.value("offered_rps", row) ?? 0) ? "nowerrors" : "now", {
    load: words, ok: three(record.value("throughput_rps", row)), errors: three(errors),
    mean: millis(record.value("response_ms", row)), box: busiest.name, busy: percent(busiest.busy, 2),
  });
}

function paintDots(row, hasDots) {
  const { record, time, speed, name, text, files } = state;
  if (!hasDots) {
    if (dots.chunks.length) dots.forget();
    dots.draw(diagram, time, colours());
    $("caption").textContent = isStill ? "" : t("captionfast", { window: `${record.result.series.window_s} s` });
    return;
  }
  dots.need({ name, toml: text, files, trials: 1 }, time, speed, record.value("offered_rps", row) ?? 100, record.end);
  dots.draw(diagram, time, colours());
  const every = dots.every(time);
  $("caption").textContent = every === null ? t("captionwait") : t(every > 1 ? "captionsome" : "caption", { every, speed: `×${speed}` });
}

/** The last event in words, at most one a second, and only what has just been passed. */
function speak() {
  const event = state.record.last(state.time);
  const now = performance.now();
  if (event === spoken.event || now - spoken.at < 1000) return;
  spoken = { event, at: now };
  $("happen").textContent = event ? t("happened", { time: clock(event.t_s), box: event.component, event: event.event }) : "";
}

let inks = null;
function colours() {
  if (!inks) {
    const style = getComputedStyle(document.documentElement);
    inks = Object.fromEntries([["out", "--c1"], ["back", "--good"], ["bad", "--bad"]].map(([kind, name]) => [kind, style.getPropertyValue(name)]));
  }
  return inks;
}

function seek(time) {
  state.time = clamp(time, 0, state.record?.end ?? 0);
  paint();
}

function setSpeed(speed) {
  state.speed = speed;
  $("speed").value = speed;
}

function setPlaying(isPlaying) {
  state.isPlaying = isPlaying;
  $("play").replaceChildren(svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: isPlaying ? "M3 2h4v12H3zM9 2h4v12H9z" : "M3 2v12l11-6z" })));
  $("play").setAttribute("aria-label", t(isPlaying ? "pause" : "play"));
  $("play").title = t(isPlaying ? "pause" : "play");
}

let frame = null;
function tick(now) {
  const passed = frame === null ? 0 : Math.min(now - frame, 100);
  frame = now;
  requestAnimationFrame(tick);
  const { record, speed } = state;
  if (!record || !state.isPlaying || document.hidden) return;
  // In slow motion the clock waits until the first requests are known.
  if (speed <= SLOW_MAX && !isStill && dots.every(state.time) === null && dots.asking) return;
  const time = state.time + (passed / 1000) * speed;
  if (time >= record.end) setPlaying(false);
  // Without motion the picture changes once a second.
  if (isStill && Math.floor(now / 1000) === Math.floor((now - passed) / 1000)) return void (state.time = Math.min(time, record.end));
  seek(time);
}

// The menu of a box -------------------------------------------------------------------------------------------------

function showMenu(name, part, design) {
  const menu = $("menu");
  const isHeld = active(name, design).length > 0;
  const box = design.diagram.layout.members.get(name).box;
  const kinds = isHeld ? ["repair"] : box.kind === "dns" ? ["crash", "restart"] : ["crash", "pause", "slow", "restart"];
  menu.replaceChildren(el("p", {}, t("menu", { name, time: clock(state.time) })),
    ...kinds.map((kind) => el("button", { type: "button", role: "menuitem", "data-do": kind, onclick: () => (change(kind, name, design), part.focus()) }, t(`do.${kind}`))));
  menu.hidden = false;
  const [stage, place] = [$("bench").getBoundingClientRect(), part.getBoundingClientRect()];
  menu.style.left = `${clamp(place.left - stage.left, 0, Math.max(0, stage.width - menu.offsetWidth))}px`;
  menu.style.top = `${place.bottom - stage.top + 4}px`;
  menu.querySelector("button").focus({ preventScroll: true });
  menu.onkeydown = (event) => {
    const buttons = [...menu.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    if (event.key === "Escape") (hideMenu(), part.focus());
    else if (event.key === "ArrowDown") buttons[(at + 1) % buttons.length].focus();
    else if (event.key === "ArrowUp") buttons[(at + buttons.length - 1) % buttons.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function hideMenu() {
  $("menu").hidden = true;
}

// The foot ----------------------------------------------------------------------------------------------------------

function say(words, isBad = false) {
  $("said").textContent = words;
  $("said").classList.toggle("bad", isBad);
}

async function copy(text, words) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el("textarea", {});
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(words);
}

async function share() {
  const { id, text, files, time, speed, record } = state;
  const name = id.startsWith("@") ? state.name : id;
  const fragment = await packed({ name, text, files, time: Number(time.toFixed(3)), speed, language, version: record.result.version, fingerprint: record.result.fingerprint });
  if (fragment.length > LINK_MAX) return say(t("linklong"), true);
  history.replaceState(null, "", fragment);
  await copy(location.href, t("linkcopied"));
}

async function pictures() {
  const answer = await engines.saver.ask({ name: state.name, toml: state.text, files: state.files, trials: TRIALS_SHOWN, want: ["charts"] });
  if (!answer?.charts) return;
  const links = answer.charts.flatMap(({ name, svg: picture }) => {
    const url = URL.createObjectURL(new Blob([picture], { type: "image/svg+xml" }));
    const png = el("button", { type: "button", class: "link", onclick: () => savePng(name, url) }, `${name}.png`);
    return [el("a", { href: url, download: `${name}.svg` }, `${name}.svg`), png];
  });
  $("saved").replaceChildren(el("p", { class: "small" }, t("svgsaved")), el("div", { class: "line" }, ...links));
}

async function savePng(name, url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = el("canvas", { width: image.naturalWidth * 2, height: image.naturalHeight * 2 });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => el("a", { href: URL.createObjectURL(blob), download: `${name}.png` }).click());
}

// Words -------------------------------------------------------------------------------------------------------------

/** The title in a text; the name of the scenario if there is none. */
const titled = (text, name) => /^\s*title\s*=\s*"([^"]*)"/m.exec(text)?.[1] ?? name;

/** A step by its number in the chapter, or by its word. */
const stepWords = (step) => (/^\d/.test(step) ? step : t(`step.${step}`));

function telling() {
  const at = CHAPTER.find((step) => step.name === state.id);
  const title = titled(state.base ?? state.text, state.name);
  $("step").textContent = at ? stepWords(at.step).replace(":", "") : "";
  $("title").textContent = title;
  $("question").textContent = at ? at[language][0] : "";
  $("found").hidden = !at;
  $("sentence").textContent = at ? at[language][1] : "";
  const next = at && CHAPTER[CHAPTER.indexOf(at) + 1];
  $("next").hidden = !next;
  $("next").textContent = next ? t("next", { step: stepWords(next.step), title: titled(builtins.get(next.name) ?? "", next.name) }) : "";
}

/** The scenarios to choose from. */
function pickable() {
  const option = (id, words) => el("option", { value: id }, words);
  // Several designs of one file are told apart by what was set.
  const words = ({ name, toml, set }) => [titled(toml, name), ...set.map(([key, value]) => `${key}=${value}`)].join(" · ");
  return [
    ...(opened.length ? [el("optgroup", { label: t("opened") }, ...opened.map((one, at) => option(`@${at}`, words(one))))] : []),
    el("optgroup", { label: t("tochapter") }, ...CHAPTER.map(({ step, name }) => option(name, `${stepWords(step)} ${titled(builtins.get(name) ?? "", name)}`))),
    el("optgroup", { label: t("tofree") }, ...[...builtins].filter(([name]) => !CHAPTER.some((step) => step.name === name)).map(([name, text]) => option(name, titled(text, name)))),
  ];
}

function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", t(element.dataset.label));
    element.title = t(element.dataset.label);
  }
  $("lang").textContent = t("language");
  $("lang").lang = language === "en" ? "ko" : "en";
  $("pick").replaceChildren(...pickable());
  $("pick").value = state.id;
  showRivals();
  for (const metric of $("sweepmetric").options) metric.textContent = t(`metric.${metric.value}`);
  const keys = [["Space", "key.space"], ["← →", "key.arrows"], ["1 – 6", "key.speed"], ["K", "key.k"], ["R", "key.r"], ["T", "key.t"], ["?", "key.help"]];
  $("keylist").replaceChildren(el("tbody", {}, ...keys.map(([key, words]) => el("tr", {}, el("th", {}, key), el("td", {}, t(words))))));
  $("speed").replaceChildren(...SPEEDS.map((speed) => el("option", { value: speed }, `×${speed}`)));
  setSpeed(state.speed);
  setPlaying(state.isPlaying);
  telling();
  if (state.record) accept({ text: state.text, set: state.set, board: state.board, keys: state.keys, result: state.record.result, took: state.took }, true);
  if (state.screen === "lesson") learn(course.exercise?.id);
}

// What the reader does ----------------------------------------------------------------------------------------------

let waitsForBox = false;

function key(event) {
  const target = event.target;
  const isText = target.matches("textarea, select, input:not([type=range])");
  if (isText || event.ctrlKey || event.metaKey || event.altKey || !state.record) return;
  const isRange = target.matches("input[type=range]");
  const digit = /^[0-9]$/.test(event.key) ? Number(event.key) : null;
  if (waitsForBox && digit) {
    const part = [...document.querySelectorAll("[data-box]")].filter((one) => one.checkVisibility())[digit - 1];
    waitsForBox = false;
    if (part) showMenu(part.dataset.box, part, $("rivaldiagram").contains(part) ? rival : state);
  } else if (event.key === " " && !target.matches("button, summary, [data-box]")) setPlaying(!state.isPlaying);
  else if (event.key === "ArrowRight" && !isRange) seek(event.shiftKey ? state.record.next(state.time) : state.time + 1);
  else if (event.key === "ArrowLeft" && !isRange) seek(event.shiftKey ? state.record.previous(state.time) : state.time - 1);
  else if (digit && digit <= SPEEDS.length) setSpeed(SPEEDS[digit - 1]);
  else if (event.key === "k") waitsForBox = true;
  else if (event.key === "r") edit(state.base ?? state.text);
  else if (event.key === "t") ($("source").open = true), $("toml").focus();
  else if (event.key === "?") ($("keys").open = !$("keys").open), $("keys").scrollIntoView({ block: "nearest" });
  else if (event.key === "Escape") hideMenu();
  else return;
  event.preventDefault();
}

function kept(name, value) {
  // A page from a file may have no storage.
  try {
    if (value !== undefined) localStorage.setItem(`outgrow.${name}`, value);
    return localStorage.getItem(`outgrow.${name}`);
  } catch {
    return null;
  }
}

function listen() {
  $("next").addEventListener("click", () => {
    const { name } = CHAPTER[CHAPTER.findIndex((step) => step.name === state.id) + 1];
    open(name);
    scrollTo(0, 0);
  });
  $("pick").addEventListener("change", () => open($("pick").value));
  for (const tab of document.querySelectorAll("[data-visit]")) tab.addEventListener("click", () => visit(tab.dataset.visit));
  $("rival").addEventListener("change", () => challenge($("rival").value));
  $("sweepkey").addEventListener("change", () => {
    const found = variable().find(({ key }) => key === $("sweepkey").value);
    if (found) $("sweepvalues").value = found.values.join(", ");
  });
  $("sweeprun").addEventListener("click", runSweep);
  $("sweepmetric").addEventListener("change", drawSweep);
  // The way back to a report that the page was opened from.
  addEventListener("hashchange", () => !location.hash && location.reload());
  $("play").addEventListener("click", () => {
    if (state.record && state.time >= state.record.end) state.time = state.record.result.warmup_s;
    setPlaying(!state.isPlaying);
  });
  $("before").addEventListener("click", () => seek(state.record.previous(state.time)));
  $("after").addEventListener("click", () => seek(state.record.next(state.time)));
  $("time").addEventListener("input", () => seek(Number($("time").value)));
  $("speed").addEventListener("change", () => setSpeed(Number($("speed").value)));
  $("load").addEventListener("input", () => {
    state.isDragging = true;
    $("loadvalue").textContent = three(fromSlider($("load").value));
    load();
  });
  $("load").addEventListener("change", () => {
    state.isDragging = false;
    // The next drag is a change of its own.
    setTimeout(() => (state.changeAt = null), 150);
  });
  $("apply").addEventListener("click", () => edit($("toml").value));
  const typed = paced(() => edit($("toml").value), 600);
  $("toml").addEventListener("input", () => ((state.isTyping = true), typed()));
  $("toml").addEventListener("blur", () => (state.isTyping = false));
  $("toml").addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && edit($("toml").value));
  $("copycommand").addEventListener("click", () => copy($("command").textContent, t("copied")));
  $("copytoml").addEventListener("click", () => copy(state.text, t("copied")));
  $("share").addEventListener("click", share);
  $("pictures").addEventListener("click", () => pictures().catch((panic) => broken(panic)));
  $("trials").addEventListener("click", () => allTrials().catch((panic) => broken(panic)));
  $("back").addEventListener("click", () => edit(state.base ?? state.text));
  $("stop").addEventListener("click", () => (engines.main.giveUp(), ($("stop").hidden = true)));
  $("lang").addEventListener("click", () => ((language = language === "en" ? "ko" : "en"), kept("language", language), translate()));
  $("theme").addEventListener("click", () => {
    const isDark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = isDark ? "light" : "dark";
    kept("theme", document.documentElement.dataset.theme);
    inks = null;
    paint();
  });
  $("motion").addEventListener("click", () => setStill(!isStill));
  still.addEventListener("change", () => setStill(still.matches));
  $("help").addEventListener("click", () => (($("keys").open = true), $("keys").scrollIntoView()));
  phone.addEventListener("change", () => (drawCharts(), paint()));
  addEventListener("resize", paced(() => (arrange(), paint()), 150));
  document.addEventListener("keydown", key);
  document.addEventListener("pointerdown", (event) => !event.target.closest("#menu, [data-box]") && hideMenu());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => ((inks = null), paint()));
}

function setStill(value) {
  isStill = value;
  $("motion").setAttribute("aria-pressed", String(isStill));
  if (isStill && state.speed < 1) setSpeed(10);
  paint();
}

async function begin() {
  language = opening.language ?? kept("language") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
  const theme = kept("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  $("motion").setAttribute("aria-pressed", String(isStill));
  let link = null;
  let isBroken = false;
  try {
    link = await unpacked(location.hash);
  } catch {
    isBroken = true;
  }
  if (link?.language in STRINGS) language = link.language;
  listen();
  listenToCourse();
  translate();
  const first = opened.length ? (opening.compares ? "@1" : "@0") : "01-single-server";
  requestAnimationFrame(tick);
  if (typeof link?.text === "string") {
    state.expected = link.fingerprint ?? null;
    const name = String(link.name);
    await open(name, { name, text: link.text, files: link.files ?? {}, time: link.time, speed: SPEEDS.includes(link.speed) ? link.speed : null });
  } else await open(first);
  if (!link && state.record && opening.compares) {
    await challenge("@0");
    visit("compare");
  } else if (!link && state.record && opened[0]?.vary) {
    const [key, values] = opened[0].vary;
    visit("sweep");
    Object.assign(swept, { name: null });
    enterSweep({ key, values });
  }
  if (isBroken) say(t("badlink"), true);
}

