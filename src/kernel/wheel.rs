//! The radix wheel: an unsorted store of far events, which hands out the earliest of them in small batches.
//!
//! It has thirteen levels of 32 slots. Each level stands for five bits of `time ^ base`, as in a radix heap (Ahuja,
//! Mehlhorn, Orlin and Tarjan, "Faster algorithms for the shortest path problem", J. ACM 37, 1990). A key lies at the
//! level of the highest digit in which its time differs from `base`. So every key of a lower level is earlier than
//! every key of a higher one, and within a level the slots are in order.

use std::mem;

/// What the calendar sorts by: the time in the upper 64 bits, then the sequence number, then the slot of the event.
pub(super) type Key = u128;

/// Bits of a digit. With five, the occupancy of a level is one word of 32 bits.
const DIGIT_BITS: u32 = 5;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = u64::BITS.div_ceil(DIGIT_BITS) as usize;
/// Keys in a chunk. A slot of one chunk is sorted at once. With 32 instead of 64, a hold among a thousand pending
/// events took half as long again.
const CHUNK: usize = 64;
/// Buckets of the bucket sort of a slot, a power of two.
const BUCKETS: usize = 64;
/// Least number of keys for the bucket sort; fewer are sorted by insertion alone.
const BUCKET_SORT_MIN: usize = 12;
/// The end of a chain of chunks, and what an empty slot points to. This chunk is always full, so that a push tests
/// only for room and not also for an empty slot.
const NONE: u32 = 0;

/// The time of a key, in nanoseconds.
#[inline]
pub(super) const fn time_of(key: Key) -> u64 {
    (key >> 64) as u64
}

/// The largest key that this time can have.
#[inline]
pub(super) const fn last_key_at(time: u64) -> Key {
    ((time as u128) << 64) | u64::MAX as u128
}

/// Some keys of one slot; `next` is the chunk with more of them. All slots take chunks from one pool, so that memory
/// which one slot frees serves another.
#[derive(Clone)]
struct Chunk {
    keys: [Key; CHUNK],
    len: u32,
    next: u32,
}

/// Keys at or after `base`, by the base-32 digits of their times.
pub(super) struct Wheel {
    /// No key of the wheel is earlier. In nanoseconds.
    base: u64,
    /// Bit `l`: level `l` has an occupied slot.
    levels: u32,
    /// Bit `s` of `occupied[l]`: slot `s` of level `l` is occupied.
    occupied: [u32; LEVELS],
    /// The first chunk of each occupied slot. The others of its chain are full.
    heads: [[u32; SLOTS]; LEVELS],
    chunks: Vec<Chunk>,
    spare: Vec<u32>,
}

/// A slot, and the first and last time that belong to it, in nanoseconds.
struct Range {
    level: usize,
    slot: usize,
    first: u64,
    last: u64,
}

impl Wheel {
    pub(super) fn new() -> Wheel {
        Wheel {
            base: 0,
            levels: 0,
            occupied: [0; LEVELS],
            heads: [[NONE; SLOTS]; LEVELS],
            chunks: vec![Chunk { keys: [0; CHUNK], len: CHUNK as u32, next: NONE }],
            spare: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.levels == 0
    }

    /// Stores a key. Its time must be at or after `base`; every time at or after the first time of the last batch is.
    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        let time = time_of(key);
        debug_assert!(time >= self.base, "the wheel has turned past the key");
        // Setting the lowest bit changes no level, and covers `time == base`.
        let highest = (u64::BITS - 1) - ((time ^ self.base) | 1).leading_zeros();
        let level = (highest / DIGIT_BITS) as usize;
        let slot = (time >> (level as u32 * DIGIT_BITS)) as usize % SLOTS;
        let head = self.heads[level][slot];
        let chunk = &mut self.chunks[head as usize];
        if let Some(place) = chunk.keys.get_mut(chunk.len as usize) {
            *place = key;
            chunk.len += 1;
            return;
        }
        self.heads[level][slot] = self.new_chunk(key, head);
        self.occupied[level] |= 1 << slot;
        self.levels |= 1 << level;
    }

    /// Moves the earliest keys into the empty `batch`, sorted, the first of them last. Returns the time up to which
    /// the batch holds all keys of the wheel. Returns `None`, and moves nothing, if no key is at or before `end`.
    /// Otherwise `base` moves up to the batch: the caller must move its clock to the batch's first time before it
    /// pushes again.
    pub(super) fn pop_batch(&mut self, end: u64, batch: &mut Vec<Key>) -> Option<u64> {
        if self.levels == 0 {
            return None;
        }
        let mut range = self.lowest();
        // Look at the keys only if the slot reaches beyond `end`. That is rare, because a run has few ends.
        if range.first > end || (range.last > end && self.earliest(&range) > end) {
            return None;
        }
        loop {
            self.base = range.first;
            let head = self.detach(&range);
            // A slot of the lowest level has a single time and cannot be divided.
            if self.chunks[head as usize].next == NONE || range.level == 0 {
                self.each_chunk(head, |_, keys| batch.extend_from_slice(keys));
                sort_slot(batch, range.level);
                return Some(range.last);
            }
            self.each_chunk(head, |wheel, keys| keys.iter().for_each(|&key| wheel.push(key)));
            range = self.lowest();
        }
    }

