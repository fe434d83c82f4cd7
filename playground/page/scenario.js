// The text of a scenario: faults in it, its command, its link.

const UNITS = { ns: 1e-9, us: 1e-6, "µs": 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86400 };

/** Seconds of a duration such as "5min"; `null` if it is none. */
function seconds(text) {
  const found = /^\s*([0-9.eE+_]+)\s*([a-zµ]+)\s*$/.exec(text ?? "");
  const unit = found && UNITS[found[2]];
  return unit ? Number(found[1].replaceAll("_", "")) * unit : null;
}

const HEAD = /^\s*\[/;

/** The tables `[[kind]]` of a text: first line, line after the last, and their keys. */
function tables(text, kind) {
  const lines = text.split("\n");
  const found = [];
  for (let at = 0; at < lines.length; at++) {
    if (!new RegExp(`^\\s*\\[\\[\\s*${kind}\\s*\\]\\]`).test(lines[at])) continue;
    let end = at + 1;
    while (end < lines.length && !HEAD.test(lines[end])) end++;
    const keys = {};
    for (const line of lines.slice(at + 1, end)) {
      // A list such as `target = ["a", "b"]` is kept as `a, b`.
      const pair = /^\s*([a-z_]+)\s*=\s*(?:\[([^\]]*)\]|"?([^"#]*)"?)/.exec(line);
      if (pair) keys[pair[1]] = (pair[2]?.replaceAll('"', "") ?? pair[3]).trim();
    }
    found.push({ start: at, end, keys });
    at = end - 1;
  }
  return found;
}

/** The text without its tables of these kinds. */
function without(text, kinds) {
  let left = text;
  for (const kind of kinds) {
    const lines = left.split("\n");
    for (const { start, end } of tables(left, kind).reverse()) lines.splice(start, end - start);
    left = lines.join("\n");
  }
  return left;
}

/** The faults of a text that begin at a planned time. */
function faults(text) {
  return tables(text, "fault").map((table) => {
    const { keys } = table;
    const at = seconds(keys.at);
    const lasts = seconds(keys.for);
    const targets = (keys.target ?? "").split(",").map((name) => name.trim());
    return { ...table, kind: keys.kind, target: keys.target, targets, at, until: lasts === null ? Infinity : at + lasts };
  });
}

/** A moment as a duration of a scenario. */
const moment = (time) => `${Number(time.toFixed(3))}s`;

/** The text with one more fault, at its end. */
function withFault(text, { kind, target, at, lasts, factor }) {
  const lines = [`[[fault]]`, `target = "${target}"`, `kind   = "${kind}"`, `at     = "${moment(at)}"`];
  if (factor) lines.push(`factor = ${factor}`);
  if (lasts) lines.push(`for    = "${moment(lasts)}"`);
  return `${text.trimEnd()}\n\n${lines.join("\n")}\n`;
}

/** The text without one of its faults. */
function withoutFault(text, fault) {
  const lines = text.split("\n");
  lines.splice(fault.start, fault.end - fault.start);
  return `${lines.join("\n").trimEnd()}\n`;
}

/** The text in which a fault ends at `time`. */
function repaired(text, fault, time) {
  const lines = text.split("\n");
  const at = lines.findIndex((line, number) => number > fault.start && number < fault.end && /^\s*for\s*=/.test(line));
  const lasts = `for    = "${moment(time - fault.at)}"`;
  if (at >= 0) lines[at] = lasts;
  else {
    let last = fault.end;
    while (last > fault.start + 1 && lines[last - 1].trim() === "") last--;
    lines.splice(last, 0, lasts);
  }
  return lines.join("\n");
}

/** A profile as this page writes it: factors of the load from given times on. */
const STEPS = /^[ \t]*profile[ \t]*=[ \t]*\{[ \t]*steps[ \t]*=[ \t]*(\[\[.*\]\])[ \t]*\}[ \t]*$/m;

/** The steps of the load: pairs of seconds and factor; `null` if the text has a profile of another form. */
function loadSteps(text) {
  if (!/^\s*(profile\b|\[client\.[^\]]*\.profile)/m.test(text)) return [[0, 1]];
  try {
    const steps = JSON.parse(STEPS.exec(text)[1]).map(([time, factor]) => [seconds(time), factor]);
    return steps.every(([time, factor]) => time !== null && Number.isFinite(factor)) ? steps : null;
  } catch {
    return null;
  }
}

/** The factor of the load at a time. */
const factorAt = (steps, time) => steps.findLast(([begin]) => begin <= time)?.[1] ?? 1;

/** The overrides that give all clients another factor from a time on; later steps are dropped. */
function loadFrom(clients, steps, time, factor) {
  const all = [...steps.filter(([begin]) => begin === 0 || begin < time - 1e-9), [time, factor]];
  const written = all.map(([begin, share]) => `["${moment(begin)}", ${share}]`).join(", ");
  return clients.map((client) => [`${client}.profile`, `{ steps = [${written}] }`]);
}

const quoted = (word) => (/^[\w./:=%,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** Overrides without those that a later one replaces. */
const last = (set) => set.filter(([key], at) => !set.slice(at + 1).some(([other]) => other === key));

const setWords = (set, prefix = "") => last(set).map(([key, value]) => ` --set ${quoted(`${prefix}${key}=${value}`)}`).join("");

/** Whether a file with overrides gives the design: nothing else has been changed in its text. */
const isPlain = ({ base, text, set }) => base !== null && (text === base || set.length > 0);

/** A here-document with this text. */
function here(text) {
  let end = "EOF";
  while (text.split("\n").includes(end)) end += "F";
  return `<<'${end}'\n${text.trimEnd()}\n${end}`;
}

/** How a command names a design: its argument, its overrides, and what must be written before. */
function argument(design, file) {
  const { name, baseSet, set, text, files } = design;
  if (isPlain(design) && !name.startsWith("<")) return { word: quoted(name), set: [...baseSet, ...set], before: "" };
  // Files are found beside the scenario.
  const folder = Object.keys(files).length ? name.slice(0, name.lastIndexOf("/") + 1) : "";
  const word = quoted(`${folder}${file}.toml`);
  return { word, set: [], before: `cat >${word} ${here(text)}\n` };
}

/** The command that gives the same result in a terminal. */
function command(design, trials) {
  const { word, set, before } = argument(design, "changed");
  if (!before) return `outgrow run ${word}${setWords(set)} --trials ${trials}`;
  if (Object.keys(design.files).length) return `${before}outgrow run ${word} --trials ${trials}`;
  return `outgrow run - --trials ${trials} ${here(design.text)}`;
}

/** The command that compares two designs. */
function compareCommand(designs, trials) {
  const both = designs.map((design, at) => argument(design, `design-${at + 1}`));
  const sets = both.map(({ set }, at) => setWords(set, `${at + 1}?`)).join("");
  return `${both.map(({ before }) => before).join("")}outgrow compare ${both.map(({ word }) => word).join(" ")}${sets} --trials ${trials}`;
}

/** The command that varies a key. */
function sweepCommand(design, key, values, trials) {
  const { word, set, before } = argument(design, "changed");
  const own = setWords(set.filter(([other]) => other !== key));
  return `${before}outgrow sweep ${word}${own} --vary ${quoted(`${key}=${values.join(",")}`)} --trials ${trials}`;
}

async function piped(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

/** The fragment that opens the page with this content: `#s=1.` and deflated JSON. */
async function packed(content) {
  const bytes = await piped(new TextEncoder().encode(JSON.stringify(content)), new CompressionStream("deflate-raw"));
  let letters = "";
  for (const byte of bytes) letters += String.fromCharCode(byte);
  return `#s=1.${btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** The content of a fragment; `null` if it is none of ours. Rejects if it is broken. */
async function unpacked(fragment) {
  const found = /^#s=1\.([\w-]+)$/.exec(fragment);
  if (!found) return null;
  const letters = atob(found[1].replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(await piped(bytes, new DecompressionStream("deflate-raw"))));
}
