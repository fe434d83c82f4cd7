//! `WorkSort` and `WorkCost`: the sorts of work of a box, and what measurements say that a unit of each costs.

/// The smallest variation that is told from none.
const CV_MIN: f64 = 0.05;

/// The largest variation that a scenario may say.
const CV_MAX: f64 = 100.0;

/// One sort of work of a box.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkSort {
    /// Its name: that of a class, or `read` and `write`.
    pub name: String,
    /// The units of it that one call of each class does.
    pub units: Vec<f64>,
}

/// What a unit of a sort of work costs, as measured.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkCost {
    /// The sort, by its name.
    pub sort: String,
    /// Core seconds at speed 1.
    pub cpu_s: f64,
    /// The coefficient of variation of that time.
    pub cv: f64,
    /// Seconds that hold no core.
    pub wait_s: f64,
    /// Where the core time comes from, in a line.
    pub note: String,
}

impl WorkCost {
    /// Its core time as a scenario writes it.
    #[must_use]
    pub fn cpu(&self) -> String {
        let mean = time(self.cpu_s);
        if self.cv < CV_MIN {
            return format!("\"{mean}\"");
        }
        let cv = rounded(self.cv.min(CV_MAX));
        format!("{{ dist = \"gamma\", mean = \"{mean}\", cv = {cv} }}")
    }

    /// Its time without a core as a scenario writes it.
    #[must_use]
    pub fn wait(&self) -> String {
        format!("\"{}\"", time(self.wait_s))
    }
}

/// A time as a scenario writes it, in ms as long as it is below a second.
fn time(seconds: f64) -> String {
    if seconds < 1.0 { format!("{}ms", rounded(seconds * 1e3)) } else { format!("{}s", rounded(seconds)) }
}

/// A number rounded to four digits: a measurement has no more.
fn rounded(number: f64) -> f64 {
    format!("{number:.3e}").parse().expect("a number that was printed can be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_written_as_a_scenario_writes_it() {
        let cost =
            |cpu_s, cv| WorkCost { sort: "view".into(), cpu_s, cv, wait_s: 0.0123456, note: String::new() };
        assert_eq!(cost(0.004_971_3, 0.01).cpu(), "\"4.971ms\"");
        assert_eq!(cost(0.04, 1.0).cpu(), "{ dist = \"gamma\", mean = \"40ms\", cv = 1 }");
        assert_eq!(cost(0.0, 0.0).cpu(), "\"0ms\"");
        assert_eq!(cost(0.04, 1.0).wait(), "\"12.35ms\"");
    }
}
