//! Servers that answer errors.

use super::*;

/// Users of a balancer with these keys before three servers with these, of which one step waits.
fn three(client: &str, balancer: &str, server: &str, wait: &str) -> String {
    format!(
        "{NEAR}[client.users]\ntarget = 'lb'\n{client}\n[balancer.lb]\npublic = true\ntargets = ['web']\n{balancer}\n\
         [server.web]\ncount = 3\n{server}\nsteps = [{{ wait = '{wait}' }}]\n"
    )
}

/// One of the three answers a share of its calls with errors over the whole run.
fn one_errs(share: f64, keys: &str) -> String {
    format!("[[fault]]\nkind = 'errors'\ntarget = 'web-1'\nat = '0s'\nshare = {share}\n{keys}\n")
}

#[test]
fn a_share_of_the_calls_fails_after_all_its_work() {
    let errors = |keys: &str| {
        one_box("rate = '200/s'", &format!("errors = {{ {keys} }}\nsteps = [{{ cpu = '2ms' }}]"))
    };
    // The cores do the work of all of them.
    let busy = ("box.utilisation", about(0.4, 0.05));
    check(&errors("share = '10%'"), &[("failed", about(0.1, 0.1)), ("ok", about(0.9, 0.02)), busy]);
    check(&errors("share = 0.1, as = 'rejected'"), &[("rejected", about(0.1, 0.1)), ("failed", 0.0..=0.0)]);
}

#[test]
fn an_error_at_once_costs_its_time_and_no_work() {
    let server = "errors = { share = 1, time = '3ms' }\nsteps = [{ cpu = '2ms' }]";
    check(
        &one_box("rate = '200/s'", server),
        &[("failed", 1.0..=1.0), ("ended_ms", 2.999..=3.001), ("box.utilisation", 0.0..=0.0)],
    );
}

#[test]
fn a_try_is_drawn_for_again_and_independently() {
    // p of one of N servers, chosen at random: (p / N)^n of n tries, at the same server too.
    let again = "rate = '500/s'\nretry = { attempts = 2, backoff = '1ms' }";
    let text = three(again, "policy = 'random'", "", "1ms") + &one_errs(0.9, "");
    check(&text, &[("failed", about(0.3 * 0.3, 0.08)), ("attempts", about(1.3, 0.02))]);
    let one = one_box(again, "errors = { share = 0.3 }\nsteps = [{ wait = '1ms' }]");
    check(&one, &[("failed", about(0.3 * 0.3, 0.08)), ("attempts", about(1.3, 0.02))]);
}

#[test]
fn a_member_that_errs_fast_attracts_the_calls() {
    let least = "policy = 'least-connections'";
    // Servers that differ alone: 100 and 200 ms have the same number of calls inside. HAProxy: 131 and 68.9 of 200/s (issue 1099).
    let text = three("rate = '200/s'", least, "", "100ms")
        .replace("count = 3", "count = 1")
        .replace("['web']", "['web', 'slow']")
        + "[server.slow]\nsteps = [{ wait = '200ms' }]\n";
    check(&text, &[("web.rate", 131.0..=136.0), ("slow.rate", 64.0..=69.0)]);
    // 1/t of the sum of all 1/t, under a load that keeps 50 calls at each: 10 ms beside two of 100 ms.
    let errs = one_errs(1.0, "time = '10ms'");
    let text = three("rate = '6000/s'", least, "", "100ms") + &errs;
    check(&text, &[("failed", about(100.0 / 120.0, 0.015)), ("web-2.rate", about(500.0, 0.06))]);
    // In turn each has its third.
    let text = three("rate = '600/s'", "", "", "100ms") + &errs;
    check(&text, &[("failed", about(1.0 / 3.0, 0.01))]);
}

#[test]
fn an_error_is_an_answer_that_is_handed_on_and_only_some_products_count_it() {
    let text = |keys: &str| three("rate = '300/s'", keys, "", "1ms") + &one_errs(1.0, "");
    // nginx counts connections that fail (`proxy_next_upstream error timeout`), so that it hands every error on.
    check(&text("preset = 'nginx'"), &[("failed", about(1.0 / 3.0, 0.01)), ("lb.rate", about(300.0, 0.05))]);
    // Envoy counts answers of 500 and more: five in a row eject the server, for 30 s and more.
    let ejection = "ejection = { failures = 5, max_share = 0.5 }";
    check(&text(ejection), &[("failed", 0.0..=0.01)]);
}

#[test]
fn faults_that_overlap_are_independent_and_outlive_the_process() {
    let fault = |at: &str, lasts: &str, share: f64| {
        format!("[[fault]]\nkind = 'errors'\ntarget = 'box'\nat = '{at}'\nfor = '{lasts}'\nshare = {share}\n")
    };
    let text = one_box("rate = '500/s'", "steps = [{ wait = '1ms' }]").replace(NEAR, FROM_START)
        + &fault("20s", "60s", 0.5)
        + &fault("40s", "20s", 0.2)
        + "[[fault]]\nkind = 'crash'\ntarget = 'box'\nat = '60s'\nfor = '1s'\n";
    check(
        &text,
        &[
            ("throughput@0..20", about(500.0, 0.05)),
            ("throughput@20..40", about(250.0, 0.06)),
            ("throughput@40..60", about(500.0 * 0.5 * 0.8, 0.06)),
            ("throughput@62..80", about(250.0, 0.06)),
            ("throughput@81..100", about(500.0, 0.05)),
        ],
    );
}

#[test]
fn checks_do_not_see_the_errors() {
    let checks = "health = { interval = '1s', kind = 'page', fall = 1 }";
    let text = three("rate = '300/s'", checks, "errors = { share = 1 }", "1ms");
    check(&text, &[("failed", 1.0..=1.0)]);
}
