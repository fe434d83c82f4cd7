//! The policies against nginx's known sequences, against the order that queueing theory gives them, and against what
//! each promises.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{Balance, Policy};
use crate::kernel::time::{SimDuration, SimTime};
use crate::queueing::draw::unit;

const EWMA: Policy = Policy::Ewma { decay: SimDuration::from_secs(10) };
const RING: Policy = Policy::Hash { virtual_nodes: 100, bounded_load: None };
const BOUNDED: Policy = Policy::Hash { virtual_nodes: 100, bounded_load: Some(1.25) };
const TWO: Policy = Policy::TwoChoices { distinct: true };
const ANY_TWO: Policy = Policy::TwoChoices { distinct: false };
const ALL: [Policy; 10] = [
    Policy::RoundRobin,
    Policy::Weighted,
    Policy::Random,
    Policy::LeastConnections,
    TWO,
    ANY_TWO,
    EWMA,
    RING,
    BOUNDED,
    Policy::IpHash,
];

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn balance(policy: Policy, weights: &[f64]) -> Balance {
    let names: Vec<u64> = (0..weights.len() as u64).map(|i| 1000 + i).collect();
    Balance::new(policy, weights, &names)
}

/// The number of calls that each target gets of `picks` calls with different keys, none of which ends.
fn counts(balance: &mut Balance, picks: u64) -> Vec<u32> {
    let mut rng = rng();
    for key in 0..picks {
        let picked = balance.pick(SimTime::ZERO, |_| true, key, &mut rng).expect("all are eligible");
        balance.sent(picked);
    }
    (0..balance.targets.len()).map(|i| balance.outstanding(i)).collect()
}

#[test]
fn smooth_round_robin_gives_nginxs_sequences() {
    let cases = [
        ([5.0, 1.0, 1.0], "aabacaa aabacaa"),
        ([4.0, 2.0, 1.0], "abacaba abacaba"),
        ([1.0, 1.0, 1.0], "abc abc"),
        ([2.0, 0.0, 1.0], "aca aca"),
    ];
    for (weights, expected) in cases {
        let mut balance = balance(Policy::Weighted, &weights);
        for letter in expected.bytes().filter(|&letter| letter != b' ') {
            let picked = balance.pick(SimTime::ZERO, |_| true, 0, &mut rng());
            assert_eq!(picked, Some(usize::from(letter - b'a')), "{weights:?}");
        }
    }
}

#[test]
fn round_robin_skips_those_out_without_losing_its_place() {
    let mut balance = balance(Policy::RoundRobin, &[1.0; 4]);
    let mut pick = |out: usize| balance.pick(SimTime::ZERO, |i| i != out, 0, &mut rng());
    assert_eq!([9, 9, 2, 2, 2, 9, 9].map(&mut pick), [0, 1, 3, 0, 1, 2, 3].map(Some));
}

#[test]
fn no_policy_picks_one_that_is_out() {
    for policy in ALL {
        let mut balance = balance(policy, &[1.0, 0.0, 2.0, 1.0, 1.0]);
        balance.set_weight(4, 0.0);
        let mut rng = rng();
        let mut seen = [false; 5];
        for key in 0..200 {
            let picked = balance.pick(SimTime::ZERO, |i| i != 2, key, &mut rng).expect("two are in");
            balance.sent(picked);
            balance.answered(SimTime::ZERO, picked, SimDuration::from_millis(1));
            seen[picked] = true;
        }
        assert_eq!(seen, [true, false, false, true, false], "{policy:?}");
        assert_eq!(balance.pick(SimTime::ZERO, |_| false, 1, &mut rng), None, "{policy:?}");
        assert_eq!(balance.pick(SimTime::ZERO, |i| i == 3, 1, &mut rng), Some(3), "{policy:?}");
    }
}

#[test]
fn weights_are_shares() {
    let expected = [6000.0, 3000.0, 1000.0];
    let ring = Policy::Hash { virtual_nodes: 3000, bounded_load: None };
    for policy in [Policy::Weighted, Policy::Random, Policy::LeastConnections, ring, Policy::IpHash] {
        let counts = counts(&mut balance(policy, &[3.0, 1.5, 0.5]), 10_000);
        for (count, expected) in counts.iter().zip(expected) {
            assert!((f64::from(*count) / expected - 1.0).abs() < 0.08, "{policy:?}: {counts:?}");
        }
    }
}

#[test]
fn a_key_keeps_its_target_and_a_loss_moves_only_its_own() {
    for policy in [RING, Policy::IpHash] {
        let mut balance = balance(policy, &[1.0; 5]);
        let mut rng = rng();
        for key in 0..500 {
            let whole = balance.pick(SimTime::ZERO, |_| true, key, &mut rng);
            let less = balance.pick(SimTime::ZERO, |i| i != 2, key, &mut rng);
            assert!(whole == less || whole == Some(2), "{policy:?}");
        }
    }
}

