//! Switches between two sites.

use outgrow::components::KINDS;
use outgrow::scenario::load;

use super::Generator;

/// Databases and servers on each side that are tried, at most.
const TRIES: usize = 6;

impl Generator {
    /// Writes a switch at the end where the loader accepts one: between two boxes to which a name leads, or two nodes of a database.
    pub(super) fn switches(&mut self) {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for drawn in &self.boxes {
            if let [first, second, ..] = drawn.members.as_slice()
                && drawn.kind == "database"
            {
                pairs.push((first.clone(), second.clone()));
            }
            let others = self.boxes.iter().filter(|other| other.name != drawn.name && drawn.kind == "server");
            pairs.extend(others.map(|other| (drawn.name.clone(), other.name.clone())));
        }
        let wanted = self.sites.one_in(2);
        let keys = self.sites.pick(&[
            "by = \"check\"",
            "after = \"1s\"",
            "by = \"check\"\nwarm = true",
            "after = \"3s\"\nwarm = true",
        ]);
        let after = self.sites.unit() * self.seconds / 3.0;
        let need = self.sites.one_in(2);
        for _ in 0..TRIES.min(pairs.len()) {
            let (from, to) = pairs.swap_remove(self.sites.below(pairs.len() as u64) as usize);
            if !wanted || self.draft.timeless {
                continue;
            }
            let needs = if need { format!("needs = [\"{}\"]\n", self.boxes[0].name) } else { String::new() };
            let text = format!(
                "[switch.over]\nfrom = [\"{from}\"]\nto = [\"{to}\"]\n{keys}\n{needs}[[fault]]\nkind = \"power-off\"\ntarget = \"{from}\"\nat = \"{:.0}us\"\n",
                after * 1e6
            );
            for step in ["db", "dns"] {
                let steps = format!("steps = [[\"{step}\", \"500ms\"]]\n[[fault]]");
                let whole = format!("{}{}", self.text, text.replacen("[[fault]]", &steps, 1));
                if load("sites.toml", &whole, &[], &self.trace, KINDS).is_ok() {
                    self.text = whole;
                    return;
                }
            }
        }
    }
}
