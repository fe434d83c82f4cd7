//! The examples do what they say. Each is compiled into this binary, so that no test depends on earlier builds.

#[path = "../../examples/custom_component.rs"]
#[expect(dead_code, reason = "`main` prints what the test asks for")]
mod custom_component;

#[path = "../../examples/embed.rs"]
#[expect(dead_code, reason = "`main` prints what the test asks for")]
mod embed;

#[path = "../../examples/fuzz.rs"]
#[expect(dead_code, reason = "`main` reads its arguments")]
mod fuzz;

#[test]
fn mutated_scenarios_are_read_or_refused_and_run_without_a_panic() {
    let valid = fuzz::fuzz("texts", 300, 1).unwrap_or_else(|case| panic!("{case}"));
    assert!((10..290).contains(&valid), "{valid} of 300 are valid");
    let valid = fuzz::fuzz("runs", 30, 1).unwrap_or_else(|case| panic!("{case}"));
    assert!(valid >= 3, "{valid} of 30 are valid");
}

#[test]
fn a_program_can_run_a_scenario() {
    let line = embed::report().expect("the scenario is sound");
    let number = |before: &str| -> f64 {
        let rest = line.split_once(before).expect(before).1;
        rest.split_once(' ').expect("a unit follows").0.parse().expect("a number")
    };
    let (measured, half_width) = (number("mean response "), number("± "));
    assert_eq!(number("M/M/1 says "), 50.0);
    // Allow two half-widths: with one, a seed in twenty would fail.
    assert!((measured - 50.0).abs() < 2.0 * half_width, "{line}");
}

#[test]
fn a_program_can_add_a_kind_of_box() {
    let line = custom_component::report().expect("the scenario is sound");
    assert!(line.ends_with("10.0 % of them"), "{line}");
}
