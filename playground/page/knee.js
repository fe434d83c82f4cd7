// The knee: mean and 99th percentile of the response time over the load, point by point, from short runs in a worker of
// its own. The load of now is a dot on it.

const KNEE = { wide: 300, high: 170, left: 44, right: 10, top: 12, bottom: 26 };
const SHARES = [0.15, 0.4, 0.7, 1, 1.2, 1.35, 1.5, 1.65, 1.8, 2, 2.2, 2.4];

class Knee {
  constructor(engine) {
    this.engine = engine;
    this.key = null;
    this.points = [];
  }

  /** Measures anew if the design has changed; the load alone changes nothing. */
  async measure(name, text, load, key) {
    this.load = load;
    if (key === this.key) return this.draw();
    this.key = key;
    this.points = [];
    this.origin = load.own;
    this.draw();
    const set = [["run.duration", "60s"], ["run.warmup", "10s"]];
    const toml = without(text, ["fault", "expect", "check"]);
    for (const share of SHARES) {
      const at = load.unit === "users" ? Math.max(1, Math.round(share * load.own)) : share * load.own;
      // A factor applies to the text, which has a factor in it already.
      const asked = load.unit === "times" ? at / load.scale : at;
      let answer = null;
      try {
        answer = await this.engine.ask({ name, toml, set, load: asked, trials: 1, want: ["brief"] });
      } catch {
        return;
      }
      if (key !== this.key || !answer) return;
      if (answer.error) continue;
      this.points.push({ load: at, ...answer.brief });
      this.draw();
    }
  }

  range() {
    const own = this.origin ?? this.load.own;
    return [SHARES[0] * own, SHARES.at(-1) * own];
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
    const done = this.points.length < SHARES.length ? ` (${this.points.length}/${SHARES.length})` : "";
    $("knee").replaceChildren(el("figcaption", {}, `${t("knee")}${done}`), picture);
  }
}
