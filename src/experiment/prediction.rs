//! `Prediction`: what a law says of a quantity, beside what was measured of it.

use super::value::Figure;

/// Share of the value of an exact law by which a measurement may differ whatever its interval: work in progress at the ends of a
/// trial counts for one side only.
const EDGES: f64 = 0.01;

/// Share of its value by which an approximation may be off.
const ROUGHLY: f64 = 0.2;

/// A prediction of theory, with the measured value.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Prediction {
    /// The component, or `system`.
    pub component: String,
    /// The law: `utilisation law`, `M/M/1`, `the asymptotic bound`.
    pub law: String,
    /// The quantity: `utilisation`, `response_ms`, `throughput_rps`, or the resource whose use is meant: `workers`.
    pub quantity: &'static str,
    /// How the law bounds the quantity.
    pub relation: Relation,
    /// The value that the law gives.
    pub theory: f64,
    /// The measured value.
    pub measured: Figure,
    /// Whether the two agree; absent where the measurement is too little to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Fit>,
}

/// How a law bounds a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The quantity equals the value.
    Equal,
    /// The quantity is close to the value; the law is an approximation.
    About,
    /// The quantity is at most the value.
    AtMost,
    /// The quantity is at least the value.
    AtLeast,
}

/// Whether a measurement agrees with a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The interval contains the value of an exact law, or the two are less than 1 % apart; less than 20 % for an approximation.
    Agrees,
    /// They are further apart.
    Differs,
    /// The interval, or a part of it, is on the right side of the bound.
    Kept,
    /// The whole interval is on the wrong side of the bound.
    Broken,
}

impl Prediction {
    /// The same with its verdict.
    pub(super) fn judged(self) -> Prediction {
        let verdict = self.fit();
        Prediction { verdict, ..self }
    }

    fn fit(&self) -> Option<Fit> {
        let (value, half_width) = (self.measured.mean?, self.measured.half_width);
        let apart = (value - self.theory).abs();
        let bound = |beyond: f64| {
            let is_broken = beyond > half_width.unwrap_or(0.0) + EDGES * self.theory.abs();
            Some(if is_broken { Fit::Broken } else { Fit::Kept })
        };
        let near = |room: f64| match half_width {
            _ if apart <= room * self.theory.abs() => Some(Fit::Agrees),
            Some(half_width) => Some(if apart <= half_width { Fit::Agrees } else { Fit::Differs }),
            None => None,
        };
        match self.relation {
            Relation::Equal => near(EDGES),
            Relation::About => near(ROUGHLY),
            Relation::AtMost => bound(value - self.theory),
            Relation::AtLeast => bound(self.theory - value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(relation: Relation, theory: f64, mean: f64, half_width: Option<f64>) -> Option<Fit> {
        let measured = Figure { mean: Some(mean), half_width, ..Figure::default() };
        let of = |text: &str| text.to_owned();
        let (component, law) = (of("system"), of("M/M/1"));
        let quantity = "response_ms";
        Prediction { component, law, quantity, relation, theory, measured, verdict: None }.judged().verdict
    }

    #[test]
    fn a_law_has_a_verdict_by_the_interval() {
        use Relation::{About, AtLeast, AtMost, Equal};
        // One minute of M/G/1-PS at 98 %: 500 ms by the law, and 363 ± 129 ms measured.
        assert_eq!(fit(Equal, 500.0, 363.0, Some(129.0)), Some(Fit::Differs));
        assert_eq!(fit(Equal, 500.0, 363.0, Some(140.0)), Some(Fit::Agrees));
        assert_eq!(fit(Equal, 500.0, 496.0, Some(1.0)), Some(Fit::Agrees), "less than 1 %");
        assert_eq!(
            (fit(Equal, 500.0, 400.0, None), fit(Equal, 500.0, 499.0, None)),
            (None, Some(Fit::Agrees))
        );
        assert_eq!(fit(About, 500.0, 410.0, Some(1.0)), Some(Fit::Agrees));
        assert_eq!(fit(About, 500.0, 390.0, Some(1.0)), Some(Fit::Differs));
        assert_eq!(
            (fit(AtMost, 7.0, 5.0, None), fit(AtMost, 7.0, 19.5, Some(0.4))),
            (Some(Fit::Kept), Some(Fit::Broken))
        );
        assert_eq!(
            (fit(AtLeast, 7.0, 8.0, None), fit(AtLeast, 7.0, 5.0, Some(0.4))),
            (Some(Fit::Kept), Some(Fit::Broken))
        );
        assert_eq!(fit(AtMost, 7.0, 7.3, Some(0.4)), Some(Fit::Kept));
    }
}
