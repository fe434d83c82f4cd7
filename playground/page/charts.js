// Charts over the time of the trial, under one cursor. The run before stays as a thin line.

const CHART = { high: 150, left: 46, right: 8, top: 8, bottom: 20 };
const LINES = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];

/** What the charts show: columns with their names and colours. */
function plans(record) {
  const boxes = (prefix) => {
    const names = record.named(prefix);
    const most = (name) => Math.max(...record.column(prefix + name).map((value) => value ?? 0));
    const first = names.toSorted((a, b) => most(b) - most(a)).slice(0, LINES.length);
    return names.filter((name) => first.includes(name)).map((name, at) => ({ column: prefix + name, name, ink: LINES[at] }));
  };
  const all = [
    { id: "rates", unit: "/s", lines: [
      { column: "throughput_rps", name: t("line.ok"), ink: "--good" },
      { column: "errors_rps", name: t("line.errors"), ink: "--bad" }] },
    { id: "response", unit: "ms", lines: [
      { column: "p99_ms", name: "p99", ink: "--c2" },
      { column: "response_ms", name: t("line.mean"), ink: "--c1" }] },
    { id: "inside", unit: "", lines: boxes("inside:") },
    { id: "busy", unit: "%", factor: 100, most: 100, lines: boxes("busy:") },
    { id: "lag", unit: "s", factor: 0.001, lines: [{ column: "lag_ms", name: t("line.lag"), ink: "--c3" }] },
  ];
  const has = ({ lines }) => lines.some(({ column }) => record.columns.has(column));
  return all.filter(has);
}

/** A round number above the highest value. */
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) * power;
}

class Charts {
  constructor(onTime) {
    this.onTime = onTime;
    this.all = [];
  }

  draw(record, ghost, shades, wide) {
    this.record = record;
    this.wide = wide;
    this.all = plans(record).map((plan) => this.chart(plan, record, ghost, shades));
    $("charts").replaceChildren(...this.all.map(({ figure }) => figure));
  }

  chart(plan, record, ghost, shades) {
    const { high, left, right, top, bottom } = CHART;
    const { wide } = this;
    const factor = plan.factor ?? 1;
    const highest = (of) => plan.lines.flatMap(({ column }) => of?.column(column) ?? []).reduce((most, value) => Math.max(most, value ?? 0), 0) * factor;
    const most = plan.most ?? ceiling(Math.max(highest(record), highest(ghost)));
    const x = (time) => left + (time / record.end) * (wide - left - right);
    const y = (value) => high - bottom - clamp(value / most, 0, 1.02) * (high - top - bottom);
    const path = (of, column) => {
      let isDown = false;
      return of.rows.map((row, at) => {
        const value = of.value(column, at);
        if (value === null) return ((isDown = false), "");
        const step = `${isDown ? "L" : "M"}${x(row[0]).toFixed(1)} ${y(value * factor).toFixed(1)}`;
        isDown = true;
        return step;
      }).join("");
    };
    const grid = [0, 0.5, 1].map((share) => svg("g", {},
      svg("line", { class: "grid", x1: left, x2: wide - right, y1: y(share * most), y2: y(share * most) }),
      svg("text", { class: "tick", x: left - 5, y: y(share * most) + 4, "text-anchor": "end" }, three(share * most))));
    const every = [30, 60, 120, 300, 600].find((step) => record.end / step <= wide / 80) ?? 1800;
    const ticks = Array.from({ length: Math.floor(record.end / every) + 1 }, (_, at) =>
      svg("text", { class: "tick", x: x(at * every), y: high - 5, "text-anchor": !at ? "start" : x(at * every) > wide - 24 ? "end" : "middle" }, clock(at * every, 0)));
    const cursor = svg("line", { class: "cursor", x1: 0, x2: 0, y1: top, y2: high - bottom });
    const picture = svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": t(`chart.${plan.id}`) },
      svg("rect", { class: "warmup", x: left, y: top, width: x(record.result.warmup_s) - left, height: high - top - bottom }),
      ...shades.map(({ at, until }) => svg("rect", { class: "fault", x: x(clamp(at, 0, record.end)), y: top, width: Math.max(1.5, x(Math.min(until, record.end)) - x(clamp(at, 0, record.end))), height: high - top - bottom })),
      ...grid, ...ticks,
      ...(ghost ? plan.lines.filter(({ column }) => ghost.columns.has(column)).map(({ column, ink }) => svg("path", { class: "ghost", d: path(ghost, column), style: `stroke: var(${ink})` })) : []),
      ...plan.lines.filter(({ column }) => record.columns.has(column)).map(({ column, ink }) => svg("path", { class: "line", d: path(record, column), style: `stroke: var(${ink})` })),
      cursor);
    picture.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch") picture.setPointerCapture(event.pointerId);
      this.point(event, picture);
    });
    picture.addEventListener("pointermove", (event) => event.buttons && this.point(event, picture));
    const values = plan.lines.map(({ name, ink }) => {
      const value = el("b");
      return { value, item: el("span", { class: "key" }, el("i", { style: `background: var(${ink})` }), `${name} `, value) };
    });
    const numbers = el("details", {}, el("summary", {}, t("numbers")));
    numbers.addEventListener("toggle", () => numbers.open && numbers.children.length < 2 && numbers.append(this.table(plan, record)));
    const figure = el("figure", {}, el("figcaption", {}, el("span", { class: "name" }, t(`chart.${plan.id}`)), ...values.map(({ item }) => item)), picture, numbers);
    return { plan, figure, cursor, x, values, factor };
  }

  point(event, picture) {
    const frame = picture.getBoundingClientRect();
    const { left, right } = CHART;
    const { wide } = this;
    const at = ((event.clientX - frame.left) / frame.width) * wide;
    this.onTime(clamp((at - left) / (wide - left - right), 0, 1) * this.record.end);
  }

  table(plan, record) {
    const step = Math.max(1, Math.floor(record.rows.length / 20));
    const rows = record.rows.map((row, at) => [row, at]).filter(([, at]) => at % step === 0);
    const cell = (value) => el("td", {}, value === null ? "–" : three(value * (plan.factor ?? 1)));
    return el("div", { class: "scroll", tabindex: 0 }, el("table", {},
      el("thead", {}, el("tr", {}, el("th", {}, t("time")), ...plan.lines.map(({ name }) => el("th", {}, `${name}${plan.unit ? `, ${plan.unit}` : ""}`)))),
      el("tbody", {}, ...rows.map(([row, at]) => el("tr", {}, el("th", {}, clock(row[0])), ...plan.lines.map(({ column }) => cell(record.value(column, at))))))));
  }

  move(time) {
    for (const { cursor, x } of this.all) cursor.setAttribute("transform", `translate(${x(time).toFixed(1)} 0)`);
  }

  show(row) {
    for (const { plan, values, factor } of this.all) {
      plan.lines.forEach(({ column }, at) => {
        const value = this.record.value(column, row);
        values[at].value.textContent = value === null ? "–" : `${three(value * factor)} ${plan.unit}`;
      });
    }
  }
}
