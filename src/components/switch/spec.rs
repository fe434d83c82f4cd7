//! What a scenario says about a switch between two sites.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use super::Switch;
use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::component::Component;
use crate::model::quantity::Duration;
use crate::model::site::Site;
use crate::model::spec::{Outline, Problems, Sides, Spec};
use crate::model::switching::Step;

/// Time in which a lost site is noticed, about: checks, and machines that boot [T].
const NOTICED: SimDuration = SimDuration::from_secs(120);

/// Time in which a person decides [T].
const AFTER: SimDuration = SimDuration::from_secs(20 * 60);

/// Time in which a replica becomes primary, and a name gets other addresses [T].
const DB: SimDuration = SimDuration::from_secs(180);
const DNS: SimDuration = SimDuration::from_secs(60);

/// Who decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A person, who needs time to be sure.
    #[default]
    Person,
    /// The checks themselves.
    Check,
}

/// What is done at a switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// A replica of the site that takes over becomes primary.
    Db,
    /// Names answer with the addresses of the site that takes over.
    Dns,
}

impl Word {
    /// Its place in the figures.
    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// `[switch.NAME]`: moves the users from one site to another.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchSpec {
    /// The boxes and members of the site that has the users. It is lost once a whole box of them does not answer.
    pub from: Vec<String>,
    /// The boxes and members of the site that takes over. Until then they take no requests.
    pub to: Vec<String>,
    /// Who decides. Default: "person".
    #[serde(default)]
    pub by: By,
    /// Time for the decision. It passes only while everything in `needs` works and reaches both sites. Default: "20min" of a
    /// person [T], none of checks.
    pub after: Option<Duration>,
    /// The boxes without which nobody can decide and do the steps, such as tools. Default: none.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What is done then, in order, each with its time. Default: [["db", "3min"], ["dns", "1min"]], as far as there is a database and
    /// a name to move [T].
    pub steps: Option<Vec<(Word, Duration)>>,
    /// Whether the servers of the site that takes over run all the time, and its caches are as they stand. Otherwise its servers
    /// boot after the decision, before names lead to them, and its caches are empty. Default: false.
    #[serde(default)]
    pub warm: bool,
    /// The steps of the default that there is something to do for.
    #[serde(skip)]
    pub(super) given: Vec<Step>,
}

impl SwitchSpec {
    /// Time for the decision.
    pub(super) fn after(&self) -> SimDuration {
        let default = if self.by == By::Person { AFTER } else { SimDuration::ZERO };
        self.after.map_or(default, |after| after.0)
    }

    /// The steps, as given or as there is something to do for.
    pub(super) fn steps(&self) -> Vec<(Word, SimDuration)> {
        if let Some(steps) = &self.steps {
            return steps.iter().map(|(word, time)| (*word, time.0)).collect();
        }
        let step = |step: &Step| match step {
            Step::Data => (Word::Db, DB),
            Step::Names => (Word::Dns, DNS),
        };
        self.given.iter().map(step).collect()
    }
}

impl Spec for SwitchSpec {
    fn answers(&self) -> Verbs {
        Verbs::NONE
    }

    fn reacts_within(&self) -> SimDuration {
        self.steps().into_iter().fold(NOTICED + self.after(), |time, (_, step)| time + step)
    }

    fn detail(&self) -> Option<String> {
        let decide = if self.by == By::Person { "a person decides" } else { "checks decide" };
        let with = if self.needs.is_empty() { "" } else { " with " };
        Some(format!("{decide}{with}{}", self.needs.join(" and ")))
    }

    fn sides(&self) -> Option<Sides> {
        let step = |(word, _): &(Word, Duration)| match word {
            Word::Db => Step::Data,
            Word::Dns => Step::Names,
        };
        Some(Sides {
            from: self.from.clone(),
            to: self.to.clone(),
            boxes: Vec::new(),
            needs: self.needs.clone(),
            is_warm: self.warm,
            steps: self.steps.as_ref().map(|steps| steps.iter().map(step).collect()),
        })
    }

    fn take_part(&mut self, sides: &Sides) {
        self.given = sides.steps.clone().unwrap_or_default();
    }

    fn check(&self, _outline: &Outline<'_>, problems: &mut Problems) {
        let Some(steps) = &self.steps else { return };
        if steps.is_empty() {
            let help = "without the key all is done that there is to do";
            problems.error("steps", "a switch without a step changes nothing", help);
        }
        for (at, (word, _)) in steps.iter().enumerate() {
            if steps[..at].iter().any(|(other, _)| other == word) {
                let help = "each step is done once";
                problems.error(format!("steps[{at}]"), "this step has been done already", help);
            }
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        Box::new(Switch::new(self, site))
    }
}
