//! Groups whose members come and go, by operators or by an autoscaler.

use outgrow::components::KINDS;
use outgrow::scenario::load;

use super::Generator;

/// Goals of each metric.
const WATCHED: [&str; 4] = [
    "metric = \"cpu\"\ngoal = \"40%\"",
    "metric = \"inside\"\ngoal = 2",
    "metric = \"backlog\"\ngoal = 3",
    "metric = \"age\"\ngoal = \"500ms\"",
];

impl Generator {
    /// Writes at the end what changes the number of members of some groups, where the loader accepts it: only balancers and queues
    /// hear who is up.
    pub(super) fn fleets(&mut self) {
        let names = self.boxes.iter().filter(|drawn| drawn.kind == "server").map(|drawn| drawn.name.clone());
        for (number, name) in names.collect::<Vec<_>>().into_iter().enumerate() {
            let (wanted, kept) = (self.fleets.one_in(2), self.fleets.one_in(2));
            let to: Vec<u64> = (0..3).map(|_| self.fleets.whole(1, 6)).collect();
            let at: Vec<f64> = (0..3).map(|_| self.fleets.unit() * self.seconds).collect();
            let (boot, start) = (self.fleets.pick(&["0s", "40ms", "1s"]), self.fleets.pick(&["0s", "700ms"]));
            let watched = self.fleets.pick(&WATCHED);
            let more = self.fleets.pick(&[
                "",
                "warm_pool = 1",
                "quota = 8",
                "kind = \"step\"\ncooldown = \"1s\"",
                "first_check = \"100ms\"",
                "schedule = [[\"00:00:01\", 3], [\"00:00:05\", 2]]",
            ]);
            if !wanted || self.draft.timeless {
                continue;
            }
            let text = if kept {
                let down = if more.contains("step") { "" } else { "\ndown_after = \"1s\"" };
                format!(
                    "[autoscaler.auto{number}]\ntarget = \"{name}\"\nmin = 2\nmax = 9\nevery = \"300ms\"\nwindow = \"600ms\"{down}\n\
                     boot = \"{boot}\"\nstart = \"{start}\"\n{watched}\n{more}\n"
                )
            } else {
                let one = |(to, at): (&u64, &f64)| {
                    format!(
                        "[[operation]]\nkind = \"scale\"\ntarget = \"{name}\"\nto = {to}\nat = \"{:.0}us\"\nboot = \"{boot}\"\nstart = \"{start}\"\n",
                        at * 1e6
                    )
                };
                to.iter().zip(&at).map(one).collect()
            };
            let whole = format!("{}{text}", self.text);
            if load("fleets.toml", &whole, &[], &self.trace, KINDS).is_ok() {
                self.text = whole;
            }
        }
    }

    /// Empties some caches and edges.
    pub(super) fn purges(&mut self) {
        let keeps = |drawn: &&super::Drawn| drawn.kind == "cache" || drawn.kind == "cdn";
        let caches: Vec<String> = self
            .boxes
            .iter()
            .filter(keeps)
            .flat_map(|drawn| [drawn.name.clone(), drawn.members[0].clone()])
            .collect();
        for name in caches {
            let (wanted, at) = (self.absents.one_in(3), self.absents.unit() * self.seconds);
            if wanted {
                let at = self.secs(at);
                self.line(format!("[[operation]]\nkind = \"purge\"\ntarget = \"{name}\"\nat = {at}"));
            }
        }
    }

    /// Has a directory asked for the shard of a key, of some databases.
    pub(super) fn directories(&mut self) {
        for name in self.sharded.clone() {
            let (wanted, by) = (self.homes.one_in(3), self.homes.pick(&["cache", "little", "database"]));
            let work = 1 + (999.0 * self.homes.unit()) as u64;
            let work = format!("\"{}us\"", work * self.draft.stretch);
            let header = format!("[database.{name}]\n");
            let Some((before, after)) = self.text.split_once(&header).filter(|_| wanted) else { continue };
            let Some((rule, rest)) = after.split_once("by = \"") else { continue };
            let Some((_, rest)) = rest.split_once('"') else { continue };
            let place = match by {
                "cache" => format!("[cache.of-{name}]\nop = {work}\n"),
                "little" => format!("[cache.of-{name}]\nop = {work}\nentries = 5\n"),
                _ => format!("[database.of-{name}]\nread = {work}\n"),
            };
            let region =
                self.regions.first().map_or(String::new(), |region| format!("region = \"{region}\"\n"));
            let whole = format!(
                "{before}{header}{rule}by = \"directory\", directory = \"of-{name}\"{rest}{place}{region}"
            );
            if load("directories.toml", &whole, &[], &self.trace, KINDS).is_ok() {
                self.text = whole;
            }
        }
    }

    /// Moves the data of some databases to another number of shards, where the loader accepts it.
    pub(super) fn reshards(&mut self) {
        let headers: Vec<String> =
            self.text.lines().filter(|line| line.starts_with("[database.")).map(str::to_owned).collect();
        for header in headers {
            let (wanted, to) = (self.moves.one_in(2), self.moves.whole(2, 8));
            let at = self.moves.unit() * self.seconds;
            let rate = self.moves.pick(&["", "rate = \"1MB\"\n", "rate = \"500MB\"\n"]);
            let name = header.trim_start_matches("[database.").trim_end_matches(']');
            if !wanted || self.draft.timeless {
                continue;
            }
            let text = format!(
                "{}[[operation]]\nkind = \"reshard\"\ntarget = \"{name}\"\nto = {to}\nat = \"{:.0}us\"\n{rate}",
                self.text,
                at * 1e6
            );
            let sized = text.replace(&format!("{header}\n"), &format!("{header}\nworking_set = \"8MiB\"\n"));
            for whole in [text, sized] {
                if load("reshards.toml", &whole, &[], &self.trace, KINDS).is_ok() {
                    self.text = whole;
                    break;
                }
            }
        }
    }
}
