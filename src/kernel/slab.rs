//! A store with generational keys: a key that has outlived its value is detected, never misread.

/// What [`Slab::insert`] returns: the place of the value, and the generation of the place. Both are in one word. A
/// key is often read right after it was written, and the processor forwards one write to one read; two half-word
/// writes would stall.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(u64);

impl Key {
    /// A key that no slab ever gives out.
    pub const NONE: Key = Key::new(u32::MAX, 0);

    const fn new(index: u32, generation: u32) -> Key {
        Key((generation as u64) << u32::BITS | index as u64)
    }

    /// The place in the slab. Two values that are in the slab at the same time have different places.
    #[inline]
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 as u32
    }

    const fn generation(self) -> u32 {
        (self.0 >> u32::BITS) as u32
    }

    /// The key as one word.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The key with these [`Key::bits`].
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u64) -> Key {
        Key(bits)
    }
}

/// Values of one kind, found by [`Key`].
///
/// The place of a removed value is used again with a higher generation. The keys depend only on the sequence of
/// calls, so that a trial may depend on them and stay deterministic.
pub struct Slab<T> {
    entries: Vec<Entry<T>>,
    /// Vacant places. The last one vacated is used first, because it is likely to be in the cache.
    vacant: Vec<u32>,
    len: usize,
    /// The value of a place before its first `insert`.
    blank: T,
}

struct Entry<T> {
    /// Odd while the place is occupied.
    generation: u32,
    value: T,
}

impl<T: Copy> Slab<T> {
    /// An empty slab. `blank` is any value; it is never returned.
    #[must_use]
    pub const fn new(blank: T) -> Slab<T> {
        Slab { entries: Vec::new(), vacant: Vec::new(), len: 0, blank }
    }

    /// Stores a value. Returns its key.
    ///
    /// # Panics
    /// When 2^32 - 1 places are in use.
    #[inline(always)]
    pub fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        let index = self.vacant.pop().unwrap_or_else(|| self.grow());
        let entry = &mut self.entries[index as usize];
        entry.generation += 1;
        // Write the value in one place only, so that the compiler builds it here instead of copying it.
        entry.value = value;
        Key::new(index, entry.generation)
    }

    /// Adds a place. Returns its index.
    #[cold]
    fn grow(&mut self) -> u32 {
        let index = u32::try_from(self.entries.len()).expect("a slab holds fewer than 2^32 values");
        assert!(index != Key::NONE.index(), "a slab holds fewer than 2^32 values");
        self.entries.push(Entry { generation: 0, value: self.blank });
        index
    }

    /// The value; `None` if it was removed.
    #[inline]
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&T> {
        let entry = self.entries.get(key.index() as usize)?;
        (entry.generation == key.generation()).then_some(&entry.value)
    }

    /// The value, to be changed; `None` if it was removed.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let entry = self.entries.get_mut(key.index() as usize)?;
        (entry.generation == key.generation()).then_some(&mut entry.value)
    }

    /// Takes the value out. Returns `None` if it was removed before.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        let entry = self.entries.get_mut(key.index() as usize)?;
        if entry.generation != key.generation() {
            return None;
        }
        entry.generation = entry.generation.wrapping_add(1);
        self.len -= 1;
        // A place is retired after its last generation. Used again, its generations would repeat and match very old
        // keys.
        if entry.generation != 0 {
            self.vacant.push(key.index());
        }
        Some(entry.value)
    }

    /// Whether the key's value is still in the slab.
    #[inline]
    #[must_use]
    pub fn contains(&self, key: Key) -> bool {
        self.get(key).is_some()
    }

    /// Number of values.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the slab is empty.
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
