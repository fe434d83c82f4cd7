//! The courses that the program has.

use crate::model::spec::Files;

/// The files of a course: name and text.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Its name on the command line.
    pub name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

impl Files for Builtin {
    fn read(&self, path: &str) -> Result<String, String> {
        let found = self.files.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "the course has no such file".to_owned())
    }
}

macro_rules! course {
    ($name:literal: $($file:literal),+ $(,)?) => {
        Builtin { name: $name, files: &[$(($file, include_str!(concat!("../../course/", $name, "/", $file)))),+] }
    };
}

/// All courses.
pub const BUILTINS: &[Builtin] = &[
    course!("chapter":
        "course.toml",
        "keys.json",
        "box-is-down.toml",
        "climb.toml",
        "dead-server.toml",
        "disaster.toml",
        "how-many-inside.toml",
        "lag.toml",
        "n-minus-one.toml",
        "nine-seconds.toml",
        "old-news.toml",
        "one-box.toml",
        "one-key.toml",
        "open-box.toml",
        "open-or-closed.toml",
        "price-of-memory.toml",
        "price-of-no-loss.toml",
        "reads-scale.toml",
        "right-store.toml",
        "split.toml",
        "the-wall.toml",
        "twice-the-users.toml",
        "up-or-out.toml",
        "which-binds.toml",
        "who-forgets.toml",
    ),
    course!("overload":
        "course.toml",
        "keys.json",
        "coin-toss.toml",
        "idle-and-down.toml",
        "idle.toml",
        "long-line.toml",
        "look-at-the-clock.toml",
        "memory-cliff.toml",
        "one-second-more.toml",
        "pool-size.toml",
        "pool.toml",
        "retry-storm.toml",
        "tail-at-scale.toml",
        "whom-to-save.toml",
    ),
    course!("millions":
        "course.toml",
        "keys.json",
        "a-fifth-shard.toml",
        "everybody-asks.toml",
        "how-big-a-cache.toml",
        "how-full-a-site.toml",
        "looks-like-leisure.toml",
        "near-the-readers.toml",
        "stays-cold.toml",
        "the-slowest-of-many.toml",
        "the-wait-moves.toml",
        "too-late.toml",
        "who-is-logged-out.toml",
        "who-pulls-the-lever.toml",
    ),
];

/// The course with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|course| course.name == name)
}
