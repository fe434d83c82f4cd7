//! The levers of a box, as far as the rest of its scenario lets them be turned.

use super::seats::MEMBERS_MAX;
use super::validate::{REQUESTS_MAX, USERS_MAX};
use super::{BoxEntry, Scenario};
use crate::model::lever::{Effect, Fit, Lever, Setting, round_time, round_up};
use crate::model::resource::Sort;
use crate::model::spec::Offered;

/// The levers of a box of the scenario, in the order in which they are best turned. The scenario with the next value of
/// one of them is a good one.
#[must_use]
pub fn levers(scenario: &Scenario, entry: &BoxEntry) -> Vec<Lever> {
    let mut levers = entry.spec.levers();
    for lever in &mut levers {
        if let Some(fit) = lever.fit {
            lever.next = fitted(scenario, entry, fit).filter(|next| is_tighter(lever.now, *next));
        }
        let fits = has_room(scenario, entry, lever) && has_time(scenario, entry, lever);
        lever.next = lever.next.filter(|_| fits);
    }
    levers
}

/// Whether a value is a limit below the one that is there; 0 stands for none.
fn is_tighter(now: Setting, next: Setting) -> bool {
    let number = |value: Setting| value.number().filter(|number| *number > 0.0);
    number(next).is_some_and(|next| number(now).is_none_or(|now| next < now))
}

/// The value of a lever of a box that follows from its callers and from what it can do; `None` where they do not tell.
fn fitted(scenario: &Scenario, entry: &BoxEntry, fit: Fit) -> Option<Setting> {
    let patience_s = patience_s(scenario, entry)?;
    match fit {
        Fit::Patience(share) => Some(round_time(share * patience_s)),
        Fit::Line(share) => {
            let load = scenario.load();
            let rows = load.resources.iter().filter(|row| row.name == entry.name);
            let used = rows.filter(|row| row.resource.sort == Sort::Rate).map(|row| row.utilisation());
            let used = used.fold(0.0, f64::max);
            let calls = load.boxes.iter().find(|one| one.name == entry.name)?.calls_per_s;
            let line = round_up(share * patience_s * calls / used);
            (used > 0.0 && (1.0..=f64::from(u32::MAX)).contains(&line)).then_some(Setting::Whole(line as u32))
        }
    }
}

/// The shortest time for which those wait whose calls come to a box, over others or at once, in seconds.
fn patience_s(scenario: &Scenario, entry: &BoxEntry) -> Option<f64> {
    let mut lead: Vec<&BoxEntry> = vec![entry];
    // Calls have no cycle, so that no way is longer than the number of boxes.
    for _ in 0..scenario.boxes.len() {
        let leads = |one: &&BoxEntry| {
            let arrows = one.spec.arrows();
            let is_new = !lead.iter().any(|known| known.name == one.name);
            is_new && arrows.iter().any(|arrow| lead.iter().any(|known| known.name == arrow.to))
        };
        let more: Vec<&BoxEntry> = scenario.boxes.iter().filter(leads).collect();
        lead.extend(more);
    }
    let waits = lead[1..].iter().filter_map(|one| one.spec.patience());
    waits.map(|(_, time)| time.as_secs_f64()).reduce(f64::min)
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
    fn next(count: u32, rate: &str, more: &str) -> Vec<(String, Option<String>)> {
        let text = format!(
            "[run]\nduration = '1h'\n[client.users]\nrate = '{rate}'\ntarget = 'web'\n[server.web]\npublic = true\n\
             count = {count}\nsteps = [{{ cpu = '1ms' }}]\n{more}"
        );
        let scenario = load("a.toml", &text, &[], &NoFiles, KINDS).unwrap().scenario;
        let levers = ["web", "users"].map(|name| levers(&scenario, scenario.entry(name).unwrap())).concat();
        let levers = levers.into_iter().filter(|lever| ["count", "rate"].contains(&&*lever.key));
        levers.map(|lever| (lever.key.into_owned(), lever.next.map(|next| next.to_string()))).collect()
    }

    #[test]
    fn a_lever_ends_where_the_scenario_has_no_room() {
        let both = |count: Option<&str>, rate: Option<&str>| {
            [("count".to_owned(), count.map(str::to_owned)), ("rate".to_owned(), rate.map(str::to_owned))]
        };
        let other = "[server.web-2]\nsteps = [{ cpu = '1ms' }]\n";
        assert_eq!(next(1, "50/s", ""), both(Some("2"), Some("100/s")));
        assert_eq!(next(1, "50/s", other), both(None, Some("100/s")));
        assert_eq!(next(6665, "50/s", ""), both(Some("9998"), Some("100/s")));
        assert_eq!(next(6667, "50/s", ""), both(None, Some("100/s")));
        assert_eq!(next(1, "20000000/s", ""), both(Some("2"), None));
    }
}
