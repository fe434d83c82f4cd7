//! `Knob`: the load of a scenario as one number that can be changed.

use crate::model::lever::{Effect, Setting};
use crate::scenario::suggest::did_you_mean;
use crate::scenario::{BoxEntry, Scenario, USERS_MAX};

/// The lowest and the highest factor of the load of several clients.
const FACTORS: (f64, f64) = (1e-6, 1e9);

/// The use of the fullest resource at which a search begins.
const LIKELY: f64 = 0.8;

/// Greatest factor between the scenario's own load and that at which a search begins: a law that knows too little must not
/// lead it astray.
const LIKELY_REACH: f64 = 8.0;

/// The unit of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadUnit {
    /// Users of a closed population, or of all of them together; an integer.
    Users,
    /// Requests, or sessions, a second.
    PerS,
    /// Multiples of the scenario's own load, if it has several clients that do not all have users, or of its trace.
    Times,
}

/// The load of one client.
#[derive(Clone, Debug, PartialEq)]
struct ClientLoad {
    /// The key for overrides: `users.rate`.
    key: String,
    /// The value in the scenario.
    own: f64,
    unit: LoadUnit,
    /// The least and the greatest that the scenario may say.
    limits: (f64, f64),
}

impl ClientLoad {
    /// The nearest load that the scenario may say: whole users, or a rate of five digits.
    fn nearest(&self, load: f64) -> f64 {
        let load = load.clamp(self.limits.0, self.limits.1);
        if self.unit == LoadUnit::Users { libm::round(load) } else { rounded(load) }
    }

    /// That load as an override.
    fn setting(&self, load: f64) -> Setting {
        let load = self.nearest(load);
        match self.unit {
            LoadUnit::Users => Setting::Whole(load as u32),
            LoadUnit::PerS => Setting::PerS(load),
            LoadUnit::Times => Setting::Number(load),
        }
    }
}

/// The load of a scenario: that of its only client in its own unit, all users together if every client has users, or a
/// factor for all clients.
#[derive(Clone, Debug, PartialEq)]
pub struct Knob {
    clients: Vec<ClientLoad>,
}

impl Knob {
    /// The knob of a scenario: the given key, or the load of all its clients.
    ///
    /// # Errors
    /// If there is no load to change, or the key is not one.
    pub fn of(scenario: &Scenario, key: Option<&str>) -> Result<Knob, String> {
        let clients = clients(scenario);
        let known = || clients.iter().map(|client| client.key.as_str());
        if clients.is_empty() {
            return Err("the scenario has no client whose load can be changed".into());
        }
        let Some(key) = key else { return Ok(Knob { clients }) };
        let name = key.strip_prefix("client.").unwrap_or(key);
        match clients.iter().find(|client| client.key == name) {
            Some(client) => Ok(Knob { clients: vec![client.clone()] }),
            None => {
                let help = did_you_mean(name, "there are", known()).unwrap_or_default();
                Err(format!("`{key}` is no load of a client; {help}"))
            }
        }
    }

    /// The name of what is changed, for readers: `users.rate`, or `all clients`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.clients.as_slice() {
            [one] => &one.key,
            _ => "all clients",
        }
    }

    /// The unit of the load.
    #[must_use]
    pub fn unit(&self) -> LoadUnit {
        match self.clients.as_slice() {
            [one] => one.unit,
            _ if self.users().is_some() => LoadUnit::Users,
            _ => LoadUnit::Times,
        }
    }

    /// The scenario's own load.
    #[must_use]
    pub fn own(&self) -> f64 {
        if let [one] = self.clients.as_slice() { one.own } else { self.users().unwrap_or(1.0) }
    }

    /// The users of all clients together; `None` if one of them has none.
    fn users(&self) -> Option<f64> {
        let all = self.clients.iter().all(|client| client.unit == LoadUnit::Users);
        all.then(|| self.clients.iter().map(|client| client.own).sum())
    }

    /// The nearest possible load: an integer for users, a rate of five digits, within the limits of a scenario.
    #[must_use]
    pub fn nearest(&self, load: f64) -> f64 {
        match self.clients.as_slice() {
            [one] => one.nearest(load),
            several => match self.users() {
                Some(users) => {
                    // Each client has at least one user, and at most what its share of the limit is.
                    let most = several.iter().map(|client| client.limits.1 / client.own * users);
                    libm::round(load.clamp(several.len() as f64, most.fold(USERS_MAX, f64::min)))
                }
                None => rounded(load.clamp(FACTORS.0, FACTORS.1)),
            },
        }
    }

    /// A load at which the fullest resource is as full as objectives mostly let it be, by the laws that need no simulation;
    /// `None` where they do not tell. A search begins there.
    #[must_use]
    pub fn likely(&self, scenario: &Scenario) -> Option<f64> {
        let factor = LIKELY * self.law(scenario)? / self.own();
        Some(self.nearest(factor.clamp(1.0 / LIKELY_REACH, LIKELY_REACH) * self.own()))
    }

    /// The load at which the fullest resource is full by the laws; `None` where they do not tell.
    #[must_use]
    pub fn law(&self, scenario: &Scenario) -> Option<f64> {
        let load = scenario.load();
        let full = self.own() / load.bottleneck()?.peak_utilisation();
        (full > 0.0 && full.is_finite()).then_some(full)
    }

    /// The overrides that give the scenario this load.
    #[must_use]
    pub fn overrides(&self, load: f64) -> Vec<(String, String)> {
        let of = |client: &ClientLoad, load: f64| (client.key.clone(), client.setting(load).to_string());
        match (self.clients.as_slice(), self.users()) {
            ([one], _) => vec![of(one, load)],
            (several, None) => several.iter().map(|client| of(client, client.own * load)).collect(),
            (several, Some(users)) => {
                // The whole numbers add up to the load: what rounding takes from one client the next one gets.
                let (mut shares, mut given) = (0.0, 0.0);
                let mut next = |client: &ClientLoad| {
                    shares += client.own / users * load;
                    let part = libm::round(shares - given).max(1.0);
                    given += part;
                    of(client, part)
                };
                several.iter().map(&mut next).collect()
            }
        }
    }
}

