//! Monitors: when somebody knows of a fault, held against the sum of the waits on the way; and what a monitor cannot see.

use outgrow::scenario::expression::Stat;
use outgrow::{RunResult, Scenario};

fn run(text: &str, trials: u32) -> RunResult {
    let scenario = Scenario::parse(text).unwrap_or_else(|found| panic!("{found}"));
    scenario.trials(trials).run().unwrap_or_else(|found| panic!("{found}"))
}

/// A gauge of `watch` in each trial that has a value.
fn trials(result: &RunResult, gauge: &str) -> Vec<f64> {
    let gauges = &result.components.get("watch").expect("there is a monitor").gauges;
    let (_, found) = gauges.iter().find(|(_, one)| one.gauge.name == gauge).expect("it has this gauge");
    found.figure(Stat::Mean).trials.iter().flatten().copied().collect()
}

/// The sum of a count of `watch` over all trials.
fn total(result: &RunResult, gauge: &str) -> f64 {
    trials(result, gauge).iter().sum()
}

/// The events of monitors in the timeline: times in seconds and texts.
fn told(result: &RunResult) -> Vec<(f64, String)> {
    let is_alert = |event: &str| event.starts_with("fires: ") || event.starts_with("resolves: ");
    let alerts = result.timeline.iter().filter(|one| is_alert(&one.event));
    alerts.map(|one| (one.t_s, format!("{}: {}", one.component, one.event))).collect()
}

/// One request a second to a server, which is watched.
fn watched(run: &str, server: &str, monitor: &str, rest: &str) -> String {
    format!(
        "[run]\n{run}\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n[client.users]\n\
         rate = '1/s'\narrivals = {{ dist = 'constant' }}\ntarget = 'web'\n[server.web]\npublic = true\n{server}\n\
         steps = [{{ cpu = '1ms' }}]\n[monitor.watch]\n{monitor}\n{rest}\n"
    )
}

const ERRORS: &str = "[[fault]]\nkind = 'errors'\ntarget = 'web'\nshare = '100%'\nat = '5min'\n";

#[test]
fn the_delay_is_that_of_scrape_evaluation_and_patience() {
    let alert = "[[monitor.watch.alert]]\non = 'error_rate > 0.1%'\nfor = '5min'";
    let result = run(&watched("duration = '14min'", "", alert, ERRORS), 120);
    let delays = trials(&result, "alert_delay");
    assert_eq!(delays.len(), 120);
    // The first error comes up to a second after the fault.
    assert!(delays.iter().all(|delay| (300.0..=421.0).contains(delay)), "{delays:?}");
    let mean = delays.iter().sum::<f64>() / 120.0;
    // The sum of two even waits of up to 60 s has a standard deviation of 24.5 s, the mean of 120 of them one of 2.2 s.
    assert!((mean - 360.5).abs() < 9.0, "{mean}");
    let spread = delays.iter().map(|delay| (delay - mean).powi(2)).sum::<f64>() / 119.0;
    assert!((spread / 600.0 - 1.0).abs() < 0.5, "{spread}");
    for gauge in ["false_alerts", "missed", "flaps"] {
        assert!(total(&result, gauge) == 0.0, "{gauge}");
    }
}

#[test]
fn a_fault_that_is_shorter_than_the_patience_is_missed_and_one_that_comes_and_goes_flaps() {
    let alert =
        "scrape = '5s'\nevaluate = '5s'\n[[monitor.watch.alert]]\non = 'error_rate > 20%'\nwindow = '20s'\n";
    let short = ERRORS.replace("100%", "100%'\nfor = '30s");
    let patient = run(&watched("duration = '10min'", "", &format!("{alert}for = '1min'"), &short), 5);
    assert_eq!((total(&patient, "missed"), trials(&patient, "alert_delay").len()), (5.0, 0));
    let quick = run(&watched("duration = '10min'", "", alert, &short), 5);
    assert_eq!(
        (total(&quick, "missed"), total(&quick, "flaps"), trials(&quick, "alert_delay").len()),
        (0.0, 0.0, 5)
    );
    // The second fault begins while the windows still hold some of the first one, and the alert has resolved in between.
    let again = short.replace("5min", "350s");
    let twice = run(&watched("duration = '10min'", "", alert, &(short + &again)), 5);
    assert_eq!((total(&twice, "flaps"), total(&twice, "false_alerts")), (5.0, 0.0));
    assert_eq!(told(&twice).len(), 4, "{:?}", told(&twice));
}

