//! `RequestClass`: one kind of request that clients send.

use crate::kernel::time::SimDuration;

/// One kind of request that clients send: `[request.read]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestClass {
    /// Its name, unique.
    pub name: String,
    /// Share of all requests, 0..1; the shares of a scenario add up to 1.
    pub share: f64,
    /// Whether it changes data.
    pub writes: bool,
    /// Time limit for goodput: a later answer does not count.
    pub deadline: Option<SimDuration>,
    /// Size of the answer in bytes, for links with a bandwidth.
    pub response_bytes: u64,
    /// The keys that its queries ask for.
    pub keys: KeySpace,
    /// Whether a content delivery network may keep the answer.
    pub cacheable: bool,
    /// The names of the clients that send it; all of them without.
    pub clients: Option<Vec<String>>,
    /// Which requests boxes take first, 0 to [`PRIORITY_MAX`]: 0 goes before 1.
    pub priority: u8,
    /// Number of workers of a server that a call takes at once, at least 1.
    pub units: u32,
}

/// The last priority, as of the four criticalities of Google's SRE book (chapter 21).
pub const PRIORITY_MAX: u8 = 3;

impl RequestClass {
    /// Whether a client of this name sends it.
    #[must_use]
    pub fn is_sent_by(&self, client: &str) -> bool {
        self.clients.as_ref().is_none_or(|clients| clients.iter().any(|name| name == client))
    }
}

/// The share of each class among the requests of a client, 0..1. They sum to one; all are 0 where the client sends no class.
#[must_use]
pub fn shares(classes: &[RequestClass], client: &str) -> Vec<f64> {
    let own = |class: &RequestClass| if class.is_sent_by(client) { class.share } else { 0.0 };
    let sum: f64 = classes.iter().map(own).sum();
    // Where a client sends all classes the shares stand as they are: a division would only round them.
    let whole = if classes.iter().all(|class| class.is_sent_by(client)) || sum <= 0.0 { 1.0 } else { sum };
    classes.iter().map(|class| own(class) / whole).collect()
}

/// The priority of each class; none where all are of the same, so that no order comes of them.
#[must_use]
pub fn priorities(classes: &[RequestClass]) -> Vec<u8> {
    let differ = classes.iter().any(|class| class.priority != classes[0].priority);
    if differ { classes.iter().map(|class| class.priority).collect() } else { Vec::new() }
}

/// The number of workers that calls of each class take at once; none where all take one.
#[must_use]
pub fn units(classes: &[RequestClass]) -> Vec<u32> {
    let differ = classes.iter().any(|class| class.units != 1);
    if differ { classes.iter().map(|class| class.units).collect() } else { Vec::new() }
}

/// The keys of a database that the queries of a class ask for, one each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeySpace {
    /// How many there are, at least 1; with one the database is a single thing that is read and written.
    pub count: u32,
    /// Exponent of their popularity by Zipf's law; 0 makes them all alike.
    pub zipf: f64,
    /// Share of the asks that are for keys which no data have, 0..1: of as many other keys, by the same law.
    pub missing: f64,
    /// Whether the scenario says how many there are. If not, nobody knows which reads should have seen which writes.
    pub is_given: bool,
}

impl Default for KeySpace {
    fn default() -> KeySpace {
        KeySpace { count: 1, zipf: 0.0, missing: 0.0, is_given: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(share: f64, clients: Option<&[&str]>) -> RequestClass {
        RequestClass {
            name: "any".to_owned(),
            share,
            writes: false,
            deadline: None,
            response_bytes: 0,
            cacheable: false,
            keys: KeySpace::default(),
            clients: clients.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            priority: 0,
            units: 1,
        }
    }

    #[test]
    fn a_client_shares_out_the_classes_that_it_sends() {
        let classes =
            [class(0.25, None), class(0.25, Some(&["mobile"])), class(0.5, Some(&["desk", "shop"]))];
        assert_eq!(shares(&classes, "mobile"), [0.5, 0.5, 0.0]);
        assert_eq!(shares(&classes, "desk"), [1.0 / 3.0, 0.0, 2.0 / 3.0]);
        assert_eq!(shares(&classes[1..2], "desk"), [0.0]);
    }
}
