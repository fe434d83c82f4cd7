// Two designs beside each other: the same customers, one cursor, and below them the differences trial by trial, as
// `outgrow compare` computes them.

/** Trials for differences without asking. */
const PAIRED = 5;

let rival = null;
const rivalBoard = new Diagram($("rivaldiagram"), (name, part) => showMenu(name, part, rival));
const rivalDots = new Dots($("rivaldots"), engines.rivalEye, () => paint());

/** What the page compares with, if the reader has chosen nothing: what the scenario was, or the last step before that runs as
 * long, because both designs run for the time of the other one. */
function usualRival() {
  if (state.base !== null && state.text !== state.base) return "was";
  const long = (text) => seconds(/^duration\s*=\s*"([^"]*)"/m.exec(text ?? "")?.[1]) ?? 0;
  const at = CHAPTER.findIndex((step) => step.name === state.name);
  if (at === 0) return CHAPTER[1].name;
  const before = CHAPTER.slice(0, Math.max(0, at)).findLast(({ name }) => long(builtins.get(name)) >= long(state.text));
  return before?.name ?? "was";
}

function showRivals() {
  const value = $("rival").value;
  $("rival").replaceChildren(el("option", { value: "was" }, t("compare.was")), ...pickable());
  if (value) $("rival").value = value;
}

/** Takes another design as the baseline. */
function challenge(id) {
  const own = { name: state.name, toml: state.base ?? state.text, set: state.baseSet, files: state.files };
  const found = id === "was" ? own : known(id);
  $("rival").value = id;
  rival = { id, name: found.name, base: found.toml, baseSet: found.set, set: [], files: found.files, text: found.toml, board: null, record: null, diagram: rivalBoard };
  return simulateRival(found.toml);
}

async function simulateRival(text) {
  const now = rival;
  rivalDots.forget();
  const question = { name: now.name, toml: text, files: now.files, trials: TRIALS_SHOWN, want: ["text", "board", "result"] };
  const answer = await engines.rival.ask(question).catch((panic) => broken(panic, text));
  if (!answer || now !== rival) return;
  if (answer.error) return told(answer.error);
  Object.assign(rival, { text: answer.text, board: answer.board, record: new Record(answer.result) });
  document.body.dataset.rival = answer.result.fingerprint;
  painted = "";
  arrange();
  drawCharts();
  paint();
  await differences(PAIRED);
}

/** The other board at the moment of the cursor. */
function paintRival() {
  if (!rival?.record || state.screen !== "compare") return;
  const time = Math.min(state.time, rival.record.end);
  const hasDots = state.speed <= SLOW_MAX && !isStill;
  rivalBoard.show(rival.record, time, hasDots);
  if (hasDots) {
    const rate = rival.record.value("offered_rps", rival.record.at(time)) ?? 100;
    rivalDots.need({ name: rival.name, toml: rival.text, files: rival.files, trials: 1 }, time, state.speed, rate, rival.record.end);
  } else if (rivalDots.chunks.length) rivalDots.forget();
  rivalDots.draw(rivalBoard, time, colours());
}

/** A figure of a comparison in its unit. */
function inUnit(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "s") return millis(1000 * value);
  if (unit === "share") return percent(value);
  if (unit === "per_s") return `${three(value)}/s`;
  return unit === "usd" ? `USD ${three(value)}` : three(value);
}

/** Runs both designs with the same seeds, and shows what differs. */
async function differences(trials) {
  if (!rival?.record || !state.record || state.screen !== "compare") return;
  const [now, text] = [rival, state.text];
  const other = { name: state.name, toml: text, files: state.files };
  $("differences").replaceChildren(el("p", { class: "small", role: "status" }, t("compare.wait", { n: trials })));
  const question = { name: now.name, toml: now.text, files: now.files, other, trials, want: ["compare"] };
  const answer = await engines.saver.ask(question).catch((panic) => broken(panic));
  if (!answer || now !== rival || text !== state.text || state.screen !== "compare") return;
  if (answer.error) return told(answer.error);
  showDifferences(answer.compare, trials);
}

function showDifferences(result, trials) {
  const row = ({ metric, unit, baseline, value, difference, verdict }) => {
    const signed = difference.mean === null ? "–" : `${difference.mean > 0 ? "+" : ""}${inUnit(difference.mean, unit)}`;
    const wide = difference.half_width ? ` ± ${inUnit(difference.half_width, unit)}` : "";
    return el("tr", {}, el("th", {}, metric), el("td", {}, inUnit(baseline.mean, unit)), el("td", {}, inUnit(value.mean, unit)),
      el("td", {}, signed + wide), el("td", { class: verdict }, t(`shown.${verdict}`)));
  };
  const n = Math.max(state.board.trials, rival.board.trials);
  const more = trials < n ? el("button", { type: "button", onclick: () => differences(n) }, t("trials", { n })) : null;
  const line = compareCommand([rival, state], trials);
  document.body.dataset.compared = result.designs.map(({ fingerprint }) => fingerprint).join(" ");
  $("differences").replaceChildren(
    el("h2", {}, t(result.paired ? "compare.paired" : "compare.unpaired", { n: trials })),
    ...(rival.board.duration_s === state.board.duration_s ? [] : [el("p", { class: "small" }, t("compare.length", { time: clock(rival.board.duration_s, 0) }))]),
    el("div", { class: "scroll all", tabindex: 0, role: "region", "aria-label": t("compare.differences") }, el("table", {},
      el("thead", {}, el("tr", {}, ...["metric", "baseline", "this", "difference", "verdict"].map((head) => el("th", {}, t(`compare.${head}`))))),
      el("tbody", {}, ...result.differences.map(row)))),
    el("div", { class: "line" }, el("code", { id: "comparecommand", class: "command", tabindex: 0 }, line),
      el("button", { type: "button", onclick: () => copy(line, t("copied")) }, t("copy")), more));
}
