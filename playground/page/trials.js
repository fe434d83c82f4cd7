// All trials of a scenario: what holds over them, and each of them as a small picture. "One of twenty" is a result, too.

/** The greatest number of small pictures. */
const MULTIPLES_MAX = 20;

/** Runs all trials of the scenario, and says what holds. */
async function allTrials() {
  const n = state.board.trials;
  const question = { name: state.name, toml: state.text, files: state.files, want: ["result"] };
  $("multiples").replaceChildren();
  $("ended").textContent = "";
  const answer = await engines.saver.ask(question, (trial, share) => say(t("running", { trial: `${trial + 1} / ${n}`, share: percent(share, 2) })));
  if (!answer?.result) return;
  say("");
  const { result } = answer;
  showVerdicts(result);
  await multiples(engines.saver, question, Math.min(n, MULTIPLES_MAX), $("multiples"), $("ended"));
}

function showVerdicts(result) {
  const { metrics } = result;
  const estimate = (figure, show, width = show) => (figure.mean === null ? "–" : show(figure.mean) + (figure.half_width ? ` ± ${width(figure.half_width)}` : ""));
  const rows = [
    [t("figure.availability"), estimate(metrics.availability, (value) => percent(value, 5), (value) => percent(value, 2))],
    [t("figure.mean"), estimate(metrics.response_ms.mean, millis)],
    [t("figure.p99"), estimate(metrics.response_ms.p99, millis)],
    ...(metrics.data ? [[t("figure.rto"), estimate(metrics.data.rto_s, (value) => millis(1000 * value))], [t("figure.lost"), estimate(metrics.data.lost_writes, three)]] : []),
  ];
  $("verdicts").replaceChildren(el("p", { class: "small" }, t("trialsdone", { n: result.trials })),
    el("dl", { class: "figures" }, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    el("ul", { class: "verdicts" }, ...result.expect.map(({ that, verdict }) => el("li", { class: verdict.replace(" ", "-") }, el("strong", {}, t(`verdict.${verdict}`)), ` ${that}`))),
    el("p", { class: "small" }, `${t("fingerprints")} `, el("code", {}, result.fingerprint)));
}

/** Runs the trials one by one, draws what was answered and what failed in each of them, and says how many did not come back.
 * `false` if another scenario has been opened meanwhile, or another text is there. */
async function multiples(engine, question, n, place, saying) {
  const records = [];
  for (let trial = 0; trial < n; trial++) {
    const answer = await engine.ask({ ...question, first: trial, trials: 1 });
    if (!answer?.result || question.toml !== state.text) return false;
    records.push(new Record(answer.result));
    const words = await ended(engine, records);
    if (words === null || question.toml !== state.text) return false;
    saying.textContent = words;
    const most = Math.max(...records.flatMap((record) => record.column("throughput_rps")), 1);
    place.replaceChildren(...records.map((record, number) => multiple(record, number, most)));
  }
  return true;
}

/** How many of the trials collapsed, with the exact interval of the probability; empty where none can tell, `null` if another
 * question came first. */
async function ended(engine, records) {
  const told = records.map(({ result }) => result.collapse).filter((collapse) => collapse);
  const [of, n] = [told.filter((collapse) => collapse.of).length, told.length];
  if (!n) return "";
  // One trial says what happened, and nothing of how probable it is.
  if (records.length === 1) return t(of ? "stayed" : "came");
  const answer = await engine.ask({ proportion: [of, n] });
  return answer && t("collapsed", { of, n, share: percent(of / n), low: percent(answer.low), high: percent(answer.high) });
}

function multiple(record, number, most) {
  const [wide, high] = [132, 44];
  const x = (time) => ((time / record.end) * wide).toFixed(1);
  const line = (column) => record.column(column)
    .map((value, at) => `${at ? "L" : "M"}${x(record.times[at])} ${(high - 2 - (clamp(value ?? 0, 0, most) / most) * (high - 4)).toFixed(1)}`).join("");
  const { metrics, collapse } = record.result;
  const answered = percent(metrics.availability.mean, 3);
  const isDown = collapse?.of > 0;
  const words = t("trial", { n: number + 1, answered }) + (collapse ? `, ${t(isDown ? "fell" : "back")}` : "");
  const shades = faults(state.text).filter(({ at }) => at !== null)
    .map(({ at, until }) => svg("rect", { x: x(at), width: (x(Math.min(until, record.end)) - x(at)).toFixed(1), y: 0, height: high }));
  return el("figure", { class: isDown ? "fallen" : null, "data-ended": collapse ? (isDown ? "fell" : "back") : null }, el("figcaption", {}, words),
    svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": words }, ...shades,
      svg("path", { class: "line", d: line("throughput_rps"), style: "stroke: var(--good)" }),
      svg("path", { class: "line", d: line("errors_rps"), style: "stroke: var(--bad)" })));
}
