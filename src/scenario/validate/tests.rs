//! What validation finds in changed copies of one sound scenario: place, message and help.

use super::super::load;
use super::super::toys::{KINDS, LADDER};
use crate::model::spec::NoFiles;

/// Fails unless the ladder with `from` replaced by `to` gives exactly these diagnostics: text under the span,
/// message, help.
fn check(from: &str, to: &str, expected: &[(&str, &str, &str)]) {
    assert!(LADDER.contains(from), "{from}");
    let text = LADDER.replace(from, to);
    let found = match load("a.toml", &text, &[], &NoFiles, &KINDS) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    };
    let shown: Vec<(&str, &str, &str)> = found
        .items
        .iter()
        .map(|item| (&text[item.span.clone()], &*item.message, item.help.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(shown, expected, "{found}");
}

#[test]
fn names_must_be_there_and_of_the_right_kind() {
    check("query = \"db\"", "query = \"bd\"", &[("\"bd\"", "unknown name `bd`", "did you mean `db`?")]);
    check(
        "query = \"db\"",
        "query = \"web\"",
        &[
            (
                "\"web\"",
                "`web` cannot answer a query",
                "a `query` goes to a box that answers queries, such as `db`",
            ),
            (
                "\"web\"",
                "the calls go in a circle: web -> web",
                "a call that comes back would go round for ever",
            ),
        ],
    );
    check(
        "query = \"db\"",
        "call = \"users\"",
        &[("\"users\"", "`users` is a client, and clients answer no calls", "")],
    );
}

#[test]
fn a_client_reaches_public_boxes_only() {
    let help = "put it behind a balancer, or give it a public address: public = true";
    check(
        "public = true\n",
        "",
        &[("\"web\"", "`www` cannot reach `web`, which has no public address", help)],
    );
}

#[test]
fn machines_are_shared_with_machines_only() {
    for (host, message, help) in [
        ("wbe", "unknown name `wbe`", "did you mean `web`?"),
        ("db", "`db` cannot run on itself", ""),
        ("www", "`www` is a dns, not a machine", ""),
    ] {
        let value = format!("\"{host}\"");
        check("read = \"1ms\"", &format!("read = \"1ms\"\non = {value}"), &[(&value, message, help)]);
    }
    check(
        "read = \"1ms\"",
        "read = \"1ms\"\non = \"web\"\n[server.side]\ncores = 1\non = \"db\"",
        &[
            (
                "\"web\"",
                "`db` runs on `web-1` alone",
                "`web` is a group of 2 machines: keep one apart for what is shared",
            ),
            ("\"db\"", "`db` itself runs on `web`", "write on = \"web\""),
        ],
    );
}

#[test]
fn calls_must_not_go_in_a_circle() {
    let extra = "{ call = \"a\" }]\n[server.a]\ncores = 1\nsteps = [{ call = \"b\" }]\n\
                 [server.b]\ncores = 1\nsteps = [{ call = \"a\" }]\n";
    check(
        "{ query = \"db\", times = 2 }]",
        &format!("{{ query = \"db\" }}, {extra}"),
        &[(
            "\"a\"",
            "the calls go in a circle: a -> b -> a",
            "a call that comes back would go round for ever",
        )],
    );
}

#[test]
fn a_box_without_requests_and_one_without_capacity_are_warnings() {
    check(
        "[database.db]",
        "[server.idle]\ncores = 1\n[database.db]",
        &[("idle", "no request reaches `idle`", "point a box at it, or take it out")],
    );
    let message =
        "the cores of `web` must be 160 % busy: 3.2 core seconds of work come a second and 2 can be done";
    let help = "150 calls a second queue up without end: web.cores=2";
    check("100/s", "400/s", &[("1", message, help)]);
    let message =
        "the cores of `web` must be 100 % busy: 2 core seconds of work come a second and 2 can be done";
    let help = "the queue grows without end, if slowly: web.cores=2";
    check("100/s", "250/s", &[("1", message, help)]);
}

#[test]
fn a_scenario_needs_a_client() {
    let message = "the scenario has no client, so that no request is sent";
    check(
        "[client.users]\nrate = \"100/s\"\ntarget = \"www\"\n",
        "",
        &[("", message, "add a table `[client.users]`")],
    );
}

#[test]
fn limits_come_with_their_estimates() {
    check("count = 2", "count = 0", &[("0", "`web` has no machine", "expected a count of 1 or more")]);
    check(
        "count = 2",
        "count = 1_000_000_000",
        &[(
            "1_000_000_000",
            "1000000003 machines and other boxes would take about 100000 GB of memory",
            "a scenario has at most 10000 of them",
        )],
    );
    check(
        "rate = \"100/s\"",
        "users = 20_000_000",
        &[(
            "20_000_000",
            "20000000 users would take about 2 GB of memory",
            "a client has at most 10000000 users",
        )],
    );
    check(
        "100/s",
        "1000000000/s",
        &[(
            "\"1000000000/s\"",
            "a trial would have 6.6e11 requests, about 6.6e12 events",
            "a trial has at most 1e11 requests: lower the rate or the duration",
        )],
    );
}

#[test]
fn the_run_must_make_sense() {
    check(
        "[request.read]",
        "[run]\nduration = \"15s\"\nwarmup = \"22s\"\ntrials = 0\n[request.read]",
        &[("0", "expected 1 to 100000 trials, found 0", "")],
    );
}

#[test]
fn names_of_members_are_taken() {
    check(
        "[database.db]",
        "[database.web-2]\nread = \"1ms\"\n[database.db]",
        &[(
            "web-2",
            "the name `web-2` is taken by a member of `web`",
            "the 2 members of `web` are `web-1` and so on",
        )],
    );
}

#[test]
fn a_boxs_own_problems_are_shown_at_their_keys() {
    check(
        "rate = \"100/s\"",
        "rate = \"100/s\"\nusers = 3",
        &[("\"100/s\"", "both users and a rate", "give one of them")],
    );
}
