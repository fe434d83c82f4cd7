// Holds the engine in WebAssembly against the program: the same number of events and the same fingerprint for every
// built-in scenario, with two trials. Needs the two builds:
//
//     playground/build.sh && cargo build --release && node playground/test.mjs [SCENARIO...]

import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { engine } from "./engine.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = process.env.OUTGROW ?? `${root}/target/release/outgrow`;
const wasm = process.env.WASM ?? `${root}/target/playground/wasm32-unknown-unknown/release/outgrow_playground.wasm`;
const TRIALS = 2;

// An hour of a million users would take minutes.
const all = readdirSync(`${root}/scenarios`)
  .filter((file) => file.endsWith(".toml") && file !== "million-users.toml")
  .map((file) => file.replace(/\.toml$/, ""));
const names = process.argv.length > 2 ? process.argv.slice(2) : all;

const ask = await engine(wasm);

function native(name) {
  const { stdout, stderr, error } = spawnSync(program, ["run", name, "--trials", `${TRIALS}`, "--json", "-", "--quiet"], {
    encoding: "utf8",
    maxBuffer: 1 << 30,
    cwd: root,
  });
  if (!stdout) throw new Error(`${program}: ${stderr || error}`);
  return JSON.parse(stdout);
}

let wrong = 0;
for (const name of names) {
  const toml = readFileSync(`${root}/scenarios/${name}.toml`, "utf8");
  const start = process.cpuUsage();
  const { brief, error } = ask({ name, toml, trials: TRIALS, want: ["brief"] });
  const { user, system } = process.cpuUsage(start);
  if (error) throw new Error(error);
  const own = native(name);
  const same = brief.fingerprint === own.fingerprint && brief.events === own.events;
  wrong += same ? 0 : 1;
  const line = same ? brief.fingerprint : `${brief.fingerprint} here, ${own.fingerprint} natively: WRONG`;
  console.log(`${name.padEnd(24)} ${String(brief.events).padStart(9)} events ${((user + system) / 1e6).toFixed(2)} s  ${line}`);
}
console.log(wrong ? `${wrong} of ${names.length} differ` : `all ${names.length} scenarios are the same`);
process.exit(wrong ? 1 : 0);
