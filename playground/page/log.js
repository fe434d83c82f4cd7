// The log of a database as a strip with two cursors: up to where it is written, and up to where the replica that is furthest
// behind has applied it. Both are times of the trial, so the gap is the lag.

const LOG = { wide: 560, high: 44 };

/** Draws the strip at a time; nothing where no replica is behind at any time. */
function drawLog(place, record, time) {
  const lags = record.column("lag_ms");
  record.lagMost ??= Math.max(0, ...(lags ?? []).map((lag) => lag ?? 0));
  place.hidden = !lags || record.lagMost < 50;
  if (place.hidden) return;
  const lag = (record.value("lag_ms", record.at(time)) ?? 0) / 1000;
  const { wide, high } = LOG;
  // The strip shows the last stretch of the log, as long as the greatest lag needs.
  const long = Math.max(2, (1.3 * record.lagMost) / 1000);
  const x = (at) => clamp(1 - (time - at) / long, 0, 1) * (wide - 8) + 4;
  const [applied, now] = [x(time - lag), x(time)];
  const words = t("log", { written: clock(time), applied: clock(Math.max(0, time - lag)), lag: millis(1000 * lag) });
  const ticks = Array.from({ length: 60 }, (_, at) => Math.floor(time) - at).filter((at) => at >= 0 && time - at < long);
  place.replaceChildren(el("figcaption", {}, words),
    svg("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": words },
      svg("rect", { class: "written", x: 4, y: 14, width: now - 4, height: 14, rx: 2 }),
      svg("rect", { class: "applied", x: 4, y: 14, width: Math.max(0, applied - 4), height: 14, rx: 2 }),
      ...ticks.map((at) => svg("line", { class: "grid", x1: x(at), x2: x(at), y1: 14, y2: 28 })),
      svg("path", { class: "hand", d: `M${now} 10v22M${applied} 10v22` }),
      svg("text", { class: "tick", x: applied, y: 42, "text-anchor": applied > wide / 2 ? "end" : "start" }, t("log.applied")),
      svg("text", { class: "tick", x: now, y: 9, "text-anchor": "end" }, t("log.written"))));
}
