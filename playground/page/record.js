// A result as something that can be asked for any moment.

/** What the events of a timeline do to the state of a box. */
const TURNS = {
  crash: { down: true },
  "power off": { down: true },
  hang: { hung: true },
  recover: { down: false, hung: false },
  "take over": { down: false },
  pause: { paused: true },
  "goes on": { paused: false },
  slow: { slow: true },
  "normal speed": { slow: false },
  "out of balancer": { out: true },
  "back in balancer": { out: false },
  fenced: { fenced: true },
  "disk full": { full: true },
  "disk has room": { full: false },
  "no records": { empty: true },
  "records are back": { empty: false },
};

class Record {
  constructor(result) {
    this.result = result;
    this.columns = new Map(result.series.columns.map((name, at) => [name, at]));
    this.rows = result.series.rows;
    this.end = result.warmup_s + result.duration_s;
    this.times = this.rows.map((row) => row[0]);
    this.events = result.timeline;
  }

  /** The number of the window at a time. */
  at(time) {
    let [low, high] = [0, this.times.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  value(column, row) {
    const at = this.columns.get(column);
    return at === undefined ? null : this.rows[row]?.[at] ?? null;
  }

  column(name) {
    const at = this.columns.get(name);
    return at === undefined ? null : this.rows.map((row) => row[at]);
  }

  /** The names after a prefix, such as the boxes of `busy:`. */
  named(prefix) {
    return [...this.columns.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  /** The state of each box at a time, by name; boxes without events are left out. */
  states(time) {
    const states = new Map();
    for (const { t_s, component, event } of this.events) {
      if (t_s > time) break;
      states.set(component, { ...states.get(component), ...TURNS[event] });
    }
    return states;
  }

  /** The last event at or before a time. */
  last(time) {
    return this.events.findLast(({ t_s }) => t_s <= time) ?? null;
  }

  next(time) {
    return this.events.find(({ t_s }) => t_s > time + 1e-6)?.t_s ?? this.end;
  }

  previous(time) {
    return this.events.findLast(({ t_s }) => t_s < time - 1e-6)?.t_s ?? this.result.warmup_s;
  }
}
