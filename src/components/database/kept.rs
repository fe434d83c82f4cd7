//! `Kept`: connections that applications keep open to a node, whether they use them or not. A query of an application goes over
//! one of its own while it has one that is idle; for each further query it opens another one, if the node accepts it.

use crate::model::signal::ComponentId;
use crate::model::site::Site;

/// The open connections of one node.
#[derive(Debug)]
pub(super) struct Kept {
    /// The applications that keep connections, in the order of their ids.
    of: Vec<Application>,
    /// Number of connections that the node accepts.
    most: u32,
    /// Number of connections that are open.
    open: u32,
}

/// The connections of one application to the node.
#[derive(Debug)]
struct Application {
    id: ComponentId,
    /// Number that stays open.
    kept: u32,
    /// Number of its queries.
    used: u32,
}

impl Kept {
    /// The connections to a box that are open when nobody asks anything; `None` where nobody keeps one. The applications open them
    /// one after the other, and the last ones find fewer than they want, or none, when `most` are open.
    pub(super) fn new(most: u32, site: &Site<'_>) -> Option<Box<Kept>> {
        let mut open = 0;
        let mut of = Vec::new();
        for wanted in site.kept.iter().filter(|kept| kept.to == site.group) {
            let kept = wanted.open.min(most - open);
            open += kept;
            of.push(Application { id: wanted.by, kept, used: 0 });
        }
        (!of.is_empty()).then(|| Box::new(Kept { of, most, open }))
    }

    /// An application has a query. Returns whether it has a connection for it.
    pub(super) fn take(&mut self, by: ComponentId) -> bool {
        let one = self.application(by);
        if one.as_ref().is_none_or(|one| one.used >= one.kept) {
            if self.open == self.most {
                return false;
            }
            self.open += 1;
        }
        if let Some(one) = self.application(by) {
            one.used += 1;
        }
        true
    }

    /// A query of an application is answered.
    pub(super) fn give_back(&mut self, by: ComponentId) {
        let closes = match self.application(by) {
            Some(one) => {
                one.used -= 1;
                one.used >= one.kept
            }
            None => true,
        };
        self.open -= u32::from(closes);
    }

    /// The process has died, and with it its queries. Applications connect again as soon as it is back.
    pub(super) fn crash(&mut self) {
        self.of.iter_mut().for_each(|one| one.used = 0);
        self.open = self.of.iter().map(|one| one.kept).sum();
    }

    fn application(&mut self, by: ComponentId) -> Option<&mut Application> {
        let at = self.of.binary_search_by_key(&by.index(), |one| one.id.index()).ok()?;
        Some(&mut self.of[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(most: u32, wanted: &[u32]) -> Kept {
        let mut open = 0;
        let application = |(at, wanted): (usize, &u32)| {
            let kept = (*wanted).min(most - open);
            open += kept;
            Application { id: ComponentId::new(2 * at), kept, used: 0 }
        };
        let of = wanted.iter().enumerate().map(application).collect();
        Kept { of, most, open }
    }

    #[test]
    fn an_application_uses_its_own_first_and_then_opens_others() {
        let (mut kept, [first, second, nobody]) = (kept(5, &[2, 1]), [0, 2, 1].map(ComponentId::new));
        assert_eq!([(); 4].map(|()| kept.take(first)), [true; 4], "two of its own, and two that are free");
        assert_eq!((kept.take(first), kept.take(nobody), kept.open), (false, false, 5));
        assert!(kept.take(second), "its own is idle still");
        assert!(!kept.take(second));
        kept.give_back(first);
        assert!(kept.take(nobody) && !kept.take(second));
        kept.give_back(nobody);
        [first; 3].into_iter().for_each(|by| kept.give_back(by));
        kept.give_back(second);
        assert_eq!(kept.open, 3, "what is kept stays open");
    }

    #[test]
    fn the_last_application_finds_no_connection() {
        let mut kept = kept(9, &[5, 5]);
        let [first, second] = [0, 2].map(ComponentId::new);
        assert_eq!([(); 5].map(|()| kept.take(second)), [true, true, true, true, false]);
        assert_eq!([(); 6].map(|()| kept.take(first)), [true, true, true, true, true, false]);
        kept.crash();
        assert_eq!((kept.open, kept.take(second)), (9, true));
    }
}
