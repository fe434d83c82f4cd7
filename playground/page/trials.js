// All trials of a scenario: what holds over them, and each of them as a small picture. "One of twenty" is a result, too.

/** The greatest number of small pictures. */
const MULTIPLES_MAX = 20;

/** Runs all trials of the scenario, and says what holds. */
async function allTrials() {
  const n = state.board.trials;
  const question = { name: state.name, toml: state.text, files: state.files, want: ["result"] };
  $("multiples").replaceChildren();
  const answer = await engines.saver.ask(question, (trial, share) => say(t("running", { trial: `${trial + 1} / ${n}`, share: percent(share, 2) })));
  if (!answer?.result) return;
  say("");
  const { result } = answer;
  showVerdicts(result);
  await multiples(question, Math.min(n, MULTIPLES_MAX));
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

/** Runs the trials one by one, and draws what was answered and what failed in each of them. */
async function multiples(question, n) {
  const records = [];
  for (let trial = 0; trial < n; trial++) {
    const answer = await engines.saver.ask({ ...question, first: trial, trials: 1 });
    // Another scenario has been opened, or another text is there.
    if (!answer?.result || question.toml !== state.text) return;
    records.push(new Record(answer.result));
    const most = Math.max(...records.flatMap((record) => record.column("throughput_rps")), 1);
    $("multiples").replaceChildren(...records.map((record, number) => multiple(record, number, most)));
  }
}

function multiple(record, number, most) {
  const [wide, high] = [132, 44];
  const line = (column) => record.column(column)
    .map((value, at) => `${at ? "L" : "M"}${((record.times[at] / record.end) * wide).toFixed(1)} ${(high - 2 - (clamp(value ?? 0, 0, most) / most) * (high - 4)).toFixed(1)}`).join("");
  const { metrics } = record.result;
  const words = t("trial", { n: number + 1, answered: percent(metrics.availability.mean, 5) });
  return el("figure", {}, el("figcaption", {}, words),
    svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": words },
      svg("path", { class: "line", d: line("throughput_rps"), style: "stroke: var(--good)" }),
      svg("path", { class: "line", d: line("errors_rps"), style: "stroke: var(--bad)" })));
}
