//! No run gives more answers than the static bounds allow: small designs at random, each with limits of many sorts.

use outgrow::kernel::random::Seed;
use outgrow::scenario::build::build;

use super::read;
use crate::laws::generator::Dice;

/// Designs that are drawn.
const DESIGNS: u64 = 200;

/// Simulated seconds that are measured.
const MEASURED_S: f64 = 10.0;

/// A design that is being drawn.
struct Draft {
    dice: Dice,
    text: String,
}

impl Draft {
    fn add(&mut self, line: impl AsRef<str>) {
        self.text += line.as_ref();
        self.text.push('\n');
    }

    fn users(&mut self, target: &str) {
        let (share, size) = (self.dice.whole(10, 90), self.dice.pick(&[100, 2000, 50_000]));
        let rate = self.dice.between(20.0, 600.0).round();
        self.add(format!("[request.look]\nshare = {share}\nresponse_size = '{size}B'"));
        self.add(format!("[request.buy]\nshare = {}\neffect = 'write'", 100 - share));
        self.add(format!("[client.u]\ntarget = '{target}'\nrate = '{rate}/s'\ntimeout = '10min'"));
        if self.dice.one_in(3) {
            self.add("profile = { spike = { at = '5s', for = '2s', factor = 3 } }");
        }
    }

    fn balancer(&mut self) {
        self.add("[balancer.lb]\npublic = true\ntargets = ['web']");
        if self.dice.one_in(2) {
            let connections = self.dice.whole(1, 40);
            self.add(format!("connections = {connections}\nqueue = {{ limit = 50 }}"));
        }
    }

    fn servers(&mut self) {
        let (count, cores) = (self.dice.whole(1, 3), self.dice.whole(1, 4));
        let (workers, pool) = (self.dice.pick(&[1, 3, 10, 50, 200]), self.dice.pick(&[1, 2, 5, 20]));
        self.add(format!("[server.web]\npublic = true\ncount = {count}\ncores = {cores}"));
        self.add(format!("workers = {workers}\ndb_pool = {pool}"));
        let (memory, limit) = (self.dice.whole(5, 200), self.dice.whole(10, 300));
        if self.dice.one_in(3) {
            self.add(format!("memory = '1GiB'\nmemory_per_call = '{memory}MiB'"));
        }
        if self.dice.one_in(4) {
            self.add(format!("rate_limit = {{ rate = '{limit}/s', burst = 5 }}"));
        }
        let (cpu, times) = (self.dice.between(0.1, 20.0), self.dice.whole(1, 3));
        let (cpu, query) =
            (format!("{{ cpu = '{cpu:.2}ms' }}"), format!("{{ query = 'db', times = {times} }}"));
        let ask = if self.dice.one_in(3) {
            format!("{{ transaction = 'db', steps = [{query}, {cpu}] }}")
        } else {
            format!("{cpu}, {query}")
        };
        let call = match self.dice.below(3) {
            0 => ", { call = 'help', class = 'buy' }".to_owned(),
            1 => format!(", {{ call = 'help', parallel = {} }}", self.dice.whole(2, 4)),
            _ => String::new(),
        };
        self.add(format!("steps = [{ask}{call}]"));
        if !call.is_empty() {
            let (workers, wait) = (self.dice.pick(&[1, 5, 100]), self.dice.between(1.0, 200.0));
            self.add(format!("[server.help]\nworkers = {workers}\nsteps = [{{ wait = '{wait:.1}ms' }}]"));
        }
    }

    fn database(&mut self) {
        let dice = &mut self.dice;
        let (cores, read, write) = (dice.whole(1, 4), dice.between(0.1, 20.0), dice.between(0.1, 20.0));
        let shape = match dice.below(4) {
            0 => {
                let (replicas, reads) = (dice.whole(1, 3), dice.pick(&["primary", "replicas", "nearest"]));
                format!("replicas = {replicas}\nreads = '{reads}'")
            }
            1 => format!("topology = 'multi-primary'\nnodes = {}", dice.whole(2, 3)),
            2 => {
                let (reads, writes) = (dice.whole(10, 500), dice.whole(10, 500));
                format!("read_limit = '{reads}/s'\nwrite_limit = '{writes}/s'")
            }
            _ => String::new(),
        };
        self.add(format!("[database.db]\ncores = {cores}\nread = '{read:.2}ms'\nwrite = '{write:.2}ms'"));
        self.add(format!("commit = '1ms'\nconnections = 500\n{shape}"));
    }
}

/// A design of users, a balancer or none, servers, a helper, and a database of some shape. All times are constant, so that
/// only the arrivals are random.
fn design(seed: u64) -> String {
    let text = format!("[run]\nduration = '{MEASURED_S}s'\nwarmup = '3s'\n[network]\nclient = '2ms'\n");
    let mut draft = Draft { dice: Dice::new(seed, "bounds"), text };
    let behind = draft.dice.one_in(2);
    draft.users(if behind { "lb" } else { "web" });
    if behind {
        draft.balancer();
    }
    draft.servers();
    draft.database();
    if draft.dice.one_in(3) {
        let (asker, kilobytes) = (if behind { "lb" } else { "u" }, draft.dice.pick(&[200, 2000, 20_000]));
        let between = format!("between = ['web', '{asker}']");
        draft.add(format!("[[network.link]]\n{between}\nbandwidth = '{kilobytes}KB'"));
    }
    draft.text
}

#[test]
fn no_run_gives_more_answers_than_the_static_bounds() {
    let (mut full, mut tight) = (0, 0);
    for seed in 0..DESIGNS {
        let text = design(seed);
        let (scenario, _) = read(&text);
        let client = scenario.load().clients.remove(0);
        let record = build(&scenario, Seed::new(seed)).run(scenario.length(), &mut |_| false);
        let answers = record.classes.iter().map(|class| class.completed).sum::<u64>() as f64;
        // What was under way at the start was partly served before.
        let carried = record.carried_in as f64;
        let most = client.answers_max_peak * MEASURED_S;
        // Chance decides how many requests of each class come, and which come during a burst that a limit lets through.
        let chance = 4.0 * most.sqrt() + 10.0;
        assert!(
            answers <= most + carried + chance,
            "seed {seed}: {answers} answers of at most {most} + {carried}\n{text}"
        );
        let issued = record.classes.iter().map(|class| class.issued).sum::<u64>() as f64;
        full += u32::from(most < 0.9 * issued);
        tight += u32::from(most < 0.9 * issued && answers > 0.7 * most);
    }
    // The bounds must say something, and be near.
    assert!(full > DESIGNS as u32 / 3, "only {full} designs are full");
    assert!(tight > full / 2, "of {full} full designs only {tight} come near the bound");
}
