// Where the boxes stand: tiers in the direction of the calls, from left to right or, on a phone, from top to bottom.

const BOX = { wide: 124, high: 78, gap: 14, tier: 58, pad: 10, head: 18 };

/** The members that are drawn: those with a machine, if any has one. The others only hand calls on inside their caller. */
function shown(box) {
  const machines = box.members.filter((member) => member.cores !== null);
  return machines.length ? machines : box.members.slice(0, 1);
}

/** The tier of each box. A name server stands beside the clients, because nobody's request goes through it. */
function tiers(board) {
  const kinds = new Map(board.boxes.map((box) => [box.name, box]));
  const isName = (name) => kinds.get(name)?.kind === "dns";
  const host = (name) => kinds.get(name)?.on ?? name;
  const callers = new Map();
  for (const [from, to] of board.arrows) if (isName(to)) callers.set(to, [...(callers.get(to) ?? []), from]);
  const flows = board.arrows.flatMap(([from, to]) => {
    if (isName(to)) return [];
    return isName(from) ? (callers.get(from) ?? []).map((client) => [client, to]) : [[from, to]];
  });
  const depth = new Map(board.boxes.map((box) => [box.name, 0]));
  for (let round = 0; round < board.boxes.length; round++) {
    for (const [from, to] of flows) {
      if (host(from) !== host(to)) depth.set(host(to), Math.max(depth.get(host(to)), Math.min(depth.get(host(from)) + 1, board.boxes.length)));
    }
  }
  for (const box of board.boxes) if (box.on) depth.set(box.name, depth.get(box.on) ?? 0);
  const unique = new Set(flows.map((flow) => flow.join("\n")));
  return { depth, flows: [...unique].map((flow) => flow.split("\n")), lookups: board.arrows.filter(([, to]) => isName(to)) };
}

/** Places of all groups and members, and the lines between groups. */
function layout(board, isVertical, width) {
  const { depth, flows, lookups } = tiers(board);
  const used = [...new Set(board.boxes.map((box) => depth.get(box.name)))].sort((a, b) => a - b);
  const perLine = isVertical ? Math.max(1, Math.floor((width - 2 * BOX.pad + BOX.gap) / (BOX.wide + BOX.gap))) : 4;
  const groups = new Map();
  const columns = [];
  for (const tier of used) {
    const here = board.boxes.filter((box) => depth.get(box.name) === tier);
    // A guest stands beside its host.
    here.sort((a, b) => here.indexOf(kindred(a, board)) - here.indexOf(kindred(b, board)) || Number(!!a.on) - Number(!!b.on));
    columns.push(column(here, isVertical, perLine, groups));
  }
  const along = columns.reduce((sum, one) => sum + one.deep + BOX.tier, -BOX.tier);
  const across = Math.max(...columns.map((one) => one.broad));
  let at = 0;
  for (const one of columns) {
    const shift = (across - one.broad) / 2;
    for (const name of one.names) move(groups.get(name), isVertical ? [shift, at] : [at, shift]);
    at += one.deep + BOX.tier;
  }
  const members = new Map();
  for (const group of groups.values()) for (const member of group.members) members.set(member.name, member);
  const [wide, high] = isVertical ? [across, along] : [along, across];
  return { groups, members, flows, lookups, wide, high, isVertical };
}

const kindred = (box, board) => (box.on ? board.boxes.find((other) => other.name === box.on) ?? box : box);

function move(group, [dx, dy]) {
  group.x += dx;
  group.y += dy;
  for (const member of group.members) {
    member.x += dx;
    member.y += dy;
  }
}

/** The groups of one tier, one after the other. `deep` is their extent along the calls, `broad` the other one. */
function column(boxes, isVertical, perLine, groups) {
  let [at, deep, broad] = [0, 0, 0];
  const names = [];
  let line = 0;
  let lineDeep = 0;
  for (const box of boxes) {
    const group = placed(box, isVertical, perLine);
    const [own, other] = isVertical ? [group.wide, group.high] : [group.high, group.wide];
    // On a phone the groups of a tier wrap.
    if (isVertical && at > 0 && at + own > perLine * (BOX.wide + BOX.gap) + BOX.pad) {
      line += lineDeep + BOX.gap;
      [at, lineDeep] = [0, 0];
    }
    move(group, isVertical ? [at, line] : [line, at]);
    // The frame of a shared machine has a line of text below it.
    at += own + BOX.gap + (box.on && !isVertical ? 20 : 0);
    lineDeep = Math.max(lineDeep, other);
    broad = Math.max(broad, at - BOX.gap);
    deep = Math.max(deep, line + lineDeep);
    groups.set(box.name, group);
    names.push(box.name);
  }
  return { names, deep, broad };
}

/** A group at the origin. */
function placed(box, isVertical, perLine) {
  const drawn = shown(box);
  const isMany = drawn.length > 1;
  const [pad, head] = isMany ? [BOX.pad, BOX.head] : [0, 0];
  const rows = isVertical ? Math.ceil(drawn.length / perLine) : Math.min(perLine, drawn.length);
  const members = drawn.map((member, number) => {
    const [i, j] = isVertical ? [number % perLine, Math.floor(number / perLine)] : [Math.floor(number / rows), number % rows];
    return { ...member, box, x: pad + i * (BOX.wide + BOX.gap), y: head + pad + j * (BOX.high + BOX.gap), wide: BOX.wide, high: BOX.high };
  });
  const wide = Math.max(...members.map((member) => member.x)) + BOX.wide + pad;
  const high = Math.max(...members.map((member) => member.y)) + BOX.high + pad;
  return { box, members, x: 0, y: 0, wide, high, isMany };
}

const centre = (place) => [place.x + place.wide / 2, place.y + place.high / 2];

/** The point where the straight line from one place to another leaves the first one. */
function edge(from, to) {
  const [[x1, y1], [x2, y2]] = [centre(from), centre(to)];
  const [dx, dy] = [x2 - x1, y2 - y1];
  if (!dx && !dy) return [x1, y1];
  const share = Math.min(dx ? from.wide / 2 / Math.abs(dx) : Infinity, dy ? from.high / 2 / Math.abs(dy) : Infinity);
  return [x1 + dx * share, y1 + dy * share];
}
