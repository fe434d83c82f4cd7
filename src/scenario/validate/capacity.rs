//! Warnings of resources of which a load asks more than there is, at its mean or when it is highest.

use super::{Check, path, quantity};
use crate::model::lever::Setting;
use crate::model::resource::{BYTES, Bound, Full, Meter, POOL, Resource, Sort};
use crate::model::spec::{Accepts, Offered, Pooled};
use crate::scenario::BoxEntry;
use crate::scenario::load::{ClientLoad, ResourceLoad, StaticLoad, Work};

/// Bytes of a mebibyte and of a megabyte.
const MEBIBYTE: f64 = 1_048_576.0;
const MEGABYTE: f64 = 1e6;

impl Check<'_, '_> {
    /// Warns of resources of which open clients ask more than there is.
    pub(super) fn resources(&mut self, load: &StaticLoad) {
        let when = load.peak_when();
        for row in &load.resources {
            let (work, when) = if row.mean.open >= row.capacity() {
                (&row.mean, None)
            } else if row.peak.open > row.capacity() {
                (&row.peak, when.as_deref())
            } else {
                continue;
            };
            let pooled = self.pooled(&row.name);
            self.warn(&row.path, too_much(row, work, when), what_follows(load, row, work, pooled));
        }
    }

    /// Number of connections that the pools of other boxes keep to a box; `None` where somebody asks without a pool.
    fn pooled(&self, name: &str) -> Option<f64> {
        let mut all = 0.0;
        for entry in &self.assembly.boxes {
            let pool = entry.spec.pools().into_iter().find(|pool| pool.to == name);
            let asks = entry.spec.arrows().iter().any(|arrow| arrow.to == name);
            match pool {
                Some(pool) => all += f64::from(pool.has) * f64::from(entry.spec.members()),
                None if asks => return None,
                None => {}
            }
        }
        (all > 0.0).then_some(all)
    }

    /// Warns of pools that together have more connections than the other box accepts.
    pub(super) fn pools(&mut self) {
        let boxes = &self.assembly.boxes;
        for other in boxes {
            let Some(Accepts { each, nodes }) = other.spec.accepts() else { continue };
            let sum = |entry: &BoxEntry, of: fn(&Pooled) -> u32| {
                let pools = entry.spec.pools().into_iter().filter(|pool| pool.to == other.name);
                pools.map(|pool| u64::from(of(&pool))).sum::<u64>() * u64::from(entry.spec.members())
            };
            let has = |entry: &BoxEntry| sum(entry, |pool| pool.has);
            let (all, most) = (boxes.iter().map(has).sum::<u64>(), u64::from(each) * u64::from(nodes));
            let open: u64 = boxes.iter().map(|entry| sum(entry, |pool| pool.open)).sum();
            let of = if nodes == 1 { "" } else { "each node of " };
            let Some(entry) = boxes.iter().max_by_key(|entry| has(entry)) else { continue };
            if open > u64::from(each) {
                let key = entry.spec.pools().first().map_or(POOL, |pool| pool.open_key);
                let message = format!(
                    "all machines keep {open} connections open to {of}`{}`, which accepts {each}: the last ones find none",
                    other.name
                );
                self.warn(&path(entry, key), message, "keep fewer of them open, or give more `connections`");
            } else if all > most {
                let message = format!(
                    "the pools of all machines may open {all} connections to `{}`, which accepts {most}: the rest is rejected",
                    other.name
                );
                self.warn(&path(entry, POOL), message, "give smaller pools, or more `connections`");
            }
        }
        let accepts =
            |pool: &Pooled| boxes.iter().any(|other| other.name == pool.to && other.spec.accepts().is_some());
        for entry in boxes {
            let open: Vec<Pooled> = entry.spec.pools().into_iter().filter(|pool| pool.open > 0).collect();
            if let Some(first) = open.first().filter(|_| !open.iter().any(accepts)) {
                let message = format!(
                    "no box that it asks limits connections, so that `{}` does nothing",
                    first.open_key
                );
                self.error(&path(entry, first.open_key), message, "leave the key out");
            }
        }
    }

