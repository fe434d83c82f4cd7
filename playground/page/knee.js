// The knee: mean and 99th percentile of the response time over the load, point by point, from short runs in a worker of
// its own. The load of now is a dot on it.

const KNEE = { wide: 300, high: 170, left: 44, right: 10, top: 12, bottom: 26 };

/** Shares of the highest load at which points are measured. */
const SHARES = [0.06, 0.17, 0.29, 0.42, 0.5, 0.56, 0.62, 0.69, 0.75, 0.83, 0.92, 1];

/** The highest load, in loads of the scenario, at first and at most. */
const [FAR, FAR_MAX] = [2.4, 20];

/** Events of a point after which no higher load is tried. */
const EVENTS_MAX = 4e6;

class Knee {
  constructor(engine, onRange) {
    this.engine = engine;
    this.onRange = onRange;
    this.key = null;
    this.points = [];
    this.far = FAR;
  }

  /** Measures anew if the design has changed; the load alone changes nothing. */
  async measure(name, text, load, key) {
    this.load = load;
    if (key === this.key) return this.draw();
    Object.assign(this, { key, points: [], far: FAR, origin: load.own });
    this.draw();
    const toml = without(text, ["fault", "expect", "check"]);
    const lowest = await this.point(name, toml, SHARES[0] * FAR, key);
    // The knee is in sight when the mean has doubled.
    for (;;) {
      const far = await this.point(name, toml, this.far, key);
      if (!far || !lowest || far.mean_ms === null || !far.steady || far.mean_ms > 2 * lowest.mean_ms) break;
      if (far.events > EVENTS_MAX || 2 * this.far > FAR_MAX) break;
      this.far *= 2;
    }
    if (key !== this.key) return;
    this.onRange();
    for (const share of SHARES) await this.point(name, toml, share * this.far, key);
  }

  /** Measures one point; `null` if there is none. */
  async point(name, toml, times, key) {
    if (key !== this.key) return null;
    const { own, unit, scale } = this.load;
    const load = unit === "users" ? Math.max(1, Math.round(times * own)) : times * own;
    const known = this.points.find((point) => point.load === load);
    if (known) return known;
    const set = [["run.duration", "60s"], ["run.warmup", "10s"]];
    let answer = null;
    try {
      // A factor applies to the text, which has a factor in it already.
      answer = await this.engine.ask({ name, toml, files: state.files, set, load: unit === "times" ? load / scale : load, trials: 1, want: ["brief"] });
    } catch {
      return null;
    }
    if (key !== this.key || !answer || answer.error) return null;
    const point = { load, ...answer.brief };
    this.points = [...this.points, point].sort((a, b) => a.load - b.load);
    this.draw();
    return point;
  }

  range() {
    const own = this.origin ?? this.load.own;
    return [SHARES[0] * FAR * own, this.far * own];
  }

  draw() {
    const { wide, high, left, right, top, bottom } = KNEE;
    const [, far] = this.range();
    const steady = this.points.filter(({ mean_ms }) => mean_ms !== null);
    const most = ceiling(Math.max(10, this.load.mean ?? 0, ...steady.map(({ mean_ms }) => mean_ms)) * 1.05);
    const x = (load) => left + clamp(load / far, 0, 1) * (wide - left - right);
    const y = (value) => high - bottom - clamp(value / most, 0, 1.05) * (high - top - bottom);
    const line = (of) => steady.map((point, at) => `${at ? "L" : "M"}${x(point.load).toFixed(1)} ${y(point[of]).toFixed(1)}`).join("");
    const now = this.load.mean ?? null;
    const unit = t(`unit.${this.load.unit}`);
    const picture = svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": t("kneelabel") },
      ...[0, 0.5, 1].map((share) => svg("g", {},
        svg("line", { class: "grid", x1: left, x2: wide - right, y1: y(share * most), y2: y(share * most) }),
        svg("text", { class: "tick", x: left - 4, y: y(share * most) + 4, "text-anchor": "end" }, three(share * most)))),
      svg("text", { class: "tick", x: left, y: high - 6 }, "0"),
      svg("text", { class: "tick", x: wide - right, y: high - 6, "text-anchor": "end" }, `${three(far)} ${unit}`),
      svg("path", { class: "line", d: line("mean_ms"), style: "stroke: var(--c1)" }),
      ...steady.map((point) => svg("circle", { cx: x(point.load), cy: y(point.mean_ms), r: 2.6, style: "fill: var(--c1)" }, svg("title", {}, `${three(point.load)} ${unit}: ${millis(point.mean_ms)}, p99 ${millis(point.p99_ms)}`))),
      now === null ? null : svg("circle", { class: "here", cx: x(this.load.now), cy: y(now), r: 6 }),
      svg("line", { class: "cursor", x1: x(this.load.now), x2: x(this.load.now), y1: top, y2: high - bottom }));
    $("knee").replaceChildren(el("figcaption", {}, t("knee")), picture);
  }
}
