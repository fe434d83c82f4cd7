//! Tests of what the parts read from tables: their checks, with the key at which each of them complains, and their defaults.

use super::breaker::{BreakerKind, BreakerSpec};
use super::budget::{BudgetKind, BudgetSpec, BudgetTable};
use super::calling::{CallingSpec, Denial, is_accepted};
use super::connecting::Connecting;
use super::connections::Keeping;
use super::failure::Failure;
use super::hand::Retries;
use super::hedge::{After, HedgeSpec};
use super::limit::{GradientSpec, LimitSpec};
use super::retry::{ATTEMPTS_MAX, Retry};
use super::script::{keys, words};
use super::throttle::ThrottleSpec;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::lever::Setting;
use crate::model::quantity::{Duration, Rate, Share};
use crate::model::signal::Outcome;
use crate::queueing::backoff::Jitter;
use crate::queueing::circuit_breaker::Change;
use crate::queueing::concurrency::Concurrency;

fn s(seconds: u64) -> SimDuration {
    SimDuration::from_secs(seconds)
}

fn at(seconds: u64) -> SimTime {
    SimTime::ZERO + s(seconds)
}

#[test]
fn keys_of_a_breaker_are_checked() {
    let wrong = |spec: BreakerSpec| keys(|problems| spec.check("b", problems));
    let window = BreakerSpec::default();
    let count = BreakerSpec { kind: BreakerKind::Count, ..window.clone() };
    for good in [
        window.clone(),
        count.clone(),
        BreakerSpec { window: Some(100_000), min_calls: Some(100_000), probes: Some(1), ..window.clone() },
        BreakerSpec {
            window: Some(1),
            share: Some(Share(0.01)),
            open: Some(Duration(s(1))),
            ..window.clone()
        },
        BreakerSpec { failures: Some(100_000), on: Some(vec![Failure::Connect]), ..count.clone() },
    ] {
        assert!(wrong(good.clone()).is_empty(), "{good:?}");
    }
    let bad = [
        (BreakerSpec { failures: Some(1), ..window.clone() }, "failures"),
        (BreakerSpec { failures: Some(0), ..count.clone() }, "failures"),
        (BreakerSpec { failures: Some(100_001), ..count.clone() }, "failures"),
        (BreakerSpec { share: Some(Share(0.5)), ..count.clone() }, "share"),
        (BreakerSpec { share: Some(Share(0.0)), ..window.clone() }, "share"),
        (BreakerSpec { window: Some(100), ..count.clone() }, "window"),
        (BreakerSpec { window: Some(100_001), ..window.clone() }, "window"),
        (BreakerSpec { min_calls: Some(1), ..count.clone() }, "min_calls"),
        (BreakerSpec { min_calls: Some(0), ..window.clone() }, "min_calls"),
        (BreakerSpec { min_calls: Some(101), ..window.clone() }, "min_calls"),
        (BreakerSpec { probes: Some(0), ..window.clone() }, "probes"),
        (BreakerSpec { probes: Some(100_001), ..window.clone() }, "probes"),
        (BreakerSpec { open: Some(Duration(s(0))), ..window.clone() }, "open"),
        (BreakerSpec { on: Some(Vec::new()), ..window.clone() }, "on"),
    ];
    for (spec, key) in bad {
        assert_eq!(wrong(spec.clone()), [format!("b.{key}")], "{spec:?}");
    }
    let none = BreakerSpec { window: Some(0), min_calls: Some(1), ..window };
    assert_eq!(wrong(none), ["b.window", "b.min_calls"]);
}

/// Number of calls in a row that fail until a breaker with these keys opens, and the seconds after which it lets one pass again.
fn opens(spec: &BreakerSpec, failure: Failure) -> (u32, u64) {
    let mut breaker = spec.breaker();
    let mut calls = 0;
    while !breaker.is_open(at(0)) && calls < 1000 {
        let pass = breaker.allow(at(0)).expect("it is closed");
        breaker.ended(pass, Some(failure), at(0));
        calls += 1;
    }
    let opened = (1..1000).find(|second| !breaker.is_open(at(*second)));
    breaker.clear();
    assert!(!breaker.is_open(at(0)), "a process that starts again has forgotten it");
    (calls, opened.unwrap_or(0))
}

