// The scripts of the page that touch no document, as functions for tests.

import { readFileSync } from "node:fs";

const read = (name) => readFileSync(new URL(`page/${name}.js`, import.meta.url), "utf8");

/** Runs scripts of the page one after the other and returns the named parts of them. */
export function parts(scripts, names) {
  return new Function(`"use strict";\n${scripts.map(read).join("\n")}\nreturn { ${names.join(", ")} };`)();
}
