// The engine in node: a function that answers questions, as the worker of the page does.

import { readFileSync } from "node:fs";

export async function engine(wasm) {
  const module = await WebAssembly.compile(readFileSync(wasm));
  const { exports } = await WebAssembly.instantiate(module, { host: { progress: () => 0 } });

  /** The text that an export has returned as address and length. */
  function taken(packed, isOwned) {
    const place = BigInt.asUintN(64, packed);
    const [at, length] = [Number(place >> 32n), Number(place & 0xffffffffn)];
    const text = new TextDecoder().decode(new Uint8Array(exports.memory.buffer, at, length));
    if (isOwned) exports.free(at, length);
    return text;
  }

  const ask = (question) => {
    const bytes = new TextEncoder().encode(JSON.stringify(question));
    const at = exports.alloc(bytes.length);
    new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
    try {
      return JSON.parse(taken(exports.run(at, bytes.length), true));
    } catch (error) {
      throw new Error(taken(exports.last_panic(), false) || String(error));
    } finally {
      exports.free(at, bytes.length);
    }
  };
  /** The bytes that the engine has taken from its host. */
  ask.memory = () => exports.memory.buffer.byteLength;
  return ask;
}
