//! `Members`: the members behind a name, asked in turn.

use crate::model::signal::ComponentId;
use crate::model::site::Site;

/// The members behind a name.
#[derive(Clone, Debug)]
pub struct Members {
    name: String,
    all: Vec<ComponentId>,
    next: usize,
}

impl Members {
    /// The members that `name` stands for at `site`, the first of them next.
    ///
    /// # Panics
    /// When the name stands for nothing: the loader has checked every arrow.
    #[must_use]
    pub fn new(name: &str, site: &Site<'_>) -> Members {
        let all = site.directory.members(name).to_vec();
        assert!(!all.is_empty(), "the loader has checked every name");
        Members { name: name.to_owned(), all, next: 0 }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first member.
    #[must_use]
    pub fn first(&self) -> ComponentId {
        self.all[0]
    }

    /// The member whose turn it is; the next call returns the one after it.
    #[inline]
    pub fn turn(&mut self) -> ComponentId {
        let member = self.all[self.next];
        self.next = if self.next + 1 == self.all.len() { 0 } else { self.next + 1 };
        member
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::site::{Directory, Standing};

    #[test]
    fn each_member_has_its_turn() {
        let mut directory = Directory::default();
        for number in 0..3 {
            let name = format!("web-{}", number + 1);
            directory.add("web", &name, Standing::Entry, ComponentId::new(number));
        }
        let site = Site {
            name: "lb",
            group: "lb",
            member: 0,
            directory: &directory,
            classes: &[],
            kinds: &[],
            answers: &[],
            kept: &[],
            off: &[],
            regions: &[],
            switch: None,
            moves: None,
        };
        let mut members = Members::new("web", &site);
        let asked: Vec<usize> = (0..5).map(|_| members.turn().index()).collect();
        assert_eq!(asked, [0, 1, 2, 0, 1]);
        let mut one = Members::new("web-2", &site);
        assert_eq!([one.turn().index(), one.turn().index()], [1, 1]);
    }
}
