//! `Addresses`: the lists of addresses that name servers have given out. An answer names its list by a number.

use std::collections::BTreeMap;

use super::signal::ComponentId;

/// The lists of a trial, each of which stands here once.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    numbers: BTreeMap<Vec<ComponentId>, u32>,
    lists: Vec<Vec<ComponentId>>,
}

impl Addresses {
    /// The number of a list.
    pub(super) fn number(&mut self, list: Vec<ComponentId>) -> u32 {
        if let Some(number) = self.numbers.get(&list) {
            return *number;
        }
        let number = self.lists.len() as u32;
        self.lists.push(list.clone());
        self.numbers.insert(list, number);
        number
    }

    /// The address at a place, from 0, of the list with this number; `None` beyond its end.
    pub(super) fn at(&self, list: u32, place: usize) -> Option<ComponentId> {
        self.lists.get(list as usize)?.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lists_have_one_number() {
        let mut addresses = Addresses::default();
        let list = |ids: [usize; 2]| ids.map(ComponentId::new).to_vec();
        let numbers = [[0, 1], [1, 0], [0, 1]].map(|ids| addresses.number(list(ids)));
        assert_eq!(numbers, [0, 1, 0]);
    }
}
