//! `Limits`: what a door lets in.

use crate::kernel::time::SimDuration;
use crate::model::gauge::GaugeId;
use crate::queueing::codel::Codel;
use crate::queueing::concurrency::Concurrency;
use crate::queueing::pool::Order;

use super::rate::Rate;

/// What a door lets in. The default has no limit at all.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Rate limits. A call says which one of them applies; one that is not there, or `None`, lets everything pass.
    pub rates: Vec<Option<Rate>>,
    /// The limit on the calls inside, those that wait among them, and the level that shows it.
    pub limit: Option<(Concurrency, GaugeId)>,
    /// Calls that hold a slot at once.
    pub slots: u32,
    /// Calls that wait for a slot.
    pub queue: u32,
    /// Which of them gets a slot first.
    pub order: Order,
    /// The rank of the calls of each class, 0 first: those of a rank get slots before those of the next one. Empty where no class
    /// goes before another.
    pub ranks: Vec<u8>,
    /// Number of slots that a call of each class takes at once. Empty where all take one.
    pub units: Vec<u32>,
    /// The level that shows how many slots are held, where calls take several.
    pub held: Option<GaugeId>,
    /// The longest wait after which a call that gets a slot is still worked on; `None` for every wait.
    pub age: Option<SimDuration>,
    /// The control of standing queues.
    pub codel: Option<Codel>,
    /// Calls that wait behind a full queue, in the kernel's listen queue.
    pub backlog: u32,
    /// Whether the kernel refuses a connection when its listen queue is full, rather than to drop the attempt.
    pub refuses: bool,
    /// Longest wait for a slot; `None`: as long as it takes.
    pub queue_timeout: Option<SimDuration>,
    /// Code of the alarm after which the box must ask [`Door::overdue`](super::Door::overdue).
    pub timer: u16,
    /// Memory that the process takes when it starts, bytes.
    pub base_memory: u64,
    /// Memory of each call that holds a slot, bytes. What waits for one is a socket, of a few kilobytes.
    pub memory_per_call: u64,
    /// Whether a call that finds no memory kills the process rather than being turned away.
    pub kills: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            rates: Vec::new(),
            limit: None,
            slots: u32::MAX,
            queue: 0,
            order: Order::Fifo,
            ranks: Vec::new(),
            units: Vec::new(),
            held: None,
            age: None,
            codel: None,
            backlog: 0,
            refuses: false,
            queue_timeout: None,
            timer: 0,
            base_memory: 0,
            memory_per_call: 0,
            kills: false,
        }
    }
}
