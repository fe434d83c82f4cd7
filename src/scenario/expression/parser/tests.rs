//! Expressions that are read, and why others are refused.

use super::super::ComponentName;
use super::*;
use crate::model::gauge::Gauge;
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt;

const GAUGES: &[Gauge] = &[
    Gauge::count("retries", "Retries."),
    Gauge::share("hit_share", "Hits."),
    Gauge::time("pool_wait", "Waits."),
];

const OF_DATA: &[Gauge] =
    &[Gauge::level("lag", "Lag.").in_seconds().highest().of_box(), Gauge::count("lost_writes", "Lost.")];

/// With a second database.
fn two_databases() -> Names {
    let mut names = names();
    names.components.push(ComponentName::group("other", "database", OF_DATA));
    names
}

fn names() -> Names {
    let mut names = Names::plain(&["read", "sign-up"], &["web", "web-1", "db.primary"]);
    names.components.push(ComponentName::group("lb", "balancer", GAUGES));
    names.components.push(ComponentName::group("memo", "cache", &GAUGES[1..]));
    names.components.push(ComponentName::group("db", "database", OF_DATA));
    names
}

/// Where and why `text` is refused, as `8..12: message; help`.
fn refusal<T: fmt::Debug>(result: Result<T, ExpressionError>) -> String {
    let error = result.expect_err("it must be refused");
    format!("{}..{}: {error}", error.span.start, error.span.end)
}

#[test]
fn expectations_are_read_into_base_units() {
    for (text, bound, printed) in [
        ("p99(response.sign-up)<200ms", 0.2, "p99(response.sign-up) < 200ms"),
        (" mean( response ) <= 1.5s ", 1.5, "mean(response) <= 1500ms"),
        ("p99 < 300ms", 0.3, "p99(response) < 300ms"),
        ("p95.read < 300ms", 0.3, "p95(response.read) < 300ms"),
        ("errors.read < 0.1%", 0.001, "error_rate.read < 0.1%"),
        ("availability >= 99.9%", 0.999, "availability >= 99.9%"),
        ("error_rate.read < 0.1%", 0.001, "error_rate.read < 0.1%"),
        ("goodput > 30/min", 0.5, "goodput > 0.5/s"),
        ("utilisation(db.primary) < 0.8", 0.8, "utilisation(db.primary) < 80%"),
        ("queue_len( web-1 ) < 12.5", 12.5, "queue_len(web-1) < 12.5"),
        ("lost_writes < 50", 50.0, "lost_writes < 50"),
        ("rto < 2min", 120.0, "rto < 2min"),
        ("cost_per_hour < 3.5 USD", 3.5, "cost_per_hour < $3.5"),
        ("lag(db) < 2s", 2.0, "lag(db) < 2s"),
        ("lag < 2s", 2.0, "lag < 2s"),
        ("mean(lag(db)) < 2s", 2.0, "mean(lag(db)) < 2s"),
        ("retries( lb ) < 10", 10.0, "retries(lb) < 10"),
        ("retries < 10", 10.0, "retries(lb) < 10"),
        ("hit_share(memo) > 80%", 0.8, "hit_share(memo) > 80%"),
        ("mean(pool_wait(lb)) < 5ms", 0.005, "pool_wait(lb) < 5ms"),
        ("max( pool_wait( lb ) ) < 5ms", 0.005, "max(pool_wait(lb)) < 5ms"),
    ] {
        let expectation = parse(text, &names()).expect(text);
        assert_eq!((expectation.bound, expectation.to_string().as_str()), (bound, printed));
    }
}

