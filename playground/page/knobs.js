// Knobs of the design beside the load: keys of the scenarios of the chapter that are worth turning, with sensible values.
// The same customers come after each change, so the difference is that of the design.

const SIZES = ["m7i.large", "m7i.xlarge", "m7i.2xlarge", "m7i.4xlarge", "m7i.8xlarge", "m7i.16xlarge", "m7i.48xlarge"];
const TTLS = ["1s", "10s", "60s", "5min"];
const POLICIES = ["round-robin", "random", "two-choices", "least-connections", "ewma", "hash"];
const COUNT = [1, 2, 3, 4, 5, 6, 8];

/** A knob: key, words for it, values, and the value of a text that does not have the key. */
const knob = (key, words, values, own = null) => ({ key, words, values, own });
const SERVERS = knob("web.count", "servers", COUNT);
/** Where a fault or a check names the first of several. */
const [SOME, REPLICAS_SOME] = [knob("web.count", "servers", COUNT.slice(1)), knob("db.replicas", "replicas", [2, 3, 4, 5])];
const BALANCER = [knob("lb.policy", "policy", POLICIES), knob("lb.retries", "retries", [0, 1, 2], 0), knob("lb.standby", "pair", [false, true], false)];
const REPLICAS = knob("db.replicas", "replicas", [1, 2, 3, 4, 5]);
const WRITES = knob("request.post.share", "writes", [0.1, 4.7, 10, 30, 90]);
const FAILOVER = [knob("db.failover.interval", "poll", ["1s", "2s", "5s", "10s"]), knob("db.failover.misses", "misses", [1, 2, 3, 5])];