#[test]
fn chance_raises_false_alerts_at_the_rate_of_its_distribution() {
    // Sixty requests a minute on average, by chance: P(N < 54) = .199 of a Poisson number (scipy.stats.poisson.cdf(53, 60)).
    let chance =
        watched("duration = '5h'", "", "ALERT", "").replace("arrivals = { dist = 'constant' }\n", "");
    let alert = |lasts: &str| {
        let alert = "[[monitor.watch.alert]]\non = 'throughput < 0.9/s'\nwindow = '1min'\nfor";
        run(&chance.replace("ALERT", &format!("{alert} = '{lasts}'")), 8)
    };
    let p: f64 = 0.1990;
    // A new alert at a look: it holds now and did not before, or it has held for two looks and did not before these.
    for (lasts, rate) in [("0s", p * (1.0 - p)), ("1min", p * p * (1.0 - p)), ("5min", p.powi(6) * (1.0 - p))]
    {
        let (alerts, expected) = (total(&alert(lasts), "false_alerts"), 8.0 * 300.0 * rate);
        assert!((alerts - expected).abs() < 4.0 * expected.sqrt() + 1.0, "{lasts}: {alerts}, not {expected}");
    }
}

#[test]
fn buckets_that_are_merged_tell_the_percentile_of_all_and_an_average_does_not() {
    let alert = "of = 'web'\non = 'p99(response) > 20ms'\nfor = '6min'\nmerge";
    let text = format!(
        "[run]\nduration = '8min'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n[client.users]\n\
         rate = '100/s'\ntarget = 'lb'\n[balancer.lb]\npublic = true\ntargets = ['web']\npolicy = 'round-robin'\n\
         [server.web]\ncount = 10\ncores = 16\nworkers = 1000\nsteps = [{{ cpu = {{ dist = 'exponential', mean = '10ms' }} }}]\n\
         [[fault]]\nkind = 'slow'\ntarget = 'web-10'\nfactor = 10\nat = '0s'\n\
         [monitor.watch]\nscrape = '10s'\nevaluate = '10s'\n\
         [[monitor.watch.alert]]\n{alert} = 'buckets'\n[[monitor.watch.alert]]\n{alert} = 'average'\n"
    );
    let told = told(&run(&text, 1));
    let value = |(_, event): &(f64, String)| -> f64 {
        let value = event.split(", at ").nth(1).and_then(|value| value.strip_suffix("ms"));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{event}"))
    };
    let [all, average] = [&told[0], &told[1]].map(value);
    // The 30,000 answers of a window leave a standard deviation of 5.7 ms, and of 1.9 ms in the mean of ten percentiles.
    assert!((all - 230.3).abs() < 23.0, "{all}");
    assert!((average - 87.5).abs() < 8.0, "{average}");
}

#[test]
fn users_meet_the_same_boxes_with_a_monitor_and_without() {
    let text = "[run]\nduration = '60s'\nwarmup = '5s'\n[client.users]\nrate = '40/s'\nretry = { attempts = 2 }\ntimeout = '200ms'\n\
                target = 'lb'\n[balancer.lb]\npublic = true\ntargets = ['web']\n[server.web]\ncount = 2\nworkers = 3\n\
                steps = [{ cpu = { dist = 'exponential', mean = '20ms' } }, { query = 'db' }]\n[database.db]\n\
                [[fault]]\nkind = 'crash'\ntarget = 'web-1'\nat = '20s'\nfor = '10s'\n";
    let monitor = "[monitor.watch]\nscrape = '1s'\nevaluate = '1s'\nabsent = '5s'\n\
                   [[monitor.watch.alert]]\non = 'error_rate > 1%'\n\
                   [[monitor.watch.alert]]\non = 'p99(response) > 50ms'\nof = 'web'\n\
                   [[monitor.watch.alert]]\non = 'utilisation(web) > 5%'\nwindow = '5s'\n\
                   [[monitor.watch.alert]]\non = 'queue_len(db) > 1'\n";
    let (without, with) = (run(text, 3), run(&format!("{text}{monitor}"), 3));
    assert_eq!(format!("{:?}", without.metrics), format!("{:?}", with.metrics));
    assert!(told(&with).len() > 2, "{:?}", told(&with));
}

