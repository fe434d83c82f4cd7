//! `Finding`: one reason for the figures of a result, as fields from which its sentence is made.

mod text;

use serde::Serialize;
use serde::ser::Serializer;

use crate::model::resource::Noun;

/// One reason for the figures of a result. Numbers are those of a trial, averaged over the trials.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// A queue grows without end.
    Growth {
        /// The component whose queue it is; `None` if only the number of requests under way grows.
        of: Option<String>,
        /// Calls, or requests, a second.
        per_s: f64,
    },
    /// More messages come to a queue than its workers do, so that those that wait become more without end.
    Backlog {
        /// The queue.
        of: String,
        /// Messages a second.
        per_s: f64,
    },
    /// The lag of a database grows without end.
    LagGrowth {
        /// The database.
        of: String,
        /// Seconds of lag that come every second.
        per_s: f64,
    },
    /// No write was acknowledged for a while, although a primary was there.
    NoAcks {
        /// The replicas that were away.
        away: Vec<String>,
        /// When the last write before it was acknowledged, in seconds after the start of the trial.
        from_s: f64,
        /// Length of the longest time without an acknowledged write, in seconds.
        outage_s: f64,
        /// The part of it in which commits waited for replicas, in seconds.
        waited_s: f64,
    },
    /// The service did not come back after what had pushed it over.
    Metastable {
        /// Number of trials in which it did not.
        collapsed: u32,
        /// Number of trials that could tell.
        trials: u32,
        /// When what had pushed it over ended, in seconds after the start of the trial; `None` where chance did it.
        since_s: Option<f64>,
        /// What users ask, in requests a second.
        offered_rps: f64,
        /// The box that could do the least of what is asked, by the scenario alone.
        weakest: Option<String>,
        /// How a sentence speaks of the resource with which it does it.
        #[serde(skip)]
        noun: Noun,
        /// What it could do of this load, in requests a second.
        capacity_rps: Option<f64>,
        /// Changes that brought it back when they were tried in trials in which it had not come back, each as overrides.
        cures: Vec<String>,
    },
    /// A fault was active when an incident began.
    Fault {
        /// What went wrong, as a scenario names it: `crash`.
        fault: &'static str,
        /// The same as a verb: `crashed`.
        #[serde(skip)]
        verb: &'static str,
        /// What it happened to.
        of: Vec<String>,
        /// When it began, in seconds after the start of the trial.
        from_s: f64,
        /// When it ended; `None` if it lasted until the end of the trial.
        until_s: Option<f64>,
    },
    /// Another site took over.
    Switched {
        /// The switch.
        of: String,
        /// Time from the loss of the first site until then, in seconds.
        took_s: f64,
        /// The part of it until a decision began, in seconds.
        noticed_s: f64,
        /// The part of it until that was taken, in seconds.
        decided_s: f64,
        /// The time of it in which something that the switch needs was not there, in seconds.
        paused_s: f64,
    },
    /// No other site took over, because something that the switch needs was not there.
    NotSwitched {
        /// The switch.
        of: String,
        /// What it needs.
        needs: Vec<String>,
    },
    /// Random faults happened.
    RandomFaults {
        /// What they do, and to what: `crash of web`.
        fault: String,
        /// How often in a trial.
        times: f64,
    },
    /// More requests came than usual while an incident began.
    Surge {
        /// By this factor.
        factor: f64,
        /// When it began, in seconds after the start of the trial.
        from_s: f64,
        /// When it ended; `None` if it lasted until the end of the trial.
        until_s: Option<f64>,
    },
    /// A resource was full.
    Full {
        /// The box, or the member, that has it.
        of: String,
        /// Its stable name.
        resource: &'static str,
        /// How a sentence speaks of it.
        #[serde(skip)]
        noun: Noun,
        /// Its use in the fuller half of the incident, 0..1.
        share: f64,
        /// From when on it was full, in seconds after the start of the trial.
        from_s: f64,
        /// Until when; `None` for the end of the trial.
        until_s: Option<f64>,
        /// What follows from the scenario alone; `None` where that asks for no more than there is.
        need: Option<Need>,
    },
    /// A resource of which more is asked than there is, and which is not full only because another one lets too little
    /// through.
    Behind {
        /// The box that has it.
        of: String,
        /// Its stable name.
        resource: &'static str,
        /// How a sentence speaks of it.
        #[serde(skip)]
        noun: Noun,
        /// What follows from the scenario alone.
        need: Need,
    },
    /// A resource was full because calls held it while they waited for another box.
    Held {
        /// The box that has it.
        of: String,
        /// Its stable name.
        resource: &'static str,
        /// How a sentence speaks of it.
        #[serde(skip)]
        noun: Noun,
        /// How many there are.
        has: f64,
        /// How many were held by calls that waited.
        held: f64,
        /// The box that they waited for.
        waits_for: String,
    },
    /// Classes whose requests failed although none of their calls comes to the box where it began.
    Dragged {
        /// Their names.
        classes: Vec<String>,
        /// The box that they never call.
        of: String,
    },
    /// What users saw of an incident.
    Users {
        /// When it began, in seconds after the start of the trial.
        from_s: f64,
        /// When it ended; `None` for the end of the trial.
        until_s: Option<f64>,
        /// Number of requests of a trial that failed in it.
        failed: f64,
        /// Number of requests of a trial that failed outside of it.
        failed_outside: f64,
        /// Share of the requests of each class that ended ok in it.
        available: Vec<(String, f64)>,
        /// Median of the 99th percentiles of its windows, in ms, and of the others.
        p99_ms: (Option<f64>, Option<f64>),
    },
    /// Users tried more often in an incident.
    Retries {
        /// Tries a request in it.
        inside: f64,
        /// Tries a request outside of it; `None` if it lasted all the time.
        outside: Option<f64>,
    },
    /// A box worked for nobody.
    InVain {
        /// The box.
        of: String,
        /// Share of its answers for which nobody waited any more, 0..1.
        share: f64,
    },
    /// A member had nothing to do while others had.
    Idle {
        /// Its name.
        of: String,
        /// The busiest of the others.
        busiest: String,
        /// How busy the cores of that one were, 0..1.
        share: f64,
    },
    /// The resource with the highest use.
    Busiest {
        /// The component, or its group if all members are alike.
        of: String,
        /// The stable name of the resource.
        resource: &'static str,
        /// How a sentence speaks of it.
        #[serde(skip)]
        noun: Noun,
        /// Its use over the measured time, 0..1.
        share: f64,
        /// Since when it has been as good as saturated, in seconds after the start of the trial.
        since_s: Option<f64>,
        /// Since when calls have piled up there, in seconds after the start of the trial.
        piled_up_since_s: Option<f64>,
        /// Requests a second at which it saturates, with the same mix of requests.
        saturates_rps: Option<f64>,
    },
    /// Requests wait longest here.
    Wait {
        /// The group of components.
        of: String,
        /// Mean wait of a request at all members of the group together, in ms.
        wait_ms: f64,
        /// Mean response time of a request, in ms.
        of_ms: f64,
        /// The member at which a call waits longest, if that is much longer than at the others.
        member: Option<Outlier>,
    },
    /// Most failures begin here.
    Origin {
        /// The group of components; `None` if the users gave up by themselves.
        of: Option<String>,
        /// How the calls end there: `rejected`.
        outcome: &'static str,
        /// Number of calls a trial that fail there.
        calls: f64,
        /// The resource for want of which the box refuses calls; `None` where another reason is likelier.
        resource: Option<&'static str>,
        /// How a sentence speaks of it.
        #[serde(skip)]
        noun: Option<Noun>,
        /// Why most of them end so, as the end of a sentence, where a figure tells.
        #[serde(skip_serializing_if = "Option::is_none")]
        because: Option<&'static str>,
        /// How most of the failing requests end.
        requests: &'static str,
        /// Share of the requests that end so, 0..1.
        share: f64,
    },
    /// A closed form beside its measurement.
    Theory {
        /// The component, or `system`.
        of: String,
        /// The law.
        law: String,
        /// `""`, `about `, `at most ` or `at least `.
        relation: &'static str,
        /// What the law gives.
        theory: f64,
        /// The unit of `theory` and `measured`.
        unit: &'static str,
        /// What was measured.
        measured: f64,
        /// Half the width of its interval.
        half_width: Option<f64>,
    },
}

