//! The levers of a box, as far as the rest of its scenario lets them be turned.

use super::seats::MEMBERS_MAX;
use super::validate::{REQUESTS_MAX, USERS_MAX};
use super::{BoxEntry, Scenario};
use crate::model::lever::{Effect, Lever};
use crate::model::spec::Offered;

/// The levers of a box of the scenario, in the order in which they are best turned. The scenario with the next value of
/// one of them is a good one.
#[must_use]
pub fn levers(scenario: &Scenario, entry: &BoxEntry) -> Vec<Lever> {
    let mut levers = entry.spec.levers();
    for lever in &mut levers {
        let fits = has_room(scenario, entry, lever) && has_time(scenario, entry, lever);
        lever.next = lever.next.filter(|_| fits);
    }
    levers
}

/// Whether the scenario has places and names for the members that a lever adds.
fn has_room(scenario: &Scenario, entry: &BoxEntry, lever: &Lever) -> bool {
    if lever.adds == 0 {
        return true;
    }
    let total: u32 = scenario.boxes.iter().map(|entry| entry.spec.members()).sum();
    // A member with a point in its name cannot be called like a box.
    let last = entry.spec.member(&entry.name, entry.spec.members()).name;
    let new = 1..=entry.spec.members() + lever.adds;
    let is_taken = |other: &BoxEntry| {
        let number = other.name.strip_prefix(&entry.name).and_then(|rest| rest.strip_prefix('-'));
        number.and_then(|number| number.parse().ok()).is_some_and(|number: u32| new.contains(&number))
    };
    total.saturating_add(lever.adds) <= MEMBERS_MAX
        && (last.contains('.') || !scenario.boxes.iter().any(is_taken))
}

/// Whether a trial with the load that a lever asks for can be simulated: its open requests, and the users of all clients
/// together.
fn has_time(scenario: &Scenario, entry: &BoxEntry, lever: &Lever) -> bool {
    let (Effect::Load(..), Some(next)) = (&lever.effect, lever.next) else { return true };
    let rate = |entry: &BoxEntry| match entry.spec.offered() {
        Some(Offered::Open(rate)) => rate,
        _ => 0.0,
    };
    let users = |entry: &BoxEntry| match entry.spec.offered() {
        Some(Offered::Closed(users, _)) => users,
        _ => 0.0,
    };
    let factor = next.number().zip(lever.now.number()).map_or(1.0, |(next, now)| next / now);
    let after = |of: &dyn Fn(&BoxEntry) -> f64| {
        scenario.boxes.iter().map(of).sum::<f64>() + of(entry) * (factor - 1.0)
    };
    after(&rate) * scenario.run.length().as_secs_f64() <= REQUESTS_MAX && after(&users) <= USERS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::KINDS;
    use crate::model::spec::NoFiles;
    use crate::scenario::load;

    /// The next values of the levers of `web` and of `users` in a scenario with some more tables.
    fn next(count: u32, rate: &str, more: &str) -> Vec<(&'static str, Option<String>)> {
        let text = format!(
            "[run]\nduration = '1h'\n[client.users]\nrate = '{rate}'\ntarget = 'web'\n[server.web]\npublic = true\n\
             count = {count}\nsteps = [{{ cpu = '1ms' }}]\n{more}"
        );
        let scenario = load("a.toml", &text, &[], &NoFiles, KINDS).unwrap().scenario;
        let levers = ["web", "users"].map(|name| levers(&scenario, scenario.entry(name).unwrap())).concat();
        let levers = levers.into_iter().filter(|lever| ["count", "rate"].contains(&lever.key));
        levers.map(|lever| (lever.key, lever.next.map(|next| next.to_string()))).collect()
    }

    #[test]
    fn a_lever_ends_where_the_scenario_has_no_room() {
        let both = |count: Option<&str>, rate: Option<&str>| {
            [("count", count.map(str::to_owned)), ("rate", rate.map(str::to_owned))]
        };
        let other = "[server.web-2]\nsteps = [{ cpu = '1ms' }]\n";
        assert_eq!(next(1, "50/s", ""), both(Some("2"), Some("100/s")));
        assert_eq!(next(1, "50/s", other), both(None, Some("100/s")));
        assert_eq!(next(6665, "50/s", ""), both(Some("9998"), Some("100/s")));
        assert_eq!(next(6667, "50/s", ""), both(None, Some("100/s")));
        assert_eq!(next(1, "20000000/s", ""), both(Some("2"), None));
    }
}
