//! A treatment in words: case, limits, contexts, what cannot be judged and why, and what changed. Pure.

use std::collections::BTreeMap;

use super::{condition_text, priority_label};
use crate::age::{GatewayTime, age_text};
use crate::clock::date_text;
use crate::format::{limit_value_text, number_of_people, table, unit_text};
use crate::model::{
    Case, Context, Gap, GapReason, Indication, Limit, LimitChange, Profile, PumpKind, Shelved,
    Side, Therapy, Treatment,
};

/// Changes shown of the history; JSON holds them all.
const CHANGES_SHOWN_MAX: usize = 10;

/// What must be known of every treatment: that nobody has signed its rules, that it is lost with a restart.
pub(crate) fn standing_lines(treatment: &Treatment) -> Vec<String> {
    let unsigned = treatment.is_unreviewed().then(|| unsigned_text(&treatment.profile));
    let not_durable = (!treatment.durable).then(|| NOT_DURABLE.to_owned());
    unsigned.into_iter().chain(not_durable).collect()
}

/// The whole treatment, line by line.
pub(crate) fn treatment_lines(treatment: &Treatment, now: GatewayTime) -> Vec<String> {
    let mut lines = vec![format!("{}  treatment version {}", treatment.name, treatment.version)];
    lines.extend(standing_lines(treatment));
    lines.push(profile_text(&treatment.profile));
    lines.extend(case_lines(treatment.case.as_ref()));
    lines.push(match treatment.membrane_baseline {
        Some(baseline) => {
            format!("membrane resistance when new: {} mmHg.min/L", number_of_people(baseline))
        }
        None => "membrane resistance when new: not known yet".to_owned(),
    });
    lines.extend(treatment.contexts.iter().map(|context| context_text(context, now)));
    lines.extend(treatment.shelved.iter().map(|shelved| shelved_text(shelved, now)));
    lines.push(String::new());
    lines.extend(table(&limit_rows(treatment)));
    lines.push(String::new());
    lines.extend(gap_lines(&treatment.gaps));
    lines.extend(history_lines(&treatment.changes));
    lines
}

/// What is lost when the gateway restarts.
const NOT_DURABLE: &str =
    "NOT DURABLE: what people have said here is lost when the gateway restarts";

/// That nobody has signed a profile.
pub(crate) fn unsigned_text(profile: &Profile) -> String {
    format!("UNREVIEWED rules: no clinician has signed profile {}", profile_name(profile))
}

fn profile_name(profile: &Profile) -> String {
    format!("{} version {}", profile.name, profile.version)
}

fn profile_text(profile: &Profile) -> String {
    let signed = profile.reviewed_by.as_deref();
    let signed = signed.map_or_else(String::new, |by| format!(", signed by {by}"));
    format!("profile {}{signed}, fingerprint {:016x}", profile_name(profile), profile.hash)
}

pub(super) fn case_lines(case: Option<&Case>) -> Vec<String> {
    let Some(case) = case else {
        return vec![
            "NO CASE: nobody has entered one; `ecmoctl case start WARD/PUMP --pseudonym .. --weight ..`"
                .to_owned(),
        ];
    };
    let mut lines = vec![format!("case {}", case.pseudonym)];
    lines
        .extend(case_fields(case).into_iter().map(|(name, value)| format!("  {name:<24} {value}")));
    lines
}

/// A number with its unit, or that nobody has entered it.
fn entered(value: Option<f32>, unit: &str) -> String {
    value.map_or_else(
        || "not entered".to_owned(),
        |value| format!("{} {}", number_of_people(value), unit_text(unit)),
    )
}

