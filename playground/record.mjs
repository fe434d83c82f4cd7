// Prints what the page shows before its engine is ready: the first trial of the scenario that it opens with, and the ways of
// its requests for the first moments. The page runs the same trial afterwards, and complains if the two differ.
//
//     node playground/record.mjs ENGINE.wasm NAME <SCENARIO.toml

import { readFileSync } from "node:fs";
import { engine } from "./engine.mjs";

/** Simulated time for which requests are followed, in seconds: at the speed of the page they last 24 seconds. */
const FOLLOWED_S = 1.2;

const [wasm, name] = process.argv.slice(2);
const toml = readFileSync(0, "utf8");
const ask = await engine(wasm);
const answer = ask({ name, toml, trials: 1, want: ["board", "result"] });
if (answer.error) throw new Error(answer.error);
const from = answer.result.warmup_s;
const span = { from: from - 1, seen: from, until: from + FOLLOWED_S, every: 1 };
const follow = { from_s: span.from, until_s: span.until, every: 1, most: 1000 };
const { traces } = ask({ name, toml, trials: 1, want: ["traces"], follow });
const { board, result } = answer;
// Calls that have ended by then are not seen.
const calls = traces.calls.filter(({ way }) => way.at(-1)[0] >= 1e9 * from);
process.stdout.write(JSON.stringify({ name, board, result, span, calls }));
