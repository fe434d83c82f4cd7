//! The diagram of a scenario as an SVG: requests go from left to right, on a phone from top to bottom.

use super::super::chart::escaped;
use super::super::chart::three;
use super::super::chart::utilisation::ALARMING;
use super::super::number::{percent, share};
use crate::experiment::result::{ComponentResult, RunResult};
use crate::model::ask::Verbs;
use crate::model::resource::CPU;
use crate::scenario::{BoxEntry, graph};

/// Width and height of a box, in pixels.
const WIDE: usize = 152;
const HIGH: usize = 62;

/// Space between boxes of one level, and between levels, in pixels. Arrows with their rates are between levels.
const BESIDE: usize = 24;
const BETWEEN: usize = 66;

/// Pixels below the boxes, or right of them, that an arrow over more than one level uses.
const AROUND: usize = 34;

/// Number of characters of a name that fit into a box.
const NAME_MAX: usize = 18;

/// Whether requests go from left to right or from top to bottom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Right,
    Down,
}

/// A box, or the machines of one role in it, such as the replicas of a database.
struct Node<'a> {
    entry: &'a BoxEntry,
    /// Names of its members; empty for the whole box.
    members: Vec<String>,
    label: String,
    level: usize,
    /// Its place in the level, in pixels.
    along: usize,
}

/// What connects two nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Calls,
    /// A name is asked for its address.
    Asks,
    /// Two roles of one box: the data are copied.
    Copies,
}

struct Edge {
    from: usize,
    to: usize,
    sort: Sort,
    text: String,
}

/// The diagram as SVG, with the measured utilisation in the boxes and the measured rates at the arrows. `id` tells its parts
/// from those of another diagram of the page.
pub(super) fn svg(boxes: &[BoxEntry], result: &RunResult, way: Way, id: &str) -> String {
    let (nodes, edges) = laid_out(boxes, result, way);
    let end = |of: fn(&Node<'_>, Way) -> (usize, usize)| {
        let ends = nodes.iter().map(|node| of(node, way));
        ends.fold((0, 0), |most, one| (most.0.max(one.0), most.1.max(one.1)))
    };
    let (mut width, mut height) = end(|node, way| (node.x(way) + WIDE, node.y(way) + HIGH));
    if edges.iter().any(|edge| nodes[edge.to].level > nodes[edge.from].level + 1) {
        if way == Way::Right { height += AROUND } else { width += AROUND }
    }
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"-4 -4 {0} {1}\" role=\"img\" aria-label=\"{2}\">\n\
         <defs><marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
        width + 8,
        height + 8,
        escaped(&told(boxes))
    );
    for edge in &edges {
        out += &arrow(edge, &nodes, way, id, (width, height));
    }
    for node in &nodes {
        out += &drawn(node, result, way);
    }
    out + "</svg>"
}

/// The diagram in words, for screen readers.
fn told(boxes: &[BoxEntry]) -> String {
    let arrows: Vec<String> =
        graph::edges(boxes).iter().map(|(from, to)| format!("{from} calls {to}")).collect();
    let hosts: Vec<String> =
        graph::hosts(boxes).map(|(guest, host)| format!("{guest} runs on {host}")).collect();
    format!("Diagram of {} boxes: {}", boxes.len(), [arrows, hosts].concat().join(", "))
}

impl Node<'_> {
    /// Whether its members have their data from those of another node.
    fn copies(&self, from: &Node<'_>) -> bool {
        let (Some(own), Some(other)) = (self.members.first(), from.members.first()) else { return false };
        let is_replica = own.contains(".replica") && !other.contains(".replica");
        self.entry.name == from.entry.name && is_replica && family(own) == family(other)
    }

    fn x(&self, way: Way) -> usize {
        if way == Way::Right { self.level * (WIDE + BETWEEN) } else { self.along }
    }

    fn y(&self, way: Way) -> usize {
        if way == Way::Right { self.along } else { self.level * (HIGH + BETWEEN) }
    }

    /// Calls a second that come to it; `None` where that was not measured.
    fn rate(&self, result: &RunResult) -> Option<f64> {
        let of = |name: &str, one: &ComponentResult| match self.members.as_slice() {
            [] => one.group == self.entry.name,
            members => members.iter().any(|member| member == name),
        };
        let calls = result.components.iter().filter(|(name, one)| of(name, one));
        let calls: f64 = calls.filter_map(|(_, one)| one.calls.mean).sum();
        (result.duration_s > 0.0 && calls > 0.0).then(|| calls / result.duration_s)
    }
}

