// The boxes as SVG: names, busy cores, calls inside, and what is wrong with them.

class Diagram {
  /** The boxes in this SVG element; `onPick` is called with the name and element of a box that is clicked. */
  constructor(picture, onPick) {
    this.picture = picture;
    this.onPick = onPick;
    this.parts = new Map();
  }

  draw(board, isVertical, width) {
    this.board = board;
    this.layout = layout(board, isVertical, width);
    const { groups, flows, lookups, wide, high } = this.layout;
    const { picture } = this;
    this.parts.clear();
    picture.setAttribute("viewBox", `-28 -8 ${wide + 56} ${high + 32}`);
    picture.style.maxWidth = `${Math.round((wide + 56) * 1.3)}px`;
    picture.style.aspectRatio = `${wide + 56} / ${high + 32}`;
    picture.setAttribute("aria-label", board.title);
    const tip = svg("marker", { id: `tip-${picture.id}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { d: "M0 0L8 4L0 8z" }));
    const lines = [...flows.map((flow) => [flow, "flow"]), ...lookups.map((flow) => [flow, "lookup"])];
    picture.replaceChildren(
      svg("defs", {}, tip),
      ...lines.map(([[from, to], kind]) => this.line(groups.get(from), groups.get(to), kind)),
      ...[...groups.values()].filter((group) => group.isMany).map((group) => this.frame(group)),
      ...board.boxes.filter((box) => box.on && groups.has(box.on)).map((box) => this.machine(groups.get(box.on), groups.get(box.name))),
      ...[...this.layout.members.values()].map((member) => this.box(member)),
    );
  }

  line(from, to, kind) {
    const [[x1, y1], [x2, y2]] = [edge(from, to), edge(to, from)];
    const isBetween = (other) => other !== from && other !== to && other.x < Math.max(x1, x2) + 1 && other.x + other.wide > Math.min(x1, x2) - 1 && other.y < Math.max(y1, y2) && other.y + other.high > Math.min(y1, y2);
    if (kind === "lookup" && !this.layout.isVertical && [...this.layout.groups.values()].some(isBetween)) {
      // Around the boxes in between, on their left.
      const [a, b] = [from.y + from.high / 2, to.y + to.high / 2];
      return svg("path", { class: kind, d: `M${from.x} ${a}C${from.x - 30} ${a} ${to.x - 30} ${b} ${to.x - 1} ${b}`, "marker-end": `url(#tip-${this.picture.id})` });
    }
    return svg("path", { class: kind, d: `M${x1} ${y1}L${x2} ${y2}`, "marker-end": `url(#tip-${this.picture.id})` });
  }

  frame(group) {
    return svg("g", { class: "frame" },
      svg("rect", { x: group.x, y: group.y, width: group.wide, height: group.high, rx: 8 }),
      svg("text", { x: group.x + BOX.pad, y: group.y + 18 }, `${group.box.name} ×${group.members.length}`));
  }

  /** The machine that a box shares with its host. */
  machine(host, guest) {
    const [left, top] = [Math.min(host.x, guest.x) - 7, Math.min(host.y, guest.y) - 7];
    const [right, bottom] = [Math.max(host.x + host.wide, guest.x + guest.wide) + 7, Math.max(host.y + host.high, guest.y + guest.high) + 7];
    return svg("g", { class: "frame machine" },
      svg("rect", { x: left, y: top, width: right - left, height: bottom - top, rx: 10 }),
      svg("text", { x: (left + right) / 2, y: bottom + 13 }, t("onemachine")));
  }

  box(member) {
    const { x, y, wide, high, box } = member;
    const cores = Math.min(member.cores ?? 0, 16);
    const cell = cores ? Math.min(14, (wide - 20) / cores) : 0;
    const cells = Array.from({ length: cores }, (_, at) => {
      const place = { x: x + 10 + at * cell, y: y + 27, height: 11 };
      const full = svg("rect", { ...place, width: 0, class: "busy" });
      return { full, cell: svg("g", {}, svg("rect", { ...place, width: cell - 2, class: "core" }), full) };
    });
    const inside = svg("text", { x: x + wide - 9, y: y + 37, class: "number" });
    const bar = svg("rect", { x: x + 10, y: y + high - 9, width: 0, height: 4, rx: 2, class: "inside" });
    const state = svg("text", { x: x + wide / 2, y: y + 58, class: "state" });
    const cross = svg("path", { class: "cross", d: `M${x + 3} ${y + 3}L${x + wide - 3} ${y + high - 3}M${x + wide - 3} ${y + 3}L${x + 3} ${y + high - 3}` });
    const label = member.name.startsWith(`${box.name}.`) ? member.name.slice(box.name.length + 1) : member.name;
    const words = t(`kind.${box.kind}`);
    const fits = label.length + words.length < 13 && words !== label;
    const kind = fits && !this.layout.groups.get(box.name).isMany ? svg("text", { x: x + wide - 9, y: y + 17, class: "kind" }, words) : null;
    const canFail = !box.client;
    const part = svg("g", canFail ? { class: "box", tabindex: 0, role: "button", "aria-haspopup": "menu", "data-box": member.name } : { class: "box client", role: "img" },
      svg("rect", { x, y, width: wide, height: high, rx: 7, class: "body" }),
      svg("text", { x: x + 10, y: y + 18, class: "name", style: label.length > 13 ? `font-size: ${(13.5 * 13) / label.length}px` : null }, label),
      ...cells.map(({ cell }) => cell), inside, kind, bar, state, cross);
    if (canFail) {
      part.addEventListener("click", () => this.onPick(member.name, part));
      part.addEventListener("keydown", (event) => {
        if (event.key !== "Enter") return;
        // Otherwise the same key would press the first button of the menu.
        event.preventDefault();
        this.onPick(member.name, part);
      });
    }
    this.parts.set(member.name, { part, cells, cell, inside, bar, state, member });
    return part;
  }

  /** Shows the moment: shares of busy cores and calls inside by box, and states. */
  show(record, time, hasDots) {
    const row = record.at(time);
    const states = record.states(time);
    for (const [name, { part, cells, cell, inside, bar, state, member }] of this.parts) {
      const host = member.box.on;
      const busy = record.value(`busy:${name}`, row) ?? (host ? record.value(`busy:${host}`, row) : null) ?? 0;
      const calls = record.value(`inside:${name}`, row) ?? 0;
      let left = busy * (member.cores ?? 0) * (cells.length / Math.max(1, member.cores ?? 1));
      for (const { full } of cells) {
        full.setAttribute("width", (Math.max(0, cell - 2) * clamp(left, 0, 1)).toFixed(2));
        left -= 1;
      }
      const isClient = member.box.client;
      const amount = isClient ? record.value("in_system", row) ?? 0 : calls;
      inside.textContent = member.box.kind === "dns" ? "" : three(Number(amount.toFixed(1)));
      bar.setAttribute("width", isClient ? 0 : Math.min(104, 4 * calls).toFixed(1));
      const now = { ...(host ? states.get(host) : null), ...states.get(name) };
      const words = ["down", "hung", "paused", "slow", "out", "fenced", "full", "empty"].filter((word) => now[word]);
      const isDown = !!(now.down || now.hung || now.paused);
      part.setAttribute("class", `box${isClient ? " client" : ""}${isDown ? " bad" : words.length ? " warn" : ""}${calls > 26 ? " pressed" : ""}`);
      state.textContent = words.map((word) => t(`state.${word}`)).join(", ");
      bar.style.visibility = hasDots ? "hidden" : "";
      const spoken = words.length ? state.textContent : t("state.up");
      // The name of a button is what stands in it; the rest is its description.
      part.setAttribute(isClient ? "aria-label" : "aria-description", t("boxlabel", { name, state: spoken, busy: percent(busy, 2), calls: three(Number(calls.toFixed(1))) }));
    }
  }
}
