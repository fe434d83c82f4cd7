//! `Memory`: the byte budget of a machine.

/// Bytes of one machine, which processes and calls reserve and release.
#[derive(Clone, Debug)]
pub struct Memory {
    total: u64,
    /// Bytes beyond these, which a disk holds.
    swap: u64,
    used: u64,
    used_max: u64,
}

impl Memory {
    /// A machine of `total` free bytes.
    pub fn new(total: u64) -> Memory {
        Memory { total, swap: 0, used: 0, used_max: 0 }
    }

    /// The same, with `swap` bytes beyond these on a disk.
    #[must_use]
    pub fn with_swap(self, swap: u64) -> Memory {
        Memory { swap, ..self }
    }

    /// Share of what is taken that is on the disk, 0..1.
    #[must_use]
    pub fn swapped(&self) -> f64 {
        if self.used > self.total { (self.used - self.total) as f64 / self.used as f64 } else { 0.0 }
    }

    /// Takes `bytes`. Returns false, and takes nothing, when they are not free.
    #[must_use]
    pub fn reserve(&mut self, bytes: u64) -> bool {
        let fits = bytes <= (self.total + self.swap) - self.used;
        if fits {
            self.used += bytes;
            self.used_max = self.used_max.max(self.used);
        }
        fits
    }

    /// Gives `bytes` back.
    ///
    /// # Panics
    /// When more is given back than was reserved.
    pub fn release(&mut self, bytes: u64) {
        assert!(bytes <= self.used, "only memory that was reserved can be released");
        self.used -= bytes;
    }

    /// All bytes of the machine, without those on a disk.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Largest number of bytes taken at once since the start or the last [`Memory::reset_max`].
    pub fn max_used(&self) -> u64 {
        self.used_max
    }

    /// Begins a new measurement of the maximum with what is taken now: the warm-up has ended.
    pub fn reset_max(&mut self) {
        self.used_max = self.used;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_it_is_on_the_disk() {
        let mut memory = Memory::new(100).with_swap(50);
        assert!(memory.reserve(100) && memory.swapped() == 0.0);
        assert!(memory.reserve(25) && memory.swapped() == 0.2);
        assert!(!memory.reserve(26) && memory.reserve(25));
        memory.release(60);
        assert_eq!((memory.swapped(), memory.max_used(), memory.total()), (0.0, 150, 100));
    }

    #[test]
    fn takes_up_to_the_last_byte_and_no_further() {
        let mut memory = Memory::new(100);
        assert!(memory.reserve(100));
        assert!(!memory.reserve(1));
        assert!(!memory.reserve(u64::MAX));
        memory.release(50);
        assert_eq!(memory.max_used(), 100);
        memory.reset_max();
        assert_eq!(memory.max_used(), 50);
        assert!(memory.reserve(50));
    }

    #[test]
    #[should_panic(expected = "only memory that was reserved")]
    fn memory_that_was_not_reserved_is_never_released() {
        Memory::new(100).release(1);
    }
}
