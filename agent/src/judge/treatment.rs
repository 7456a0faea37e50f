//! The treatment that comes with the lease, as the core knows it.

use core::time::Duration;

use ecmo_core::alarm::rule::RuleKey;
use ecmo_core::alarm::treatment::{Context, ContextKind, Override, Treatment};
use ecmo_core::case::{Case, PumpKind, Therapy};
use ecmo_core::time::Instant;
use ecmo_proto::v1::{self, LeasedTreatment};

/// Contexts whose end moved by less than this have not changed: a message takes its time on the way.
const END_TOLERANCE: Duration = Duration::from_secs(1);

/// A treatment as the core knows it. What this agent does not know (a rule or context of a newer gateway) is left out: a limit that
/// is not raised or a context that is not softened alarms rather too much.
#[must_use]
pub fn treatment(leased: &LeasedTreatment, now: Instant) -> Treatment {
    let limit = |limit: &v1::LeasedLimit| {
        let number = Some(limit.number).filter(|number| number.is_finite())?;
        Some(Override { key: RuleKey::from_id(&limit.rule)?, number })
    };
    let context = |context: &v1::LeasedContext| {
        let until = now.plus(Duration::from_millis(context.left_ms));
        Some(Context { kind: context_kind(context.kind())?, until })
    };
    Treatment {
        version: leased.version,
        patient: leased.patient,
        case: leased.case.as_ref().map(case).unwrap_or_default(),
        circuit: leased.circuit,
        membrane_baseline: finite(leased.membrane_baseline),
        overrides: leased.limits.iter().filter_map(limit).collect(),
        contexts: leased.contexts.iter().filter_map(context).collect(),
    }
}

/// Whether two treatments lead to the same rules: everything equal, and contexts that end at about the same time.
#[must_use]
pub fn is_same(one: &Treatment, other: &Treatment) -> bool {
    let bare = |of: &Treatment| Treatment { contexts: Vec::new(), ..of.clone() };
    let ends_alike = |(one, other): (&Context, &Context)| {
        let apart = one.until.since(other.until).max(other.until.since(one.until));
        one.kind == other.kind && apart < END_TOLERANCE
    };
    bare(one) == bare(other)
        && one.contexts.len() == other.contexts.len()
        && one.contexts.iter().zip(&other.contexts).all(ends_alike)
}

fn finite(number: Option<f32>) -> Option<f32> {
    number.filter(|number| number.is_finite())
}

fn case(case: &v1::Case) -> Case {
    Case {
        pump_kind: match case.pump_kind() {
            v1::PumpKind::Unspecified => None,
            v1::PumpKind::Centrifugal => Some(PumpKind::Centrifugal),
            v1::PumpKind::Roller => Some(PumpKind::Roller),
        },
        therapy: match case.therapy() {
            v1::Therapy::Unspecified => None,
            v1::Therapy::VenoArterial => Some(Therapy::VenoArterial),
            v1::Therapy::VenoVenous => Some(Therapy::VenoVenous),
        },
        weight_kg: finite(case.weight_kg),
        flow_target: finite(case.flow_target),
        oxygenator_flow_min: finite(case.oxygenator_flow_min),
        speed_max: finite(case.speed_max),
    }
}

const fn context_kind(kind: v1::ContextKind) -> Option<ContextKind> {
    match kind {
        v1::ContextKind::Unspecified => None,
        v1::ContextKind::Priming => Some(ContextKind::Priming),
        v1::ContextKind::Cannulation => Some(ContextKind::Cannulation),
        v1::ContextKind::ClampTrial => Some(ContextKind::ClampTrial),
        v1::ContextKind::Wean => Some(ContextKind::Wean),
        v1::ContextKind::CircuitChange => Some(ContextKind::CircuitChange),
        v1::ContextKind::Transport => Some(ContextKind::Transport),
        v1::ContextKind::Suctioning => Some(ContextKind::Suctioning),
        v1::ContextKind::Zeroing => Some(ContextKind::Zeroing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leased() -> LeasedTreatment {
        LeasedTreatment {
            version: 4,
            patient: 2,
            circuit: 1,
            case: Some(v1::Case {
                weight_kg: Some(3.2),
                therapy: v1::Therapy::VenoVenous.into(),
                flow_target: Some(f32::NAN),
                ..v1::Case::default()
            }),
            membrane_baseline: Some(12.0),
            limits: vec![
                v1::LeasedLimit { rule: "flow.low#2".to_owned(), number: 80.0 },
                v1::LeasedLimit { rule: "of.a.newer.gateway".to_owned(), number: 1.0 },
            ],
            contexts: vec![v1::LeasedContext { kind: v1::ContextKind::Wean.into(), left_ms: 500 }],
        }
    }

    #[test]
    fn everything_that_rules_need_is_read_and_nothing_that_is_unknown() {
        let read = treatment(&leased(), Instant::from_millis(1_000));
        assert_eq!((read.version, read.patient, read.circuit), (4, 2, 1));
        assert_eq!(read.case.weight_kg, Some(3.2));
        assert_eq!(read.case.therapy, Some(Therapy::VenoVenous));
        assert_eq!((read.case.flow_target, read.case.pump_kind), (None, None));
        let key = RuleKey::from_id("flow.low#2").unwrap();
        assert_eq!(read.overrides, [Override { key, number: 80.0 }]);
        let until = Instant::from_millis(1_500);
        assert_eq!(read.contexts, [Context { kind: ContextKind::Wean, until }]);
    }

    #[test]
    fn a_lease_that_only_came_later_changes_nothing() {
        let read = |left_ms, at| {
            let contexts = vec![v1::LeasedContext { left_ms, ..leased().contexts[0] }];
            treatment(&LeasedTreatment { contexts, ..leased() }, Instant::from_millis(at))
        };
        let first = read(60_000, 1_000);
        assert!(is_same(&first, &read(59_500, 1_700)));
        assert!(!is_same(&first, &read(30_000, 1_500)), "it was shortened");
        assert!(!is_same(&first, &Treatment { contexts: Vec::new(), ..first.clone() }));
        assert!(!is_same(&first, &Treatment { version: 5, ..first.clone() }));
    }
}
