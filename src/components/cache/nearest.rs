//! `Nearest`: sends each user to the nearest edge of a content delivery network. It is the network's name server, seen from the user, and
//! costs nothing.

#![allow(rustdoc::broken_intra_doc_links, reason = "[S] and its like are marks of sources, not links")]

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::{Component, Cx};
use crate::model::geography::distance_km;
use crate::model::signal::{CallId, ComponentId, Outcome, Signal};
use crate::model::site::Site;

/// Time for which users know the address of an edge, and go elsewhere if it has refused them: that of CloudFront's names [S].
const OUT_FOR: SimDuration = SimDuration::from_secs(60);

/// The edges, and which of them is the nearest to whom.
#[derive(Debug)]
pub(super) struct Nearest {
    edges: Vec<ComponentId>,
    /// Until when each is left out.
    out: Vec<SimTime>,
    /// For each region of a caller, by id of the caller, the indices of the edges, the nearest first.
    order: Vec<Vec<usize>>,
}

impl Nearest {
    /// The edges with these names.
    pub(super) fn new(names: &[String], site: &Site<'_>) -> Nearest {
        let edges: Vec<ComponentId> = names.iter().map(|name| site.find(name)).collect();
        let order = site.regions.iter().map(|region| order(*region, &edges, site)).collect();
        Nearest { out: vec![SimTime::ZERO; edges.len()], edges, order }
    }

    /// Hands a call to the nearest edge that is not left out.
    fn route(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let (now, caller) = (cx.now(), cx.get(call).caller);
        let nearest = self.order[caller.index()].iter().find(|edge| self.out[**edge] <= now);
        match nearest {
            Some(edge) => cx.forward(call, self.edges[*edge]),
            None => cx.reply(call, Outcome::Unavailable),
        }
    }
}

/// The indices of the edges by their distance from a region; those whose place is unknown come last, in the order of the scenario.
fn order(region: Option<&str>, edges: &[ComponentId], site: &Site<'_>) -> Vec<usize> {
    let km = |edge: &usize| match (region, site.regions[edges[*edge].index()]) {
        (Some(here), Some(there)) if here == there => 0.0,
        (Some(here), Some(there)) => distance_km(here, there).unwrap_or(f64::INFINITY),
        _ => f64::INFINITY,
    };
    let mut order: Vec<usize> = (0..edges.len()).collect();
    order.sort_by(|a, b| km(a).total_cmp(&km(b)));
    order
}

impl Component for Nearest {
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.route(call, cx),
            Signal::Returned(call, from) => {
                if let Some(edge) = self.edges.iter().position(|edge| *edge == from) {
                    self.out[edge] = cx.now() + OUT_FOR;
                }
                self.route(call, cx);
            }
            _ => {}
        }
    }
}
