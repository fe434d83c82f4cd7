//! Switches between two sites against the arithmetic of their parts, and what several sites are good for.

use std::fmt::Write as _;

use outgrow::components::database::{DataRecord, Part};
use outgrow::kernel::random::Seed;
use outgrow::kernel::time::SimDuration;
use outgrow::model::ask::Verbs;
use outgrow::model::component::{Component, Cx};
use outgrow::model::network::Place;
use outgrow::model::signal::{ComponentId, Control, Order, Signal};
use outgrow::model::simulation::{Hardware, Member};
use outgrow::scenario::build::build;

use super::{about, check};

/// Two sites with a balancer, two servers and a node of the database each, in two regions of two hours. `a` is lost at 600 s.
fn sites(rate: &str, switch: &str, more: &str) -> String {
    let mut text = format!(
        "[run]\nduration = '2h'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\njitter = 0\n\
         [[network.link]]\nbetween = ['a', 'b']\nrtt = '30ms'\n\
         [[network.link]]\nbetween = ['a', 'c']\nrtt = '30ms'\n\
         [[network.link]]\nbetween = ['b', 'c']\nrtt = '30ms'\n\
         [request.post]\neffect = 'write'\nkeys = 1000\n\
         [client.users]\nrate = '{rate}'\narrivals = {{ dist = 'constant' }}\ntarget = 'www'\ntimeout = '1s'\n\
         [dns.www]\nrecords = ['lb-a', 'lb-b']\nttl = '60s'\n\
         [database.db]\nregion = ['a', 'b']\nreplicas = 1\nreads = 'primary'\nship = {{ every = '10s' }}\n\
         [server.tools]\nregion = 'c'\nsteps = [{{ cpu = '1ms' }}]\n\
         [switch.over]\nfrom = ['lb-a', 'web-a', 'db.primary']\nto = ['lb-b', 'web-b', 'db.replica-1']\n{switch}\n"
    );
    for site in ["a", "b"] {
        let _ = write!(
            text,
            "[balancer.lb-{site}]\npublic = true\nregion = '{site}'\ntargets = ['web-{site}']\nconnect_timeout = '100ms'\n\
             [server.web-{site}]\nregion = '{site}'\ncount = 2\nprice = 1\nsteps = [{{ cpu = '1ms' }}, {{ query = 'db' }}]\n"
        );
    }
    text + more
}

/// A region is lost at 600 s, for good or for a time.
fn lost(region: &str, lasts: &str) -> String {
    let lasts = if lasts.is_empty() { String::new() } else { format!("for = '{lasts}'\n") };
    format!("[[fault]]\nkind = 'region'\ntarget = '{region}'\nat = '600s'\n{lasts}")
}

#[test]
fn a_switch_takes_what_its_parts_take() {
    // Three checks 10 s apart, of which the last one waits 10 s for an answer, and then what the table says.
    check(
        &sites("1/s", "needs = ['tools']", &lost("a", "")),
        &[
            ("over.switches", 1.0..=1.0),
            ("over.noticed", 30.0..=40.0),
            ("over.decided", 1200.0..=1200.0),
            ("over.step_db", 180.0..=180.1),
            ("over.step_dns", 60.0..=60.0),
            ("over.boot", 0.0..=0.0),
            ("over.paused", 0.0..=0.0),
            ("over.switch", 1470.0..=1480.1),
            // Until then nobody gets through, and afterwards everybody, once the names have been forgotten.
            ("throughput@0..598", about(1.0, 0.01)),
            ("throughput@604..2070", 0.0..=0.0),
            ("throughput@2142..7200", about(1.0, 0.01)),
        ],
    );
}

