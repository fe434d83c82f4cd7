// Requests as dots, in slow motion. Each dot is a call that the engine has followed, at the place where it is at that
// moment: on its way, or inside a box. Nothing here is made up; without traces nothing is drawn.

/** Slowest and fastest speed at which a flight of some milliseconds can be seen. */
const SLOW_MAX = 0.2;

/** The greatest number of requests that are followed at once. */
const FOLLOWED_MAX = 400;

class Dots {
  constructor(canvas, engine, changed) {
    this.canvas = canvas;
    this.engine = engine;
    this.changed = changed;
    this.forget();
  }

  /** After a change of the scenario all traces are those of another trial. */
  forget() {
    this.chunks = [];
    this.asking = null;
    this.edition = (this.edition ?? 0) + 1;
    this.engine.giveUp();
  }

  /** One of how many requests is drawn at a time; `null` while nothing is known. */
  every(time) {
    return this.chunks.find((chunk) => time >= chunk.seen && time < chunk.until)?.every ?? null;
  }

  /** Asks for traces around a time, and for the next ones before they are needed. */
  need(question, time, speed, rate, end) {
    const length = clamp(60 * speed, 1, 12);
    const chunk = this.chunks.find(({ seen, until }) => time >= seen && time < until);
    if (!chunk) this.fetch(question, { from: Math.max(0, time - 1), seen: time, until: Math.min(end, time + length) }, rate);
    else if (time > chunk.until - 0.4 * length && chunk.until < end && !this.chunks.some(({ seen }) => seen === chunk.until)) {
      this.fetch(question, { from: chunk.until, seen: chunk.until, until: Math.min(end, chunk.until + length) }, rate);
    }
  }

  async fetch(question, span, rate) {
    if (this.asking && Math.abs(this.asking.seen - span.seen) < 0.5) return;
    this.asking = span;
    const { edition } = this;
    const every = Math.max(1, Math.ceil((rate * (span.until - span.from)) / FOLLOWED_MAX));
    const follow = { from_s: span.from, until_s: span.until, every, most: 2 * FOLLOWED_MAX };
    try {
      const answer = await this.engine.ask({ ...question, want: ["traces"], follow });
      if (!answer?.traces || edition !== this.edition) return;
      this.keep({ ...span, every }, answer.traces.calls);
      this.changed();
    } catch {
      // A panic is told where the whole trial runs.
    } finally {
      if (this.asking === span) this.asking = null;
    }
  }

  /** Keeps the ways of calls for a stretch of time. */
  keep(span, calls) {
    const ways = calls.map(({ way, outcome }) => ({ way: way.map(([at, box, into]) => ({ at: at / 1e9, box, into })), outcome }));
    this.chunks = [...this.chunks.filter(({ until }) => until > span.from - 3), { ...span, calls: ways }].slice(-3);
  }

  /** Draws the moment; returns how many calls are on their way or inside. */
  draw(diagram, time, colours) {
    const { canvas } = this;
    const frame = diagram.picture.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    const [wide, high] = [Math.round(frame.width * ratio), Math.round(frame.height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) {
      Object.assign(canvas, { width: wide, height: high });
      Object.assign(canvas.style, { width: `${frame.width}px`, height: `${frame.height}px` });
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, wide, high);
    if (!this.chunks.length) return 0;
    const scale = wide / (diagram.layout.wide + 56);
    pen.setTransform(scale, 0, 0, scale, 28 * scale, 8 * scale);
    const inside = new Map();
    const dots = { out: [], back: [], bad: [] };
    for (const chunk of this.chunks) {
      for (const call of chunk.calls) this.place(diagram, call, time, inside, dots);
    }
    let drawn = 0;
    for (const [kind, list] of Object.entries(dots)) {
      drawn += list.length;
      pen.fillStyle = colours[kind];
      pen.beginPath();
      for (const [x, y] of list) {
        if (kind === "bad") triangle(pen, x, y);
        else (pen.moveTo(x + 3.4, y), pen.arc(x, y, 3.4, 0, 7));
      }
      pen.fill();
    }
    pen.fillStyle = colours.out;
    for (const [name, calls] of inside) drawn += queue(pen, diagram.layout.members.get(name), calls);
    return drawn;
  }

  place(diagram, { way, outcome }, time, inside, dots) {
    if (!way.length || time < way[0].at || time >= way.at(-1).at) return;
    const at = way.findLastIndex((step) => step.at <= time);
    const [here, next] = [way[at], way[at + 1]];
    if (here.into) {
      if (diagram.layout.members.has(here.box)) {
        if (!inside.has(here.box)) inside.set(here.box, []);
        inside.get(here.box).push(here.at);
      }
      return;
    }
    const [from, to] = [spot(diagram, here.box), spot(diagram, next.box)];
    if (!next.into || !from || !to || from === to) return;
    const [[x1, y1], [x2, y2]] = [edge(from, to), edge(to, from)];
    const share = (time - here.at) / Math.max(1e-9, next.at - here.at);
    const isBack = at + 1 === way.length - 1 && outcome !== null;
    // Ways there and back run beside each other, as on a road.
    const long = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [sx, sy] = [(-(y2 - y1) / long) * 5, ((x2 - x1) / long) * 5];
    const kind = isBack ? (outcome === "ok" ? "back" : "bad") : "out";
    dots[kind].push([x1 + (x2 - x1) * share + sx, y1 + (y2 - y1) * share + sy]);
  }
}

/** The place of a component: its box, or its group if it is not drawn. */
function spot(diagram, name) {
  const member = diagram.layout.members.get(name);
  if (member) return member;
  const group = name.split(".")[0];
  return diagram.layout.groups.get(group) ?? null;
}

function triangle(pen, x, y) {
  pen.moveTo(x, y - 5);
  pen.lineTo(x + 4.6, y + 3.6);
  pen.lineTo(x - 4.6, y + 3.6);
}

/** Calls inside a box, in the order of their arrival; returns how many are drawn. */
function queue(pen, box, calls) {
  if (box.box.client) return 0;
  const [perRow, rows] = [13, 3];
  const all = Math.min(calls.length, perRow * rows);
  pen.beginPath();
  for (let at = 0; at < all; at++) {
    const [x, y] = [box.x + 14 + (at % perRow) * 8, box.y + 46 + Math.floor(at / perRow) * 9];
    pen.moveTo(x + 3, y);
    pen.arc(x, y, 3, 0, 7);
  }
  pen.fill();
  return all;
}