/// Whether a box answers what the address of a name is, and takes no requests itself.
fn is_name(entry: &BoxEntry) -> bool {
    entry.spec.answers().meets(Verbs::RESOLVE)
}

/// All nodes with their places, and the arrows between them.
fn laid_out<'a>(boxes: &'a [BoxEntry], result: &RunResult, way: Way) -> (Vec<Node<'a>>, Vec<Edge>) {
    let edges = graph::edges(boxes);
    let mut nodes: Vec<Node<'a>> = boxes.iter().flat_map(roles).collect();
    let of = |name: &str, nodes: &[Node<'_>]| -> Vec<usize> {
        (0..nodes.len()).filter(|at| nodes[*at].entry.name == name).collect()
    };
    let named = |name: &str| boxes.iter().find(|entry| entry.name == name).is_some_and(is_name);
    let mut drawn: Vec<(usize, usize, Sort)> = Vec::new();
    for (from, to) in &edges {
        for start in of(from, &nodes) {
            if named(from) {
                continue;
            }
            let asked = named(to);
            let sort = if asked { Sort::Asks } else { Sort::Calls };
            drawn.extend(of(to, &nodes).into_iter().map(|end| (start, end, sort)));
            // Who asks a name calls what stands behind it.
            let behind = edges.iter().filter(|(name, _)| asked && name == to);
            let behind: Vec<usize> = behind.flat_map(|(_, target)| of(target, &nodes)).collect();
            drawn.extend(behind.into_iter().map(|end| (start, end, Sort::Calls)));
        }
    }
    for at in 1..nodes.len() {
        if nodes[at].copies(&nodes[at - 1]) {
            drawn.push((at - 1, at, Sort::Copies));
        }
    }
    levels(&mut nodes, &drawn);
    place(&mut nodes, &drawn, way);
    let text = |&(_, to, sort): &(usize, usize, Sort)| {
        let alone = drawn.iter().filter(|edge| edge.1 == to && edge.2 == sort).count() == 1;
        match (sort, nodes[to].rate(result)) {
            (Sort::Calls, Some(rate)) if alone => format!("{}/s", three(rate)),
            // From top to bottom there is no room beside the box.
            (Sort::Asks, _) if way == Way::Right => "address?".to_owned(),
            _ => String::new(),
        }
    };
    let edges =
        drawn.iter().map(|edge| Edge { from: edge.0, to: edge.1, sort: edge.2, text: text(edge) }).collect();
    (nodes, edges)
}

/// A node for each role of a box's machines, such as a primary and its replicas; one for a box with one role.
fn roles(entry: &BoxEntry) -> Vec<Node<'_>> {
    let node = |members: Vec<String>, label: String| Node { entry, members, label, level: 0, along: 0 };
    let plans = (0..entry.spec.members()).map(|member| entry.spec.member(&entry.name, member));
    let mut roles: Vec<(String, Vec<String>)> = Vec::new();
    for plan in plans.filter(|plan| plan.machine.is_some()) {
        match roles.iter_mut().find(|(known, _)| known == plan.role()) {
            Some((_, members)) => members.push(plan.name),
            None => roles.push((plan.role().to_owned(), vec![plan.name])),
        }
    }
    let times = |count: usize| if count > 1 { format!(" ×{count}") } else { String::new() };
    if roles.len() < 2 {
        return vec![node(Vec::new(), format!("{}{}", entry.name, times(entry.machines() as usize)))];
    }
    // The replicas of a shard stand beside its primary.
    let order: Vec<String> = roles.iter().map(|(role, _)| family(role).to_owned()).collect();
    roles.sort_by_key(|(role, _)| order.iter().position(|known| known == family(role)));
    let all = roles.into_iter().map(|(role, members)| {
        let label = format!("{role}{}", times(members.len()));
        node(members, label)
    });
    all.collect()
}

