// The engine in a thread of its own. It is given the compiled module first, and then one question at a time.
let ready = null;
let last = 0;
let current = 0;

const imports = {
  host: {
    progress(trial, share) {
      const now = performance.now();
      if (now - last > 80) {
        last = now;
        postMessage({ number: current, progress: [trial, share] });
      }
      return 0;
    },
  },
};

function text(exports, packed) {
  const place = BigInt.asUintN(64, packed);
  const [at, length] = [Number(place >> 32n), Number(place & 0xffffffffn)];
  return [new TextDecoder().decode(new Uint8Array(exports.memory.buffer, at, length)), at, length];
}

function ask(exports, question) {
  const bytes = new TextEncoder().encode(JSON.stringify(question));
  const at = exports.alloc(bytes.length);
  new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
  const [answer, where, length] = text(exports, exports.run(at, bytes.length));
  exports.free(where, length);
  exports.free(at, bytes.length);
  return JSON.parse(answer);
}

onmessage = async ({ data }) => {
  if (data.module) {
    ready = WebAssembly.instantiate(data.module, imports);
    return;
  }
  const { exports } = await ready;
  current = data.number;
  try {
    const start = performance.now();
    const answer = ask(exports, data.question);
    postMessage({ number: data.number, answer, took: performance.now() - start });
  } catch (error) {
    postMessage({ number: data.number, panic: text(exports, exports.last_panic())[0] || String(error) });
  }
};
