//! What a monitor sees of other boxes, and what it can set going.

use crate::model::rule::Figure;
use crate::model::sample::Sample;
use crate::model::signal::ComponentId;

use super::Cx;

impl Cx<'_> {
    /// A member keeps counters of its answers from now on, for [`Cx::sample`]; `with_times`: also of response times in buckets. To
    /// be said in `start`.
    pub fn export(&mut self, member: ComponentId, with_times: bool) {
        self.world.export(member, with_times);
    }

    /// Whether a member answers a question of this component now: it works, and no partition lies between them.
    #[must_use]
    pub fn answers(&self, member: ComponentId) -> bool {
        self.world.answers_to(self.me, member)
    }

    /// Writes what a member says about a figure into `sample`. Returns false if it knows no such figure.
    pub fn sample(&self, member: ComponentId, figure: Figure, sample: &mut Sample) -> bool {
        self.world.sample(member, figure, sample)
    }

    /// Calls the operators, who do the operation with this place in the scenario's list after its time. While they are about to do
    /// it already, another call changes nothing.
    pub fn call_operators(&mut self, operation: u32) {
        self.world.call_operators(operation);
    }
}
