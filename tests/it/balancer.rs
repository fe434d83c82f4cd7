//! The balancer against queueing theory and published figures. Case ids are those of the validation table.

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::kernel::time::{SimDuration, SimTime};
use outgrow::model::component::{Component, Cx};
use outgrow::model::network::Place;
use outgrow::model::record::{ComponentRecord, TrialRecord};
use outgrow::model::signal::{About, Alarm, ComponentId, Control, Order, Outcome, Signal};
use outgrow::model::simulation::{Hardware, Member};
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::{Scenario, load};
use outgrow::stats::interval::Estimate;
use rayon::prelude::*;

/// What happens to a component at a time.
type Event = (f64, &'static str, What);

/// What happens.
#[derive(Clone, Copy, Debug)]
enum What {
    Control(Control),
    /// Drained: by the name of the target.
    Drain(&'static str),
    Ready(&'static str),
}

const CRASH: What = What::Control(Control::Crash);
const RECOVER: What = What::Control(Control::Recover);

/// Does to others what it is told, as the faults of a scenario do.
struct Operator {
    due: Vec<(SimDuration, ComponentId, Control)>,
}

impl Component for Operator {
    fn start(&mut self, cx: &mut Cx<'_>) {
        for (number, (after, ..)) in self.due.iter().enumerate() {
            cx.alarm(*after, 0, About::Number(number as u32));
        }
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        if let Signal::Alarm(Alarm { about: About::Number(number), .. }) = signal {
            let (_, to, control) = self.due[number as usize];
            cx.control(to, SimDuration::ZERO, control);
        }
    }
}

fn scenario(text: &str) -> Scenario {
    let loaded = load("balancer.toml", text, &[], &NoFiles, KINDS);
    loaded.unwrap_or_else(|found| panic!("{text}\n{}", found.render(false))).scenario
}

/// One trial, in which some things happen.
fn trial(scenario: &Scenario, seed: Seed, events: &[Event]) -> TrialRecord {
    let mut simulation = build(scenario, seed);
    // Members join in the order of kinds and names, those of a group one after the other.
    let names: Vec<String> = scenario
        .boxes
        .iter()
        .flat_map(|entry| match entry.spec.members() {
            1 => vec![entry.name.clone()],
            count => (1..=count).map(|number| format!("{}-{number}", entry.name)).collect(),
        })
        .collect();
    let find = |name: &str| {
        let index = names.iter().position(|known| known == name);
        ComponentId::new(index.unwrap_or_else(|| panic!("no {name} in {names:?}")))
    };
    let control = |what: What| match what {
        What::Control(control) => control,
        What::Drain(target) => Control::Order(Order::drain(find(target))),
        What::Ready(target) => Control::Order(Order::ready(find(target))),
    };
    let due =
        events.iter().map(|&(at, name, what)| (SimDuration::from_sample_secs(at), find(name), control(what)));
    simulation.add(Member {
        name: "operator",
        group: "operator",
        kind: "operator",
        place: Place::ZONE,
        public: false,
        hardware: Hardware::None,
        component: Box::new(Operator { due: due.collect() }),
    });
    simulation.run(scenario.length(), &mut |_| false)
}

fn trials(text: &str, count: u64, events: &[Event]) -> Vec<TrialRecord> {
    let scenario = scenario(text);
    (0..count).into_par_iter().map(|index| trial(&scenario, Seed::new(1).trial(index), events)).collect()
}

fn component<'a>(record: &'a TrialRecord, name: &str) -> &'a ComponentRecord {
    record.components.iter().find(|component| component.name == name).expect(name)
}

fn count(record: &TrialRecord, name: &str, what: &str) -> u64 {
    component(record, name).counts.iter().find(|(known, _)| *known == what).map_or(0, |(_, count)| *count)
}

fn outcome(record: &TrialRecord, outcome: Outcome) -> u64 {
    record.classes.iter().map(|class| class.outcomes[outcome as usize]).sum()
}

/// When something is first written of a component in the timeline, in seconds.
fn noted(record: &TrialRecord, name: &str, event: &str) -> Option<f64> {
    let note = record.timeline.iter().find(|note| note.component == name && note.event == event)?;
    Some(note.at.since(SimTime::ZERO).as_secs_f64())
}

/// Requests that failed in the windows that lie between two moments.
fn failed_between(record: &TrialRecord, from: f64, to: f64) -> u64 {
    let inside = |start: f64, length: f64| start >= from - 1e-9 && start + length <= to + 1e-9;
    record.windows.iter().filter(|w| inside(w.start_s, w.length_s)).map(|w| w.failed).sum()
}

// Queues ------------------------------------------------------------------------------------------------------------

/// Servers of one core each that serve in the order of arrival, behind a balancer, without any network.
fn farm(rate: f64, servers: &str, balancer: &str, hours: f64) -> String {
    format!(
        "[run]\nduration = '{}min'\nwarmup = '{}min'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
         [client.users]\nrate = '{rate}/s'\ntarget = 'lb'\ntimeout = '1h'\n\
         [balancer.lb]\npublic = true\n{balancer}\n{servers}",
        60.0 * hours,
        6.0 * hours,
    )
}

fn fifo(name: &str, count: u32, cores: u32, speed: f64, mean: &str) -> String {
    format!(
        "[server.{name}]\ncount = {count}\ncores = {cores}\nspeed = {speed}\nscheduling = 'fifo'\nworkers = 100000\n\
         memory_per_call = '0B'\nsteps = [{{ cpu = {{ dist = 'exponential', mean = '{mean}' }} }}]\n"
    )
}

fn mean_ms(records: &[TrialRecord]) -> Estimate {
    let means: Vec<f64> = records.iter().map(|record| record.classes[0].response.mean() / 1e6).collect();
    Estimate::over_trials(&means)
}

/// Demands that theory lies within twice the interval, and that the interval is narrow.
fn agrees(what: &str, found: Estimate, theory: f64, narrow: f64) {
    let half_width = found.half_width.expect("there are several trials");
    println!("{what}: {:.3} +- {half_width:.3}, theory {theory:.3}", found.mean);
    assert!(half_width < narrow * theory, "{what}: {} +- {half_width} is too wide", found.mean);
    let far = (found.mean - theory).abs();
    assert!(far < 2.0 * half_width, "{what}: {} +- {half_width} against {theory}", found.mean);
}

/// Ten servers, exponential 100 ms: mean response in ms under a policy.
fn ten(rho: f64, policy: &str) -> Estimate {
    let web = fifo("web", 10, 1, 1.0, "100ms");
    let text = farm(100.0 * rho, &web, &format!("targets = ['web']\npolicy = '{policy}'"), 0.5);
    mean_ms(&trials(&text, 8, &[]))
}

#[test]
fn ten_servers_at_rho_90_respond_as_queueing_theory_says() {
    // M/M/1 behind random splitting; E10/M/1 behind round robin; the two others from exact chains of the design notes.
    let theory =
        [("random", 1000.0), ("round-robin", 566.0), ("two-choices", 304.0), ("least-connections", 193.0)];
    let mut found = theory.map(|(policy, _)| ten(0.9, policy)).to_vec();
    let pooled = farm(90.0, &fifo("web", 1, 10, 1.0, "100ms"), "targets = ['web']", 0.5);
    found.push(mean_ms(&trials(&pooled, 8, &[])));
    for ((what, theory), found) in theory.into_iter().chain([("pooled", 166.9)]).zip(&found) {
        agrees(what, *found, theory, 0.06);
    }
    assert!(found.is_sorted_by(|slower, faster| slower.mean > faster.mean), "{found:?}");
}

#[test]
fn ten_servers_at_rho_80_respond_as_queueing_theory_says() {
    agrees("random", ten(0.8, "random"), 500.0, 0.03);
    agrees("round-robin", ten(0.8, "round-robin"), 292.0, 0.03);
}

#[test]
fn four_servers_at_rho_80_keep_the_order_of_six_architectures() {
    // ladder-scaleup-scaleout-rho80, lb-random-n4-rho80, lb-rr-n4-rho80, lb-p2c-n4-rho80, lb-jsq-n4-rho80.
    let four = |policy: &str| {
        let web = fifo("web", 4, 1, 1.0, "10ms");
        farm(320.0, &web, &format!("targets = ['web']\npolicy = '{policy}'"), 0.125)
    };
    let one =
        |cores: u32, mean: &str| farm(320.0, &fifo("web", 1, cores, 1.0, mean), "targets = ['web']", 0.125);
    let cases = [
        ("one fast", one(1, "2.5ms"), 12.5),
        ("central queue", one(4, "10ms"), 17.455_405_897),
        ("least connections", four("least-connections"), 19.531_341_926),
        ("two choices", four("two-choices"), 23.301_575_950),
        ("round robin", four("round-robin"), 32.673_836_103),
        ("random", four("random"), 50.0),
    ];
    let mut last = 0.0;
    for (what, text, theory) in cases {
        let found = mean_ms(&trials(&text, 8, &[]));
        agrees(what, found, theory, 0.03);
        assert!(found.mean > last, "{what} is out of order");
        last = found.mean;
    }
}

#[test]
fn two_servers_at_rho_90_with_the_shortest_queue() {
    // lb-jsq-n2-rho90
    let web = fifo("web", 2, 1, 1.0, "10ms");
    let text = farm(180.0, &web, "targets = ['web']\npolicy = 'least-connections'", 0.25);
    agrees("lb-jsq-n2-rho90", mean_ms(&trials(&text, 8, &[])), 54.749_128_212, 0.04);
}

#[test]
fn round_robin_over_unequal_servers_breaks_at_half_the_load() {
    // Five servers of speed 1.5 and five of 0.5: each of the slow ones gets a tenth, so that rho 0.5 saturates them.
    let servers = fifo("fast", 5, 1, 1.5, "100ms") + &fifo("slow", 5, 1, 0.5, "100ms");
    let queue = |rho: f64, keys: &str, hours: f64| {
        let targets = format!("targets = ['fast', 'slow']\n{keys}");
        let text = farm(100.0 * rho, &servers, &targets, hours);
        let records = trials(&text, 4, &[]);
        let slow = records.iter().flat_map(|record| record.components.iter().filter(|c| c.group == "slow"));
        slow.map(|slow| slow.queue_mean).sum::<f64>() / 20.0
    };
    let plain = "policy = 'round-robin'";
    // E10/M/1 at rho 0.9: a handful wait, whatever the length.
    assert!(queue(0.45, plain, 0.5) < 10.0);
    // At 0.55 each slow server gets 5.5 a second and serves 5: in the middle of the measured half hour, 18 minutes after
    // the start, 540 wait; twice as many in an hour.
    let (half, whole) = (queue(0.55, plain, 0.5), queue(0.55, plain, 1.0));
    assert!((half / 540.0 - 1.0).abs() < 0.1, "{half}");
    assert!((whole / half - 2.0).abs() < 0.2, "{whole} after {half}");
    // Weights that fit the speeds, or least connections, need no such thing.
    assert!(queue(0.8, "policy = 'weighted'\nweights = [3, 1]", 0.5) < 10.0);
    assert!(queue(0.8, "policy = 'least-connections'", 0.5) < 10.0);
}

#[test]
fn the_chapters_topology_is_a_jackson_network() {
    // chapter1-web2-db-master-slaves, with database nodes of one core each that serve in the order of arrival.
    let exponential = |mean: &str| format!("cpu = {{ dist = 'exponential', mean = '{mean}' }}");
    let web =
        "[server.web]\ncount = 2\ncores = 4\nscheduling = 'fifo'\nworkers = 100000\nmemory_per_call = '0B'\n";
    let steps = "{ call = 'reads', class = 'read' }, { call = 'master', class = 'write' }";
    let text = farm(300.0, web, "targets = ['web']\npolicy = 'random'", 0.25)
        + &format!("steps = [{{ {} }}, {steps}]\n", exponential("20ms"))
        + "[balancer.reads]\ntargets = ['slave']\npolicy = 'random'\n"
        + &fifo("slave", 3, 1, 1.0, "10ms")
        + &fifo("master", 1, 1, 1.0, "12.5ms")
        + "[request.read]\nshare = 80\n[request.write]\nshare = 20\neffect = 'write'\n";
    let records = trials(&text, 8, &[]);
    for class in 0..2 {
        let means: Vec<f64> =
            records.iter().map(|record| record.classes[class].response.mean() / 1e6).collect();
        agrees("chapter 1", Estimate::over_trials(&means), 80.188_679_245, 0.03);
    }
}

// Checks ------------------------------------------------------------------------------------------------------------

/// Three servers with next to nothing to do, and keys of the balancer and of the client.
fn idle(duration: &str, balancer: &str, client: &str) -> String {
    format!(
        "[run]\nduration = '{duration}'\nwarmup = '0s'\n[client.users]\n{client}\ntarget = 'lb'\n\
         [balancer.lb]\npublic = true\ntargets = ['web']\n{balancer}\n\
         [server.web]\ncount = 3\nsteps = [{{ cpu = '1ms' }}]\n"
    )
}

/// Times from a crash to the moment when the balancer takes the server out, over many phases of the checks.
fn detection(preset: &str, at: f64, duration: &str) -> Vec<f64> {
    let text = idle(duration, &format!("preset = '{preset}'"), "rate = '1/s'");
    let records = trials(&text, 200, &[(at, "web-2", CRASH)]);
    records
        .iter()
        .map(|record| noted(record, "web-2", "out of balancer").expect("it is noticed") - at)
        .collect()
}

fn check_detection(times: &[f64], low: f64, high: f64) {
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    let most = times.iter().copied().fold(0.0, f64::max);
    println!("{least:.2}..{most:.2}");
    assert!(least >= low && most <= high + 0.001, "{least}..{most}");
    // Uniform between the two: the standard error of the mean is the width / sqrt(12 n).
    let error = (high - low) / (12.0 * times.len() as f64).sqrt();
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    assert!((mean - (low + high) / 2.0).abs() < 3.5 * error, "{mean}");
}

#[test]
fn haproxy_notices_a_refused_server_in_4_to_6_seconds() {
    check_detection(&detection("haproxy-3", 30.0, "60s"), 4.0, 6.0);
}

#[test]
fn an_alb_notices_a_refused_server_in_30_to_60_seconds() {
    check_detection(&detection("aws-alb", 100.0, "200s"), 30.0, 60.0);
}

#[test]
fn checks_are_no_traffic() {
    for (kind, cost) in [("connect", 0.0), ("page", 0.001)] {
        let keys = format!("health = {{ interval = '100ms', kind = '{kind}' }}");
        let record = &trials(&idle("60s", &keys, "rate = '10/s'"), 1, &[])[0];
        let calls: u64 = (1..=3).map(|n| component(record, &format!("web-{n}")).arrived).sum();
        assert!(calls.abs_diff(record.classes[0].issued) <= 1, "{kind}: {calls}");
        // Only a page costs something: 0.1 ms ten times a second, beside 1 ms for each call.
        let web = component(record, "web-1");
        let busy = web.machine.as_ref().expect("it is a machine").busy_cores_mean;
        let expected = cost + 0.001 * web.arrived as f64 / 60.0;
        assert!((busy - expected).abs() < 0.000_05, "{kind}: {busy}");
    }
}

#[test]
fn a_server_comes_back_after_rise_checks() {
    let text = idle("60s", "health = { interval = '2s', fall = 3, rise = 2 }", "rate = '50/s'");
    for record in trials(&text, 20, &[(10.0, "web-1", CRASH), (30.0, "web-1", RECOVER)]) {
        let back = noted(&record, "web-1", "back in balancer").expect("it comes back") - 30.0;
        assert!((2.0..=4.001).contains(&back), "{back}");
        // A third of the calls fails while nobody has noticed: five seconds of 50/s, at 4 to 6.
        let failed = outcome(&record, Outcome::Unavailable);
        assert!((50..=120).contains(&failed), "{failed}");
        assert_eq!(failed_between(&record, 17.0, 60.0), 0);
    }
}

#[test]
fn a_hung_server_answers_no_page_and_is_taken_out() {
    let text = |kind: &str| {
        let health = format!("health = {{ interval = '2s', timeout = '1s', fall = 3, kind = '{kind}' }}");
        idle("60s", &health, "rate = '50/s'\ntimeout = '3s'")
    };
    let hang = [(10.0, "web-1", What::Control(Control::Hang))];
    // Its kernel takes connections as if nothing were wrong.
    assert_eq!(noted(&trials(&text("connect"), 1, &hang)[0], "web-1", "out of balancer"), None);
    let text = text("page");
    for record in trials(&text, 20, &hang) {
        let out = noted(&record, "web-1", "out of balancer").expect("it is noticed") - 10.0;
        assert!((5.0..=7.001).contains(&out), "{out}");
        assert!(outcome(&record, Outcome::TimedOut) > 50);
        assert_eq!(failed_between(&record, 21.0, 60.0), 0);
    }
}

#[test]
fn slow_servers_are_taken_out_one_by_one_unless_the_balancer_panics() {
    // Three servers for 300 calls a second of 10 ms each can do just that. With one out the next cannot.
    let keys = |more: &str| {
        format!(
            "[run]\nduration = '120s'\nwarmup = '0s'\n[client.users]\nrate = '285/s'\ntarget = 'lb'\ntimeout = '2s'\n\
             [balancer.lb]\npublic = true\ntargets = ['web']\n\
             health = {{ kind = 'page', interval = '2s', timeout = '1s', fall = 2, rise = 5 }}\n{more}\n\
             [server.web]\ncount = 3\nworkers = 1\nscheduling = 'fifo'\nqueue = 400\nsteps = [{{ cpu = '10ms' }}]\n"
        )
    };
    let crash = [(20.0, "web-1", CRASH)];
    for record in trials(&keys(""), 4, &crash) {
        let out: Vec<f64> = ["web-1", "web-2", "web-3"]
            .map(|web| noted(&record, web, "out of balancer").expect("all are taken out"))
            .to_vec();
        assert!(out[0] < 25.0 && out[1] > out[0] && out[2] > out[0], "{out:?}");
        // Nobody is left: every call is turned away at once.
        assert!(outcome(&record, Outcome::Unavailable) > 2000, "{:?}", record.classes[0].outcomes);
    }
    let closed = trials(&keys(""), 4, &crash);
    let open = trials(&keys("panic = '70%'"), 4, &crash);
    for (closed, open) in closed.iter().zip(&open) {
        // With two of three out the balancer gives calls to all, and the two that work do what they can.
        assert!(count(open, "lb", "fail_open") > 1000);
        let ok = |record: &TrialRecord| {
            record.components.iter().filter(|c| c.group == "web").map(|c| c.outcomes[0]).sum::<u64>()
        };
        assert!(ok(open) as f64 > 1.2 * ok(closed) as f64, "{} {}", ok(open), ok(closed));
    }
}

// Failures ----------------------------------------------------------------------------------------------------------

#[test]
fn a_refused_call_goes_to_another_server() {
    let crash = [(10.0, "web-1", CRASH)];
    let without = &trials(&idle("60s", "", "rate = '100/s'"), 1, &crash)[0];
    let expected = 50.0 * 100.0 / 3.0;
    let failed = outcome(without, Outcome::Unavailable) as f64;
    assert!((failed / expected - 1.0).abs() < 0.1, "{failed}");
    let with = &trials(&idle("60s", "retries = 1", "rate = '100/s'"), 1, &crash)[0];
    assert_eq!(outcome(with, Outcome::Unavailable), 0);
    let retries = count(with, "lb", "retries") as f64;
    assert!((retries / expected - 1.0).abs() < 0.1, "{retries}");
}

#[test]
fn a_write_that_may_have_been_done_is_not_sent_again() {
    let text = "[run]\nduration = '20s'\nwarmup = '0s'\n[request.read]\n[request.write]\neffect = 'write'\n\
        [client.users]\nrate = '100/s'\ntarget = 'lb'\n\
        [balancer.lb]\npublic = true\ntargets = ['web']\nretries = 2\n\
        [server.web]\ncount = 2\nsteps = [{ wait = '1s' }]\n";
    let record = &trials(text, 1, &[(10.0, "web-1", CRASH)])[0];
    let failed = |class: usize| record.classes[class].outcomes[Outcome::Unavailable as usize];
    // About fifty calls are inside when it crashes, half of them writes.
    assert_eq!(failed(0), 0, "a read is sent again");
    assert!((10..=45).contains(&failed(1)), "{}", failed(1));
    assert_eq!(
        component(record, "web-1").dropped,
        count(record, "lb", "retries") - refused(record) + failed(1)
    );
}

/// Calls that a server refused: retries beyond those that broke.
fn refused(record: &TrialRecord) -> u64 {
    component(record, "web-1").outcomes[Outcome::Unavailable as usize]
}

#[test]
fn a_server_that_fails_is_ejected_for_longer_each_time() {
    let text = idle("200s", "ejection = { failures = 5, base = '10s', max_share = 0.4 }", "rate = '100/s'");
    let record = &trials(&text, 1, &[(10.0, "web-1", CRASH)])[0];
    let times = |event: &str| -> Vec<f64> {
        let notes = record.timeline.iter().filter(|note| note.component == "web-1" && note.event == event);
        notes.map(|note| note.at.since(SimTime::ZERO).as_secs_f64()).collect()
    };
    let (out, back) = (times("ejected"), times("back in balancer"));
    for (n, (out, back)) in out.iter().zip(&back).enumerate() {
        assert!((back - out - 10.0 * (n as f64 + 1.0)).abs() < 1e-6, "ejection {n}: {out}..{back}");
    }
    // 10 + 20 + 30 + 40 + 50 s, and a moment between: five calls of a third of 100/s.
    assert_eq!(out.len(), 6, "{out:?}");
    assert_eq!(outcome(record, Outcome::Unavailable), 30);
}

#[test]
fn a_queue_gives_up_after_its_timeout_and_has_an_end() {
    // Ten calls at once of a second each: 10/s of 20/s. The queue of 5 is always full; each place waits 0.5 s.
    let keys = "connections = 10\nqueue = { limit = 5, timeout = '10s' }";
    let text = idle("200s", keys, "rate = '20/s'").replace("cpu = '1ms'", "wait = '1s'");
    let record = &trials(&text, 1, &[])[0];
    let ok = outcome(record, Outcome::Ok) as f64;
    // M/D/10/15 beyond saturation: all connections are always busy.
    assert!((ok / 2000.0 - 1.0).abs() < 0.02, "{ok}");
    assert_eq!(component(record, "lb").queue_max, 5);
    let short = idle("200s", "connections = 10\nqueue = { limit = 50, timeout = '300ms' }", "rate = '20/s'");
    let record = &trials(&short.replace("cpu = '1ms'", "wait = '1s'"), 1, &[])[0];
    let longest = component(record, "lb").wait.max().expect("some waited");
    assert!((250_000_000..=300_000_000).contains(&longest), "{longest}");
    assert!(outcome(record, Outcome::Rejected) > 1500);
}

#[test]
fn a_balancer_with_a_cost_is_a_queue_of_its_own() {
    // M/M/1 at rho 0.5: 2 ms at the balancer, and 1 ms at the servers.
    let balancer = "targets = ['web']\ndemand = { dist = 'exponential', mean = '1ms' }\ncores = 1";
    let web = "[server.web]\ncount = 3\ncores = 8\nsteps = [{ wait = '1ms' }]\n";
    agrees("the balancer's core", mean_ms(&trials(&farm(500.0, web, balancer, 0.05), 8, &[])), 3.0, 0.02);
}

#[test]
fn a_target_that_is_too_slow_is_asked_no_more() {
    let text = idle("60s", "timeout = '2s'", "rate = '30/s'");
    let record = &trials(&text, 1, &[(10.0, "web-1", What::Control(Control::Hang))])[0];
    // Ten a second for fifty seconds, but those of the last two are still under way.
    let late = outcome(record, Outcome::TimedOut);
    assert!((430..=530).contains(&late), "{late}");
    assert_eq!(component(record, "lb").inside_max.min(80), component(record, "lb").inside_max);
}

// The pair ----------------------------------------------------------------------------------------------------------

#[test]
fn a_standby_takes_over_after_3_6_seconds_and_a_single_balancer_does_not() {
    let crash = [(10.0, "lb", CRASH), (40.0, "lb", RECOVER)];
    let client = "rate = '100/s'";
    for (standby, outage) in [(true, 3.609_375), (false, 30.0)] {
        let record = &trials(&idle("60s", &format!("standby = {standby}"), client), 1, &crash)[0];
        let failed = outcome(record, Outcome::Unavailable) as f64;
        assert!((failed / (100.0 * outage) - 1.0).abs() < 0.15, "{standby}: {failed}");
        let back = if standby { "take over" } else { "recover" };
        let at = noted(record, "lb", back).expect("it is back");
        assert!((at - 10.0 - outage).abs() < 1e-6, "{at}");
    }
}

#[test]
fn the_second_half_of_a_pair_can_fail_too() {
    // The first half is repaired at 30 s, so that the crash at 40 s finds a spare, and the one at 50 s finds none.
    let events = [
        (10.0, "lb", CRASH),
        (30.0, "lb", RECOVER),
        (40.0, "lb", CRASH),
        (50.0, "lb", CRASH),
        (60.0, "lb", RECOVER),
    ];
    let record = &trials(&idle("100s", "standby = true\nhealth = {}", "rate = '100/s'"), 1, &events)[0];
    let down = 3.609_375 + 3.609_375 + 10.0;
    let failed = outcome(record, Outcome::Unavailable) as f64;
    assert!((failed / (100.0 * down) - 1.0).abs() < 0.1, "{failed}");
    assert_eq!(failed_between(record, 61.0, 100.0), 0);
}

#[test]
fn connections_die_with_the_balancer_that_held_them() {
    let text = idle("60s", "standby = true", "rate = '100/s'").replace("cpu = '1ms'", "wait = '2s'");
    let record = &trials(&text, 1, &[(20.0, "lb", CRASH)])[0];
    // 200 calls are inside; their servers work on for nobody.
    let dropped = component(record, "lb").dropped;
    assert!((150..=250).contains(&dropped), "{dropped}");
    assert!(component(record, "web-1").outcomes[0] > 1500);
}

// Users and weights -------------------------------------------------------------------------------------------------

/// Users who come back, 300 of them, a request a second each.
const CROWD: &str = "users = 300\nthink_time = { dist = 'exponential', mean = '1s' }";

#[test]
fn sessions_are_lost_with_their_server() {
    let crash = [(20.0, "web-1", CRASH)];
    let keys = "policy = 'sticky'\nhealth = { interval = '1s', fall = 1 }";
    let record = &trials(&idle("60s", keys, CROWD), 1, &crash)[0];
    // A hundred users had their session there; each loses it once.
    let lost = count(record, "lb", "sessions_lost");
    assert!((90..=110).contains(&lost), "{lost}");
    // Nobody moves back, and nobody else moves.
    let keys = "policy = 'sticky'\nhealth = { interval = '1s', fall = 1 }\nsticky = { gone = 'fail' }";
    let events = [(20.0, "web-1", CRASH), (40.0, "web-1", RECOVER)];
    let record = &trials(&idle("60s", keys, CROWD), 1, &events)[0];
    assert_eq!(count(record, "lb", "sessions_lost"), 0);
    let failed = outcome(record, Outcome::Unavailable) as f64;
    // A third of 290/s for twenty seconds and up to three checks.
    assert!((1800.0..=2300.0).contains(&failed), "{failed}");
}

#[test]
fn without_stickiness_no_session_is_kept_or_lost() {
    let record = &trials(&idle("30s", "", CROWD), 1, &[(10.0, "web-1", CRASH)])[0];
    assert_eq!(count(record, "lb", "sessions_lost"), 0);
}

#[test]
fn hashing_keeps_users_apart_and_a_lost_server_moves_its_own_only() {
    // With two of three servers up, ring hashing moves the third's users and no others: the first two get all of it.
    for (policy, spread) in [("hash", 0.35), ("ip-hash", 0.2)] {
        let keys = format!("policy = '{policy}'\nhealth = {{ interval = '1s', fall = 1 }}");
        let record = &trials(&idle("60s", &keys, CROWD), 1, &[])[0];
        let arrived: Vec<f64> =
            (1..=3).map(|n| component(record, &format!("web-{n}")).arrived as f64).collect();
        let mean = arrived.iter().sum::<f64>() / 3.0;
        assert!(arrived.iter().all(|&calls| (calls / mean - 1.0).abs() < spread), "{policy}: {arrived:?}");
    }
}

#[test]
fn a_drained_server_ends_its_calls_and_gets_no_others() {
    let text = idle("60s", "", "rate = '90/s'").replace("cpu = '1ms'", "wait = '2s'");
    let events = [
        (20.0, "lb", What::Drain("web-2")),
        (30.0, "web-2", CRASH),
        (35.0, "web-2", RECOVER),
        (40.0, "lb", What::Ready("web-2")),
    ];
    let record = &trials(&text, 1, &events)[0];
    // It is restarted in between, and nobody sees it.
    assert_eq!(outcome(record, Outcome::Ok) + record.classes[0].in_flight(), record.classes[0].issued);
    assert_eq!(component(record, "web-2").dropped, 0);
    let share = component(record, "web-2").arrived as f64 / record.classes[0].issued as f64;
    assert!((share - 2.0 / 9.0).abs() < 0.02, "{share}");
}

#[test]
fn a_drain_that_takes_too_long_cuts_off() {
    let text = idle("60s", "drain = '5s'", "rate = '90/s'").replace("cpu = '1ms'", "wait = '10s'");
    let record = &trials(&text, 1, &[(20.0, "lb", What::Drain("web-2"))])[0];
    // Thirty a second: those of the five seconds before the last five are cut.
    let cut = outcome(record, Outcome::Unavailable);
    assert!((110..=190).contains(&cut), "{cut}");
}

#[test]
fn a_slow_start_gives_a_server_its_share_little_by_little() {
    let keys = |slow: &str| format!("{slow}\nhealth = {{ interval = '1s', fall = 1, rise = 1 }}");
    let events = [(10.0, "web-1", CRASH), (15.0, "web-1", RECOVER)];
    let calls = |slow: &str| {
        let record = &trials(&idle("46s", &keys(slow), "rate = '300/s'"), 1, &events)[0];
        component(record, "web-1").outcomes[0] as f64 - 1000.0
    };
    // Thirty seconds after it is back at full weight it has had 3000 calls. With a weight that grows from 0 to 1 its share
    // is w / (w + 2): on average 1 - 2 ln(3/2) = 0.189 instead of 0.333.
    let (at_once, slowly) = (calls(""), calls("slow_start = '30s'"));
    assert!((at_once / 3050.0 - 1.0).abs() < 0.05, "{at_once}");
    assert!((slowly / at_once / (0.189 / 0.3333) - 1.0).abs() < 0.08, "{slowly} of {at_once}");
}

#[test]
fn a_balancer_can_stand_behind_another() {
    let text = "[run]\nduration = '60s'\n[client.users]\nrate = '90/s'\ntarget = 'front'\n\
        [balancer.front]\npublic = true\ntargets = ['left', 'right']\nhealth = { kind = 'page' }\n\
        [balancer.left]\ntargets = ['web-l']\n[balancer.right]\ntargets = ['web-r']\n\
        [server.web-l]\ncount = 2\nsteps = [{ cpu = '1ms' }]\n[server.web-r]\nsteps = [{ cpu = '1ms' }]\n";
    let record = &trials(text, 1, &[])[0];
    assert_eq!(outcome(record, Outcome::Ok) + record.classes[0].in_flight(), record.classes[0].issued);
    let (left, right) = (component(record, "left").arrived, component(record, "right").arrived);
    assert!(left.abs_diff(right) <= 1, "{left} {right}");
}

#[test]
fn every_policy_closes_its_books_under_faults() {
    let policies = [
        "round-robin",
        "weighted",
        "random",
        "least-connections",
        "two-choices",
        "ewma",
        "hash",
        "ip-hash",
        "sticky",
    ];
    let events = [
        (5.0, "web-1", CRASH),
        (8.0, "web-2", What::Control(Control::Hang)),
        (10.0, "lb", CRASH),
        (12.0, "web-3", What::Control(Control::Slow(100_000))),
        (15.0, "web-1", RECOVER),
        (20.0, "lb", RECOVER),
        (22.0, "lb", What::Drain("web-1")),
        (25.0, "lb", What::Control(Control::Hang)),
        (28.0, "lb", RECOVER),
        (30.0, "web-2", RECOVER),
    ];
    for policy in policies {
        for preset in ["nginx", "haproxy-3", "aws-alb", "envoy"] {
            let keys = format!(
                "policy = '{policy}'\npreset = '{preset}'\nstandby = true\nconnections = 50\nqueue = {{ limit = 20, timeout = '1s' }}"
            );
            let text = idle("40s", &keys, "users = 200\nthink_time = '500ms'\ntimeout = '2s'");
            let (one, two) = (&trials(&text, 1, &events)[0], &trials(&text, 1, &events)[0]);
            assert_eq!(one.fingerprint, two.fingerprint, "{policy} {preset}");
            assert!(outcome(one, Outcome::Ok) > 1000, "{policy} {preset}: {:?}", one.classes[0].outcomes);
        }
    }
}

#[test]
fn the_chapters_scenario_loads_and_runs() {
    let text = r#"
title   = "Load balancer, three web servers and a database"
chapter = "1.5"
[run]
duration = "20s"
[request.read]
share = 90
[request.write]
share  = 10
effect = "write"
[client.users]
rate    = "300/s"
target  = "www"
timeout = "5s"
retry   = { attempts = 2, backoff = "100ms", jitter = "full" }
[dns.www]
records = ["lb"]
ttl     = "60s"
[balancer.lb]
public  = true
targets = ["web"]
policy  = "least-connections"
health  = { interval = "2s", timeout = "2s", fall = 3, rise = 2 }
[server.web]
count   = 3
cores   = 2
memory  = "4GiB"
workers = 200
queue   = 100
steps   = [
  { cpu = { dist = "exponential", mean = "6ms" } },
  { query = "db" },
  { cpu = "1ms" },
]
[database.db]
cores       = 4
memory      = "16GiB"
read        = { dist = "exponential", mean = "1.2ms" }
write       = { dist = "exponential", mean = "1.8ms" }
commit      = "1ms"
connections = 200
"#;
    let record = &trials(text, 1, &[])[0];
    assert_eq!(
        outcome(record, Outcome::Ok) + record.classes.iter().map(|c| c.in_flight()).sum::<u64>(),
        record.classes.iter().map(|c| c.issued).sum::<u64>()
    );
}
