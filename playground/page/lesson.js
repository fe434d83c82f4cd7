// The course: read, predict, run, say why. The engine keeps the order and the file of answers, as `outgrow learn` does.

/** Under which name the file of answers of a course is kept; that of the first course is older than the others. */
const fileOf = (name) => (name === "chapter" ? "answers" : `answers.${name}`);

const course = (() => {
  const name = kept("course") ?? "chapter";
  return { name, file: kept(fileOf(name)) ?? "", student: kept("student") ?? "", all: [], list: [], exercise: null, said: "" };
})();

/** Asks the engine for the list, or for a step of an exercise. */
async function learn(id = "", step = null) {
  if (!course.student && !course.file) return drawCourse();
  const lesson = { course: course.name, student: course.student, answers: course.file, korean: language === "ko", id, step, shelf: Object.fromEntries(builtins) };
  $("lessonwait").hidden = false;
  const answer = await engines.saver.ask({ lesson }).catch((panic) => broken(panic));
  $("lessonwait").hidden = true;
  if (!answer) return;
  $("lessonerror").textContent = answer.error ?? "";
  $("lessonerror").hidden = !answer.error;
  if (answer.error) return;
  const { list, answers, exercise, said, courses, student } = answer.lesson;
  // Reading an exercise says nothing; the result of a step stays until the next one.
  if (step || exercise?.id !== course.exercise?.id) course.said = said ?? "";
  Object.assign(course, { list, file: answers, exercise: exercise ?? null, name: answer.lesson.course, all: courses, student });
  for (const [key, value] of [["course", course.name], [fileOf(course.name), answers], ["student", student]]) kept(key, value);
  drawCourse();
  document.body.dataset.lesson = `${exercise?.id ?? ""} ${exercise?.stage ?? ""}`;
  if (step) $("lessonsaid").scrollIntoView({ block: "nearest" });
}

/** A section of the chapter by its number. That of a course on one subject would say the course's own name each time. */
const numbered = (section) => (/^\d/.test(section) ? section : "");

/** Another course, with its own file of answers. */
function takeCourse(name) {
  if (name === course.name) return;
  Object.assign(course, { name, file: kept(fileOf(name)) ?? "", exercise: null, said: "" });
  learn();
}

function drawCourse() {
  const hasStudent = course.list.length > 0;
  $("who").hidden = hasStudent;
  $("courses").hidden = !hasStudent;
  $("courses").replaceChildren(...course.all.map(([name, title]) =>
    el("button", { type: "button", "data-course": name, "aria-pressed": String(name === course.name), onclick: () => takeCourse(name) }, title)));
  $("lessonlist").replaceChildren(...course.list.map(({ id, section, title, stage }) =>
    el("li", {}, el("button", { type: "button", class: "link", "data-exercise": id, "aria-current": id === course.exercise?.id ? "true" : null, onclick: () => learn(id) }, `${numbered(section)} ${title}`.trim()),
      el("span", { class: "small" }, t(`stage.${stage}`)))));
  $("lessonfile").hidden = !hasStudent;
  const { exercise } = course;
  $("exercise").hidden = !exercise;
  if (!exercise) return;
  const { title, section, question, asks, stage, cure, runs, id } = exercise;
  const button = (words, action, name) => el("button", { type: "button", "data-step": name, onclick: action }, t(words));
  const actions = [];
  if (stage === "new" || (cure && asks.length)) actions.push(button("lesson.predict", () => learn(id, { predict: asks.map(({ name }) => said(name)) }), "predict"));
  if (stage === "predicted" || (cure && stage === "done")) actions.push(button("lesson.run", () => learn(id, "run"), "run"));
  if (stage === "ran") actions.push(button("lesson.why", () => learn(id, { why: said(asks[0].name) }), "why"));
  if (stage === "new") actions.push(button("lesson.hint", () => learn(id, "hint"), "hint"));
  if (stage !== "new") actions.push(button("lesson.reset", () => learn(id, "reset"), "reset"));
  $("exercise").replaceChildren(
    el("p", { class: "step" }, numbered(section)), el("h2", {}, title), el("p", {}, question),
    ...asks.map(asking), el("div", { class: "line" }, ...actions),
    el("pre", { id: "lessonsaid", tabindex: 0, class: "said", role: "status" }, course.said),
    el("p", { class: "small" }, t("lesson.runs")),
    ...runs.map((run) => el("div", { class: "line" }, el("code", { class: "command", tabindex: 0 }, run.command),
      el("button", { type: "button", onclick: () => openRun(run) }, t("lesson.bench")))));
  $("lessonsaid").hidden = !course.said;
}

/** What the reader has said to a question. */
function said(name) {
  const chosen = document.querySelector(`input[name="ask-${CSS.escape(name)}"]:checked`);
  return (chosen ?? $(`ask-${name}`))?.value ?? "";
}

/** A question with its field. */
function asking({ name, words, kind, options, form }) {
  if (kind === "choice") {
    return el("fieldset", {}, el("legend", {}, words), ...options.map(([value, text]) =>
      el("label", {}, el("input", { type: "radio", name: `ask-${name}`, value }), ` ${text}`)));
  }
  const list = options.length ? el("ul", { class: "small" }, ...options.map(([value, text]) => el("li", {}, value === text || kind === "curve" ? text : `${value}: ${text}`))) : null;
  return el("div", { class: "ask" }, el("label", { for: `ask-${name}` }, words), list,
    el("input", { id: `ask-${name}`, autocomplete: "off", spellcheck: "false" }), el("span", { class: "small" }, t(`form.${kind}`, { form })));
}

/** A run of the exercise on the bench, with the student's numbers. Some scenarios are those of the course alone. */
async function openRun({ scenario, toml, set, seed }) {
  const name = toml ? scenario : [...builtins.keys()].find((name) => name === scenario || name.replace(/^[\d-]+/, "") === scenario);
  if (!name) return;
  visit("bench");
  await open(name, { text: toml });
  await simulate({ text: toml ?? state.base, set: [...set, ["run.seed", String(seed)]], keepsSet: !toml });
}

function listenToCourse() {
  $("begin").addEventListener("click", () => {
    course.student = $("student").value.trim();
    kept("student", course.student);
    learn();
  });
  $("student").addEventListener("keydown", (event) => event.key === "Enter" && $("begin").click());
  $("savefile").addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([course.file], { type: "text/plain" }));
    el("a", { href: url, download: "answers.toml" }).click();
  });
  $("loadfile").addEventListener("change", async () => {
    const [file] = $("loadfile").files;
    if (!file) return;
    // The file tells its course.
    Object.assign(course, { name: "", file: await file.text(), exercise: null, said: "" });
    learn();
  });
}