    /// The slot with the earliest keys. The wheel must not be empty.
    fn lowest(&self) -> Range {
        let level = self.levels.trailing_zeros();
        let slot = self.occupied[level as usize].trailing_zeros();
        let shift = level * DIGIT_BITS;
        // Shift in 128 bits, because the highest digit ends beyond bit 63.
        let below = ((1_u128 << shift) - 1) as u64;
        let digit_and_below = ((1_u128 << (shift + DIGIT_BITS)) - 1) as u64;
        let first = (self.base & !digit_and_below) | (u64::from(slot) << shift);
        Range { level: level as usize, slot: slot as usize, first, last: first | below }
    }

    /// The earliest time in a slot, in nanoseconds.
    fn earliest(&self, range: &Range) -> u64 {
        let mut at = self.heads[range.level][range.slot];
        let mut earliest = u64::MAX;
        while at != NONE {
            let chunk = &self.chunks[at as usize];
            let keys = &chunk.keys[..chunk.len as usize];
            earliest = keys.iter().fold(earliest, |least, &key| least.min(time_of(key)));
            at = chunk.next;
        }
        earliest
    }

    /// Takes the chain of chunks out of its slot. Returns the first chunk.
    fn detach(&mut self, range: &Range) -> u32 {
        self.occupied[range.level] &= !(1 << range.slot);
        if self.occupied[range.level] == 0 {
            self.levels &= !(1 << range.level);
        }
        mem::replace(&mut self.heads[range.level][range.slot], NONE)
    }

    /// Calls `visit` with the keys of each chunk of a detached chain, and gives the chunks back to the pool.
    #[inline]
    fn each_chunk(&mut self, head: u32, mut visit: impl FnMut(&mut Wheel, &[Key])) {
        let mut at = head;
        while at != NONE {
            // Copied, because the visitor fills other chunks meanwhile.
            let Chunk { keys, len, next } = self.chunks[at as usize].clone();
            self.spare.push(at);
            visit(self, &keys[..len as usize]);
            at = next;
        }
    }

    /// Takes a chunk from the pool, puts one key into it, and links it to `next`. Returns its index.
    fn new_chunk(&mut self, key: Key, next: u32) -> u32 {
        let index = self.spare.pop().unwrap_or_else(|| {
            self.chunks.push(Chunk { keys: [0; CHUNK], len: 0, next: NONE });
            (self.chunks.len() - 1) as u32
        });
        let chunk = &mut self.chunks[index as usize];
        chunk.keys[0] = key;
        chunk.len = 1;
        chunk.next = next;
        index
    }
}

/// Sorts the keys of one slot, the first of them last.
///
/// A bucket sort by the highest bits in which the keys can differ puts most keys in place without unpredictable
/// branches. An insertion sort does the rest. On at most 64 keys this takes half the time of the standard sort.
fn sort_slot(keys: &mut [Key], level: usize) {
    let count = keys.len();
    if count > CHUNK {
        return keys.sort_unstable_by(|a, b| b.cmp(a));
    }
    if count >= BUCKET_SORT_MIN {
        let shift = (level as u32 * DIGIT_BITS).saturating_sub(BUCKETS.ilog2());
        let bucket = |key: Key| BUCKETS - 1 - (time_of(key) >> shift) as usize % BUCKETS;
        let mut ends = [0_u8; BUCKETS];
        keys.iter().for_each(|&key| ends[bucket(key)] += 1);
        let mut end = 0;
        for size in &mut ends {
            end += *size;
            *size = end;
        }
        let mut sorted = [0; CHUNK];
        for &key in &*keys {
            let place = &mut ends[bucket(key)];
            *place -= 1;
            sorted[*place as usize % CHUNK] = key;
        }
        keys.copy_from_slice(&sorted[..count]);
    }
    for i in 1..count {
        let key = keys[i];
        let mut place = i;
        while place > 0 && keys[place - 1] < key {
            keys[place] = keys[place - 1];
            place -= 1;
        }
        keys[place] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(time: u64, rest: u64) -> Key {
        (Key::from(time) << 64) | Key::from(rest)
    }

    #[test]
    fn batches_come_in_order_and_are_complete() {
        let mut wheel = Wheel::new();
        let times: Vec<u64> =
            (0..1000_u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (i % 64)).collect();
        times.iter().zip(0..).for_each(|(&time, i)| wheel.push(key(time, i)));
        let mut popped = Vec::new();
        let mut batch = Vec::new();
        while let Some(last) = wheel.pop_batch(u64::MAX, &mut batch) {
            assert!(time_of(batch[0]) <= last);
            popped.extend(batch.drain(..).rev());
        }
        assert_eq!(popped.len(), 1000);
        assert!(popped.is_sorted());
        assert!(wheel.is_empty());
    }

    #[test]
    fn nothing_turns_for_an_end_before_the_first_key() {
        let mut wheel = Wheel::new();
        wheel.push(key(1000, 0));
        let mut batch = Vec::new();
        assert_eq!(wheel.pop_batch(999, &mut batch), None);
        // The base has not moved: an earlier key still has its place.
        wheel.push(key(7, 1));
        wheel.pop_batch(999, &mut batch).expect("a key at 7");
        assert_eq!(batch, [key(7, 1)]);
    }

    #[test]
    fn chunks_are_used_again() {
        let mut wheel = Wheel::new();
        let (mut batch, mut popped) = (Vec::new(), 0);
        for round in 1..=100 {
            (0..200).for_each(|i| wheel.push(key(round * 1_000_000 + i * 997, i)));
            while wheel.pop_batch(u64::MAX, &mut batch).is_some() {
                popped += batch.len();
                batch.clear();
            }
        }
        assert_eq!(popped, 20_000);
        assert!(wheel.chunks.len() < 50, "{} chunks for 200 keys", wheel.chunks.len());
    }
}
