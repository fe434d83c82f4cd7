//! The invocations of Azure Functions of 2019: a line for each function, a column for each minute of a day.

use crate::import::clock::SECOND;
use crate::import::flaw::Flaw;

use super::{Counts, Gaps, Meaning, Row};

/// Minutes of a day.
const MINUTES: usize = 1440;

/// Whether a first line is the header of such a file.
#[must_use]
pub fn fits(first: &str) -> bool {
    first.starts_with("HashOwner,HashApp,HashFunction,Trigger,1,2,")
}

/// The counts by trigger: the invocations of all functions with it.
///
/// # Errors
/// When a line has another number of fields, or a count is none.
pub fn read(text: &str) -> Result<Counts, Flaw> {
    let mut classes: Vec<String> = Vec::new();
    let mut sums: Vec<Vec<f64>> = Vec::new();
    let mut columns = MINUTES;
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split(',').collect();
        if number == 1 {
            columns = fields.len() - 4;
            continue;
        }
        if fields.len() != columns + 4 {
            let message = format!("{} fields where the header has {}", fields.len(), columns + 4);
            return Err(Flaw::whole(number, line, message));
        }
        let trigger = fields[3];
        let class = classes.iter().position(|known| known == trigger).unwrap_or_else(|| {
            classes.push(trigger.to_owned());
            sums.push(vec![0.0; columns]);
            classes.len() - 1
        });
        for (minute, field) in fields[4..].iter().enumerate() {
            let count: u64 =
                field.trim().parse().map_err(|_| Flaw::field(number, line, field, "expected a count"))?;
            sums[class][minute] += count as f64;
        }
    }
    let mut rows = Vec::new();
    for minute in 0..columns {
        for (class, sums) in sums.iter().enumerate() {
            rows.push(Row {
                at_ns: minute as i64 * 60 * SECOND,
                value: sums[minute],
                class: class as u16,
                line: 0,
            });
        }
    }
    let notes = vec!["invocations of all functions with the same trigger are one class".to_owned()];
    Ok(Counts { rows, classes, meaning: Meaning::Count, dated: false, gaps: Gaps::Error, notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_one_trigger_are_added() {
        let text = "HashOwner,HashApp,HashFunction,Trigger,1,2,3\na,b,c,http,1,2,3\na,b,d,queue,5,5,5\na,b,e,http,1,1,1\n";
        let series = read(text).unwrap().series(None, None).unwrap();
        assert_eq!(series.values, [[2.0, 5.0], [3.0, 5.0], [4.0, 5.0]]);
        assert_eq!(read(text).unwrap().classes, ["http", "queue"]);
        assert!(read("HashOwner,HashApp,HashFunction,Trigger,1,2,3\na,b,c,http,1,2\n").is_err());
        assert_eq!(
            read("HashOwner,HashApp,HashFunction,Trigger,1,2,3\na,b,c,http,1,x,3\n").unwrap_err().span,
            13..14
        );
    }
}
