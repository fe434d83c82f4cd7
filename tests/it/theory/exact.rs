//! Cases without chance: what comes out must be exact, to the nanosecond or to the request.

use outgrow::model::record::TrialRecord;

use super::expected::expected;
use super::measure::{scenario, trial};

fn header(seconds: u32) -> String {
    format!(
        "[run]\nwarmup = \"0s\"\nduration = \"{seconds}s\"\n\
         [network]\nclient = \"0ms\"\nsame_zone = \"0ms\"\njitter = 0\n"
    )
}

const ARRIVALS: [f64; 5] = [0.0, 1.0, 1.5, 2.0, 6.0];
const SIZES: [f64; 5] = [3.0, 1.0, 2.0, 0.5, 1.0];

/// When each of five jobs is done that come to one machine. Each has its own client, with a trace of one moment, and its
/// own box, with a size; all boxes share the machine of the first.
fn completions(keys: &str) -> Vec<f64> {
    let mut text = header(20);
    for (job, (at, size)) in ARRIVALS.iter().zip(SIZES).enumerate() {
        let machine =
            if job == 0 { keys.to_owned() } else { "on = \"job0\"\nbase_memory = \"1MiB\"".to_owned() };
        text += &format!(
            "[client.user{job}]\ntarget = \"job{job}\"\ntrace = \"{at}\"\n\
             [server.job{job}]\npublic = true\n{machine}\nsteps = [{{ cpu = \"{size}s\" }}]\n"
        );
    }
    let record = trial(&scenario("trace-5jobs", &text), 0);
    let took = |job: usize| {
        let name = format!("job{job}");
        let at = record.components.iter().find(|c| c.name == name).expect("the box is there");
        assert_eq!(at.response.count(), 1, "{name}");
        at.response.mean() / 1e9
    };
    (0..ARRIVALS.len()).map(|job| ARRIVALS[job] + took(job)).collect()
}

#[test]
fn five_known_jobs_end_at_the_known_instants() {
    let expected = expected("trace-5jobs");
    for (key, keys) in [
        ("completions_c1", "cores = 1\nscheduling = \"fifo\""),
        ("completions_c2", "cores = 2\nscheduling = \"fifo\""),
        ("completions_ps_c1", "cores = 1"),
        ("completions_ps_c2", "cores = 2"),
    ] {
        for (job, measured) in completions(keys).into_iter().enumerate() {
            let exact = expected.values[&format!("{key}[{job}]")];
            println!("trace-5jobs {key}[{job}] exact {exact:.9} measured {measured:.9}");
            assert!((measured - exact).abs() <= 1.01e-9, "{key}[{job}]: {measured} instead of {exact}");
        }
    }
}

/// The rate goes from 50 to 150 and back to 50 a second, ten seconds each, before a core that does 100.
fn overload() -> TrialRecord {
    let text = format!(
        "{}[client.users]\nrate = \"50/s\"\ntarget = \"box\"\ntimeout = \"1h\"\narrivals = {{ dist = \"constant\" }}\n\
         profile = {{ steps = [[\"0s\", 1], [\"10s\", 3], [\"20s\", 1]] }}\n\
         [server.box]\npublic = true\nscheduling = \"fifo\"\nworkers = 10000\nmemory_per_call = \"1KiB\"\n\
         steps = [{{ cpu = \"10ms\" }}]\n",
        header(40)
    );
    trial(&scenario("fluid-dd1-overload", &text), 0)
}

#[test]
fn a_backlog_grows_and_drains_like_water() {
    let expected = expected("fluid-dd1-overload");
    let record = overload();
    let users = record.components.iter().position(|c| c.name == "box").expect("the box is there");
    let level = |end: f64| {
        let window = record.windows.iter().find(|w| w.start_s + w.length_s > end - 1e-9).expect("a window");
        window.inside[users]
    };
    let measured = [
        ("max_backlog", record.components[users].inside_max as f64),
        ("total_completed_by_t40", record.classes[0].completed as f64),
    ];
    for (key, value) in measured {
        println!("fluid-dd1-overload {key} exact {} measured {value}", expected.values[key]);
        assert!((value - expected.values[key]).abs() <= 1.0, "{key}: {value}");
    }
    // The peak stands at 20 s, and 10 s later the last of the backlog is gone.
    let peak = expected.values["time_of_max_backlog"];
    let drained = peak + expected.values["drain_time_after_spike"];
    assert!(level(peak) > level(peak - 1.0) && level(peak) > level(peak + 1.0));
    assert!(level(drained - 1.0) > 40.0 && level(drained + 0.5) <= 1.0, "{}", level(drained + 0.5));
}
