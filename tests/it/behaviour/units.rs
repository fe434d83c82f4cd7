//! Requests that take several workers at once.

use super::*;

/// Ten workers; 4 erlangs of requests that take one of them, and 1 erlang of requests that take three.
fn two_widths(queue: &str, more: &str) -> String {
    let server = format!(
        "workers = 10\n{queue}\nmemory_per_call = '1KiB'\nsteps = [{{ wait = {{ dist = 'exponential', mean = '10ms' }} }}]"
    );
    let classes = format!("[request.narrow]\nshare = 4\n[request.wide]\nshare = 1\nunits = 3\n{more}");
    format!("{}{classes}", one_box("rate = '500/s'\ntimeout = '1h'", &server))
}

#[test]
fn a_loss_system_with_two_widths_is_that_of_kaufman_and_roberts() {
    // n q(n) = 4 q(n - 1) + 3 q(n - 3): one unit is lost at n = 10, three at n = 8, 9 and 10.
    let mut states = vec![1.0];
    for n in 1..=10_usize {
        let three = if n >= 3 { 3.0 * states[n - 3] } else { 0.0 };
        states.push((4.0 * states[n - 1] + three) / n as f64);
    }
    let sum: f64 = states.iter().sum();
    let lost = [states[10] / sum, states[8..].iter().sum::<f64>() / sum];
    assert!((lost[0] - 0.0768).abs() < 5e-5 && (lost[1] - 0.2866).abs() < 5e-5, "{lost:?}");
    check(
        &two_widths("queue = 0", ""),
        &[("narrow.rejected", about(lost[0], 0.1)), ("wide.rejected", about(lost[1], 0.07))],
    );
}

#[test]
fn with_a_queue_nothing_is_lost_and_all_workers_are_of_use() {
    let (scenario, record) = run(&two_widths("queue = 100000", ""));
    assert!(figure(&scenario, &record, "rejected") == 0.0);
    // Little: 4 of one unit and 1 of three hold seven workers.
    let gauges =
        &record.components.iter().find(|component| component.name == "box").expect("it is there").gauges;
    let held = gauges.iter().find(|(gauge, _)| gauge.name == "workers_held").expect("the figure").1.mean();
    assert!((6.8..=7.2).contains(&held), "{held}");
    let rows = &scenario.load().resources;
    let workers = rows.iter().find(|row| row.resource.name == "workers").expect("a row");
    assert!(workers.resource.holds.iter().map(|hold| hold.amount).eq([1.0, 3.0]));
}

#[test]
fn nobody_of_the_same_priority_passes_a_wide_request() {
    // First come, first served: the narrow ones wait as long as the wide ones, but for the last free places.
    let waits = |more: &str| {
        let (scenario, record) = run(&two_widths("queue = 100000", more));
        ["narrow", "wide"].map(|class| figure(&scenario, &record, &format!("{class}.mean_ms")) - 10.0)
    };
    let [narrow, wide] = waits("");
    assert!(narrow > 0.4 * wide && narrow < wide, "{narrow} {wide}");
    // With a higher priority they do pass, and hardly wait.
    let [first, last] = waits("priority = 1\n");
    assert!(first < 0.4 * narrow && last > wide, "{first} {last}");
}
