//! The formats of logs that are recognised without being named, and which of them the first lines have.

use super::format::LogFormat;
use crate::import::clock::{Clock, SECOND};
use crate::import::flaw::Flaw;
use crate::import::hit::Reader;

/// A known format: its name and its format line.
struct Known {
    name: &'static str,
    format: &'static str,
    /// Whether its time is that of the start of a request.
    starts: bool,
}

/// Formats with a fixed place for the duration or without one. A host before the address fits `$a`.
const KNOWN: [Known; 8] = [
    Known { name: "combined", format: COMBINED, starts: false },
    Known { name: "common", format: COMMON, starts: false },
    Known { name: "combined with the client's addresses", format: FORWARDED, starts: false },
    Known {
        name: "combined with rt=$request_time",
        format: "$a $i $b [$time_local] \"$request\" $status $body_bytes_sent \"$c\" \"$d\" rt=$request_time",
        starts: false,
    },
    Known {
        name: "combined with rt=$request_time and more",
        format: "$a $i $b [$time_local] \"$request\" $status $body_bytes_sent \"$c\" \"$d\" rt=$request_time $rest",
        starts: false,
    },
    Known {
        name: "combined with the client's addresses and rt=$request_time",
        format: "$a $i $b [$time_local] \"$request\" $status $body_bytes_sent \"$c\" \"$d\" \"$f\" rt=$request_time $rest",
        starts: false,
    },
    Known {
        name: "AWS ALB",
        format: "$type $time_iso8601 $elb $client $target $request_processing_time $target_processing_time \
                 $response_processing_time $status $ts $received $bytes_sent \"$request\" \"$ua\" $cipher $protocol $rest",
        starts: false,
    },
    Known {
        name: "AWS classic ELB",
        format: "$time_iso8601 $elb $client $target $request_processing_time $target_processing_time \
                 $response_processing_time $status $ts $received $bytes_sent \"$request\" \"$ua\" $cipher $protocol",
        starts: true,
    },
];

const COMMON: &str = "$a $i $b [$time_local] \"$request\" $status $body_bytes_sent";
const COMBINED: &str = "$a $i $b [$time_local] \"$request\" $status $body_bytes_sent \"$c\" \"$d\"";
const FORWARDED: &str = "$a $i $b [$time_local] \"$request\" $status $body_bytes_sent \"$c\" \"$d\" \"$f\"";

/// Formats that may have one number behind them: the duration, in a unit that its values tell.
const OPEN: [(&str, &str); 3] =
    [("combined with the client's addresses", FORWARDED), ("combined", COMBINED), ("common", COMMON)];

/// Share of the first lines that must fit: a broken line among them is named later.
const FITTING: f64 = 0.8;

/// What a last number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// `$request_time`: seconds with three decimal places, at the end of a request.
    Nginx,
    /// `%D`: microseconds from the start of a request.
    Micros,
    /// `%T`: seconds from the start of a request.
    Seconds,
}

/// The known format of the first lines; none when they have another one.
///
/// # Errors
/// When the last number of the lines may be a duration in several units.
pub(in crate::import) fn detect(sample: &[&str], clock: &Clock) -> Result<Option<(String, LogFormat)>, Flaw> {
    for known in &KNOWN {
        let format = LogFormat::new(known.format, clock.clone()).expect("a known format is sound");
        let format = if known.starts { format.starts() } else { format };
        if fits(&format, sample) {
            return Ok(Some((known.name.to_owned(), format)));
        }
    }
    for (name, format) in OPEN {
        let any = LogFormat::new(&format!("{format} $last"), clock.clone()).expect("a known format is sound");
        if !fits(&any, sample) {
            continue;
        }
        let last = sample.iter().filter_map(|line| line.rsplit_once(' ').map(|(_, last)| (*line, last)));
        let last: Vec<(&str, &str)> = last.collect();
        let (variable, starts, what) = match last_number(&last)? {
            Some(Last::Nginx) => ("$request_time", false, "$request_time in seconds"),
            Some(Last::Micros) => ("$request_time_us", true, "%D in microseconds"),
            Some(Last::Seconds) => ("$request_time", true, "%T in seconds"),
            None => continue,
        };
        let read = LogFormat::new(&format!("{format} {variable}"), clock.clone()).expect("it is sound");
        let read = if starts { read.starts() } else { read };
        if fits(&read, sample) {
            return Ok(Some((format!("{name} with {what}"), read)));
        }
    }
    Ok(None)
}

