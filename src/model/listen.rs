//! `Listen`: the listen queue of a component.

/// The queue in which the kernel keeps the connections that a process has not taken yet.
#[derive(Clone, Copy, Debug)]
pub struct Listen {
    /// Number of calls that the process itself lets wait. Those beyond it wait in the listen queue.
    pub behind: u64,
    /// Number of connections in the listen queue, at most.
    pub length: u64,
    /// Whether one more is refused. Otherwise the attempt to connect is dropped, as Linux does unless `tcp_abort_on_overflow` is set
    /// [V: ip-sysctl].
    pub refuses: bool,
}
