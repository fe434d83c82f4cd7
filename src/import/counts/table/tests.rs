//! Tables as people keep them.

use super::*;

fn load(text: &str, what: Option<What>) -> Result<Content, Flaw> {
    read(text, &Layout { what, column: None, per_s: None }, Clock::new(None).unwrap())
}

fn values(text: &str) -> (Meaning, Vec<f64>, i64) {
    match load(text, None) {
        Ok(Content::Counts(counts)) => {
            let meaning = counts.meaning;
            let series = counts.series(None, None).expect(text);
            (
                meaning,
                series.values.iter().map(|values| values[0]).collect(),
                series.period_ns / super::super::SECOND,
            )
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn tables_of_every_kind_have_the_same_counts() {
    for text in [
        "second,count\n0,600\n60,660\n120,60\n",
        "time;requests\r\n0;600\r\n60;660\r\n120;60\r\n",
        "0\t600\n60\t660\n120\t60\n",
        "Timestamp,Sum\n2026-11-23T10:00:00Z,600\n2026-11-23T10:01:00Z,660\n2026-11-23T10:02:00Z,60\n",
        "\"time\",\"hits\"\n\"2026-11-23 10:00:00\",\"600\"\n\"2026-11-23 10:01:00\",\"660\"\n\"2026-11-23 10:02:00\",\"60\"\n",
        "1700000000,600\n1700000060,660\n1700000120,60\n",
        "time,count\n1700000120000,60\n1700000000000,600\n1700000060000,660\n",
        "# measured\n\ntime;count\n0,0;600,0\n60,0;660,0\n120,0;60,0\n",
        "sep=;\ntime;count\n0;600\n60;660\n120;60\n",
    ] {
        assert_eq!(values(text), (Meaning::Count, vec![600.0, 660.0, 60.0], 60), "{text}");
    }
}

#[test]
fn rates_are_told_by_name_unit_or_a_second() {
    assert_eq!(values("time,req rate\n0,10\n60,11\n").0, Meaning::Rate);
    assert_eq!(
        values("Time,Series\n2026-11-23T10:00:00Z,10.5 req/s\n2026-11-23T10:01:00Z,9 req/s\n").0,
        Meaning::Rate
    );
    // LIMBO: seconds and rates, half seconds, blanks at the end.
    assert_eq!(
        values("0.5,12.25 \r\n1.5,13.5 \r\n2.5,9.75 \r\n"),
        (Meaning::Rate, vec![12.25, 13.5, 9.75], 1)
    );
}

#[test]
fn what_may_be_read_in_two_ways_is_asked() {
    for (text, words) in [
        ("0,5\n1,5\n2,5\n", "decimal comma"),
        ("time,value\n0,5\n60,6\n", "requests a second"),
        ("a,b,time\n1,2,0\n3,4,60\n", "several columns"),
        ("5\n1\n4\n2\n9\n", "between requests"),
    ] {
        let flaw = load(text, None).unwrap_err();
        assert!(flaw.message.contains(words) && flaw.help.contains("--"), "{text}: {flaw:?}");
    }
    let Ok(Content::Moments(moments)) = load("0,5\n1,5\n2,5\n", Some(What::Moments)) else {
        panic!("no moments")
    };
    assert_eq!(moments.at_ns, [500_000_000, 1_500_000_000, 2_500_000_000]);
    let counts = load("0,5\n1,5\n2,5\n", Some(What::Values(Meaning::Count)));
    assert!(matches!(counts, Ok(Content::Counts(counts)) if counts.rows[0].value == 5.0));
    let Ok(Content::Moments(gaps)) = load("0.5\n0.25\n1\n", Some(What::Gaps)) else { panic!("no gaps") };
    assert_eq!(gaps.at_ns, [500_000_000, 750_000_000, 1_750_000_000]);
}

#[test]
fn moments_and_durations_are_columns_of_their_own() {
    let Ok(Content::Moments(moments)) = load("2026-11-23T10:00:00Z\n2026-11-23T10:00:00.250Z\n", None) else {
        panic!("no moments")
    };
    assert_eq!(moments.at_ns[1] - moments.at_ns[0], 250_000_000);
    let Ok(Content::Durations(durations)) = load("latency_ms\n12\n13\n", None) else {
        panic!("no durations")
    };
    assert_eq!(durations, [0.012, 0.013]);
}

#[test]
fn a_bad_line_is_pointed_at() {
    for (text, line, part) in [
        ("second,count\n0,5\n1,x\n", 3, "x"),
        ("second,count\n0,5\n1\n", 3, "1"),
        ("-0.5\n1\n2\n", 1, "-0.5"),
        ("second,count\n0,5\n1,-3\n2,4\n", 3, "-3"),
        ("1\n2\n3\nnan\n", 4, "nan"),
    ] {
        let flaw = load(text, None).unwrap_err();
        assert_eq!((flaw.line, &flaw.text[flaw.span.clone()]), (line, part), "{text}: {flaw:?}");
    }
}