#[test]
fn a_breaker_opens_by_the_defaults_that_its_keys_replace() {
    let window = BreakerSpec::default();
    let count = BreakerSpec { kind: BreakerKind::Count, ..window.clone() };
    assert_eq!(opens(&window, Failure::Failed), (100, 60));
    assert_eq!(opens(&count, Failure::Failed), (5, 60));
    let short = BreakerSpec { window: Some(20), open: Some(Duration(s(7))), ..window.clone() };
    assert_eq!(opens(&short, Failure::Failed), (20, 7));
    assert_eq!(opens(&BreakerSpec { min_calls: Some(4), ..window.clone() }, Failure::Failed), (4, 60));
    assert_eq!(opens(&BreakerSpec { failures: Some(2), ..count.clone() }, Failure::Failed), (2, 60));
    let some = BreakerSpec { on: Some(vec![Failure::Timeout]), ..count };
    assert_eq!(opens(&some, Failure::Timeout).0, 5);
    assert_eq!(opens(&some, Failure::Failed).0, 1000, "that failure does not count");
    // Ten probes, of which half may fail.
    let mut breaker = window.breaker();
    for _ in 0..100 {
        let pass = breaker.allow(at(0)).expect("it is closed");
        breaker.ended(pass, Some(Failure::Failed), at(0));
    }
    let passes: Vec<_> = (0..20).filter_map(|_| breaker.allow(at(60))).collect();
    assert_eq!(passes.len(), 10);
    let changes: Vec<Option<Change>> =
        passes.into_iter().map(|pass| breaker.ended(pass, None, at(61))).collect();
    assert_eq!(changes.iter().flatten().count(), 1, "{changes:?}");
    assert!(!breaker.is_open(at(61)));
}

fn budget(kind: BudgetKind) -> BudgetTable {
    BudgetTable { kind, ..BudgetTable::default() }
}

#[test]
fn keys_of_a_budget_are_checked() {
    use BudgetKind::{Concurrency, Share as Part, Tokens};
    let wrong = |table| keys(|problems| BudgetSpec(table).check("b", problems));
    let all = |kind| BudgetTable {
        share: Some(Share(0.1)),
        reserve: Some(Rate(1.0)),
        window: Some(Duration(s(1))),
        max: Some(1),
        ratio: Some(0.1),
        min: Some(1),
        kind,
    };
    let at = |names: &[&str]| names.iter().map(|name| format!("b.{name}")).collect::<Vec<_>>();
    assert_eq!(wrong(all(Part)), at(&["max", "ratio", "min"]));
    assert_eq!(wrong(all(Tokens)), at(&["share", "reserve", "window", "min"]));
    assert_eq!(wrong(all(Concurrency)), at(&["reserve", "window", "max", "ratio"]));
    let said =
        words(|problems| BudgetSpec(BudgetTable { min: Some(1), ..budget(Part) }).check("b", problems));
    assert!(said.starts_with("`min` goes with kind = \"concurrency\" only"), "{said}");
    let said =
        words(|problems| BudgetSpec(BudgetTable { max: Some(1), ..budget(Part) }).check("b", problems));
    assert!(said.starts_with("`max` goes with kind = \"tokens\" only"), "{said}");
    let short = |nanos| Some(Duration(SimDuration::from_nanos(nanos)));
    assert_eq!(wrong(BudgetTable { window: short(999), ..budget(Part) }), ["b.window"]);
    assert!(wrong(BudgetTable { window: short(1000), ..budget(Part) }).is_empty());
    assert_eq!(wrong(BudgetTable { max: Some(0), ..budget(Tokens) }), ["b.max"]);
    for (ratio, bad) in [(0.0, false), (1.0, false), (-0.1, true), (1.1, true), (f64::NAN, true)] {
        assert_eq!(!wrong(BudgetTable { ratio: Some(ratio), ..budget(Tokens) }).is_empty(), bad, "{ratio}");
    }
}

/// Number of retries in a row that a budget allows after this number of requests, of which none has ended.
fn allowed(table: BudgetTable, requests: u32) -> usize {
    let mut budget = BudgetSpec(table).budget();
    (0..requests).for_each(|_| budget.begin(at(0)));
    let retry = |_: &u32| {
        let may = budget.try_retry(at(0));
        if may {
            budget.tried(false, false);
        }
        may
    };
    (0..1000).take_while(retry).count()
}

