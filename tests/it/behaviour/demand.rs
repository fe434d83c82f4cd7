//! Work that depends on the moment: on how many are inside, and on a fault that makes new work heavier.

use super::*;

#[test]
fn a_wait_that_grows_with_the_calls_inside_has_its_closed_form() {
    // N = lambda (b + p N): 50/s, 100 ms and 5 ms for each other call give 6.667 inside and 133.3 ms. As the wait does not
    // depend on who comes later, it is the same for other laws of the wait.
    for wait in ["'100ms'", "{ dist = 'exponential', mean = '100ms' }"] {
        let server = format!(
            "workers = 100000\nmemory_per_call = '1KiB'\nsteps = [{{ wait = {wait}, per_inside = '5ms' }}]"
        );
        let text = one_box("rate = '50/s'", &server).replace("'100s'", "'1000s'");
        check(&text, &[("mean_ms", about(133.3, 0.02)), ("box.inside", about(6.667, 0.02))]);
    }
    // One alone waits for nobody else.
    check(
        &one_box("rate = '50/s'", "workers = 1\nqueue = 0\nsteps = [{ wait = '10ms', per_inside = '5ms' }]"),
        &[("max_ms", 10.0..=10.0)],
    );
}

#[test]
fn a_wait_that_grows_faster_than_calls_leave_diverges() {
    // lambda p = 1.25.
    let server =
        "workers = 100000\nmemory_per_call = '1KiB'\nsteps = [{ wait = '100ms', per_inside = '25ms' }]";
    let text = one_box("rate = '50/s'\ntimeout = '1h'", server).replace("'100s'", "'20s'");
    check(&text, &[("throughput", 0.0..=40.0), ("box.inside_max", 100.0..=10_000.0)]);
}

/// Calls of 4 s begin at 10, 20 and 30 s. From 12 to 21 s everything takes three times as long.
fn slow(applies: &str) -> String {
    format!(
        "[network]\nclient = '0ms'\n[run]\nduration = '35s'\nwarmup = '0s'\n\
         [client.users]\ntarget = 'box'\nrate = '0.1/s'\narrivals = {{ dist = 'constant' }}\ntimeout = '1h'\n\
         [server.box]\npublic = true\ncores = 2\nsteps = [{{ cpu = '4s' }}]\n\
         [[fault]]\nkind = 'slow'\ntarget = 'box'\nat = '12s'\nfor = '9s'\nfactor = 3\n{applies}\n"
    )
}

#[test]
fn a_slow_machine_is_slower_for_all_work_while_it_lasts() {
    // 2 + 2 x 3 s, then 1/3 of the work in the last second of the fault and 3.67 s after it, then 4 s.
    for applies in ["", "applies = 'all'"] {
        check(
            &slow(applies),
            &[("mean_ms", about((8000.0 + 4666.7 + 4000.0) / 3.0, 0.001)), ("max_ms", about(8000.0, 0.001))],
        );
    }
}

#[test]
fn new_work_keeps_the_time_that_it_got_at_its_start() {
    // 4 s that began before, 12 s that began within, 4 s after.
    check(
        &slow("applies = 'new'"),
        &[("mean_ms", about(20_000.0 / 3.0, 0.001)), ("max_ms", about(12_000.0, 0.001))],
    );
}

#[test]
fn both_rules_have_the_same_steady_state() {
    // M/M/1 at 80 % for the whole time: 20 ms / (1 - 0.8).
    let server = "scheduling = 'fifo'\nworkers = 100000\nmemory_per_call = '1KiB'\n\
                  steps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]";
    for applies in ["all", "new"] {
        let fault = format!(
            "[[fault]]\nkind = 'slow'\ntarget = 'box'\nat = '1s'\nfactor = 2\napplies = '{applies}'\n"
        );
        let text = one_box("rate = '40/s'", server).replace("'100s'", "'2000s'") + &fault;
        check(&text, &[("mean_ms", about(100.0, 0.15))]);
    }
}
