//! The clock and the memory of the machine, for the tables.

use std::process::Command;

use crate::models::{Model, run};

/// The argument with which this program runs one model in a process of its own, to measure its memory.
pub(crate) const MEMORY_OF: &str = "--memory-of";

/// One row of a table. A call of `work` does `per` units of work.
pub(crate) struct Row<'a> {
    pub(crate) name: &'a str,
    pub(crate) per: u64,
    pub(crate) work: &'a dyn Fn(),
}

/// Nanoseconds per unit of work, for each row. All rows run in turn, `rounds` times; the fastest run of each counts.
pub(crate) fn measure(rows: &[Row<'_>], rounds: usize) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; rows.len()];
    for _ in 0..rounds {
        for (best, row) in best.iter_mut().zip(rows) {
            *best = best.min(nanos(row.work) / row.per as f64);
        }
    }
    best
}

/// Nanoseconds that `work` takes.
#[expect(clippy::disallowed_types, reason = "a benchmark is about the wall clock")]
pub(crate) fn nanos(work: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}

/// Peak memory in bytes of a run in a process of its own; `None` if the system does not report it.
pub(crate) fn peak(model: usize, customers: u64) -> Option<f64> {
    let program = std::env::current_exe().ok()?;
    let arguments = [MEMORY_OF.to_owned(), model.to_string(), customers.to_string()];
    let output = Command::new(program).args(arguments).output().ok()?;
    let kib: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

/// Runs a model and prints the peak of this process's memory in KiB.
pub(crate) fn print_peak(model: &Model, customers: u64) {
    std::hint::black_box(run(&model.scenario(customers)).events);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        println!("{}", peak.trim().trim_end_matches(" kB"));
    }
}
