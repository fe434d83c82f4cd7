//! A store with generational keys: a key that has outlived its value is detected, never misread.

/// What [`Slab::insert`] returns: where the value lies, and which of the values that lay there it is. One word, because
/// it is written and soon read again: from two halves the processor would have to wait until both have reached the cache.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(u64);

impl Key {
    /// A key that no slab ever gives out.
    pub const NONE: Key = Key::new(u32::MAX, 0);

    const fn new(index: u32, generation: u32) -> Key {
        Key((generation as u64) << u32::BITS | index as u64)
    }

    /// The place in the slab. Values that are alive at the same time have different ones.
    #[inline]
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 as u32
    }

    const fn generation(self) -> u32 {
        (self.0 >> u32::BITS) as u32
    }

    /// The key in one word.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The key that [`Key::bits`] has given.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u64) -> Key {
        Key(bits)
    }
}

/// Values of one kind, found by [`Key`].
///
/// The place of a removed value is used again with a higher generation. Keys are given out in an order that depends on
/// nothing but the calls, so that they may influence a trial.
pub struct Slab<T> {
    entries: Vec<Entry<T>>,
    /// Vacant places, the last one used first, because it is likely to be in the cache.
    vacant: Vec<u32>,
    len: usize,
    /// What stands in a place before its first value.
    blank: T,
}

struct Entry<T> {
    /// Odd while the place is occupied.
    generation: u32,
    value: T,
}

impl<T: Copy> Slab<T> {
    /// An empty slab. `blank` is any value: nobody ever sees it.
    #[must_use]
    pub const fn new(blank: T) -> Slab<T> {
        Slab { entries: Vec::new(), vacant: Vec::new(), len: 0, blank }
    }

    /// Stores a value.
    ///
    /// # Panics
    /// When 2^32 - 1 places are in use.
    #[inline(always)]
    pub fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        let index = self.vacant.pop().unwrap_or_else(|| self.grow());
        let entry = &mut self.entries[index as usize];
        entry.generation += 1;
        // The only place where it is written, so that it is made here rather than copied from where it was made.
        entry.value = value;
        Key::new(index, entry.generation)
    }

    /// Adds a place that nobody has used.
    #[cold]
    fn grow(&mut self) -> u32 {
        let index = u32::try_from(self.entries.len()).expect("a slab holds fewer than 2^32 values");
        assert!(index != Key::NONE.index(), "a slab holds fewer than 2^32 values");
        self.entries.push(Entry { generation: 0, value: self.blank });
        index
    }

    /// The value, if the key still has one.
    #[inline]
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&T> {
        let entry = self.entries.get(key.index() as usize)?;
        (entry.generation == key.generation()).then_some(&entry.value)
    }

    /// The value to be changed, if the key still has one.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let entry = self.entries.get_mut(key.index() as usize)?;
        (entry.generation == key.generation()).then_some(&mut entry.value)
    }

    /// Takes the value out. From now on the key has none.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.get_mut(key.index() as usize)?;
        if entry.generation != key.generation() {
            return None;
        }
        entry.generation = entry.generation.wrapping_add(1);
        self.len -= 1;
        // After its last generation a place is retired: used again, it could answer to a key of long ago.
        if entry.generation != 0 {
            self.vacant.push(key.index());
        }
        Some(entry.value)
    }

    /// Whether the key still has a value.
    #[inline]
    #[must_use]
    pub fn contains(&self, key: Key) -> bool {
        self.get(key).is_some()
    }

    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All values with their keys, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        let occupied = self.entries.iter().enumerate().filter(|(_, entry)| entry.generation % 2 == 1);
        occupied.map(|(index, entry)| (Key::new(index as u32, entry.generation), &entry.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_key_is_never_misread() {
        let mut slab = Slab::new('z');
        let old = slab.insert('a');
        assert_eq!(slab.remove(old), Some('a'));
        let new = slab.insert('b');
        assert_eq!(new.index(), old.index());
        assert_eq!(slab.get(old), None);
        assert_eq!(slab.get_mut(old), None);
        assert_eq!(slab.remove(old), None);
        assert_eq!(slab.get(new), Some(&'b'));
        assert!(slab.contains(new) && !slab.contains(old));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn no_slab_has_the_key_none() {
        let mut slab = Slab::new(());
        assert!(!slab.contains(Key::NONE));
        slab.insert(());
        assert!(!slab.contains(Key::NONE));
        assert_eq!(size_of::<Key>(), 8);
    }

    #[test]
    fn values_come_in_the_order_of_their_places() {
        let mut slab = Slab::new(0);
        let keys: Vec<Key> = (0..5).map(|i| slab.insert(i)).collect();
        slab.remove(keys[3]);
        slab.remove(keys[1]);
        slab.insert(9);
        assert_eq!(slab.iter().map(|(_, &value)| value).collect::<Vec<_>>(), [0, 9, 2, 4]);
        assert!(slab.iter().all(|(key, &value)| slab.get(key) == Some(&value)));
    }

    #[test]
    fn a_place_is_retired_after_its_last_generation() {
        let mut slab = Slab::new(0);
        slab.insert(1);
        slab.entries[0].generation = u32::MAX;
        let last = Key::new(0, u32::MAX);
        assert_eq!(slab.remove(last), Some(1));
        assert_eq!(slab.insert(2).index(), 1);
        assert_eq!(slab.get(last), None);
        assert_eq!(slab.iter().count(), 1);
    }
}
