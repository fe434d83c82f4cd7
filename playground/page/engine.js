// Workers that answer questions. The newest question wins: one that is not answered yet is given up.

/** The content of an element of the page: base64 of gzip. */
function unzipped(id) {
  const packed = atob($(id).textContent);
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")));
}

/** The compiled engine. */
async function compiled() {
  return WebAssembly.compile(await unzipped("engine").arrayBuffer());
}

class Engine {
  constructor(module) {
    this.module = module;
    this.worker = null;
    this.number = 0;
    this.pending = null;
  }

  /** The answer; `null` if a newer question came first. Rejects with the text of a panic. */
  async ask(question, progress = () => {}) {
    const number = ++this.number;
    this.giveUp();
    const module = await this.module;
    if (number !== this.number) return null;
    this.worker ??= this.start(module);
    return new Promise((answered, failed) => {
      this.pending = { number, answered, failed, progress };
      this.worker.postMessage({ number, question });
    });
  }

  /** Ends the question that is running. A worker that computes hears nothing, so it is replaced. */
  giveUp() {
    if (!this.pending) return;
    this.pending.answered(null);
    this.end();
  }

  end() {
    this.pending = null;
    this.worker?.terminate();
    this.worker = null;
  }

  start(module) {
    const source = new Blob([$("worker").textContent], { type: "text/javascript" });
    const url = URL.createObjectURL(source);
    const worker = new Worker(url);
    URL.revokeObjectURL(url);
    worker.postMessage({ module });
    worker.onmessage = ({ data }) => this.hear(data);
    return worker;
  }

  hear({ number, answer, took, panic, progress }) {
    if (number !== this.pending?.number) return;
    if (progress) return this.pending.progress(...progress);
    const { answered, failed } = this.pending;
    this.pending = null;
    if (panic !== undefined) {
      this.end();
      return failed(new Error(panic));
    }
    answered({ ...answer, took });
  }
}