fn fits(format: &LogFormat, sample: &[&str]) -> bool {
    let mut format = format.clone();
    let fitting = sample.iter().filter(|line| format.line(1, line, &mut |_| {}).is_ok()).count();
    fitting > 0 && fitting as f64 >= FITTING * sample.len() as f64
}

/// What the last numbers of lines are; none when they are no numbers.
fn last_number(last: &[(&str, &str)]) -> Result<Option<Last>, Flaw> {
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(|number| number >= 0.0);
    let numbers: Vec<&(&str, &str)> = last.iter().filter(|(_, text)| is_number(text)).collect();
    if (numbers.len() as f64) < FITTING * last.len() as f64 {
        return Ok(None);
    }
    if numbers.iter().any(|(_, text)| text.contains('.')) {
        return Ok(Some(Last::Nginx));
    }
    let mut values: Vec<f64> = numbers.iter().filter_map(|(_, text)| text.parse().ok()).collect();
    values.sort_by(f64::total_cmp);
    let median = values[values.len() / 2];
    let most = values[values.len() - 1];
    // A median of a thousand seconds is no web server, nor is one of a microsecond.
    if median >= 1000.0 {
        return Ok(Some(Last::Micros));
    }
    if most <= 5.0 {
        return Ok(Some(Last::Seconds));
    }
    if !in_order(&numbers, 1_000_000) && !in_order(&numbers, SECOND) {
        return Ok(Some(Last::Micros));
    }
    let (line, text) = numbers[0];
    let message = format!(
        "the last number of each line, at most {most} in the first {}, may be seconds (%T), milliseconds (%{{ms}}T) or \
         microseconds (%D)",
        last.len()
    );
    let help = "give the server's own line, such as --log-format '%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %D'";
    Err(Flaw::field(1, line, text, message).help(help))
}

/// Whether the lines are in the order of their ends, if their last numbers are of this unit in ns: a server writes a line when
/// the request ends. Two lines that would have waited for an earlier one decide.
fn in_order(lines: &[&(&str, &str)], unit_ns: i64) -> bool {
    let mut clock = Clock::new(None).expect("UTC is known");
    let mut latest = i64::MIN;
    let mut late = 0;
    for (line, last) in lines {
        let start = line.find('[').and_then(|at| clock.common(line.as_bytes().get(at + 1..at + 27)?));
        let (Some(start), Ok(last)) = (start, last.parse::<i64>()) else { continue };
        let end = start.ns.saturating_add(last.saturating_mul(unit_ns));
        // The start is cut to whole seconds.
        late += u32::from(end.saturating_add(SECOND) < latest);
        latest = latest.max(end);
    }
    late < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 2326";

    fn name(lines: &[&str]) -> Result<Option<String>, Flaw> {
        let found = detect(lines, &Clock::new(None).unwrap())?;
        Ok(found.map(|(name, _)| name))
    }

    #[test]
    fn formats_are_told_by_their_lines() {
        let combined = format!("{LINE} \"-\" \"curl/7.88\"");
        let host = format!("www.example.org:80 {combined}");
        for (line, expected) in [
            (LINE.to_owned(), "common"),
            (combined.clone(), "combined"),
            (host, "combined"),
            (format!("{combined} 0.012"), "combined with $request_time in seconds"),
            (format!("{combined} 12013"), "combined with %D in microseconds"),
            (format!("{combined} 0"), "combined with %T in seconds"),
            (format!("{combined} rt=0.012 uct=\"0.001\""), "combined with rt=$request_time and more"),
        ] {
            assert_eq!(name(&[&line]), Ok(Some(expected.to_owned())), "{line}");
        }
        assert_eq!(name(&["12,5"]), Ok(None));
        assert_eq!(name(&[&format!("{combined} some more words")]), Ok(None));
    }

    #[test]
    fn a_number_of_an_unknown_unit_is_asked_for() {
        let lines = [format!("{LINE} 120"), format!("{LINE} 480")];
        let flaw = name(&[&lines[0], &lines[1]]).unwrap_err();
        assert!(flaw.message.contains("at most 480") && flaw.help.contains("--log-format"), "{flaw:?}");
        assert_eq!(&lines[0][flaw.span], "120");
    }
}
