//! What became of a treatment, in words: what one changed, what others changed meanwhile, what a limit would do. Pure.

use super::treatment::{
    case_fields, case_lines, change_text, context_text, limit_number_text, limit_text,
};
use crate::age::{GatewayTime, age_text};
use crate::format::value_text;
use crate::model::{Case, Context, ContextKind, Limit, Preview, Treatment};

/// What differs between a treatment as it was seen and as it is now, with who did it where that is known.
pub(crate) fn meanwhile_lines(
    seen_version: u64,
    seen: Option<&Treatment>,
    present: &Treatment,
    now: GatewayTime,
) -> Vec<String> {
    let newer = present.changes.iter().filter(|change| change.version > seen_version);
    let mut lines: Vec<String> = newer.map(change_text).collect();
    let Some(seen) = seen else {
        return lines;
    };
    lines.extend(case_differences(seen.case.as_ref(), present.case.as_ref()));
    for context in &present.contexts {
        let same =
            |old: &Context| old.kind == context.kind && old.since_wall_ns == context.since_wall_ns;
        if !seen.contexts.iter().any(same) {
            lines.push(context_text(context, now));
        }
    }
    let is_declared = |kind: ContextKind| present.contexts.iter().any(|each| each.kind == kind);
    for gone in seen.contexts.iter().filter(|old| !is_declared(old.kind)) {
        lines.push(format!("context {} ended", gone.kind.to_string().to_uppercase()));
    }
    lines
}

fn case_differences(seen: Option<&Case>, present: Option<&Case>) -> Vec<String> {
    let (seen, present) = match (seen, present) {
        (Some(seen), Some(present)) => (seen, present),
        (None, None) => return Vec::new(),
        (None, Some(case)) => return vec![format!("case {} was begun", case.pseudonym)],
        (Some(_), None) => return vec!["the case was ended".to_owned()],
    };
    let mut lines = Vec::new();
    if seen.pseudonym != present.pseudonym {
        lines.push(format!("the case is another one now: {}", present.pseudonym));
    }
    let pairs = case_fields(seen).into_iter().zip(case_fields(present));
    for ((name, old), (_, new)) in pairs.filter(|((_, old), (_, new))| old != new) {
        lines.push(format!("{name} {old} -> {new}"));
    }
    lines
}

/// What became of a case: all of a new one, the differences of a changed one.
pub(crate) fn case_change_lines(before: &Treatment, after: &Treatment) -> Vec<String> {
    let same = |case: &Case| after.case.as_ref().is_some_and(|new| new.pseudonym == case.pseudonym);
    let mut lines = match &before.case {
        Some(case) if same(case) => case_differences(Some(case), after.case.as_ref()),
        Some(_) | None => case_lines(after.case.as_ref()),
    };
    if lines.is_empty() {
        lines.push("the case is as it was".to_owned());
    }
    let gaps = after.gaps.len();
    lines.push(format!("treatment version {}, {gaps} rules not evaluable", after.version));
    lines
}

/// What became of a limit: `flow.low is <224 mL/min (70 mL/kg/min), was 80 mL/kg/min; version 7`.
pub(crate) fn limit_change_text(before: &Limit, after: &Limit, version: u64) -> String {
    let number = limit_number_text(after, after.number);
    let limit = match limit_text(after) {
        Some(limit) => format!("{limit} ({number})"),
        None => format!("{number}, which makes no limit yet: see the rules that are not evaluable"),
    };
    let origin = if after.is_set { "" } else { " by the profile" };
    let was = limit_number_text(before, before.number);
    format!("{} is {limit}{origin}, was {was}; version {version}", after.rule)
}

