// Steps on overload: one cure at a time, and all trials as small pictures, run again after each change.

/** Cures of a step, by their words: the overrides that are the cure. */
const CURES = {
  nothing: [],
  tries: [["users.retry.attempts", "1"]],
  budget: [["users.retry.budget", "20%"]],
  deadline: [["users.propagate", "true"], ["shop.propagate", "true"]],
  places: [["shop.queue", "300"]],
  age: [["shop.shed", '{ age = "1s" }']],
};

/** Steps that have cures, with the number of trials that are shown; where all trials are alike, one is enough. */
const CURED = { "23-metastable": 1, "24-coin-toss": 20 };

const cureKeys = new Set(Object.values(CURES).flat().map(([key]) => key));

/** The cure that is in these overrides. */
function cureOf(set) {
  const own = set.filter(([key]) => cureKeys.has(key)).map((pair) => pair.join("=")).sort().join();
  return Object.keys(CURES).find((name) => CURES[name].map((pair) => pair.join("=")).sort().join() === own);
}

/** Another cure, in the scenario as it was but for the knobs. */
function cure(name) {
  const others = isPlain(state) ? state.set.filter(([key]) => !cureKeys.has(key)) : [];
  simulate({ text: state.base, set: [...others, ...CURES[name]], keepsSet: true });
}

/** The cures of the step that is open, and its trials. */
async function showCures() {
  const n = CURED[state.name];
  const isThere = Boolean(n) && state.base !== null;
  $("cures").hidden = !isThere;
  if (!isThere) return void (state.cured = null);
  const now = isPlain(state) ? cureOf(state.set) : null;
  $("curelist").replaceChildren(...Object.keys(CURES).map((name) =>
    el("button", { type: "button", "data-cure": name, "aria-pressed": String(name === now), onclick: () => cure(name) }, t(`cure.${name}`))));
  if (state.cured === `${language} ${state.text}`) return;
  state.cured = `${language} ${state.text}`;
  $("curetrials").replaceChildren();
  $("cureended").textContent = t("cure.wait", { n });
  delete document.body.dataset.cured;
  const question = { name: state.name, toml: state.text, files: state.files, want: ["result"] };
  const isWhole = await multiples(engines.curer, question, n, $("curetrials"), $("cureended")).catch((panic) => broken(panic));
  if (isWhole) document.body.dataset.cured = state.text.length;
}
