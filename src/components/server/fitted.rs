//! Measured costs of a server's work, written as steps.

use toml::Value;

use crate::model::fitting::{WorkCost, WorkSort};
use crate::model::spec::RequestClass;

/// One sort of work for each class.
pub(super) fn sorts(classes: &[RequestClass]) -> Vec<WorkSort> {
    let sort = |at: usize| {
        let units = (0..classes.len()).map(|class| f64::from(u8::from(class == at))).collect();
        WorkSort { name: classes[at].name.clone(), units }
    };
    (0..classes.len()).map(sort).collect()
}

/// The key of the steps with its value: the steps with core time give way to one for each class, where the first of them was.
///
/// # Errors
/// A message, where steps within a transaction take core time, too.
pub(super) fn fitted(table: &toml::Table, costs: &[WorkCost]) -> Result<Vec<(&'static str, String)>, String> {
    let steps = table.get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
    let takes_cores = |step: &Value| step.get("cpu").is_some();
    let inner = |step: &Value| {
        step.get("steps").and_then(Value::as_array).is_some_and(|all| all.iter().any(takes_cores))
    };
    if steps.iter().any(inner) {
        return Err("its transactions take core time: take that out of their `steps` first".into());
    }
    let first = steps.iter().position(takes_cores).unwrap_or(0);
    let is_alone = costs.len() == 1;
    let class =
        |cost: &WorkCost| if is_alone { String::new() } else { format!(", class = \"{}\"", cost.sort) };
    let own = |cost: &WorkCost| {
        let note = format!(" # {}", cost.note);
        let cpu = (cost.cpu_s > 0.0).then(|| (format!("{{ cpu = {}{} }}", cost.cpu(), class(cost)), note));
        let rest = " # fitted: what is left of the durations at low load".to_owned();
        let wait =
            (cost.wait_s > 0.0).then(|| (format!("{{ wait = {}{} }}", cost.wait(), class(cost)), rest));
        [cpu, wait].into_iter().flatten()
    };
    let kept = |steps: &[Value]| {
        let kept = steps.iter().filter(|step| !takes_cores(step));
        kept.map(|step| (step.to_string(), String::new())).collect::<Vec<_>>()
    };
    let mut all = kept(&steps[..first]);
    all.extend(costs.iter().flat_map(own));
    all.extend(kept(&steps[first..]));
    let lines: String = all.iter().map(|(step, note)| format!("  {step},{note}\n")).collect();
    Ok(vec![("steps", format!("[\n{lines}]"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(sort: &str, cpu_s: f64, wait_s: f64) -> WorkCost {
        WorkCost { sort: sort.into(), cpu_s, cv: 0.0, wait_s, note: "measured".into() }
    }

    #[test]
    fn steps_with_core_time_give_way() {
        let table: toml::Table =
            toml::from_str("steps = [{ wait = '1ms' }, { cpu = '9ms' }, { query = 'db' }, { cpu = '1ms' }]")
                .unwrap();
        let found = fitted(&table, &[cost("a", 0.005, 0.0), cost("b", 0.04, 0.002)]).unwrap();
        let expected = "[\n  { wait = \"1ms\" },\n  { cpu = \"5ms\", class = \"a\" }, # measured\n  \
                        { cpu = \"40ms\", class = \"b\" }, # measured\n  { wait = \"2ms\", class = \"b\" }, \
                        # fitted: what is left of the durations at low load\n  { query = \"db\" },\n]";
        assert_eq!(found, [("steps", expected.to_owned())]);
        let alone = fitted(&toml::Table::new(), &[cost("request", 0.005, 0.0)]).unwrap();
        assert_eq!(alone, [("steps", "[\n  { cpu = \"5ms\" }, # measured\n]".to_owned())]);
        let table: toml::Table =
            toml::from_str("steps = [{ transaction = 'db', steps = [{ cpu = '9ms' }] }]").unwrap();
        assert!(fitted(&table, &[cost("a", 0.005, 0.0)]).is_err());
    }
}