#[test]
fn bounded_load_holds_its_bound() {
    let policy = Policy::Hash { virtual_nodes: 3, bounded_load: Some(1.25) };
    let counts = counts(&mut balance(policy, &[1.0; 8]), 1000);
    assert!(counts.iter().all(|&count| count <= 157), "1.25 times 125 calls: {counts:?}");
    assert!(counts.iter().any(|&count| count >= 155), "the ring is uneven: {counts:?}");
}

#[test]
fn of_two_equals_each_gets_half() {
    let mut balance = balance(Policy::LeastConnections, &[1.0; 2]);
    let mut rng = rng();
    let firsts =
        (0..10_000).filter(|_| balance.pick(SimTime::ZERO, |_| true, 0, &mut rng) == Some(0)).count();
    assert!((4800..5200).contains(&firsts), "{firsts}");
}

#[test]
fn ewma_turns_away_from_a_slow_target() {
    let mut balance = balance(EWMA, &[1.0; 2]);
    let mut rng = rng();
    let mut slow = 0;
    for call in 0..1000 {
        let now = SimTime::ZERO + SimDuration::from_millis(call);
        let picked = balance.pick(now, |_| true, 0, &mut rng).expect("both are eligible");
        balance.sent(picked);
        balance.answered(now, picked, SimDuration::from_millis(if picked == 1 { 50 } else { 5 }));
        slow += u32::from(picked == 1);
    }
    assert_eq!(slow, 1, "one call shows that it is slow, and 1 s is too short to forget");
}

/// The mean response time in ms of ten single-core FIFO servers at rho 0.8 with exponential service of mean 100 ms.
fn mean_response_ms(policy: Policy, calls: u64) -> f64 {
    let mut balance = balance(policy, &[1.0; 10]);
    let mut rng = rng();
    let mut free_at = [0_u64; 10];
    let mut departures: BinaryHeap<Reverse<(u64, usize, u64)>> = BinaryHeap::new();
    let (mut now, mut total) = (0.0, 0.0);
    for key in 0..calls {
        now += -libm::log(1.0 - unit(&mut rng)) * 1e9 / 80.0;
        let arrival = now as u64;
        while departures.peek().is_some_and(|&Reverse((end, ..))| end <= arrival) {
            let Some(Reverse((end, i, response))) = departures.pop() else { break };
            balance.answered(SimTime::from_nanos(end), i, SimDuration::from_nanos(response));
        }
        let picked =
            balance.pick(SimTime::from_nanos(arrival), |_| true, key, &mut rng).expect("all are eligible");
        balance.sent(picked);
        let service = (-libm::log(1.0 - unit(&mut rng)) * 1e8) as u64;
        free_at[picked] = free_at[picked].max(arrival) + service;
        departures.push(Reverse((free_at[picked], picked, free_at[picked] - arrival)));
        total += (free_at[picked] - arrival) as f64 / 1e6;
    }
    total / calls as f64
}

#[test]
fn what_a_policy_knows_shortens_the_wait() {
    // Random gives ten M/M/1, round robin ten E10/M/1. No policy beats the pooled M/M/10 with 120.5 ms.
    let mean = |policy| mean_response_ms(policy, 300_000);
    let (random, robin) = (mean(Policy::Random), mean(Policy::RoundRobin));
    assert!((random / 500.0 - 1.0).abs() < 0.06 && (robin / 292.0 - 1.0).abs() < 0.06, "{random} {robin}");
    let (two, least, ewma) = (mean(TWO), mean(Policy::LeastConnections), mean(EWMA));
    assert!(120.5 < least && least < two && two < robin && ewma < random, "{least} {two} {robin} {ewma}");
    // One draw in ten is twice the same of ten targets, and then no choice.
    let any_two = mean(ANY_TWO);
    assert!(two < any_two && any_two < robin, "{two} {any_two}");
}

#[test]
fn a_tree_picks_what_a_look_at_each_target_picks() {
    for targets in [33, 64, 100] {
        let mut balance = balance(Policy::LeastConnections, &vec![1.0; targets]);
        let (mut ours, mut theirs, mut acts) = (rng(), rng(), ChaCha8Rng::seed_from_u64(9));
        let mut eligible = vec![true; targets];
        for _ in 0..5_000 {
            let i = (unit(&mut acts) * targets as f64) as usize;
            match (unit(&mut acts) * 12.0) as usize {
                0 => eligible[i] = !eligible[i],
                1 if unit(&mut acts) < 0.02 => eligible.fill(false),
                1 | 2 if unit(&mut acts) < 0.05 => eligible.fill(true),
                _ if balance.outstanding(i) > 0 => balance.answered(SimTime::ZERO, i, SimDuration::ZERO),
                _ => {}
            }
            let expected = balance.pick(SimTime::ZERO, |i| eligible[i], 0, &mut theirs);
            assert_eq!(balance.pick_of(SimTime::ZERO, &eligible, 0, &mut ours), expected);
            expected.into_iter().for_each(|i| balance.sent(i));
        }
    }
}