/// What a limit would have done, in lines.
pub(crate) fn preview_lines(limit: &Limit, number: f32, preview: &Preview) -> Vec<String> {
    let times = |count| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    if preview.covered.is_zero() {
        return vec![format!("{}: no data is held yet to try a limit on", limit.rule)];
    }
    let mut lines = vec![
        format!(
            "{} at {} would have alarmed {} in {}",
            limit.rule,
            limit_number_text(limit, number),
            times(preview.would_alarm),
            age_text(preview.covered),
        ),
        format!(
            "{} at {} as in force: {}",
            limit.rule,
            limit_number_text(limit, limit.number),
            times(preview.in_force_alarms)
        ),
    ];
    if !preview.without_data.is_zero() {
        lines.push(format!("without data for {} of it", age_text(preview.without_data)));
    }
    if let (Some(lowest), Some(highest)) = (preview.lowest, preview.highest) {
        let text = |value| value_text(&limit.parameter, &preview.unit, value);
        lines.push(format!("{} was {} to {}", limit.parameter, text(lowest), text(highest)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::treatment::tests::{case, flow_low, treatment};
    use std::time::Duration;

    const NOW: GatewayTime = GatewayTime(20_000_000_000);

    #[test]
    fn what_happened_meanwhile_names_who_did_it_where_that_is_known() {
        let mut seen = treatment();
        seen.version = 6;
        seen.contexts[0].kind = ContextKind::Wean;
        seen.case = Some(Case { weight_kg: None, ..case() });
        assert_eq!(
            meanwhile_lines(6, Some(&seen), &treatment(), NOW),
            [
                "changed flow.low 80 -> 70 by Ann: weaning (at an unknown time, version 7)",
                "weight not entered -> 3.2 kg",
                "context CLAMP TRIAL by Ann since at an unknown time, 10 min 00 s left",
                "context WEAN ended",
            ]
        );
        assert_eq!(meanwhile_lines(7, Some(&treatment()), &treatment(), NOW), Vec::<String>::new());
        assert_eq!(meanwhile_lines(6, None, &treatment(), NOW).len(), 1);
        let other = Treatment {
            case: Some(Case { pseudonym: "neo-8".to_owned(), ..case() }),
            ..treatment()
        };
        let told = meanwhile_lines(7, Some(&treatment()), &other, NOW);
        assert_eq!(told, ["the case is another one now: neo-8"]);
    }

    #[test]
    fn a_change_is_told_with_what_was_there_before() {
        let profile = Limit { number: 80.0, is_set: false, limit: Some(256.0), ..flow_low() };
        let no_weight = Limit { limit: None, ..flow_low() };
        assert_eq!(
            limit_change_text(&profile, &flow_low(), 7),
            "flow.low is <224 mL/min (70 mL/kg/min), was 80 mL/kg/min; version 7"
        );
        assert_eq!(
            limit_change_text(&flow_low(), &profile, 8),
            "flow.low is <256 mL/min (80 mL/kg/min) by the profile, was 70 mL/kg/min; version 8"
        );
        let text = limit_change_text(&profile, &no_weight, 7);
        assert!(text.contains("70 mL/kg/min, which makes no limit yet"), "{text}");
        let mut before = treatment();
        before.case = Some(Case { weight_kg: None, ..case() });
        assert_eq!(
            case_change_lines(&before, &treatment()),
            ["weight not entered -> 3.2 kg", "treatment version 7, 3 rules not evaluable"]
        );
        before.case = None;
        assert_eq!(case_change_lines(&before, &treatment())[0], "case neo-7");
        let same = case_change_lines(&treatment(), &treatment());
        assert_eq!(same[0], "the case is as it was");
    }

    #[test]
    fn a_preview_tells_how_often_on_how_much_data() {
        let preview = Preview {
            would_alarm: 3,
            in_force_alarms: 1,
            covered: Duration::from_secs(1_800),
            without_data: Duration::from_secs(12),
            lowest: Some(190.0),
            highest: Some(412.0),
            unit: "mL/min".to_owned(),
        };
        assert_eq!(
            preview_lines(&flow_low(), 75.0, &preview),
            [
                "flow.low at 75 mL/kg/min would have alarmed 3 times in 30 min 00 s",
                "flow.low at 70 mL/kg/min as in force: once",
                "without data for 12 s of it",
                "flow.blood was 190 mL/min to 412 mL/min",
            ]
        );
        let none = Preview { covered: Duration::ZERO, ..preview };
        let text = ["flow.low: no data is held yet to try a limit on"];
        assert_eq!(preview_lines(&flow_low(), 75.0, &none), text);
    }
}
