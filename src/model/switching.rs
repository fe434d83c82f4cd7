//! `Sides`: the two sites of a switch, as a scenario names them; and `Moves`, what a switch does to each component.

use super::signal::ComponentId;

/// The two sites of a switch, and what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Names of the members of the site that has the users, and of the boxes all of whose members are there.
    pub from: Vec<String>,
    /// The same of the site that takes over.
    pub to: Vec<String>,
    /// Names of the boxes that have members on one side or the other.
    pub boxes: Vec<String>,
    /// Names of the boxes without which nobody can switch.
    pub needs: Vec<String>,
    /// Whether the servers that take over run before the switch.
    pub is_warm: bool,
    /// What is done, in order; `None` for all that there is to do.
    pub steps: Option<Vec<Step>>,
}

/// Name of the figure of a switch that counts how often the other site took over.
pub const MADE: &str = "switches";

/// Name of the figure of how long that took.
pub const TOOK: &str = "switch";

/// Name of the part of it until a decision began.
pub const NOTICED: &str = "noticed";

/// Name of the part of it until the decision was taken.
pub const DECIDED: &str = "decided";

/// Name of the part of it for which the steps waited for machines.
pub const BOOT: &str = "boot";

/// Names of the parts of it that the steps took.
pub const STEPS: [&str; 2] = ["step_db", "step_dns"];

/// Name of the figure of the time in which something that a switch needs was not there.
pub const PAUSED: &str = "paused";

/// Name of the figure of how often that was so.
pub const PAUSES: &str = "pauses";

/// What is done at a switch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// Replicas become primaries.
    Data,
    /// Names answer with other addresses.
    Names,
}

/// What a switch does to a box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Nothing.
    #[default]
    Nothing,
    /// It answers with the addresses of the other site.
    Name,
    /// The members of these names become primaries.
    Data(Vec<String>),
    /// It loses its entries, if the site that takes over is not warm.
    Memory,
    /// It cannot stand on a side: the name that does, why, and what would be right.
    Wrong {
        /// The name of the box or member.
        name: String,
        /// What is wrong.
        message: String,
        /// What would be right.
        help: String,
    },
}

/// What a switch does to the components of a simulation.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// The members of each box of the site that has the users.
    pub from: Vec<Vec<ComponentId>>,
    /// The members of the site that takes over.
    pub to: Vec<ComponentId>,
    /// The members of each box without which nobody can switch.
    pub needs: Vec<Vec<ComponentId>>,
    /// The names.
    pub names: Vec<ComponentId>,
    /// The members that become primaries.
    pub heirs: Vec<ComponentId>,
    /// The caches that are empty when they take over.
    pub caches: Vec<ComponentId>,
    /// The first member of each group of machines that boot, and their number.
    pub fleets: Vec<(ComponentId, u32)>,
    /// Whether alerts call the switch, so that nobody else does.
    pub is_called: bool,
}
