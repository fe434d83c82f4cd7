//! Scenarios with a mistake: they are refused with a message, and nothing panics.

use outgrow::components::KINDS;
use outgrow::scenario::load;

use super::generator::{Wrong, wrong};
use super::{broken, seeds};

#[test]
fn a_mistake_is_an_error_and_no_panic() {
    let (mut refused, mut found) = (0, Vec::new());
    for seed in seeds(60) {
        let (generated, sure) = wrong(seed);
        let mut is_refused = false;
        let why = broken(|| match load("wrong.toml", &generated.text, &[], &generated.trace, KINDS) {
            Ok(loaded) => drop(loaded),
            Err(errors) => is_refused = errors.render(false).contains("error"),
        });
        let accepted = (sure == Wrong::Surely && !is_refused).then(|| "no error".to_owned());
        refused += u64::from(is_refused);
        found.extend(why.or(accepted).map(|why| format!("seed {seed}: {why}\n\n{}", generated.text)));
    }
    let shown = found.iter().take(5).cloned().collect::<Vec<_>>().join("\n----\n");
    assert!(found.is_empty(), "{} scenarios\n{shown}", found.len());
    assert!(refused > 30, "{refused} refused");
}