#[test]
fn refusals_point_at_what_is_wrong() {
    for (text, message) in [
        ("", "0..0: expected a metric, found the end; for example: p99(response) < 300ms"),
        ("p98(response) < 1s", r#"0..3: unknown metric "p98"; did you mean "p99"?"#),
        ("utilization(web) < 1", r#"0..11: unknown metric "utilization"; did you mean "utilisation"?"#),
        ("response < 1s", r#"0..8: unknown metric "response"; response times need a figure: p99(response)"#),
        ("p99 response < 1s", r#"4..17: expected <, <=, > or >=, found "response < 1s""#),
        (
            "latency < 300ms",
            r#"0..7: unknown metric "latency"; response times need a figure: p99(response) or, shorter, p99"#,
        ),
        ("p99(response.raed) < 1s", r#"13..17: unknown request class "raed"; did you mean "read"?"#),
        (
            "xyz < 1",
            r#"0..3: unknown metric "xyz"; there are: p99(response), availability, error_rate, utilisation, queue_len, throughput, goodput, lag, lost_writes, conflicting_writes, stale_read_share, rto, rpo, collapse_probability, cost_per_hour, cost_per_million, retries, hit_share, pool_wait, lag, lost_writes"#,
        ),
        (
            "utilisation(db.primry) < 1",
            r#"12..21: unknown component "db.primry"; did you mean "db.primary"?"#,
        ),
        (
            "queue_len(qqq) < 1",
            r#"10..13: unknown component "qqq"; there are: web, web-1, db.primary, lb, memo, db"#,
        ),
        (
            "utilisation < 1",
            r#"12..15: expected "(", found "< 1"; utilisation is of one component: utilisation(web)"#,
        ),
        ("retrys(lb) < 1", r#"0..6: unknown metric "retrys"; did you mean "retries"?"#),
        (
            "xyz(memo) < 1",
            r#"0..3: unknown metric "xyz"; `memo` is a cache; it has hit_share, pool_wait, utilisation, queue_len"#,
        ),
        (
            "retries(web) < 1",
            "0..7: `web` has no `retries`; `web` is a server; it has utilisation, queue_len",
        ),
        ("retries(mem) < 1", r#"8..11: unknown component "mem"; did you mean "memo"?"#),
        (
            "hit_share > 1%",
            "0..9: several boxes have `hit_share`; name one of them: hit_share(lb), hit_share(memo)",
        ),
        ("max(retries(lb)) < 1", "4..11: `retries` is a count and has no max; write retries(lb)"),
        (
            "p99(pool_wait(lb)) < 1s",
            "4..13: `pool_wait` is a time and has no p99; there are: mean(pool_wait(lb)), max(pool_wait(lb))",
        ),
        ("hit_share(memo) > 7", r#"18..19: a share is between 0 and 1, found 7; did you mean "7%"?"#),
        ("p99(response) < 300", r#"16..19: a duration needs a unit: "300ms" or "300s""#),
        ("error_rate < 5", r#"13..14: a share is between 0 and 1, found 5; did you mean "5%"?"#),
        ("lost_writes < -1", r#"14..16: expected a plain number such as 50, found "-1""#),
        ("lost_writes < inf", r#"14..17: expected a plain number such as 50, found "inf""#),
        ("lag <", r#"5..5: expected a duration such as "5ms", found """#),
    ] {
        assert_eq!(refusal(parse(text, &names())), message, "{text}");
    }
}

#[test]
fn what_other_programs_write_has_a_help() {
    for (text, message) in [
        ("lost_writes == 0", r#"12..16: expected <, <=, > or >=, found "== 0"; write `lost_writes < 1`"#),
        (
            "errors == 0",
            r#"7..11: expected <, <=, > or >=, found "== 0"; write `error_rate < 0.1%`: no run shows that something never happens"#,
        ),
        ("p99 =< 1s", r#"4..9: expected <, <=, > or >=, found "=< 1s"; write <="#),
        (
            "p99 < 1s and errors < 1%",
            r#"9..12: expected the end, found "and errors < 1%"; one condition each: write two [[expect]]"#,
        ),
        (
            "p99 < 1s, errors < 1%",
            r#"8..9: expected the end, found ", errors < 1%"; one condition each: write two [[expect]]"#,
        ),
        (
            "lag = 1s",
            r#"4..8: expected <, <=, > or >=, found "= 1s"; a measured value is never exactly a bound: write < or >, and in [[check]] `near = "9.6s ± 0.2s"`"#,
        ),
    ] {
        assert_eq!(refusal(parse(text, &names())), message, "{text}");
    }
}

#[test]
fn metrics_alone_are_a_list() {
    let printed = |text: &str| {
        let metrics = parse_metrics(text, &names());
        metrics.map(|metrics| metrics.iter().map(Metric::to_string).collect::<Vec<_>>())
    };
    assert_eq!(
        printed("rto, p99.read,max(pool_wait(lb)), errors"),
        Ok(["rto", "p99(response.read)", "max(pool_wait(lb))", "error_rate"].map(str::to_owned).into())
    );
    for (text, message) in [
        ("rto, lst", r#"5..8: unknown metric "lst"; did you mean "lost_writes"?"#),
        ("rto < 1s", r#"4..8: expected the end, found "< 1s"; a metric alone: rto"#),
        ("rto,", "4..4: expected a metric, found the end; for example: p99(response) < 300ms"),
    ] {
        assert_eq!(refusal(printed(text)), message);
    }
}

#[test]
fn near_is_a_value_and_its_tolerance() {
    let near = |metric: &str, text: &str| {
        parse_near(text, &parse_metric(metric, &names()).expect(metric))
            .map(|near| (near.value, near.tolerance))
    };
    assert_eq!(near("rto", "9.6s ± 200ms"), Ok((9.6, 0.2)));
    assert_eq!(near("availability", "70% +- 0.5%"), Ok((0.7, 0.005)));
    assert_eq!(near("lost_writes", "12±6"), Ok((12.0, 6.0)));
    assert_eq!(near("cost_per_hour", "$3 ± 0.5 USD"), Ok((3.0, 0.5)));
    for (metric, text, message) in [
        (
            "rto",
            "9.6s",
            r#"0..4: expected a value and its tolerance, found "9.6s"; for example: near = "9.6s ± 0.2s""#,
        ),
        ("rto", "9.6s ± 0s", "7..10: a tolerance must be above 0"),
        ("rto", "9.6 ± 1s", r#"0..3: a duration needs a unit: "9.6ms" or "9.6s""#),
        ("lost_writes", "12 ± 1s", r#"6..8: expected a plain number such as 50, found "1s""#),
    ] {
        assert_eq!(refusal(near(metric, text)), message);
    }
}

#[test]
fn a_whole_scenario_without_replicas_has_no_recovery_time() {
    let mut names = Names::plain(&[], &["web"]);
    assert!(parse("rto < 30s", &names).is_ok());
    names.is_whole = true;
    let reason = refusal(parse("rto < 30s", &names));
    assert!(reason.starts_with("0..3: the scenario has no replicas, so there is no rto; "), "{reason}");
}

#[test]
fn of_several_databases_only_what_adds_up_needs_no_name() {
    let read = |text: &str| parse(text, &two_databases());
    assert_eq!(read("lost_writes < 5").map(|that| that.metric), Ok(Metric::LostWrites));
    assert_eq!(
        refusal(read("lag < 1s")),
        "0..3: several boxes have `lag`; name one of them: lag(db), lag(other)"
    );
    assert_eq!(read("lag(other) < 1s").map(|that| that.to_string()), Ok("lag(other) < 1s".to_owned()));
}

#[test]
fn an_objective_is_a_list_that_may_abbreviate() {
    let slo = parse_slo("p99 < 300ms, errors < 0.1%, p95(response.read) < 1s", &names()).expect("it is good");
    let printed: Vec<String> = slo.iter().map(Expectation::to_string).collect();
    assert_eq!(printed, ["p99(response) < 300ms", "error_rate < 0.1%", "p95(response.read) < 1s"]);
    let reason = refusal(parse_slo("p99 < 300ms, erors < 1%", &names()));
    assert_eq!(reason, r#"13..18: unknown metric "erors"; did you mean "errors"?"#);
    assert!(refusal(parse_slo("p99 < 300ms,", &names())).starts_with("12..12: expected a metric"));
}

#[test]
fn a_regression_is_a_signed_change() {
    let change = |text: &str| parse_fail_on(text, &names()).map(|regression| regression.change);
    assert_eq!(change("p99(response) +5%"), Ok(0.05));
    assert_eq!(change("goodput -50 %"), Ok(-0.5));
    assert_eq!(change("p99 +150%"), Ok(1.5));
    let printed = parse_fail_on("p99 +7%", &names()).map(|regression| regression.to_string());
    assert_eq!(printed, Ok("p99(response) +7%".to_owned()));
    for (text, message) in [
        ("goodput 5%", r#"8..10: expected a change such as +5%, found "5%""#),
        ("goodput +-5%", r#"8..12: expected a change such as +5%, found "+-5%""#),
        ("goodput -101%", "8..13: nothing falls by more than 100%"),
        ("goodput +0%", "8..11: a change of 0% is not a limit"),
    ] {
        assert_eq!(refusal(change(text)), message);
    }
}

#[test]
fn a_span_of_time_has_two_ends() {
    let (start, end) = parse_span_of_time("3min .. 4min").expect("it is good");
    assert_eq!((start, end), (SimDuration::from_secs(180), SimDuration::from_secs(240)));
    for (text, message) in [
        ("3min", r#"0..4: expected a span such as "3min..4min", found "3min""#),
        ("3..4min", r#"0..1: a duration needs a unit: "3ms" or "3s""#),
        ("4min..3min", r#"0..10: the span "4min..3min" does not end after its start"#),
    ] {
        assert_eq!(refusal(parse_span_of_time(text)), message);
    }
}

fn metric() -> impl Strategy<Value = Metric> {
    let class = || select(vec![None, Some("read".to_owned()), Some("sign-up".to_owned())]);
    let component = || select(names().components).prop_map(|component| component.name);
    let stat = select(STATS.map(|(_, stat)| stat).to_vec());
    prop_oneof![
        (stat, class()).prop_map(|(stat, class)| Metric::Response { stat, class }),
        class().prop_map(Metric::Availability),
        class().prop_map(Metric::ErrorRate),
        component().prop_map(Metric::Utilisation),
        component().prop_map(Metric::QueueLen),
        select(PLAIN.map(|(_, metric)| metric).to_vec()),
        select(GAUGES.to_vec()).prop_map(|gauge| Metric::Gauge { gauge, of: "lb".into(), stat: Stat::Mean }),
        Just(Metric::Gauge { gauge: GAUGES[2], of: "memo".into(), stat: Stat::Max }),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        metric in metric(),
        (_, comparison) in select(COMPARISONS.to_vec()),
        share in 0.0..=1.0,
        nanos in 0_u64..1 << 50,
    ) {
        let bound = match metric.unit() {
            Unit::Share => share,
            Unit::Seconds => SimDuration::from_nanos(nanos).as_secs_f64(),
            Unit::PerSecond | Unit::Count | Unit::Usd => share * 1e9,
        };
        let expectation = Expectation { metric, comparison, bound };
        prop_assert_eq!(parse(&expectation.to_string(), &names()), Ok(expectation));
    }

    #[test]
    fn no_text_panics(text in "\\PC*", near in "(p99|errors|lag|utilisation)?[(.]?(response|web|é)?[)., ]{0,2}[<>=]{0,2} ?[-+0-9.e]{0,5}[%$a-zµ/]{0,3}") {
        for text in [text, near] {
            let _ = (parse(&text, &names()), parse_slo(&text, &names()));
            let _ = (parse_fail_on(&text, &names()), parse_span_of_time(&text));
            let _ = (parse_metrics(&text, &names()), parse_near(&text, &Metric::Lag));
        }
    }
}