#[test]
fn a_budget_has_the_defaults_that_its_keys_replace() {
    use BudgetKind::{Concurrency, Share as Part, Tokens};
    // A fifth of the requests, on top of ten a second over ten seconds.
    assert_eq!(allowed(budget(Part), 100), 120);
    assert_eq!(allowed(BudgetTable { share: Some(Share(0.5)), ..budget(Part) }, 100), 150);
    assert_eq!(allowed(BudgetTable { reserve: Some(Rate(0.0)), ..budget(Part) }, 100), 20);
    assert_eq!(allowed(BudgetTable { window: Some(Duration(s(1))), ..budget(Part) }, 100), 30);
    // Ten tokens, of which each failure takes one: retries end when no more than half are left.
    assert_eq!(allowed(budget(Tokens), 0), 5);
    assert_eq!(allowed(BudgetTable { max: Some(100), ..budget(Tokens) }, 0), 50);
    let earns = |ratio| {
        let mut budget = BudgetSpec(BudgetTable { ratio, ..budget(Tokens) }).budget();
        (0..6).for_each(|_| budget.tried(false, false));
        (1..100).find(|_| {
            budget.tried(true, false);
            budget.try_retry(at(0))
        })
    };
    assert_eq!((earns(None), earns(Some(0.5))), (Some(11), Some(3)));
    // A fifth of those under way, and three in any case.
    let three = allowed(budget(Concurrency), 0);
    assert_eq!((three, allowed(BudgetTable { min: Some(7), ..budget(Concurrency) }, 0)), (3, 7));
    assert!(allowed(budget(Concurrency), 100) >= 20);
}

#[test]
fn keys_of_a_throttle_are_checked() {
    let wrong = |spec: ThrottleSpec| keys(|problems| spec.check("t", problems));
    let none = ThrottleSpec::default();
    assert!(wrong(none).is_empty());
    for (k, bad) in [(1.0, false), (1e6, false), (0.9, true), (1.1e6, true), (f64::NAN, true)] {
        assert_eq!(!wrong(ThrottleSpec { k: Some(k), ..none }).is_empty(), bad, "{k}");
        let low = ThrottleSpec { aggression: Some(k), ..none };
        assert_eq!(!wrong(low).is_empty(), bad && k != 0.9, "{k}");
    }
    let last = |aggression| wrong(ThrottleSpec { aggression: Some(aggression), ..none }).is_empty();
    assert_eq!((last(1e-6), last(0.9e-6)), (true, false));
    let window = |nanos| Some(Duration(SimDuration::from_nanos(nanos)));
    assert_eq!(wrong(ThrottleSpec { window: window(999), ..none }), ["t.window"]);
    assert!(wrong(ThrottleSpec { window: window(1000), ..none }).is_empty());
    let told = words(|problems| ThrottleSpec { aggression: Some(0.0), ..none }.check("t", problems));
    assert!(told.starts_with("`aggression` lies between 0.000001 and 1000000"), "{told}");
}

#[test]
fn a_limit_is_a_number_or_follows_the_answers() {
    let limit = |calls, gradient| LimitSpec { calls, gradient };
    let gradient = GradientSpec::default();
    let wrong = |spec: LimitSpec| keys(|problems| spec.check(50, problems));
    assert!(wrong(limit(Some(49), None)).is_empty() && wrong(limit(None, Some(gradient))).is_empty());
    assert_eq!(wrong(limit(None, None)), ["limit"]);
    assert_eq!(wrong(limit(Some(3), Some(gradient))), ["limit.gradient"]);
    assert_eq!(wrong(limit(Some(0), None)), ["limit.calls"]);
    assert_eq!(wrong(limit(Some(50), None)), ["limit.calls"], "it is never reached");
    assert_eq!(wrong(limit(None, Some(GradientSpec { min: Some(0), ..gradient }))), ["limit.gradient.min"]);
    let never = GradientSpec { probe: Some(Duration(s(0))), ..gradient };
    assert_eq!(wrong(limit(None, Some(never))), ["limit.gradient.probe"]);
    assert!(matches!(limit(Some(4), None).concurrency(), Some(Concurrency::Fixed(4))));
    assert!(matches!(limit(None, Some(gradient)).concurrency(), Some(Concurrency::Gradient(_))));
    assert!(limit(None, None).concurrency().is_none());
    let lever = limit(Some(4), None).lever(2).expect("a fixed limit can be raised");
    assert_eq!((lever.key.as_ref(), lever.next), ("limit.calls", Some(Setting::Whole(8))));
    assert!(limit(None, Some(gradient)).lever(2).is_none());
    assert!(
        limit(None, Some(gradient)).resource(2, 1).is_none() && limit(Some(4), None).resource(2, 1).is_some()
    );
}

fn retry() -> Retry {
    Retry {
        attempts: 3,
        backoff: None,
        factor: None,
        max: None,
        jitter: super::retry::JitterSpec::None,
        budget: None,
        on: None,
        writes: None,
        chance: None,
    }
}