#[test]
fn who_burns_with_the_site_cannot_switch() {
    let text = sites("1/s", "needs = ['tools']", &lost("a", ""));
    let away = |place: &str| text.find(&format!("[[network.link]]\nbetween = ['{place}', 'c']"));
    let (first, last) = (away("a").expect("a link"), text.find("[request.post]").expect("a class"));
    let burns = (text[..first].to_owned() + &text[last..]).replace("region = 'c'", "region = 'a'");
    check(
        &burns,
        &[("over.switches", 0.0..=0.0), ("over.pauses", 1.0..=1.0), ("throughput@604..7200", 0.0..=0.0)],
    );
    // The tools are rebuilt after an hour: the decision begins then.
    let rebuilt = "[[fault]]\nkind = 'power-off'\ntarget = 'tools'\nat = '600s'\nfor = '1h'\n";
    let text = sites("1/s", "needs = ['tools']", &(lost("a", "") + rebuilt));
    check(
        &text,
        &[
            ("over.switches", 1.0..=1.0),
            ("over.paused", 3559.0..=3571.1),
            ("over.decided", 3559.0 + 1200.0..=3571.1 + 1200.0),
            ("over.switch", 3600.0 + 1200.0 + 240.0..=3601.1 + 1200.0 + 240.1),
        ],
    );
    // Tools that work and cannot reach the other site are of no use either.
    let cut = "[[fault]]\nkind = 'partition'\nbetween = ['tools', 'b']\nat = '1000s'\nfor = '500s'\n";
    check(
        &sites("1/s", "needs = ['tools']", &(lost("a", "") + cut)),
        &[("over.pauses", 1.0..=1.0), ("over.paused", 499.0..=501.1), ("over.decided", 1699.0..=1701.1)],
    );
}

#[test]
fn a_decision_is_called_off_when_the_site_is_back() {
    check(
        &sites("1/s", "needs = ['tools']", &lost("a", "15min")),
        &[
            ("over.switches", 0.0..=0.0),
            ("over.called_off", 1.0..=1.0),
            ("db.lost_writes", 0.0..=0.0),
            ("throughput@1520..7200", about(1.0, 0.01)),
        ],
    );
    // Once it is decided, it is done. The old primary comes back as a replica.
    check(
        &sites("1/s", "needs = ['tools']", &lost("a", "21min")),
        &[
            ("over.switches", 1.0..=1.0),
            ("over.called_off", 0.0..=0.0),
            ("throughput@2142..7200", about(1.0, 0.01)),
        ],
    );
}

#[test]
fn a_site_that_is_cut_off_is_fenced_and_comes_back_as_a_standby() {
    let cut = "[[fault]]\nkind = 'partition'\ntarget = 'a'\nat = '600s'\nfor = '1000s'\n";
    let text = sites("5/s", "by = 'check'\nneeds = ['tools']\nsteps = [['db', '10s'], ['dns', '5s']]", cut);
    // The tools do not reach the site that is cut off, so that nobody dares; it is back before.
    check(&text, &[("over.pauses", 1.0..=1.0), ("over.called_off", 1.0..=1.0), ("over.switches", 0.0..=0.0)]);
    let text = text.replace("needs = ['tools']\n", "");
    check(
        &text,
        &[
            ("over.switches", 1.0..=1.0),
            ("over.noticed", 0.0..=40.0),
            ("db.lost_writes", 0.0..=50.0),
            ("throughput@760..7200", about(5.0, 0.01)),
            ("web-a-1.rate", 0.0..=0.25),
        ],
    );
}

#[test]
fn each_shard_has_its_heir() {
    let text = sites("5/s", "by = 'check'\nsteps = [['db', '10s'], ['dns', '5s']]", &lost("a", ""))
        .replace(
            "region = ['a', 'b']\nreplicas",
            "region = ['a', 'a', 'b', 'b']\nshards = { count = 2 }\nreplicas",
        )
        .replace("'web-a', 'db.primary'", "'web-a', 'db.shard-1.primary', 'db.shard-2.primary'")
        .replace("'web-b', 'db.replica-1'", "'web-b', 'db.shard-1.replica-1', 'db.shard-2.replica-1'");
    check(&text, &[("over.switches", 1.0..=1.0), ("throughput@760..7200", about(5.0, 0.01))]);
}

/// Orders to a switch, each at a time in seconds.
struct Caller(ComponentId, Vec<(u64, u16)>);

impl Component for Caller {
    fn start(&mut self, cx: &mut Cx<'_>) {
        for (at, code) in &self.1 {
            let order = Control::Order(Order::about(*code, self.0));
            cx.control(self.0, SimDuration::from_secs(*at), order);
        }
    }

