//! What one dead machine costs: a few trials in which it crashes, as a scenario with that fault would.

use serde::Serialize;

use super::result::RunResult;
use super::runner::{Progress, RunOptions, run};
use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::quantity::Duration;
use crate::model::spec::{MemberPlan, Standing};
use crate::scenario::faults::{FaultKind, FaultSpec};
use crate::scenario::{BoxEntry, Scenario};

/// When a machine dies and how long it is dead, as shares of the measured time: 3 of 10 minutes in the middle.
const AT: f64 = 0.4;
const FOR: f64 = 0.3;

/// Trials for each machine.
const TRIALS: u32 = 2;

/// What the death of a machine costs.
#[derive(Clone, Debug, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Loss {
    /// The machine: `web-1` stands for every member of `web`.
    pub machine: String,
    /// How long it was dead, in seconds.
    pub down_s: f64,
    /// Share of the requests of the measured time that ended ok, 0..1.
    pub available: f64,
    /// The failed requests as a time without service, in seconds: their share of the measured time.
    pub without_service_s: f64,
}

/// The machines whose death differs: the first of each role, such as `web-1` or `db.primary`, in the order of the boxes.
#[must_use]
pub fn machines(scenario: &Scenario) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let can_die = |entry: &&BoxEntry| {
        let spec = &entry.spec;
        let is_outside =
            spec.offered().is_some() || spec.answers().meets(Verbs::RESOLVE) || spec.sides().is_some();
        !is_outside && entry.spec.host().is_none()
    };
    for entry in scenario.boxes.iter().filter(can_die) {
        let plans = (0..entry.spec.members()).map(|member| entry.spec.member(&entry.name, member));
        let mut roles: Vec<String> = Vec::new();
        let is_machine = |plan: &MemberPlan| plan.machine.is_some() || entry.spec.machine().is_none();
        for plan in plans.filter(|plan| is_machine(plan) && plan.standing != Standing::Driver) {
            if !roles.iter().any(|role| role == plan.role()) {
                roles.push(plan.role().to_owned());
                found.push(plan.name);
            }
        }
    }
    found
}

/// The crash of a machine in the middle of the measured time.
#[must_use]
pub fn crash(scenario: &Scenario, machine: &str) -> FaultSpec {
    let part = |share: f64| {
        // Whole seconds where there are enough of them: they are what a command names.
        let seconds = scenario.run.duration.as_secs_f64() * share;
        let whole = if seconds >= 5.0 { libm::round(seconds) } else { seconds };
        SimDuration::from_sample_secs(whole)
    };
    let at = scenario.run.warmup.as_nanos().saturating_add(part(AT).as_nanos());
    FaultSpec {
        at: Some(Duration(SimDuration::from_nanos(at))),
        lasts: Some(Duration(part(FOR))),
        ..FaultSpec::new(FaultKind::Crash, machine.to_owned())
    }
}

/// The machine whose death is most likely to stop everything: of the roles with the fewest machines the one that users
/// reach first. `None` if there is no machine.
#[must_use]
pub fn weakest(scenario: &Scenario) -> Option<String> {
    let machines = machines(scenario);
    let rank = |name: &String| {
        let of = |entry: &&BoxEntry| {
            (0..entry.spec.members()).any(|member| entry.spec.member(&entry.name, member).name == *name)
        };
        let entry = scenario.boxes.iter().find(of);
        entry.map_or((u32::MAX, true), |entry| (entry.machines(), !entry.spec.is_public()))
    };
    machines.into_iter().min_by_key(rank)
}

/// What the crash of a machine costs in a scenario, whose own faults must have been left out. `options` says seed and
/// threads; the length is that of the scenario. `None` if the trials were interrupted.
#[must_use]
pub fn loss(
    mut scenario: Scenario,
    machine: &str,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Option<Loss> {
    let fault = crash(&scenario, machine);
    let down_s = fault.lasts().map_or(0.0, |lasts| lasts.0.as_secs_f64());
    scenario.faults = vec![fault];
    let few = RunOptions { trials: 0..TRIALS, length: scenario.length(), ..options.clone() };
    let trials = run(&scenario, &few, progress);
    if !trials.complete && progress.interrupted() || trials.records.is_empty() {
        return None;
    }
    let available = RunResult::measured(&scenario, &few, &trials).metrics.availability.mean?;
    let without_service_s = (1.0 - available) * scenario.run.duration.as_secs_f64();
    Some(Loss { machine: machine.to_owned(), down_s, available, without_service_s })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::KINDS;
    use crate::experiment::runner::Unwatched;
    use crate::model::spec::NoFiles;
    use crate::scenario::load;

    const PAIR: &str = "[run]\nduration = '40s'\nwarmup = '5s'\n[client.u]\nrate = '50/s'\ntarget = 'lb'\n\
        [balancer.lb]\npublic = true\ntargets = ['web']\nhealth = { interval = '1s', fall = 1 }\n\
        [server.web]\ncount = 2\nsteps = [{ query = 'db' }]\n[server.app]\non = 'web'\nsteps = [{ wait = '1ms' }]\n\
        [database.db]\nreplicas = 2\n";

    fn scenario(text: &str) -> Scenario {
        load("a.toml", text, &[], &NoFiles, KINDS).unwrap_or_else(|found| panic!("{found}")).scenario
    }

    #[test]
    fn each_role_has_one_machine_that_stands_for_it() {
        let text = PAIR.replace("[server.app]\non = 'web'\n", "[server.app]\n");
        assert_eq!(machines(&scenario(&text)), ["lb", "db.primary", "db.replica-1", "app", "web-1"]);
        assert_eq!(weakest(&scenario(&text)).as_deref(), Some("lb"));
    }

    #[test]
    fn what_exists_once_costs_all_of_its_time_and_one_of_two_only_the_time_until_it_is_noticed() {
        let text = PAIR.replace("[server.app]\non = 'web'\nsteps = [{ wait = '1ms' }]\n", "");
        let options =
            |scenario: &Scenario| RunOptions { seed: 1, trials: 0..1, jobs: 1, length: scenario.length() };
        let of = |machine: &str| {
            let scenario = scenario(&text);
            let options = options(&scenario);
            loss(scenario, machine, &options, &Unwatched).unwrap()
        };
        let alone = of("lb");
        assert_eq!(alone.down_s, 12.0);
        assert!((alone.without_service_s - 12.0).abs() < 1.0, "{alone:?}");
        let one_of_two = of("web-1");
        assert!(one_of_two.without_service_s < 2.5, "{one_of_two:?}");
        assert!(one_of_two.available > 0.94, "{one_of_two:?}");
    }
}