/// The number rounded to five digits, so that it can be typed.
fn rounded(number: f64) -> f64 {
    format!("{number:.4e}").parse().expect("a number that was printed can be read")
}

/// The load levers of all clients.
fn clients(scenario: &Scenario) -> Vec<ClientLoad> {
    let of = |entry: &BoxEntry| {
        let name = entry.name.clone();
        entry.spec.levers().into_iter().filter_map(move |lever| {
            let Effect::Load(least, most) = lever.effect else { return None };
            Some(ClientLoad {
                key: format!("{name}.{}", lever.key),
                own: lever.now.number()?,
                unit: match lever.now {
                    Setting::Whole(_) => LoadUnit::Users,
                    Setting::PerS(_) => LoadUnit::PerS,
                    _ => LoadUnit::Times,
                },
                limits: (least, most),
            })
        })
    };
    let mut clients: Vec<ClientLoad> = scenario.boxes.iter().flat_map(of).collect();
    // All clients together have a limit too, of which each gets its share.
    let users: f64 =
        clients.iter().filter(|client| client.unit == LoadUnit::Users).map(|client| client.own).sum();
    for client in clients.iter_mut().filter(|client| client.unit == LoadUnit::Users) {
        client.limits.1 = client.limits.1.min(libm::floor(client.own * USERS_MAX / users));
    }
    clients
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::from_text;
    use super::*;

    const BOX: &str = "[server.box]\npublic = true\ncores = 1\nsteps = [{ cpu = '1ms' }]\n";

    fn knob(clients: &str, key: Option<&str>) -> Result<Knob, String> {
        Knob::of(&from_text(&format!("{clients}{BOX}")), key)
    }

    #[test]
    fn a_search_begins_near_the_law() {
        let likely = |clients: &str| {
            let scenario = from_text(&format!("{clients}{BOX}"));
            Knob::of(&scenario, None).unwrap().likely(&scenario)
        };
        // One core takes 1000 a second.
        assert_eq!(likely("[client.a]\nrate = '200/s'\ntarget = 'box'\n"), Some(800.0));
        assert_eq!(likely("[client.a]\nrate = '2/s'\ntarget = 'box'\n"), Some(16.0), "not too far at once");
    }

    #[test]
    fn one_client_has_its_own_unit_and_several_a_factor() {
        let open = knob("[client.a]\nrate = '60/min'\ntarget = 'box'\n", None).unwrap();
        assert_eq!((open.name(), open.unit(), open.own()), ("a.rate", LoadUnit::PerS, 1.0));
        assert_eq!(open.overrides(12.345_678), [("a.rate".into(), "12.346/s".into())]);
        let closed = knob("[client.a]\nusers = 7\ntarget = 'box'\n", None).unwrap();
        assert_eq!((closed.nearest(3.6), closed.nearest(0.1)), (4.0, 1.0));
        assert_eq!(closed.overrides(20.0), [("a.users".into(), "20".into())]);
        let text = "[client.a]\nusers = 7\ntarget = 'box'\n[client.b]\nsessions = '2/s'\ntarget = 'box'\n";
        let both = knob(text, None).unwrap();
        assert_eq!((both.name(), both.unit(), both.own()), ("all clients", LoadUnit::Times, 1.0));
        let expected = [("a.users".to_owned(), "11".to_owned()), ("b.sessions".into(), "3/s".into())];
        assert_eq!(both.overrides(1.5), expected);
        assert_eq!(knob(text, Some("b.sessions")).unwrap().unit(), LoadUnit::PerS);
        assert!(knob(text, Some("b.session")).unwrap_err().contains("did you mean `b.sessions`?"));
    }

    #[test]
    fn several_clients_with_users_are_counted_together() {
        let client = |name: &str, users: u32| format!("[client.{name}]\nusers = {users}\ntarget = 'box'\n");
        let all = knob(&[client("a", 7), client("b", 3), client("c", 10)].concat(), None).unwrap();
        assert_eq!((all.name(), all.unit(), all.own()), ("all clients", LoadUnit::Users, 20.0));
        let users = |load: f64| -> Vec<u32> {
            all.overrides(load).iter().map(|(_, users)| users.parse().unwrap()).collect()
        };
        assert_eq!(users(20.0), [7, 3, 10]);
        for load in [3_u32, 5, 19, 33, 999_999, 1_000_001] {
            assert_eq!(users(f64::from(load)).iter().sum::<u32>(), load, "{load}");
        }
        assert_eq!(users(1e6), [350_000, 150_000, 500_000]);
        assert_eq!((all.nearest(0.2), all.nearest(41.4), all.nearest(1e12)), (3.0, 41.0, 1e7));
    }
}