/// What a role has in common with those that it copies from: `db.shard-1` of `db.shard-1.replica`.
fn family(role: &str) -> &str {
    role.rsplit_once('.').map_or(role, |(family, _)| family)
}

/// The level of each node: one after the last that calls it; a name stands beside who asks it.
fn levels(nodes: &mut [Node<'_>], edges: &[(usize, usize, Sort)]) {
    let count = nodes.len();
    // Calls do not form a circle, so there are at most as many levels as nodes.
    for _ in 0..count {
        for &(from, to, sort) in edges {
            let least = match sort {
                Sort::Calls => (nodes[from].level + 1).min(count),
                Sort::Asks | Sort::Copies => nodes[from].level,
            };
            nodes[to].level = nodes[to].level.max(least);
        }
    }
}

/// The place of each node in its level, with levels centred.
fn place(nodes: &mut [Node<'_>], edges: &[(usize, usize, Sort)], way: Way) {
    let step = BESIDE + if way == Way::Right { HIGH } else { WIDE };
    let last = nodes.iter().map(|node| node.level).max().unwrap_or(0);
    let count = |level: usize, nodes: &[Node<'_>]| nodes.iter().filter(|node| node.level == level).count();
    let most = (0..=last).map(|level| count(level, nodes)).max().unwrap_or(1);
    for level in 0..=last {
        let offset = (most - count(level, nodes)) * step / 2;
        // Those who ask come before the names that they ask, and last come boxes without an arrow, such as a monitor.
        let mut here: Vec<usize> = (0..nodes.len()).filter(|at| nodes[*at].level == level).collect();
        here.sort_by_key(|at| {
            let is_apart = !edges.iter().any(|(from, to, _)| from == at || to == at);
            (is_apart, is_name(nodes[*at].entry))
        });
        for (at, node) in here.into_iter().enumerate() {
            nodes[node].along = offset + at * step;
        }
    }
}

/// An arrow with its text. To the next level it is a curve; over several levels it goes around the boxes in between.
fn arrow(edge: &Edge, nodes: &[Node<'_>], way: Way, id: &str, ends: (usize, usize)) -> String {
    let (from, to) = (&nodes[edge.from], &nodes[edge.to]);
    let class = if edge.sort == Sort::Calls { "" } else { " class=\"on\"" };
    let tip = format!("marker-end=\"url(#{id})\"");
    let middle = |node: &Node<'_>| (node.x(way) + WIDE / 2, node.y(way) + HIGH / 2);
    let ((fx, fy), (tx, ty)) = (middle(from), middle(to));
    let (way_there, text_at) = if to.level == from.level {
        beside((fx, fy), (tx, ty), way)
    } else if to.level > from.level + 1 {
        match way {
            Way::Right => {
                let (y1, y2, out) = (fy + HIGH / 2, ty + HIGH / 2 + 3, ends.1);
                (format!("M{fx} {y1}C{fx} {out} {tx} {out} {tx} {y2}"), (fx.midpoint(tx), out - AROUND / 2))
            }
            Way::Down => {
                let (x1, x2, out) = (fx + WIDE / 2, tx + WIDE / 2 + 3, ends.0);
                (format!("M{x1} {fy}C{out} {fy} {out} {ty} {x2} {ty}"), (out - AROUND, fy.midpoint(ty)))
            }
        }
    } else {
        match way {
            Way::Right => {
                let (x1, x2) = (fx + WIDE / 2, tx.saturating_sub(WIDE / 2 + 3));
                let half = x1.midpoint(x2);
                (format!("M{x1} {fy}C{half} {fy} {half} {ty} {x2} {ty}"), (half, fy.midpoint(ty) - 7))
            }
            Way::Down => {
                let (y1, y2) = (fy + HIGH / 2, ty.saturating_sub(HIGH / 2 + 3));
                let half = y1.midpoint(y2);
                (format!("M{fx} {y1}C{fx} {half} {tx} {half} {tx} {y2}"), (fx.midpoint(tx) + 24, half + 4))
            }
        }
    };
    let text = match edge.text.as_str() {
        "" => String::new(),
        text => {
            format!("<text class=\"rate\" x=\"{}\" y=\"{}\">{}</text>", text_at.0, text_at.1, escaped(text))
        }
    };
    format!("<path{class} d=\"{way_there}\" {tip}/>{text}\n")
}

/// The way to a node of the same level, and the place of its text.
fn beside((fx, fy): (usize, usize), (tx, ty): (usize, usize), way: Way) -> (String, (usize, usize)) {
    match way {
        Way::Right => {
            let (y1, y2) = (fy + HIGH / 2, ty.saturating_sub(HIGH / 2 + 3));
            (format!("M{fx} {y1}L{tx} {y2}"), (fx + 34, y1.midpoint(y2) + 4))
        }
        Way::Down => {
            let (x1, x2) = (fx + WIDE / 2, tx.saturating_sub(WIDE / 2 + 3));
            (format!("M{x1} {fy}L{x2} {ty}"), (x1.midpoint(x2), fy.saturating_sub(HIGH / 2 + 2).max(10)))
        }
    }
}

fn drawn(node: &Node<'_>, result: &RunResult, way: Way) -> String {
    let (entry, x, y) = (node.entry, node.x(way), node.y(way));
    let middle = x + WIDE / 2;
    let host = entry.spec.host().map_or(String::new(), |host| format!(" on {host}"));
    let is_here = |name: &str| match node.members.as_slice() {
        [] => name == entry.name || result.components.get(name).is_some_and(|one| one.group == entry.name),
        members => members.iter().any(|member| member == name),
    };
    let bottleneck = result.bottleneck.as_ref().filter(|one| is_here(&one.component));
    let busy = match bottleneck {
        Some(other) if other.resource != CPU => {
            format!("{} {}", other.resource, share(other.utilisation, None))
        }
        _ => busy(&is_here, result).unwrap_or_default(),
    };
    let is_alarming = bottleneck.is_some_and(|bottleneck| bottleneck.utilisation > ALARMING);
    let class = if is_alarming { " class=\"binds\"" } else { "" };
    format!(
        "<g{class}><rect x=\"{x}\" y=\"{y}\" width=\"{WIDE}\" height=\"{HIGH}\" rx=\"6\"/>\
         <text class=\"name\" x=\"{middle}\" y=\"{}\">{}</text>\
         <text x=\"{middle}\" y=\"{}\">{}</text><text x=\"{middle}\" y=\"{}\">{busy}</text></g>\n",
        y + 20,
        escaped(&fitting(&node.label)),
        y + 37,
        escaped(&fitting(&format!("{}{host}", entry.kind))),
        y + 53,
    )
}

fn fitting(text: &str) -> String {
    if text.chars().count() <= NAME_MAX {
        return text.to_owned();
    }
    text.chars().take(NAME_MAX - 1).chain(['…']).collect()
}

/// Utilisation of the cores of some machines as text: the mean, or the busiest one if they differ.
fn busy(is_here: &dyn Fn(&str) -> bool, result: &RunResult) -> Option<String> {
    let own = |(name, component): (&str, &ComponentResult)| {
        let is_host = component.machine.as_ref().is_some_and(|machine| machine.host == name);
        component.utilisation.as_ref().filter(|_| is_host && is_here(name))?.mean
    };
    let all: Vec<f64> = result.components.iter().filter_map(own).collect();
    let most = all.iter().copied().reduce(f64::max)?;
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let up_to = if most - mean > 0.1 * most { "up to " } else { "" };
    let shown = if up_to.is_empty() { mean } else { most };
    Some(format!("{up_to}{} busy", percent((shown * 1e3).round() / 1e3)))
}
