//! Pieces of scenarios as text.

/// Keys of a box that rejects nothing and has memory for all; each call has a core to itself, in order of arrival.
pub(super) const OPEN: &str =
    "workers = 100000\nmemory_per_call = \"1KiB\"\nbase_memory = \"1MiB\"\nscheduling = \"fifo\"";

/// The same for a box whose calls share the cores.
pub(super) const SHARED: &str = "workers = 100000\nmemory_per_call = \"1KiB\"\nbase_memory = \"1MiB\"";

/// A scenario that measures for `seconds` after a warm-up, without network delays.
pub(super) fn scenario(warmup: f64, seconds: f64, boxes: &str) -> String {
    format!(
        "[run]\nwarmup = \"{}\"\nduration = \"{}\"\n\
         [network]\nclient = \"0ms\"\nsame_zone = \"0ms\"\njitter = 0\n{boxes}",
        time(warmup),
        time(seconds)
    )
}

/// The same with a warm-up of a twentieth of `seconds`.
pub(super) fn steady(seconds: f64, boxes: &str) -> String {
    scenario(seconds / 20.0, seconds, boxes)
}

/// A duration, to the nanosecond.
pub(super) fn time(seconds: f64) -> String {
    format!("{}ns", (seconds * 1e9).round())
}

/// A client of one box that waits for an answer without a time limit in practice.
pub(super) fn client(load: &str, target: &str) -> String {
    format!("[client.users]\ntarget = \"{target}\"\ntimeout = \"10h\"\n{load}\n")
}

/// An open Poisson load.
pub(super) fn rate(rate: f64) -> String {
    format!("rate = \"{rate}/s\"")
}

/// A server with these keys and steps.
pub(super) fn server(name: &str, keys: &str, steps: &str) -> String {
    format!("[server.{name}]\n{keys}\nsteps = [{steps}]\n")
}

/// The same, open to clients.
pub(super) fn public(name: &str, keys: &str, steps: &str) -> String {
    server(name, &format!("public = true\n{keys}"), steps)
}

/// Keys of a server whose cores work in order of arrival.
pub(super) fn fifo(cores: u32) -> String {
    format!("{OPEN}\ncores = {cores}")
}

/// An exponential duration with this mean, in seconds.
pub(super) fn exponential(mean: f64) -> String {
    format!("{{ dist = \"exponential\", mean = \"{}\" }}", time(mean))
}

/// A step of exponential work with this mean, in seconds.
pub(super) fn cpu(mean: f64) -> String {
    format!("{{ cpu = {} }}", exponential(mean))
}
