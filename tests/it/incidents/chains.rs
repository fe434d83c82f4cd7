//! Random chains of boxes, of which one is too small: the first reason names that one.

use outgrow::Scenario;
use outgrow::kernel::random::{Seed, Stream, below};

/// Number of chains.
const CHAINS: u64 = 30;

/// A chain, and the box that is too small.
fn chain(seed: u64) -> (String, String) {
    let mut dice = Seed::new(seed).stream("chain", "dice");
    let length = 2 + below(&mut dice, 4) as usize;
    let small = below(&mut dice, length as u64) as usize;
    let mut text = "run = { duration = '20s', warmup = '2s', trials = 2 }\n\
                    client.u = { target = 's0', rate = '40/s', timeout = '5s' }\n"
        .to_owned();
    for at in 0..length {
        let work = work(&mut dice, at == small);
        let call = if at + 1 < length { format!(", {{ call = 's{}' }}", at + 1) } else { String::new() };
        let public = if at == 0 { "public = true, " } else { "" };
        text += &format!("server.s{at} = {{ {public}{}, steps = [{{ {} }}{call}] }}\n", work.0, work.1);
    }
    (text, format!("`s{small}`"))
}

/// The size and the step of a box, which is asked for 40 calls a second: it can do 20 to 30 of them, or hundreds.
fn work(dice: &mut Stream, is_small: bool) -> (&'static str, &'static str) {
    let with_cores = below(dice, 2) == 0;
    match (is_small, with_cores) {
        (true, true) => ("cores = 1", "cpu = '40ms'"),
        (true, false) => ("cores = 8, workers = 8", "wait = '400ms'"),
        (false, true) => ("cores = 8, workers = 2000, memory = '64GiB'", "cpu = '20ms'"),
        (false, false) => ("cores = 8, workers = 2000, memory = '64GiB'", "wait = '100ms'"),
    }
}

#[test]
fn the_box_that_is_too_small_is_named_in_any_chain() {
    let mut wrong = Vec::new();
    for seed in 0..CHAINS {
        let (text, small) = chain(seed);
        let result =
            Scenario::parse(&text).unwrap_or_else(|found| panic!("{found}\n{text}")).run().expect("a result");
        let reasons = result.reasons();
        if !reasons[0].contains(&small) {
            wrong.push(format!("{small} in\n{text}{reasons:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {CHAINS}: {}", wrong.len(), wrong.join("\n"));
}
