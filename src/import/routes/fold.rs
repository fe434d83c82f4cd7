//! Folding of places with many names: `/blog/one`, `/blog/two` and fifty more are `/blog/:id`.

use std::collections::BTreeMap;

/// Number of names at one place from which they are taken for values.
const NAMES_MAX: usize = 50;

/// Share of the requests of a place from which a name stays, although it is one of many.
const FREQUENT: f64 = 0.01;

/// A place in the tree of paths.
#[derive(Debug, Default)]
struct Place {
    below: BTreeMap<String, Place>,
    /// The ids of the patterns that end here.
    ids: Vec<u32>,
    /// Requests here and below.
    count: u64,
}

impl Place {
    fn add(&mut self, segments: &mut std::str::Split<'_, char>, id: u32, count: u64) {
        self.count += count;
        match segments.next() {
            Some(segment) => self.below.entry(segment.to_owned()).or_default().add(segments, id, count),
            None => self.ids.push(id),
        }
    }

    fn take(&mut self, other: Place) {
        self.count += other.count;
        self.ids.extend(other.ids);
        for (name, place) in other.below {
            self.below.entry(name).or_default().take(place);
        }
    }

    fn fold(&mut self) {
        if self.below.len() > NAMES_MAX {
            let least = self.count as f64 * FREQUENT;
            let (kept, rare): (BTreeMap<String, Place>, BTreeMap<String, Place>) =
                std::mem::take(&mut self.below)
                    .into_iter()
                    .partition(|(name, place)| place.count as f64 >= least && name != ":id");
            self.below = kept;
            if !rare.is_empty() {
                let mut all = Place::default();
                rare.into_values().for_each(|place| all.take(place));
                self.below.insert(":id".to_owned(), all);
            }
        }
        self.below.values_mut().for_each(Place::fold);
    }

    fn collect(self, path: &str, out: &mut Vec<(String, Vec<u32>)>) {
        if !self.ids.is_empty() {
            out.push((path.to_owned(), self.ids));
        }
        for (name, place) in self.below {
            place.collect(&format!("{path}/{name}"), out);
        }
    }
}

/// Patterns with their ids and counts, folded: each with the ids that have it now.
pub(super) fn folded(patterns: Vec<(String, u32, u64)>) -> Vec<(String, Vec<u32>)> {
    // The root of each method: its patterns begin with "GET ".
    let mut roots: BTreeMap<String, Place> = BTreeMap::new();
    let mut out = Vec::new();
    for (pattern, id, count) in patterns {
        match pattern.split_once(" /") {
            Some((method, path)) => {
                roots.entry(method.to_owned()).or_default().add(&mut path.split('/'), id, count);
            }
            None => out.push((pattern, vec![id])),
        }
    }
    for (method, mut root) in roots {
        root.fold();
        let mut paths = Vec::new();
        root.collect(&format!("{method} "), &mut paths);
        out.extend(paths);
    }
    out
}
