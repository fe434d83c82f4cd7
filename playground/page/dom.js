// Elements, numbers and times as text.

const $ = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** A number with three significant digits. */
function three(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1000) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

/** A time of so many milliseconds, in a suitable unit. */
function millis(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return Math.abs(value) >= 1000 ? `${three(value / 1000)} s` : `${three(value)} ms`;
}

const percent = (share, digits = 3) =>
  share === null || share === undefined ? "–" : `${Number((100 * share).toPrecision(digits))} %`;

/** A moment of the trial: minutes, seconds, and as many digits as the speed needs. */
function clock(seconds, digits = 1) {
  const minutes = Math.floor(seconds / 60);
  const rest = (seconds - 60 * minutes).toFixed(digits);
  return `${minutes}:${rest.padStart(digits ? digits + 3 : 2, "0")}`;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Calls `action` at most every `wait` ms, and always with the last input. */
function paced(action, wait) {
  let timer = null;
  let before = 0;
  return () => {
    clearTimeout(timer);
    const now = performance.now();
    timer = setTimeout(() => ((before = performance.now()), action()), Math.max(0, before + wait - now));
  };
}