/// What a case holds beside its pseudonym, in the order in which it is asked for.
pub(super) fn case_fields(case: &Case) -> Vec<(&'static str, String)> {
    let word = |text: &str| if text.is_empty() { "not entered" } else { text }.to_owned();
    vec![
        ("weight", entered(case.weight_kg, "kg")),
        (
            "therapy",
            if case.therapy == Therapy::Unknown { word("") } else { case.therapy.to_string() },
        ),
        (
            "pump",
            match case.pump_kind {
                PumpKind::Unknown => "as the agent says".to_owned(),
                kind @ (PumpKind::Centrifugal | PumpKind::Roller) => kind.to_string(),
            },
        ),
        ("flow target", entered(case.flow_target, "mL/min")),
        ("oxygenator's least flow", entered(case.oxygenator_flow_min, "mL/min")),
        ("greatest speed", entered(case.speed_max, "{rev}/min")),
        ("drainage cannula", word(&case.drainage_cannula)),
        ("return cannula", word(&case.return_cannula)),
        ("oxygenator", word(&case.oxygenator)),
        (
            "circuit started",
            if case.circuit_start_wall_ns == 0 {
                word("")
            } else {
                date_text(case.circuit_start_wall_ns)
            },
        ),
        (
            "indication",
            if case.indication == Indication::Unknown {
                word("")
            } else {
                case.indication.to_string()
            },
        ),
    ]
}

/// A context with its author and the time left.
pub(crate) fn context_text(context: &Context, now: GatewayTime) -> String {
    format!(
        "context {} by {} since {}, {} left",
        context.kind.to_string().to_uppercase(),
        context.by,
        date_text(context.since_wall_ns),
        age_text(now.age_at(context.until))
    )
}

fn shelved_text(shelved: &Shelved, now: GatewayTime) -> String {
    let Shelved { condition, by, reason, until } = shelved;
    let left = age_text(now.age_at(*until));
    format!("shelved {condition} ({}) by {by}: {reason}, {left} left", condition_text(condition))
}

/// The number that a limit is made of, with its unit.
pub(crate) fn limit_number_text(limit: &Limit, number: f32) -> String {
    let number = number_of_people(number);
    match limit.number_unit.as_str() {
        "1" => format!("{number} (share)"),
        "{bool}" => "detector".to_owned(),
        "" => number,
        unit => format!("{number} {}", unit_text(unit)),
    }
}

/// The limit itself with its side: `<280 mL/min`; `None` while there is none.
pub(crate) fn limit_text(limit: &Limit) -> Option<String> {
    let sign = match limit.side {
        Some(Side::Below) => "<",
        Some(Side::Above) => ">",
        None => "",
    };
    let text = limit_value_text(&limit.unit, limit.limit?);
    Some(match limit.side {
        Some(Side::Below) if text.is_empty() => "when no".to_owned(),
        Some(Side::Above) | None if text.is_empty() => "when yes".to_owned(),
        Some(_) | None => format!("{sign}{text}"),
    })
}

/// Least and greatest number that may be set.
pub(crate) fn settable_text(limit: &Limit) -> String {
    limit.settable.map_or_else(
        || "fixed".to_owned(),
        |(low, high)| format!("{} to {}", number_of_people(low), number_of_people(high)),
    )
}

fn limit_rows(treatment: &Treatment) -> Vec<Vec<String>> {
    let head = ["RULE", "LIMIT", "MADE OF", "SET", "MAY BE SET", "PRIORITY", "DELAY"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let row = |limit: &Limit| {
        let has_gap = treatment.gaps.iter().any(|gap| gap.rule == limit.rule);
        let set = if limit.is_set {
            format!("SET, profile {}", number_of_people(limit.profile_number))
        } else {
            String::new()
        };
        vec![
            limit.rule.clone(),
            match limit_text(limit) {
                _ if has_gap => "NOT EVALUABLE".to_owned(),
                Some(text) => text,
                None => "follows another value".to_owned(),
            },
            limit_number_text(limit, limit.number),
            set,
            settable_text(limit),
            priority_label(limit.priority).trim_end().to_owned(),
            age_text(limit.delay),
        ]
    };
    rows.extend(treatment.limits.iter().map(row));
    rows
}

/// Why a rule cannot be judged, and what to do about it.
const fn gap_words(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Unknown => "for a reason that this display does not know",
        GapReason::NoWeight => "no weight entered (case change --weight)",
        GapReason::NoFlowTarget => "no flow target entered (case change --flow-target)",
        GapReason::NoOxygenatorMinimum => {
            "no least flow of the oxygenator entered (case change --oxygenator-flow-min)"
        }
        GapReason::NoSpeedMaximum => "no greatest speed entered (case change --speed-max)",
        GapReason::NoTherapy => "no therapy entered (case change --therapy)",
        GapReason::NoSensor => "no such sensor",
        GapReason::TooSlow => "the channel is too slow",
        GapReason::NoData => "no measurement now",
        GapReason::NoReference => "no reference yet: not steady for long enough",
    }
}