    /// Warns of closed users of whom more wait than their patience or the places of the box allow.
    pub(super) fn closed_users(&mut self, load: &StaticLoad) {
        for client in &load.clients {
            let Some((message, help)) = too_many(load, client) else { continue };
            let entry = self.entries[client.name.as_str()];
            self.warn(&path(entry, "users"), message, help);
        }
    }
}

/// What is asked of a resource and what it has; `when` is the time of the highest load.
fn too_much(row: &ResourceLoad, work: &Work, when: Option<&str>) -> String {
    let resource = &row.resource;
    let noun = resource.noun;
    let share = 100.0 * work.open / row.capacity();
    let least =
        if resource.bound == Bound::AtMost && resource.sort == Sort::Slots { "at least " } else { "" };
    let busy = format!("{least}{} % {}", quantity(share), noun.in_use());
    let busy = match when {
        None => format!("must be {busy}"),
        Some(when) => format!("{} {busy} {when}", noun.is()),
    };
    let (scale, unit) = match resource.meter {
        Meter::Memory => (MEBIBYTE, " MiB"),
        _ if resource.unit == BYTES => (MEGABYTE, " MB"),
        _ => (1.0, ""),
    };
    let (asked, has) = (quantity(work.open / scale), quantity(row.capacity() / scale));
    let detail = match resource.sort {
        Sort::Slots => format!("calls hold {asked}{unit} at a time and there are {has}{unit}"),
        Sort::Limit => format!("{asked} calls come a second and {has} pass"),
        Sort::Rate => {
            let what = if unit.is_empty() { format!(" {}", resource.unit) } else { unit.to_owned() };
            format!("{asked}{what} come a second and {has} can be done")
        }
    };
    format!("{} of `{}` {busy}: {detail}", noun.word(), row.member)
}

/// What happens then, and a value of the key that ends it.
fn what_follows(load: &StaticLoad, row: &ResourceLoad, work: &Work, pooled: Option<f64>) -> String {
    let excess = row.excess_calls(work);
    let full = &row.resource.full;
    let places = load.places(row);
    let follows = match *full {
        Full { places: Some(0), then, .. } => match then {
            "kills the process" => "a call beyond that kills the process".to_owned(),
            _ => format!("{} calls a second are too many: it {then} them", quantity(excess)),
        },
        Full::LAGS => "the lag grows without end".to_owned(),
        Full { places: None, longest_s, then, .. } if longest_s.is_finite() => {
            format!(
                "{} calls a second wait in vain: one that waits for {} s {then}",
                quantity(excess),
                quantity(longest_s)
            )
        }
        _ if excess <= 0.0 && work.open > row.capacity() => {
            "what nobody waits for falls behind without end".to_owned()
        }
        _ if excess <= 0.0 => "the queue grows without end, if slowly".to_owned(),
        _ if pooled.is_some_and(|pooled| pooled < places) => format!(
            "{} calls a second queue up: after {} s they hold the {} connections of all pools, and further ones wait there",
            quantity(excess),
            quantity(pooled.unwrap_or_default() / excess),
            quantity(pooled.unwrap_or_default())
        ),
        _ if places.is_finite() => {
            let then = load.door(row).map_or("rejects", |door| door.resource.full.then);
            format!(
                "{} calls a second queue up: all {} places are full after {} s, then it {then} calls",
                quantity(excess),
                quantity(places),
                quantity(places / excess)
            )
        }
        _ => format!("{} calls a second queue up without end", quantity(excess)),
    };
    match enough(row, work) {
        Some(Enough::Is(value)) => format!("{follows}: {}.{}={value}", row.name, row.resource.key),
        Some(Enough::Never) => {
            format!("{follows}, whatever `{}` is: give it a larger machine, or less to do", row.resource.key)
        }
        None => follows,
    }
}

