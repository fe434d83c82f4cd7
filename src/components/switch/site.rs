//! `Lookout`: what people outside see of a site by checks from the internet.

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::ask::Ask;
use crate::model::component::Cx;
use crate::model::signal::ComponentId;
use crate::parts::checks::{Checks, Health, Pace, Timers};

/// Three checks in a row, 10 s apart, as the fast ones of Route 53 [V]; one that is answered is enough to see that a site is back.
pub(super) const CHECKS: Checks = Checks {
    interval: SimDuration::from_secs(10),
    pace: Pace::AfterStart,
    timeout: SimDuration::from_secs(10),
    fall: 3,
    rise: 1,
    ask: Ask::CONNECT,
};

/// A member of the site.
#[derive(Clone, Copy, Debug)]
struct Seen {
    of: ComponentId,
    /// The number of its box.
    of_box: usize,
    health: Health,
    /// The last check that it answered.
    answered: SimTime,
}

/// The site, as it is seen from outside.
#[derive(Debug)]
pub(super) struct Lookout {
    members: Vec<Seen>,
    boxes: usize,
}

impl Lookout {
    pub(super) fn new(boxes: &[Vec<ComponentId>]) -> Lookout {
        let seen =
            |of: &ComponentId, of_box| Seen { of: *of, of_box, health: Health::Up, answered: SimTime::ZERO };
        let members = boxes.iter().enumerate().flat_map(|(number, members)| {
            members.iter().map(move |member| seen(member, number)).collect::<Vec<Seen>>()
        });
        Lookout { members: members.collect(), boxes: boxes.len() }
    }

    /// Begins to check every member.
    pub(super) fn begin(&self, timers: Timers, cx: &mut Cx<'_>) {
        CHECKS.begin(self.members.len(), timers, cx);
    }

    pub(super) fn ask(&self, number: u32, timers: Timers, cx: &mut Cx<'_>) {
        CHECKS.ask(number, self.members[number as usize].of, timers, cx);
    }

    /// A check of a member has ended.
    pub(super) fn ended(&mut self, number: u32, is_good: bool, cx: &Cx<'_>) {
        let seen = &mut self.members[number as usize];
        seen.health = seen.health.after(is_good, &CHECKS);
        if is_good {
            seen.answered = cx.now();
        }
    }

    /// Whether a whole box of the site does not answer.
    pub(super) fn is_lost(&self) -> bool {
        (0..self.boxes).any(|number| self.of(number).all(|seen| !seen.health.is_up()))
    }

    /// When the site was lost: when the last member of a box ceased to work, or, if they work but cannot be reached, when the last
    /// one answered. `None` for a site that is not lost.
    pub(super) fn lost_at(&self, cx: &Cx<'_>) -> Option<SimTime> {
        let fell = |number: usize| self.of(number).map(|seen| cx.fell(seen.of)).max_by_key(|fell| *fell);
        let all_fell = |number: &usize| self.of(*number).all(|seen| cx.fell(seen.of).is_some());
        let dead = (0..self.boxes).filter(all_fell).filter_map(|number| fell(number)?).min();
        let silent = |number: &usize| self.of(*number).all(|seen| !seen.health.is_up());
        let unreached = (0..self.boxes)
            .filter(silent)
            .filter_map(|number| self.of(number).map(|seen| seen.answered).max())
            .min();
        dead.or(unreached)
    }

    fn of(&self, number: usize) -> impl Iterator<Item = &Seen> {
        self.members.iter().filter(move |seen| seen.of_box == number)
    }
}
