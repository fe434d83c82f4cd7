// One key over several values: a curve, drawn point by point. A click on a point opens it on the bench.

/** Trials of a point. */
const SWEPT = 3;

const METRICS = [
  ["mean_ms", millis], ["p99_ms", millis], ["throughput_rps", (value) => `${three(value)}/s`], ["availability", (value) => percent(value, 5)],
  ["cost_usd_per_hour", (value) => `USD ${three(value)}`], ["rto_s", (value) => millis(1000 * value)], ["lost_writes", three],
];

const swept = { key: "", values: [], points: [], edition: 0 };

/** Keys that are worth varying here, with values. */
function variable() {
  const own = knobsOf(state.name, state.board).map(({ key, words, values }) => ({ key, words: t(`knob.${words}`), values }));
  const { load: knob } = state.board;
  if (knob && knob.unit !== "times") {
    const [low, high] = knee.range();
    const values = Array.from({ length: 8 }, (_, at) => low + (at / 7) * (high - low))
      .map((value) => (knob.unit === "users" ? Math.max(1, Math.round(value)) : `${Number(value.toPrecision(3))}/s`));
    own.push({ key: knob.name, words: t(`load.${knob.unit}`), values });
  }
  return own;
}

/** Shows the choice of keys, and runs the first of them if none is chosen. */
function enterSweep(asked = null) {
  const all = variable();
  $("sweepkeys").replaceChildren(...all.map(({ key, words }) => el("option", { value: key }, words)));
  $("sweepmetric").replaceChildren(...METRICS.map(([name]) => el("option", { value: name }, t(`metric.${name}`))));
  $("sweepmetric").value = swept.metric ?? "mean_ms";
  // Larger machines teach less than more users.
  const first = asked ?? (all[0]?.key.endsWith(".instance") ? all.at(-1) : all[0]);
  if (swept.name !== state.name && first) {
    Object.assign(swept, { name: state.name, key: first.key });
    [$("sweepkey").value, $("sweepvalues").value] = [first.key, first.values.join(", ")];
  }
  if (swept.text !== state.text) runSweep();
  else drawSweep();
}

/** Runs the points one by one; a newer sweep ends this one. */
async function runSweep() {
  const key = $("sweepkey").value.trim();
  const values = $("sweepvalues").value.split(",").map((value) => value.trim()).filter(Boolean).slice(0, 24);
  const edition = ++swept.edition;
  Object.assign(swept, { key, values, points: [], text: state.text });
  $("sweeperror").hidden = true;
  drawSweep();
  if (!key) return;
  for (const value of values) {
    const question = { name: state.name, toml: state.text, files: state.files, set: [[key, value]], trials: SWEPT, want: ["brief"] };
    const answer = await engines.sweeper.ask(question).catch((panic) => ({ error: panic.message }));
    if (edition !== swept.edition || !answer || state.screen !== "sweep") return;
    if (answer.error) {
      // The other values may well run.
      $("sweeperror").textContent = answer.error;
      $("sweeperror").hidden = false;
      continue;
    }
    swept.points.push({ value, ...answer.brief });
    drawSweep();
  }
  document.body.dataset.swept = swept.points.map(({ fingerprint }) => fingerprint).join(" ");
}

/** The place of each value from 0 to 1: by its number, if all are numbers of one kind, else one after the other. */
function places(values) {
  const numbers = values.map((value) => seconds(value) ?? (/^[\d._]+(\/s)?$/.test(value) ? Number.parseFloat(value) : null));
  const isNumeric = numbers.every((number) => number !== null) && new Set(numbers).size > 1;
  const scale = isNumeric ? numbers : values.map((_, at) => at);
  const [low, high] = [Math.min(...scale), Math.max(...scale)];
  return scale.map((value) => (high > low ? (value - low) / (high - low) : 0.5));
}

function drawSweep() {
  const metric = $("sweepmetric").value || "mean_ms";
  swept.metric = metric;
  const show = METRICS.find(([name]) => name === metric)[1];
  const [wide, high, left, right, top, bottom] = [phone.matches ? 360 : 720, 260, 62, 24, 14, 30];
  const across = places(swept.values);
  const known = swept.points.map((point, at) => ({ ...point, at: across[at], y: point[metric] })).filter(({ y }) => y !== null && y !== undefined);
  const most = ceiling(Math.max(1e-9, ...known.map(({ y }) => y)));
  const x = (at) => left + at * (wide - left - right);
  const y = (value) => high - bottom - clamp(value / most, 0, 1) * (high - top - bottom);
  const ordered = known.toSorted((a, b) => a.at - b.at);
  const point = (one) => {
    const words = t("sweep.point", { key: swept.key, value: one.value, figure: show(one.y) });
    const open = () => openPoint(one.value);
    return svg("g", { class: "point", tabindex: 0, role: "button", "aria-label": words, onclick: open, onkeydown: (event) => event.key === "Enter" && open() },
      svg("circle", { class: "reach", cx: x(one.at), cy: y(one.y), r: 14 }), svg("circle", { cx: x(one.at), cy: y(one.y), r: 5 }), svg("title", {}, words));
  };
  const longest = Math.max(4, ...swept.values.map(({ length }) => length));
  const every = Math.ceil((swept.values.length * (7 * longest + 12)) / (wide - left - right));
  $("curve").replaceChildren(el("figcaption", {}, `${t(`metric.${metric}`)} · ${swept.key}`),
    svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "group", "aria-label": `${t(`metric.${metric}`)}, ${swept.key}` },
      ...[0, 0.5, 1].map((share) => svg("g", {},
        svg("line", { class: "grid", x1: left, x2: wide - right, y1: y(share * most), y2: y(share * most) }),
        svg("text", { class: "tick", x: left - 6, y: y(share * most) + 4, "text-anchor": "end" }, show(share * most)))),
      ...swept.values.map((value, at) => at % every ? null : svg("text", { class: "tick", x: x(across[at]), y: high - 8, "text-anchor": across[at] > 0.95 ? "end" : across[at] < 0.05 ? "start" : "middle" }, value)),
      svg("path", { class: "line", d: ordered.map((one, at) => `${at ? "L" : "M"}${x(one.at).toFixed(1)} ${y(one.y).toFixed(1)}`).join(""), style: "stroke: var(--c1)" }),
      ...ordered.map(point)));
  const line = swept.key ? sweepCommand(state, swept.key, swept.values, SWEPT) : "";
  $("sweeptable").replaceChildren(
    el("details", {}, el("summary", {}, t("numbers")), el("div", { class: "scroll all", tabindex: 0, role: "region", "aria-label": t("numbers") }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", {}, swept.key), ...METRICS.map(([name]) => el("th", {}, t(`metric.${name}`))))),
      el("tbody", {}, ...swept.points.map((one) => el("tr", {}, el("th", {}, one.value), ...METRICS.map(([name, words]) => el("td", {}, one[name] === null || one[name] === undefined ? "–" : words(one[name]))))))))),
    el("div", { class: "line" }, el("code", { id: "sweepcommand", class: "command", tabindex: 0 }, line), el("button", { type: "button", onclick: () => copy(line, t("copied")) }, t("copy"))));
}

/** The point on the bench: this value in the text. */
function openPoint(value) {
  const { key } = swept;
  visit("bench");
  turn(key, value);
}