/// What a resource is asked for and what it can do, by the scenario alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Need {
    /// Calls a second that take some of it.
    pub come_per_s: f64,
    /// Calls a second that it can serve at most.
    pub pass_per_s: f64,
}

/// A member that differs from its group.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Outlier {
    /// Its name.
    pub name: String,
    /// Its value divided by the mean of the group.
    pub ratio: f64,
}

/// A key with another value.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Change {
    /// The key, as `--set` takes it.
    pub key: String,
    /// The value.
    pub value: String,
    /// Its price or its reason; `None` where it needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Change {
    /// The key and the value, as an override.
    #[must_use]
    pub fn pair(&self) -> (String, String) {
        (self.key.clone(), self.value.clone())
    }
}

/// Changes that were tried, and what came of them.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Attempt {
    /// The changes.
    pub changes: Vec<Change>,
    /// Share of the requests that ended ok, 0..1.
    pub available: f64,
    /// 99th percentile of the response times, in ms; `None` if too few requests ended ok.
    pub p99_ms: Option<f64>,
    /// Longest time in which commits waited for replicas that did not confirm them, in seconds; absent where that was not the
    /// problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_s: Option<f64>,
    /// Whether the service came back in the trials that were run, in all of which it had not; absent where that was not the
    /// problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovers: Option<bool>,
    /// Number of the scenario's expectations that its means meet.
    pub goals_met: usize,
    /// Number of all its expectations.
    pub goals: usize,
    /// Whether it is better than the run.
    pub helps: bool,
    /// Whether nothing fails any more.
    pub solves: bool,
}

/// A finding as the JSON shows it: its fields, and its sentence as `text`.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Told")]
pub(super) struct Told<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    /// The reason in a sentence.
    text: String,
}

/// Writes findings with their sentences.
///
/// # Errors
/// Those of the serializer.
pub fn told<S: Serializer>(findings: &[Finding], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(findings.iter().map(|finding| Told { finding, text: finding.text() }))
}