/// What it takes of a key.
enum Enough {
    /// This number.
    Is(f64),
    /// No value is enough.
    Never,
}

/// A whole number of what each member must have so that 80 % of it are asked for at most; `None` where the key is not that number.
fn enough(row: &ResourceLoad, work: &Work) -> Option<Enough> {
    let resource = &row.resource;
    let is_number = match resource.meter {
        Meter::Memory | Meter::Disk => false,
        Meter::Cores => resource.bound == Bound::Exact && resource.key != "instance",
        _ => resource.unit != BYTES && resource.sort != Sort::Limit,
    };
    if !is_number {
        return None;
    }
    // What one of them does, as far as they can all be used.
    let each = resource.capacity / resource.has.min(resource.most);
    let needed = (work.open / f64::from(resource.holders()) / each * (1.0 + 1e-9)).floor() + 1.0;
    if needed > resource.most {
        return Some(Enough::Never);
    }
    // The value that `next:` would advise, which leaves room for chance.
    let roomy =
        Setting::Whole(resource.has as u32).enough(work.open / row.capacity()).and_then(Setting::number);
    Some(Enough::Is(roomy.map_or(needed, |roomy| roomy.max(needed).min(resource.most))))
}

/// What goes wrong with closed users who ask for more than there is.
fn too_many(load: &StaticLoad, client: &ClientLoad) -> Option<(String, String)> {
    let offered = client.peak.as_ref().map_or(client.offered, |peak| peak.offered);
    let Offered::Closed(users, rest) = offered else { return None };
    let row = &load.resources[client.tightest?];
    if row.resource.sort == Sort::Limit {
        return beyond_limit(row, client, users / rest.cycle_s(client.demand_s));
    }
    let wait_s = rest.answer_s(users * client.demand_max_s);
    let waiting = wait_s / client.demand_max_s;
    let when = client.peak.as_ref().map_or(String::new(), |peak| format!(" {}", peak.when));
    let (noun, most) = (row.resource.noun.word(), quantity(1.0 / client.demand_max_s));
    let of = format!("{noun} of `{}` let at most {most} requests through a second", row.member);
    let places = load.places(row);
    if waiting > places {
        let message = format!(
            "{} of {} users wait at a time{when}, and `{}` has {} places{}: it {} the rest",
            quantity(waiting),
            quantity(users),
            row.name,
            quantity(places),
            load.door(row).map_or_else(String::new, keys),
            load.door(row).map_or("rejects", |door| door.resource.full.then),
        );
        return Some((message, of));
    }
    let (key, patience_s) = client.patience.filter(|(_, patience_s)| wait_s > *patience_s)?;
    let message = format!(
        "{} users wait for {} s each{when}, longer than their `{key}` of {} s",
        quantity(users),
        quantity(wait_s),
        quantity(patience_s)
    );
    Some((message, of))
}

/// What goes wrong with closed users who ask for more than a limit on a rate lets through: nobody waits for it.
fn beyond_limit(row: &ResourceLoad, client: &ClientLoad, asked: f64) -> Option<(String, String)> {
    let most = 1.0 / client.demand_max_s;
    let when = client.peak.as_ref().map_or(String::new(), |peak| format!(" {}", peak.when));
    (asked > most * (1.0 + 1e-9)).then(|| {
        let Resource { noun, full, key, .. } = &row.resource;
        let message = format!(
            "they ask for {} requests a second{when}, of which {} of `{}` lets at most {} through: it {} the rest",
            quantity(asked),
            noun.word(),
            row.member,
            quantity(most),
            full.then
        );
        (message, format!("raise `{key}` of `{}`, or let fewer users ask", row.name))
    })
}

/// The keys that set the number of places: " (`workers`, `queue`)".
fn keys(door: &ResourceLoad) -> String {
    match door.resource.full.key {
        "" => format!(" (`{}`)", door.resource.key),
        queue => format!(" (`{}`, `{queue}`)", door.resource.key),
    }
}
