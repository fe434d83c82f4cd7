//! Deployments: what they tell, and what becomes of the calls inside.

use super::*;

/// Servers behind a balancer with checks, which are deployed one after the other from 20 s on.
fn deployed(count: u32, wait: &str, keys: &str, seconds: u32) -> String {
    format!(
        "[run]\nduration = '{seconds}s'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
         [client.users]\nrate = '100/s'\ntarget = 'lb'\n[balancer.lb]\npublic = true\ntargets = ['web']\n\
         health = {{ interval = '2s', fall = 3 }}\n[server.web]\ncount = {count}\nworkers = 1000\nsteps = [{{ wait = '{wait}' }}]\n\
         [[fault]]\nkind = 'deploy'\ntarget = 'web'\nat = '20s'\n{keys}\n"
    )
}

/// Number of requests that failed.
fn failed(record: &TrialRecord) -> u64 {
    record.classes[0].outcomes[1..].iter().sum()
}

#[test]
fn a_deployment_that_tells_its_balancers_fails_nothing() {
    // traefik, issue 4544: 25 members, each down 20 s, 10 s apart; checks by connection, 2 s and 3 in a row, see it after 5 s on
    // average, in which a member has 4 calls a second: 25 x 4 x 5 = 500.
    let rolling = |keys: &str| {
        let (_, record) = run(&deployed(25, "1ms", &format!("for = '20s'\npause = '10s'\n{keys}"), 1100));
        failed(&record)
    };
    let without = rolling("");
    assert!((440..=560).contains(&without), "{without}");
    assert_eq!(rolling("drain = '10s'"), 0);
}

#[test]
fn a_member_works_on_while_it_drains_and_its_calls_end_within_the_grace() {
    // 100/s are 50/s for each of two members, with 150 calls of 3 s inside.
    let rolling = |keys: &str| {
        let (_, record) = run(&deployed(2, "3s", &format!("for = '10s'\npause = '20s'\n{keys}"), 120));
        let stop = record.timeline.iter().find(|note| note.event == "crash").expect("it is stopped");
        let dropped: u64 = record.components.iter().map(|one| one.dropped).sum();
        (stop.at.as_secs_f64() - 20.0, dropped)
    };
    let near = |at: f64, expected: f64| (at - expected).abs() < 0.03;
    let (at, cut) = rolling("");
    assert!(at == 0.0 && (220..=380).contains(&cut), "{at} {cut}");
    // They hear of it at 20 s, stop at 22 s and have the calls of the last second still inside: 50 each.
    let (at, cut) = rolling("drain = '2s'\ngrace = '0s'");
    assert!(near(at, 2.0) && (60..=140).contains(&cut), "{at} {cut}");
    // The last call ends at 23 s.
    let (at, cut) = rolling("drain = '2s'");
    assert!((2.8..=3.03).contains(&at) && cut == 0, "{at} {cut}");
    // Without being told, balancers meet refusals while the calls inside end.
    let (at, cut) = rolling("grace = '10s'");
    assert!((2.8..=3.03).contains(&at) && cut == 0, "{at} {cut}");
    let (at, cut) = rolling("grace = '1s'");
    assert!(near(at, 1.0) && (140..=260).contains(&cut), "{at} {cut}");
}

#[test]
fn users_who_belong_to_a_member_lose_at_most_their_last_calls() {
    let lost = |keys: &str| {
        let text = deployed(2, "1s", &format!("for = '10s'\npause = '40s'\n{keys}"), 60)
            .replace("rate = '100/s'", "users = 100\nthink_time = { dist = 'exponential', mean = '1s' }")
            .replace("health =", "policy = 'sticky'\nhealth =");
        failed(&run(&text).1)
    };
    // They come until it stops. Then half of the 50 users of a member have a call inside, which is lost without a grace.
    assert_eq!(lost("drain = '5s'"), 0);
    let last = lost("drain = '5s'\ngrace = '0s'");
    assert!((10..=40).contains(&last), "{last}");
    // Without being told, the balancer sends each of them there until its checks see it.
    assert!(lost("") > 100);
}