#[test]
fn keys_of_tries_are_checked() {
    let wrong = |spec: &Retry| keys(|problems| spec.check("r", problems));
    let long = Some(Duration(s(20)));
    for good in [
        retry(),
        Retry { attempts: 1, factor: Some(1.0), ..retry() },
        Retry { attempts: ATTEMPTS_MAX, factor: Some(1000.0), ..retry() },
        Retry { backoff: long, max: long, ..retry() },
    ] {
        assert!(wrong(&good).is_empty(), "{good:?}");
    }
    let empty = BudgetSpec(BudgetTable { max: Some(0), ..budget(BudgetKind::Tokens) });
    for (bad, key) in [
        (Retry { attempts: 0, ..retry() }, "attempts"),
        (Retry { attempts: ATTEMPTS_MAX + 1, ..retry() }, "attempts"),
        (Retry { factor: Some(0.9), ..retry() }, "factor"),
        (Retry { factor: Some(1001.0), ..retry() }, "factor"),
        (Retry { backoff: Some(Duration(s(21))), ..retry() }, "backoff"),
        (Retry { on: Some(Vec::new()), ..retry() }, "on"),
        (Retry { budget: Some(empty), ..retry() }, "budget.max"),
    ] {
        assert_eq!(wrong(&bad), [format!("r.{key}")], "{bad:?}");
    }
    let pauses = retry().backoff();
    assert_eq!((pauses.base, pauses.max), (SimDuration::from_millis(100), s(20)));
    assert_eq!((pauses.factor, pauses.jitter), (2.0, Jitter::None));
    let tries = retry().retries(true);
    assert_eq!((tries.attempts, tries.writes, tries.chance), (3, true, 1.0));
    assert!(!Retry { writes: Some(false), ..retry() }.retries(true).writes && tries.budget.is_none());
    assert!(
        Retry { budget: Some(BudgetSpec(budget(BudgetKind::Share))), ..retry() }
            .retries(true)
            .budget
            .is_some()
    );
}

fn hedge() -> HedgeSpec {
    HedgeSpec { after: After::Time(s(1)), attempts: None, cancel: false, writes: false }
}

#[test]
fn a_step_calls_with_the_care_that_its_table_says() {
    let none = CallingSpec { retry: None, breaker: None, hedge: None, throttle: None };
    let (tries, second) = (retry(), HedgeSpec { attempts: Some(6), ..hedge() });
    let (breaker, throttle) = (
        BreakerSpec { probes: Some(0), ..BreakerSpec::default() },
        ThrottleSpec { k: Some(0.0), ..ThrottleSpec::default() },
    );
    let bad = Retry { attempts: 0, ..retry() };
    let all = CallingSpec {
        retry: Some(&bad),
        breaker: Some(&breaker),
        hedge: Some(&second),
        throttle: Some(&throttle),
    };
    let found = keys(|problems| all.check("steps[2].", problems));
    let at = ["retry.attempts", "breaker.probes", "hedge.attempts", "throttle.k"];
    assert_eq!(found, at.map(|key| format!("steps[2].{key}")));
    for attempts in [2, 5] {
        let good = HedgeSpec { attempts: Some(attempts), ..hedge() };
        assert!(keys(|problems| good.check("", problems)).is_empty());
    }
    assert_eq!(
        keys(|problems| HedgeSpec { attempts: Some(1), ..hedge() }.check("h", problems)),
        ["h.attempts"]
    );
    assert!(none.is_empty());
    for one in [
        CallingSpec { retry: Some(&tries), ..none },
        CallingSpec { breaker: Some(&breaker), ..none },
        CallingSpec { hedge: Some(&second), ..none },
        CallingSpec { throttle: Some(&throttle), ..none },
    ] {
        assert!(!one.is_empty(), "{one:?}");
    }
    let first = hedge();
    let calls = |retry, hedge| CallingSpec { retry, hedge, ..none }.attempts();
    assert_eq!((calls(None, None), calls(Some(&tries), None)), (1, 3));
    assert_eq!((calls(None, Some(&first)), calls(Some(&tries), Some(&second))), (2, 18));
    assert_eq!(none.calling().retries.attempts, Retries::none().attempts);
}