/// What cannot be judged, one line a reason.
pub(crate) fn gap_lines(gaps: &[Gap]) -> Vec<String> {
    let mut by_reason: BTreeMap<GapReason, Vec<String>> = BTreeMap::new();
    for gap in gaps {
        let parameter = gap.parameter.as_deref();
        let parameter = parameter.map_or_else(String::new, |parameter| format!(" ({parameter})"));
        by_reason.entry(gap.reason).or_default().push(format!("{}{parameter}", gap.rule));
    }
    let line = |(reason, rules): (GapReason, Vec<String>)| {
        format!("NOT EVALUABLE, {}: {}", gap_words(reason), rules.join(", "))
    };
    by_reason.into_iter().map(line).collect()
}

fn history_lines(changes: &[LimitChange]) -> Vec<String> {
    let mut lines: Vec<String> = changes.iter().take(CHANGES_SHOWN_MAX).map(change_text).collect();
    let more = changes.len().saturating_sub(CHANGES_SHOWN_MAX);
    if more > 0 {
        lines.push(format!("{more} older changes: --json"));
    }
    lines
}

/// A change of a limit: what, from, to, who, why, when.
pub(crate) fn change_text(change: &LimitChange) -> String {
    let LimitChange { rule, from, to, by, reason, wall_ns, version } = change;
    let (from, to) = (number_of_people(*from), number_of_people(*to));
    format!(
        "changed {rule} {from} -> {to} by {by}: {reason} ({}, version {version})",
        date_text(*wall_ns)
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{ContextKind, Priority, PumpName};
    use std::time::Duration;

    const NOW: GatewayTime = GatewayTime(20_000_000_000);

    /// A limit by weight.
    pub(crate) fn flow_low() -> Limit {
        Limit {
            rule: "flow.low".to_owned(),
            condition: "flow.low".to_owned(),
            parameter: "flow.blood".to_owned(),
            side: Some(Side::Below),
            number: 70.0,
            number_unit: "mL/kg/min".to_owned(),
            is_set: true,
            profile_number: 80.0,
            limit: Some(224.0),
            unit: "mL/min".to_owned(),
            settable: Some((60.0, 120.0)),
            priority: Priority::Medium,
            delay: Duration::from_secs(3),
        }
    }

    fn change() -> LimitChange {
        LimitChange {
            rule: "flow.low".to_owned(),
            from: 80.0,
            to: 70.0,
            by: "Ann".to_owned(),
            reason: "weaning".to_owned(),
            wall_ns: 0,
            version: 7,
        }
    }

    /// A case with a weight and a target.
    pub(crate) fn case() -> Case {
        Case {
            pseudonym: "neo-7".to_owned(),
            weight_kg: Some(3.2),
            pump_kind: PumpKind::Centrifugal,
            therapy: Therapy::VenoArterial,
            drainage_cannula: "12 Fr, right jugular".to_owned(),
            return_cannula: String::new(),
            oxygenator: String::new(),
            oxygenator_flow_min: None,
            flow_target: Some(360.0),
            speed_max: None,
            circuit_start_wall_ns: 0,
            indication: Indication::Pphn,
        }
    }

    fn gap(rule: &str, reason: GapReason, parameter: Option<&str>) -> Gap {
        Gap { rule: rule.to_owned(), reason, parameter: parameter.map(str::to_owned) }
    }

    /// A treatment with one of everything.
    pub(crate) fn treatment() -> Treatment {
        let mut fixed = flow_low();
        fixed.rule = "air.arterial".to_owned();
        fixed.is_set = false;
        fixed.settable = None;
        fixed.limit = None;
        let mut share = flow_low();
        share.rule = "flow.low#2".to_owned();
        (share.number, share.number_unit) = (0.8, "1".to_owned());
        share.is_set = false;
        Treatment {
            name: PumpName { ward: "nicu".to_owned(), pump: "pump-1".to_owned() },
            version: 7,
            case: Some(case()),
            limits: vec![flow_low(), share, fixed],
            contexts: vec![Context {
                kind: ContextKind::ClampTrial,
                by: "Ann".to_owned(),
                since_wall_ns: 0,
                until: GatewayTime(620_000_000_000),
            }],
            changes: vec![change()],
            gaps: vec![
                gap("temp.return.high", GapReason::NoSensor, Some("temp.return")),
                gap("flow.low#2", GapReason::NoFlowTarget, None),
                gap("heater.over", GapReason::NoSensor, Some("heater.water")),
            ],
            shelved: vec![Shelved {
                condition: "temp.return.low".to_owned(),
                by: "Ann".to_owned(),
                reason: "cooling".to_owned(),
                until: GatewayTime(50_000_000_000),
            }],
            profile: Profile {
                name: "neonatal-starter".to_owned(),
                version: 1,
                hash: 0xab,
                reviewed_by: None,
            },
            membrane_baseline: Some(12.5),
            durable: false,
        }
    }

    #[test]
    fn a_treatment_is_told_in_full() {
        let golden = "\
nicu/pump-1  treatment version 7
UNREVIEWED rules: no clinician has signed profile neonatal-starter version 1
NOT DURABLE: what people have said here is lost when the gateway restarts
profile neonatal-starter version 1, fingerprint 00000000000000ab
case neo-7
  weight                   3.2 kg
  therapy                  VA
  pump                     centrifugal
  flow target              360 mL/min
  oxygenator's least flow  not entered
  greatest speed           not entered
  drainage cannula         12 Fr, right jugular
  return cannula           not entered
  oxygenator               not entered
  circuit started          not entered
  indication               pphn
membrane resistance when new: 12.5 mmHg.min/L
context CLAMP TRIAL by Ann since at an unknown time, 10 min 00 s left
shelved temp.return.low (return temperature low) by Ann: cooling, 30 s left

RULE          LIMIT                  MADE OF       SET              MAY BE SET  PRIORITY  DELAY
flow.low      <224 mL/min            70 mL/kg/min  SET, profile 80  60 to 120   MED       3.0 s
flow.low#2    NOT EVALUABLE          0.8 (share)                    60 to 120   MED       3.0 s
air.arterial  follows another value  70 mL/kg/min                   fixed       MED       3.0 s

NOT EVALUABLE, no flow target entered (case change --flow-target): flow.low#2
NOT EVALUABLE, no such sensor: temp.return.high (temp.return), heater.over (heater.water)
changed flow.low 80 -> 70 by Ann: weaning (at an unknown time, version 7)";
        assert_eq!(treatment_lines(&treatment(), NOW).join("\n"), golden);
    }

    #[test]
    fn a_limit_keeps_its_decimals_and_a_detector_says_which_state_alarms() {
        let with = |unit: &str, side, limit| Limit {
            unit: unit.to_owned(),
            number_unit: unit.to_owned(),
            side: Some(side),
            limit: Some(limit),
            ..flow_low()
        };
        let detector = with("{bool}", Side::Above, 0.5);
        assert_eq!(limit_text(&with("mm[Hg]", Side::Below, -62.5)).unwrap(), "<-62.5 mmHg");
        assert_eq!(limit_text(&detector).unwrap(), "when yes");
        assert_eq!(limit_text(&with("{bool}", Side::Below, 0.5)).unwrap(), "when no");
        assert_eq!(limit_number_text(&detector, 0.5), "detector");
    }

    #[test]
    fn a_treatment_without_a_case_says_how_to_begin_one_and_a_signed_one_by_whom() {
        let mut signed = treatment();
        signed.case = None;
        signed.durable = true;
        signed.profile.reviewed_by = Some("Dr. B".to_owned());
        let text = treatment_lines(&signed, NOW).join("\n");
        assert!(text.contains("NO CASE: nobody has entered one; `ecmoctl case start"), "{text}");
        assert!(text.contains("version 1, signed by Dr. B, fingerprint"), "{text}");
        assert!(!text.contains("UNREVIEWED") && !text.contains("NOT DURABLE"), "{text}");
    }
}