/// A site with everything in one region that is lost after five minutes; the monitor stands in `place`.
fn lost(place: &str, keys: &str) -> String {
    let monitor = format!("region = '{place}'\n{keys}\n[[monitor.watch.alert]]\non = 'error_rate > 1%'\n");
    watched("duration = '20min'", "region = 'us-east-1'", &monitor, "")
        .replace("client = '0ms'\nsame_zone = '0ms'", "regions = 'aws'")
        .replace("target = 'web'", "target = 'web'\nregion = 'us-east-1'")
        + "[[fault]]\nkind = 'region'\ntarget = 'us-east-1'\nat = '5min'\n"
}

#[test]
fn a_dead_monitor_is_a_calm_one_unless_somebody_listens_for_it() {
    let calm = run(&lost("us-east-1", ""), 4);
    assert_eq!((told(&calm).len(), total(&calm, "missed")), (0, 4.0));
    let heard = run(&lost("us-east-1", "absent = '5min'"), 4);
    // The last sign of it came at most one evaluation before the fault.
    let delays = trials(&heard, "alert_delay");
    assert!(delays.len() == 4 && delays.iter().all(|delay| (240.0..=300.0).contains(delay)), "{delays:?}");
    assert_eq!(told(&heard)[0].1, "watch.outside: fires: the monitor is silent");
    // A monitor elsewhere hears nothing of the servers, and that is calm too.
    let away = run(&lost("eu-central-1", ""), 4);
    assert_eq!((told(&away).len(), total(&away, "missed")), (0, 4.0));
    let away = run(&lost("eu-central-1", "absent = '5min'"), 4);
    let delays = trials(&away, "alert_delay");
    assert!(delays.len() == 4 && delays.iter().all(|delay| (240.0..=360.0).contains(delay)), "{delays:?}");
    assert_eq!(told(&away)[0].1, "watch: fires: no figures for error_rate > 1%");
}

#[test]
fn a_monitor_that_comes_back_says_so() {
    let keys =
        "scrape = '5s'\nevaluate = '5s'\nabsent = '1min'\n[[monitor.watch.alert]]\non = 'error_rate > 1%'";
    let fault =
        |kind: &str| format!("[[fault]]\nkind = '{kind}'\ntarget = 'watch'\nat = '2min'\nfor = '3min'\n");
    for kind in ["crash", "hang", "partition"] {
        let result = run(&watched("duration = '10min'", "", keys, &fault(kind)), 3);
        let events: Vec<String> = told(&result).into_iter().map(|(_, event)| event).collect();
        let silent = "watch.outside: fires: the monitor is silent".to_owned();
        let back = "watch.outside: resolves: the monitor is back".to_owned();
        assert!(events.contains(&silent) && events.contains(&back), "{kind}: {events:?}");
        assert_eq!(
            (total(&result, "missed"), total(&result, "false_alerts")),
            (0.0, 0.0),
            "{kind}: {events:?}"
        );
    }
}

#[test]
fn a_person_adds_machines_some_time_after_the_call() {
    let text = "[run]\nduration = '10min'\nwarmup = '0s'\n[client.users]\nrate = '2/s'\ntarget = 'lb'\n\
                [balancer.lb]\npublic = true\ntargets = ['web']\n[server.web]\nsteps = [{ cpu = '600ms' }]\n\
                [monitor.watch]\nscrape = '10s'\nevaluate = '10s'\n\
                [[monitor.watch.alert]]\non = 'utilisation(web) > 90%'\nwindow = '1min'\nfor = '30s'\ncalls = 'more'\n\
                [[monitor.watch.alert]]\non = 'queue_len(web) > 5'\nwindow = '10s'\ncalls = 'more'\n\
                [[operation]]\nname = 'more'\nkind = 'scale'\ntarget = 'web'\nafter = '2min'\nto = 3\n";
    let result = run(text, 2);
    let first = told(&result)[0].0;
    let boots: Vec<f64> =
        result.timeline.iter().filter(|one| one.event == "boots").map(|one| one.t_s).collect();
    // Two alerts call, and the operators act once.
    assert!(
        boots.len() == 2 && boots.iter().all(|boot| (boot - first - 120.0).abs() < 1e-6),
        "{boots:?}, {first}"
    );
    let last = told(&result).last().expect("it ends").1.clone();
    assert!(last.starts_with("watch: resolves: "), "{:?}", told(&result));
}