#[test]
fn what_is_denied_asks_nobody() {
    let count = BreakerSpec { kind: BreakerKind::Count, failures: Some(1), ..BreakerSpec::default() };
    let throttle = ThrottleSpec::default();
    let spec = CallingSpec { retry: None, breaker: Some(&count), hedge: None, throttle: Some(&throttle) };
    let mut calling = spec.calling();
    let never = || 1.0;
    let pass = calling.allow(at(0), never).expect("nothing has failed");
    assert_eq!(calling.tried(false, pass, Some(Failure::Conflict), at(0)), Some(Change::Opened));
    assert!(calling.is_open(at(0)));
    assert_eq!(calling.allow(at(0), never), Err(Denial::Open));
    calling.clear();
    // Two calls were wanted for each one that was accepted: of five that none has accepted, five of six are refused.
    let spec = CallingSpec { breaker: None, ..spec };
    let mut calling = spec.calling();
    for _ in 0..4 {
        let pass = calling.allow(at(0), never).expect("the highest draw passes");
        calling.tried(false, pass, Some(Failure::Timeout), at(0));
    }
    assert_eq!(calling.allow(at(0), || 0.5), Err(Denial::Throttled));
    let mut accepted = spec.calling();
    for _ in 0..4 {
        let pass = accepted.allow(at(0), || 0.99).expect("enough are accepted");
        accepted.tried(false, pass, None, at(0));
    }
    assert!(accepted.allow(at(0), || 0.0).is_ok());
    assert_eq!(
        [Denial::Open, Denial::Throttled].map(Denial::outcome),
        [Outcome::Unavailable, Outcome::Throttled]
    );
    assert_ne!(Denial::Open.told(), Denial::Throttled.told());
    let accepts = Failure::ALL.map(|failure| is_accepted(Some(failure)));
    assert_eq!((accepts, is_accepted(None)), ([false, false, false, false, false, true], true));
}

#[test]
fn the_budget_pays_for_second_calls_and_gets_back_what_was_not_sent() {
    let tokens = BudgetTable { min: Some(2), ..budget(BudgetKind::Concurrency) };
    let tries = Retry { budget: Some(BudgetSpec(tokens)), ..retry() };
    let spec = CallingSpec { retry: Some(&tries), breaker: None, hedge: None, throttle: None };
    let mut calling = spec.calling();
    calling.begin(at(0));
    assert_eq!([0; 3].map(|_| calling.pays_hedge(at(0))), [true, true, false]);
    calling.not_sent();
    assert_eq!([0; 2].map(|_| calling.pays_hedge(at(0))), [true, false]);
    calling.given_up(true, crate::queueing::circuit_breaker::Pass::default());
    assert!(calling.pays_hedge(at(0)));
    calling.tried(true, crate::queueing::circuit_breaker::Pass::default(), None, at(0));
    assert_eq!([0; 2].map(|_| calling.pays_hedge(at(0))), [true, false]);
    calling.clear();
    assert!(calling.pays_hedge(at(0)));
    let free = CallingSpec { retry: None, ..spec };
    assert!(free.calling().pays_hedge(at(0)), "without a budget nothing is refused");
}

#[test]
fn a_connection_is_waited_for_and_kept_as_the_table_says() {
    let limit = |millis| Connecting(Some(Duration(SimDuration::from_millis(millis))));
    let wrong = |connecting: Connecting| keys(|problems| connecting.check(s(2), problems));
    assert!(wrong(Connecting(None)).is_empty() && wrong(limit(2000)).is_empty());
    assert_eq!(
        (wrong(limit(0)), wrong(limit(2001))),
        (vec!["connect_timeout".into()], vec!["connect_timeout".into()])
    );
    let lever = Connecting(None).lever().expect("131 s are long");
    assert_eq!((lever.now, lever.next), (Setting::Time(s(131)), Some(Setting::Time(s(1)))));
    assert!(limit(1000).lever().is_none() && limit(1001).lever().is_some());

    let none = Keeping { idle_timeout: None, max_requests: None, connect_cpu: None };
    assert_eq!((none.keep().idle, none.keep().calls), (s(75), u32::MAX));
    assert_eq!(none.closes().given, None);
    let own = Keeping { idle_timeout: Some(Duration(s(5))), max_requests: Some(9), ..none };
    assert_eq!((own.keep().idle, own.keep().calls), (s(5), 9));
    assert_eq!(own.closes().given, Some("idle_timeout"));
    assert_eq!(Keeping { max_requests: Some(9), ..none }.closes().given, Some("max_requests"));
    let wrong = |calls| keys(|problems| Keeping { max_requests: Some(calls), ..none }.check(problems));
    assert_eq!((wrong(0), wrong(1)), (vec!["max_requests".to_owned()], Vec::new()));
}
