//! What a customer costs in each model, beside two loops that do less; what one record a request would gain; and what sharing
//! the cores costs beside serving in order.

use std::hint::black_box;

use crate::measure::{Row, measure};
use crate::{bare, lean, models, record};

/// Customers of a timed run.
const CUSTOMERS: u64 = 1_000_000;

/// Timed runs of each row, in turn. The fastest counts, since whatever else the machine does only adds.
const ROUNDS: usize = 7;

/// A name and what is timed under it.
type Work<'a> = (&'a str, &'a dyn Fn());

/// Nanoseconds a customer of each piece of work, and its name.
fn time<'a>(works: &[Work<'a>]) -> Vec<(&'a str, f64)> {
    let rows: Vec<_> = works.iter().map(|&(name, work)| Row { name, per: CUSTOMERS, work }).collect();
    rows.iter().map(|row| row.name).zip(measure(&rows, ROUNDS)).collect()
}

/// Prints all tables.
pub(crate) fn tables() {
    beside_loops();
    one_record();
    beside_fifo();
}

/// Three lines a model: the leanest loop, the loop by hand, and outgrow with its ratio to each.
fn beside_loops() {
    let loops: [[Work<'_>; 2]; 3] = [
        [
            ("M/M/1, leanest loop", &|| _ = black_box(lean::mm1(CUSTOMERS))),
            ("M/M/1, loop by hand", &|| _ = black_box(bare::mm1(CUSTOMERS))),
        ],
        [
            ("three tiers, leanest loop", &|| _ = black_box(lean::tiers(CUSTOMERS, false))),
            ("three tiers, loop by hand", &|| _ = black_box(bare::tiers(CUSTOMERS, false))),
        ],
        [
            ("three tiers, network, leanest loop", &|| _ = black_box(lean::tiers(CUSTOMERS, true))),
            ("three tiers, network, loop by hand", &|| _ = black_box(bare::tiers(CUSTOMERS, true))),
        ],
    ];
    let scenarios = models::of_the_summary().map(|model| (model.name, model.scenario(CUSTOMERS)));
    let runs = scenarios.each_ref().map(|(_, scenario)| move || _ = black_box(models::run(scenario).events));
    let mut works: Vec<Work<'_>> =
        vec![("M/M/1, Lindley's recursion", &|| _ = black_box(lean::lindley(CUSTOMERS)))];
    for ((pair, (name, _)), run) in loops.iter().zip(&scenarios).zip(&runs) {
        works.extend([pair[0], pair[1], (name, run)]);
    }
    let timed = time(&works);
    println!("\n{:<42} {:>12} {:>10} {:>10}", "", "ns/customer", "/ by hand", "/ leanest");
    let (recursion, models) = timed.split_at(1);
    println!("{:<42} {:>12.1}", recursion[0].0, recursion[0].1);
    for model in models.chunks(3) {
        let [(lean_name, leanest), (hand_name, by_hand), (name, each)] = model else { unreachable!() };
        println!("{lean_name:<42} {leanest:>12.1}");
        println!("{hand_name:<42} {by_hand:>12.1} {:>10} {:>10.2}", "", by_hand / leanest);
        println!("{name:<42} {each:>12.1} {:>10.2} {:>10.2}", each / by_hand, each / leanest);
    }
    println!("loops by hand: {}", bare::LACKS);
    println!("leanest loops: {}", lean::LACKS);
}

/// The three tiers from the leanest loop to outgrow, with loops between that write down all that outgrow does.
pub(crate) fn one_record() {
    let [_, model, _] = models::of_the_summary();
    let scenario = model.scenario(CUSTOMERS);
    let run = || _ = black_box(models::run(&scenario).events);
    let timed = time(&[
        ("three tiers, leanest loop", &|| _ = black_box(lean::tiers(CUSTOMERS, false))),
        ("three tiers, loop by hand", &|| _ = black_box(bare::tiers(CUSTOMERS, false))),
        ("all written down, one record a request", &|| _ = black_box(record::one_record(CUSTOMERS))),
        ("the same, 64 bytes a hop", &|| _ = black_box(record::roomy_record(CUSTOMERS))),
        ("all written down, a call a hop", &|| _ = black_box(record::call_a_hop(CUSTOMERS))),
        (model.name, &run),
    ]);
    let [.., (_, one), _, (_, hops), (_, outgrow)] = timed[..] else { unreachable!() };
    println!("\n{:<42} {:>12} {:>10}", "", "ns/customer", "outgrow /");
    for (name, each) in &timed {
        println!("{name:<42} {each:>12.1} {:>10.2}", outgrow / each);
    }
    println!("{:<42} {:>12} {:>10.2}", "a call a hop / one record", "", hops / one);
    println!("the loops that write all down: {}", record::LACKS);
}

/// Two lines a model: as a user writes it, with cores that are shared, and the same served in order.
fn beside_fifo() {
    let pairs = models::by_default();
    let scenarios: Vec<_> =
        pairs.iter().flatten().map(|model| (model.name, model.scenario(CUSTOMERS))).collect();
    let runs: Vec<_> =
        scenarios.iter().map(|(_, scenario)| move || _ = black_box(models::run(scenario).events)).collect();
    let works: Vec<Work<'_>> =
        scenarios.iter().zip(&runs).map(|((name, _), run)| (*name, run as &dyn Fn())).collect();
    println!("\n{:<42} {:>12} {:>10}", "", "ns/customer", "/ fifo");
    for pair in time(&works).chunks(2) {
        println!("{:<42} {:>12.1} {:>10.2}", pair[0].0, pair[0].1, pair[0].1 / pair[1].1);
        println!("{:<42} {:>12.1}", pair[1].0, pair[1].1);
    }
}