#[test]
fn each_figure_of_a_box_can_raise_an_alert() {
    let text = |on: &str| {
        format!(
            "[run]\nduration = '60s'\nwarmup = '5s'\n[request.read]\nkeys = 100\nshare = 9\n[request.write]\neffect = 'write'\n\
             [client.users]\nrate = '50/s'\ntarget = 'lb'\n[balancer.lb]\npublic = true\ntargets = ['web']\n\
             [server.web]\ncount = 2\nworkers = 4\nsteps = [{{ cpu = '5ms' }}, {{ query = 'memo' }}]\n[cache.memo]\ntarget = 'db'\nentries = 10\n\
             [database.db]\nreplicas = 1\n[monitor.watch]\nscrape = '1s'\nevaluate = '1s'\n\
             [[monitor.watch.alert]]\nwindow = '10s'\non = '{on}'\n"
        )
    };
    for on in [
        "availability >= 100%",
        "error_rate.read <= 0%",
        "error_rate.write < 1%",
        "mean(response) > 1ms",
        "p50(response.read) > 1ms",
        "throughput > 30/s",
        "utilisation(web) > 1%",
        "utilisation(web-2) > 1%",
        "queue_len(web) < 100",
        "hit_share(memo) > 1%",
        "evictions(memo) > 1",
        "max(entries(memo)) > 5",
        "entries(memo) > 5",
    ] {
        let fires = told(&run(&text(on), 1));
        assert!(fires[0].1.starts_with(&format!("watch: fires: {on}, at ")), "{on}: {fires:?}");
    }
}

#[test]
fn an_alert_begins_the_decision_for_another_site_and_its_end_calls_it_off() {
    let text = |lasts: &str| {
        format!(
            "[run]\nduration = '30min'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n[client.users]\nrate = '1/s'\n\
             target = 'www'\n[dns.www]\nrecords = ['one', 'other']\nttl = '1s'\n[server.one]\npublic = true\nsteps = [{{ cpu = '1ms' }}]\n\
             [server.other]\npublic = true\nsteps = [{{ cpu = '1ms' }}]\n\
             [switch.over]\nfrom = ['one']\nto = ['other']\nafter = '10min'\nsteps = [['dns', '1min']]\nwarm = true\n\
             [[fault]]\nkind = 'errors'\ntarget = 'one'\nshare = '100%'\nat = '5min'\n{lasts}\n\
             [monitor.watch]\n[[monitor.watch.alert]]\non = 'error_rate > 20%'\ncalls = 'switch.over'\n\
             [[monitor.watch.alert]]\non = 'error_rate > 40%'\ncalls = 'switch.over'\n"
        )
    };
    let happened = |lasts: &str| -> Vec<(f64, String)> {
        let result = run(&text(lasts), 1);
        let of_it = result.timeline.iter().filter(|one| one.component == "over");
        of_it.map(|one| (one.t_s, one.event.to_string())).collect()
    };
    // A process that answers errors works: no check of the switch itself would notice it.
    let moved = happened("");
    let events: Vec<&str> = moved.iter().map(|(_, event)| event.as_str()).collect();
    assert_eq!(events[..2], ["decision begins", "decided"], "{moved:?}");
    assert!(
        (moved[1].0 - moved[0].0 - 600.0).abs() < 1e-6 && (360.0..=480.0).contains(&moved[0].0),
        "{moved:?}"
    );
    let back = happened("for = '4min'");
    let events: Vec<&str> = back.iter().map(|(_, event)| event.as_str()).collect();
    assert_eq!(events, ["decision begins", "decision called off"], "{back:?}");
}
