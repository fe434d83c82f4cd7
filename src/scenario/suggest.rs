//! "Did you mean": the known name that is nearest to what the user typed.

/// Words of other programs, and what they are called here; of several, the first that is among the candidates.
const SYNONYMS: [(&str, &[&str]); 33] = [
    ("replicas", &["count", "nodes"]),
    ("instances", &["count"]),
    ("machines", &["count"]),
    ("pods", &["count"]),
    ("size", &["count"]),
    ("cpu", &["cores"]),
    ("cpus", &["cores"]),
    ("vcpu", &["cores"]),
    ("vcpus", &["cores"]),
    ("threads", &["workers"]),
    ("concurrency", &["workers"]),
    ("processes", &["workers"]),
    ("ram", &["memory"]),
    ("mem", &["memory"]),
    ("duration", &["for"]),
    ("start", &["at"]),
    ("time", &["at"]),
    ("type", &["kind", "engine"]),
    ("kill", &["crash"]),
    ("latency", &["client", "rtt"]),
    ("qps", &["rate"]),
    ("rps", &["rate"]),
    ("tps", &["rate"]),
    ("think", &["think_time"]),
    ("backends", &["targets"]),
    ("upstream", &["targets"]),
    ("upstreams", &["targets"]),
    ("pool", &["db_pool"]),
    ("algorithm", &["policy"]),
    ("service", &["server"]),
    ("db", &["database"]),
    ("lb", &["balancer"]),
    ("users", &["client"]),
];

/// The candidate that has this name in other programs.
fn synonym<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let (_, meant) = SYNONYMS.iter().find(|(word, _)| name.eq_ignore_ascii_case(word))?;
    meant.iter().find_map(|word| candidates.iter().copied().find(|candidate| candidate == word))
}

/// The candidate nearest to `name`: the one that has this name in other programs, or the one that is near enough for a typing error: at most one edit for every three
/// letters, counted as insertions, deletions, changes and swaps of neighbours. Otherwise the only candidate that
/// begins with `name`.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let edits_max = (name.chars().count() / 3).max(1);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(meant) = synonym(name, &candidates) {
        return Some(meant);
    }
    let slip = candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(edits, _)| *edits <= edits_max)
        .min()
        .map(|(_, candidate)| candidate);
    slip.or_else(|| longer(name, &candidates))
}

/// The only candidate that begins with `name`; `None` if there are several.
fn longer<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let mut longer = candidates.iter().filter(|candidate| candidate.starts_with(name));
    let found = longer.next()?;
    (name.len() >= BEGINNING_MIN && longer.next().is_none()).then_some(found)
}

/// The help line for an unknown name: the nearest candidate, or else a list of the candidates after `what`.
pub fn did_you_mean<'a>(
    name: &str,
    what: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(name, candidates.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let listed: Vec<String> = candidates.iter().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    let more = candidates.len().saturating_sub(LISTED_MAX);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!listed.is_empty()).then(|| format!("{what}: {}{rest}", listed.join(", ")))
}

/// Least number of letters that count as the beginning of a name.
const BEGINNING_MIN: usize = 3;

/// Greatest number of names in a list.
const LISTED_MAX: usize = 24;

/// The noun with "a" or "an" before it.
pub(super) fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        assert_eq!(nearest("wokers", ["workers", "cores"]), Some("workers"));
        assert_eq!(nearest("wbe", ["db", "web"]), Some("web"));
        assert_eq!(nearest("cache", ["db", "web"]), None);
    }

    #[test]
    fn words_of_other_programs_are_known() {
        assert_eq!(nearest("replicas", ["replace", "count"]), Some("count"));
        assert_eq!(nearest("RAM", ["memory", "cores"]), Some("memory"));
        assert_eq!(nearest("kill", ["hang", "crash"]), Some("crash"));
        assert_eq!(nearest("qps", ["users", "target"]), None, "a rate is not among them");
    }

    #[test]
    fn a_beginning_is_completed_if_there_is_one_way_to() {
        assert_eq!(nearest("think", ["timeout", "think_time"]), Some("think_time"));
        assert_eq!(nearest("pin_", ["pinned", "pin_for"]), Some("pin_for"));
        assert_eq!(nearest("pin", ["pinned", "pin_for"]), None);
        assert_eq!(nearest("th", ["timeout", "think_time"]), None);
    }

    #[test]
    fn without_a_near_name_all_are_listed() {
        assert_eq!(did_you_mean("cache", "boxes", ["db", "web"]).unwrap(), "boxes: `db`, `web`");
        assert_eq!(did_you_mean("cache", "boxes", []), None);
    }
}