const KNOBS = {
  "01-single-server": [knob("box.instance", "size", SIZES), knob("www.ttl", "ttl", TTLS)],
  "02-database-split-off": [knob("web.instance", "size", SIZES), knob("db.instance", "dbsize", SIZES)],
  "05-one-big-box-dies": [knob("web.instance", "size", SIZES)],
  "05-scale-up-wall": [knob("box.instance", "size", [...SIZES.slice(1), "m7i.24xlarge", "u7in-32tb.224xlarge"])],
  "06-scale-out": [SERVERS, ...BALANCER],
  "07-web-server-dies": [SOME, ...BALANCER],
  "08-balancer-dies": [SERVERS, ...BALANCER],
  "08-balancer-pair": [SERVERS, ...BALANCER],
  "09-primary-and-replicas": [REPLICAS, WRITES, SERVERS],
  "10-replica-lag": [knob("db.apply.workers", "appliers", [1, 2, 4, 8]), REPLICAS],
  "11-all-replicas-die": [REPLICAS_SOME],
  "11-replica-dies": [REPLICAS],
  "12-primary-dies": [REPLICAS, knob("db.replication", "replication", ["async", "semi-sync", "sync"]), knob("db.ship.every", "ship", ["100ms", "1s", "5s"]), ...FAILOVER],
  "13-stale-promotion": [knob("db.failover.pick", "pick", ["db.replica-1", "db.replica-2", "most-received", "most-applied"])],
  "14-split-brain": [knob("db.failover.fenced", "fence", [false, true], true)],
  "16-dns-round-robin": [SOME, knob("www.ttl", "ttl", TTLS)],
  "16-dns-with-checks": [SOME, knob("www.ttl", "ttl", TTLS), knob("www.health.misses", "misses", [1, 2, 3])],
  "17-two-regions": [knob("www.ttl", "ttl", TTLS), knob("web.count", "servers", [2, 4, 6, 8])],
  "18-whole-chapter": [SOME, ...BALANCER, REPLICAS_SOME],
  "19-scale-out-at-cost": [knob("app.count", "servers", COUNT)],
  "19-scale-up-at-cost": [knob("app.instance", "size", SIZES)],
  "20-cache": [knob("memo.entries", "entries", [100, 300, 1000, 3000, 10000])],
  "21-queue": [knob("photos.workers", "workers", [1, 2, 4, 8])],
  "22-retry-storm": [knob("users.retry.attempts", "tries", [1, 2, 3, 5])],
  "23-metastable": [knob("users.retry.attempts", "tries", [1, 2, 3, 5]), knob("fault.0.for", "slow", ["5s", "9s", "10s", "20s"])],
  "24-coin-toss": [knob("fault.0.for", "slow", ["5s", "9.2s", "10s", "20s"])],
  "25-checks-amplify": [knob("web.queue", "places", [20, 100, 1000, 100000])],
  "26-waiting-lines": [knob("short.queue", "places", [10, 100, 200, 1000])],
  "27-memory-cliff": [knob("app.queue", "places", [100, 500, 1000])],
  "28-hedging": [knob("hedged.steps.0.hedge.after", "hedge", ["2ms", "10ms", "100ms"])],
  "29-priorities": [knob("request.free.priority", "rank", [0, 1])],
  "30-thread-exhaustion": [knob("web.workers", "workers", [100, 200, 400, 1000]), knob("web.timeout", "limit", ["100ms", "300ms", "1s"])],
  "31-keep-alive": [knob("web.idle_timeout", "idle", ["2s", "5s", "10s", "65s"])],
  "32-deploy": [knob("calm.count", "servers", [5, 10, 25]), knob("fault.1.drain", "drain", ["1s", "2s", "5s", "10s"])],
  "33-fast-failing": [knob("keen-lb.policy", "policy", POLICIES), knob("wary-lb.ejection.failures", "errors", [1, 5, 50])],
  "34-pool": [knob("kept.db_pool", "pool", [5, 10, 20, 50]), knob("quick.db_pool", "pool2", [5, 10, 20])],
  "00-from-zero-to-millions": [knob("memo.entries", "entries", [1000, 10000, 30000]), knob("photos.workers", "workers", [4, 8, 16])],
  "40-cache-aside": [knob("memo.entries", "entries", [500, 1000, 2000, 5000, 10000])],
  "41-stampede": [knob("plain-memo.ttl", "entryttl", ["1s", "10s", "60s"])],
  "49-hot-shard": [knob("db.shards.count", "shards", [2, 4, 5, 8, 16]), knob("db.shards.by", "by", ["ring", "hash", "mod", "range"])],
  "50-reshard": [knob("operation.0.to", "shards", [3, 5, 8]), knob("operation.0.rate", "moverate", ["10MB", "50MB", "200MB"])],
  "51-scatter": [knob("db.shards.count", "shards", [2, 4, 10, 40])],
  "52-two-sites": [knob("koreans.rate", "koreans", ["30/s", "45/s", "60/s", "80/s"]), knob("virginians.rate", "virginians", ["30/s", "45/s", "60/s", "80/s"]), knob("www.ttl", "ttl", TTLS)],
  "53-standby": [knob("over.after", "decision", ["0s", "1min", "5min", "20min"]), knob("tools.region", "tools", ["ap-southeast-1", "ap-northeast-2"]), knob("over.warm", "warmsite", [false, true], false)],
  "54-one-box": [knob("users.rate", "rate", ["1000/s", "2424/s", "3600/s", "4300/s"])],
  "55-nines": [knob("fault.0.mttr", "repair", ["10ms", "50ms", "200ms"]), knob("fault.1.mttr", "dark", ["0.1s", "0.5s", "2s"])],
  "56-alarm": [knob("quick.alert.0.for", "alertfor", ["0s", "1min", "2min", "5min"]), knob("quick.scrape", "scrape", ["15s", "1min"])],
  "58-one-rack": [knob("fault.0.mttr", "repair", ["1min", "3min", "10min"]), knob("fault.1.mttr", "dark", ["1min", "5min", "15min"])],
  "43-far-readers": [knob("edge.entries", "entries", [100, 525, 1000, 5000])],
  "43-photo-stack": [knob("edge.entries", "entries", [50, 173, 500, 2000])],
  "44-sticky-or-store": [knob("own.sessions.ttl", "ttl", ["5s", "1min", "30min"])],
  "45-photo-queue": [knob("photos.workers", "workers", [2, 4, 8, 16])],
  "46-too-late": [knob("up.warm_pool", "warmpool", [0, 1, 2]), knob("up.boot", "boot", ["2s", "23s", "100s"])],
  "47-inversion": [knob("web.workers", "workers", [5, 10, 20, 40]), knob("up.down_after", "downafter", ["10s", "30s", "5min"])],
  "48-day": [knob("up.boot", "boot", ["1s", "5s", "20s"]), knob("up.down_after", "downafter", ["5s", "10s", "60s"])],
  "42-cold-cache": [knob("db.queue", "places", [10, 100, 1000, 100000000]), knob("memo.entries", "entries", [1000, 5100, 10000])],
  "35-backoff": [knob("web.steps.0.retry.jitter", "jitter", ["none", "equal", "full", "decorrelated"]), knob("web.steps.0.retry.backoff", "pause", ["0ms", "10ms", "100ms"])],
};

/** The knobs of a scenario that its text can turn: the boxes, or the faults, that they belong to are there. */
function knobsOf(name, board) {
  const boxes = new Set(board.boxes.map((box) => box.name));
  const is_there = (of) => of === "request" || (of === "fault" ? board.faults > 0 : boxes.has(of));
  return (KNOBS[name] ?? []).filter(({ key }) => is_there(key.split(".")[0]));
}

/** A value of a knob as the text of an override. */
const written = (value) => String(value);

/** A value for readers. The share of writes is a weight beside 90 of reads. */
function valueWords({ key, words }, value) {
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (words === "writes" && key === "request.post.share") return percent(Number(value) / (Number(value) + 90), 2);
  return String(value);
}

/** Selects for the knobs; `turn` is called with the key and the new value. */
function drawKnobs(place, knobs, values, turn) {
  place.replaceChildren(...knobs.map((one) => {
    const now = values[one.key] ?? one.own;
    const all = one.values.some((value) => written(value) === written(now)) || now === null ? one.values : [now, ...one.values];
    const select = el("select", { "data-key": one.key, onchange: () => turn(one.key, select.value) },
      ...all.map((value) => el("option", { value: written(value) }, valueWords(one, value))));
    select.value = written(now);
    return el("label", {}, el("span", {}, t(`knob.${one.words}`)), select);
  }));
}
