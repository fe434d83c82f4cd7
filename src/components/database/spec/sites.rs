//! What a switch between sites does to a database.

use crate::model::spec::{Part, Sides, Spec as _};

use super::DatabaseSpec;

impl DatabaseSpec {
    /// The replicas that become primaries when the primaries of one side are given up.
    pub(in crate::components::database) fn part_of_switch(&self, name: &str, sides: &Sides) -> Part {
        let on = |side: &[String], node: &str| side.iter().any(|one| one == node);
        let nodes = |shard: u32| -> Vec<String> {
            self.nodes_of(shard).map(|member| self.member(name, member).name).collect()
        };
        let wrong =
            |name: &str, message: String, help: String| Part::Wrong { name: name.to_owned(), message, help };
        if !self.is_replicated() && !self.is_partitioned() {
            return match on(&sides.from, name) {
                true => wrong(
                    name,
                    format!(
                        "`{name}` has no copy that could take over: its data would be gone with the site"
                    ),
                    format!(
                        "give it replicas = 1, and name `{name}.primary` here and `{name}.replica-1` in `to`"
                    ),
                ),
                false => Part::Nothing,
            };
        }
        if self.all_write() {
            return Part::Nothing;
        }
        let mut heirs = Vec::new();
        for nodes in (0..self.partitions()).map(nodes).filter(|nodes| on(&sides.from, &nodes[0])) {
            let Some(heir) = nodes[1..].iter().find(|node| on(&sides.to, node)) else {
                let help = match nodes.get(1) {
                    Some(replica) => format!("a copy of its data must stand there: `{replica}`"),
                    None => "give it `replicas`".to_owned(),
                };
                return wrong(&nodes[0], format!("no replica of `{}` stands in `to`", nodes[0]), help);
            };
            heirs.push(heir.clone());
        }
        if self.failover.is_some() && !heirs.is_empty() {
            let message = format!("`{name}` fails over by itself, and the switch would do so too");
            return wrong(name, message, format!("drop `failover` of `{name}`, or leave its primary out"));
        }
        if heirs.is_empty() { Part::Nothing } else { Part::Data(heirs) }
    }
}