    fn on(&mut self, _signal: Signal, _cx: &mut Cx<'_>) {}
}

#[test]
fn who_is_called_begins_at_once_and_decides_once_at_a_time() {
    let text = sites("1/s", "needs = ['tools']", "");
    let (scenario, record) = super::run(&text);
    let at = record.components.iter().position(|one| one.name == "over").expect("a switch");
    let calls = [(100, Order::DECIDE), (200, Order::CALL_OFF), (300, Order::DECIDE), (900, Order::DECIDE)];
    let caller = Caller(ComponentId::new(at), calls.to_vec());
    let mut simulation = build(&scenario, Seed::new(1));
    simulation.add(Member {
        name: "caller",
        group: "caller",
        kind: "caller",
        answers: Verbs::NONE,
        gauges: &[],
        place: Place::INTERNET,
        public: false,
        hardware: Hardware::None,
        component: Box::new(caller),
    });
    let record = simulation.run(scenario.length(), &mut |_| false);
    let told = record.timeline.iter().filter(|note| note.component == "over");
    let told: Vec<(f64, &str)> = told.map(|note| (note.at.as_secs_f64(), &*note.event)).collect();
    let decided = [
        (100.0, "decision begins"),
        (200.0, "decision called off"),
        (300.0, "decision begins"),
        (1500.0, "decided"),
    ];
    assert_eq!(told[..4], decided, "{told:?}");
    assert_eq!((told.len(), told[5].1), (6, "switched"));
}

#[test]
fn what_was_not_shipped_is_lost() {
    // Batches of 10 s: up to 200 writes at 20/s, as many as the time whose writes are lost says.
    let text = sites("20/s", "by = 'check'\nsteps = [['db', '10s'], ['dns', '5s']]", &lost("a", ""));
    let text = text.replace("duration = '2h'", "duration = '20min'");
    check(&text, &[("db.lost_writes", 1.0..=200.0), ("over.decided", 0.0..=0.0)]);
    let (_, record) = super::run(&text);
    let db = record.components.iter().find(|one| one.name == "db").expect("a database");
    let of = |name: &str| db.gauges.iter().find(|(gauge, _)| gauge.name == name).expect("a gauge").1.mean();
    let (count, time) = (of("lost_writes"), of("rpo"));
    assert!((count - 20.0 * time).abs() <= 1.0, "{count} writes, {time} s");
    // What every commit waits for is not lost.
    let sync = text.replace("ship = { every = '10s' }", "replication = 'sync'");
    check(&sync, &[("db.lost_writes", 0.0..=0.0), ("over.switches", 1.0..=1.0)]);
}

#[test]
fn a_cold_site_costs_nothing_and_boots_before_names_lead_there() {
    let text = |keys: &str| {
        let keys = format!("by = 'check'\nsteps = [['dns', '0s'], ['db', '5s']]\n{keys}");
        sites("1/s", &keys, &lost("a", "")).replace("duration = '2h'", "duration = '1200s'")
    };
    check(
        &text(""),
        &[("over.boot", 33.0..=33.0), ("over.step_dns", 0.0..=0.0), ("web-b-1.rate", 0.2..=0.23)],
    );
    check(&text("warm = true"), &[("over.boot", 0.0..=0.0), ("over.switch", 35.0..=45.1)]);
    let cost = |keys: &str| {
        let (_, record) = super::run(&text(keys));
        let machine = |name: &str| record.components.iter().find(|one| one.name == name).expect("a server");
        machine("web-b-1").machine.as_ref().expect("a machine").price
    };
    let (cold, warm) = (cost(""), cost("warm = true"));
    // It is there from the decision at 630 to 640 s on, and not before.
    assert!((cold / warm - 565.0 / 1200.0).abs() < 0.006, "{cold} of {warm}");
}

#[test]
fn the_outage_of_writes_has_the_parts_of_the_switch() {
    let steps = "by = 'check'\nafter = '20s'\nsteps = [['dns', '5s'], ['db', '10s']]";
    let text = sites("10/s", steps, &lost("a", "")).replace("duration = '2h'", "duration = '900s'");
    let (_, record) = super::run(&text);
    let data = DataRecord::of(&record).expect("a database");
    let outage = data.longest_outage().expect("an outage");
    let part = |part: Part| outage.parts_s[part as usize];
    // The machines boot for 33 s before names lead to them, and the step for the database begins then.
    assert!((30.0..41.0).contains(&part(Part::Detect)), "{outage:?}");
    assert!((part(Part::Decide) - (20.0 + 33.0 + 5.0)).abs() < 0.1, "{outage:?}");
    assert!((part(Part::Promote) - 10.0).abs() < 0.1 && part(Part::CatchUp) < 0.1, "{outage:?}");
}

#[test]
fn the_caches_of_a_cold_site_are_empty() {
    let text = |keys: &str| {
        let cached = "steps = [{ cpu = '1ms' }, { cache = 'memo', miss = { query = 'db' } }]";
        let memo =
            "[cache.memo]\nregion = 'b'\nentries = 1000\nwarm = 1\n[request.view]\nkeys = 1000\nshare = 9\n";
        let keys = format!("by = 'check'\nsteps = [['db', '0s'], ['dns', '0s']]\n{keys}");
        let text = sites("5/s", &keys, &(memo.to_owned() + &lost("a", "")));
        let at = text.find("[server.web-b]").expect("a server");
        let (before, after) = text.split_at(at);
        let after = after.replacen("steps = [{ cpu = '1ms' }, { query = 'db' }]", cached, 1);
        let text = before.to_owned() + &after;
        text.replace("'web-b', 'db.replica-1'", "'web-b', 'memo', 'db.replica-1'")
            .replace("duration = '2h'", "duration = '760s'")
    };
    // Some 200 reads of 1000 keys: few of them twice.
    check(&text(""), &[("memo.hit_share", 0.01..=0.3)]);
    check(&text("warm = true"), &[("memo.hit_share", 0.95..=1.0)]);
}

/// Two sites that both have users, each of which can do 100 a second; `a` is lost at 60 s of 160.
fn active(rate: u32) -> String {
    format!(
        "[run]\nduration = '160s'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
         [[network.link]]\nbetween = ['a', 'b']\nrtt = '30ms'\n\
         [client.users]\nrate = '{rate}/s'\ntarget = 'www'\ntimeout = '2s'\naddresses = 1\n\
         [dns.www]\nrecords = ['web-a', 'web-b']\nttl = '5s'\nhealth = {{ interval = '2s', timeout = '1s', misses = 2 }}\n\
         [server.web-a]\npublic = true\nregion = 'a'\nsteps = [{{ cpu = '10ms' }}]\n\
         [server.web-b]\npublic = true\nregion = 'b'\nsteps = [{{ cpu = '10ms' }}]\n\
         [[fault]]\nkind = 'region'\ntarget = 'a'\nat = '60s'\n"
    )
}

#[test]
fn of_two_sites_each_may_carry_half() {
    // 45 % each: the other one carries 90 % once names and checks have noticed. 60 % each: 120 %, and a queue that outgrows patience.
    check(&active(90), &[("throughput@2..58", about(90.0, 0.05)), ("throughput@80..158", about(90.0, 0.05))]);
    check(&active(120), &[("throughput@2..58", about(120.0, 0.05)), ("throughput@90..158", 0.0..=60.0)]);
}

/// Copies behind a balancer that tries the next one at once, each up nine tenths of the time, and all of them in one place.
fn copies(count: u32, common: &str) -> String {
    format!(
        "[run]\nduration = '20000s'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\nother_zone = '0ms'\n\
         [client.users]\nrate = '5/s'\ntarget = 'lb'\n\
         [balancer.lb]\npublic = true\nzone = 'out'\ntargets = ['web']\nretries = 3\nconnect_timeout = '1ms'\n\
         [server.web]\nzone = 'hall'\ncount = {count}\nsteps = [{{ wait = '0ms' }}]\n\
         [[fault]]\nkind = 'crash'\ntarget = 'web'\nmtbf = '9s'\nmttr = '1s'\n{common}"
    )
}

#[test]
fn copies_multiply_nines_unless_they_have_a_cause_in_common() {
    for (count, missing, slack) in [(1, 0.1, 0.15), (2, 0.01, 0.3), (3, 0.001, 0.7)] {
        let range = (1.0 - missing * (1.0 + slack))..=(1.0 - missing * (1.0 - slack));
        check(&copies(count, ""), &[("ok", range)]);
    }
    // (1 - c) (1 - (1 - A)^n): a hall without power for a twentieth of the time leaves 95 % of whatever there is.
    let common = "[[fault]]\nkind = 'zone'\ntarget = 'hall'\nmtbf = '19s'\nmttr = '1s'\n";
    for count in [2, 3] {
        check(
            &copies(count, common),
            &[("ok", about(0.95 * (1.0 - libm::pow(0.1, f64::from(count))), 0.012))],
        );
    }
}
