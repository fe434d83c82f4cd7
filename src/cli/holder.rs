//! Which process holds the lock of a file, as far as the system tells.

use std::fs::File;

/// The process on this machine that holds a lock of the file; `None` where that is not known.
#[cfg(target_os = "linux")]
pub(super) fn holder(file: &File) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let found = file.metadata().ok()?;
    find(&std::fs::read_to_string("/proc/locks").ok()?, found.dev(), found.ino())
}

/// The process on this machine that holds a lock of the file; `None` where that is not known.
#[cfg(not(target_os = "linux"))]
pub(super) fn holder(_: &File) -> Option<u32> {
    None
}

/// The process in a text like `/proc/locks`: `1: FLOCK  ADVISORY  WRITE 742 fe:00:131 0 EOF`, with the device in hexadecimal.
#[cfg(target_os = "linux")]
fn find(locks: &str, device: u64, inode: u64) -> Option<u32> {
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff);
    let minor = (device & 0xff) | ((device >> 12) & !0xff);
    let place = format!("{major:02x}:{minor:02x}:{inode}");
    let one = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == place)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    };
    // A process that this one cannot see has the number 0.
    locks.lines().find_map(one).filter(|process| *process > 0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_that_of_the_file_and_of_its_device() {
        let locks = "1: POSIX  ADVISORY  READ  9 00:2a:55 0 EOF\n2: FLOCK  ADVISORY  WRITE 742 fe:01:55 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 0 fe:01:56 0 EOF\n";
        assert_eq!(find(locks, 0xfe01, 55), Some(742));
        assert_eq!(find(locks, 0x2a, 55), Some(9));
        assert_eq!((find(locks, 0xfe02, 55), find(locks, 0xfe01, 56), find("", 0, 0)), (None, None, None));
    }
}
