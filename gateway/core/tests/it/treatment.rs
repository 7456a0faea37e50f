//! What people say about a treatment: weight and limits take effect on the next frame, contexts expire, nothing stays silently quiet.

use std::time::Duration;

use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::occurrence::{Signal, Transition};
use ecmo_core::alarm::profile::{ContextSpec, Effect, Profile};
use ecmo_core::alarm::rule::{NotEvaluable, RuleKey, Side};
use ecmo_core::alarm::treatment::{Context, ContextKind, Override};
use ecmo_core::case::{PumpKind, Therapy};
use ecmo_core::parameter::Parameter::{AirVenous, FlowBlood, PressDrain, PumpSpeed};

use crate::bedside::{Bedside, Input, limits_only};

fn key(id: &str) -> RuleKey {
    RuleKey::from_id(id).unwrap_or_else(|| panic!("no rule {id}"))
}

fn gaps(bedside: &Bedside) -> Vec<(String, NotEvaluable)> {
    bedside.pump.not_evaluable().iter().map(|(key, why)| (key.to_string(), *why)).collect()
}

#[test]
fn a_weight_makes_the_indexed_limits_evaluable_and_alarms_follow() {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Value(FlowBlood, 230.0))], 20_000);
    assert!(gaps(&bedside).contains(&("flow.low".into(), NotEvaluable::NoWeight)));
    assert!(gaps(&bedside).contains(&("flow.low#2".into(), NotEvaluable::NoFlowTarget)));
    assert!(bedside.find("flow.low").is_none());
    bedside.play(
        &[(20_000, Input::Treat(|treatment, _| treatment.case.weight_kg = Some(3.0)))],
        30_000,
    );
    assert!(!gaps(&bedside).iter().any(|(rule, _)| rule == "flow.low"));
    // 80 mL/kg/min of 3 kg, held for 3 s from the first frame after the weight, less half of the mean's 0.4 s.
    let found = bedside.find("flow.low").unwrap();
    assert_eq!(found.limit.map(|(_, limit)| limit), Some(240.0));
    assert!(bedside.told().contains(&(22_800, "flow.low".into(), Transition::Raised)));
}

#[test]
fn what_has_no_sensor_is_said() {
    let bedside = {
        let mut bedside = Bedside::new();
        bedside.run_until(1_000);
        bedside
    };
    let gaps = gaps(&bedside);
    assert!(gaps.contains(&("air.venous".into(), NotEvaluable::NoSensor(AirVenous))));
    assert!(!gaps.iter().any(|(rule, _)| rule == "pump.stop"));
}

#[test]
fn a_limit_is_in_force_on_the_next_frame() {
    fn lower(
        treatment: &mut ecmo_core::alarm::treatment::Treatment,
        _now: ecmo_core::time::Instant,
    ) {
        treatment.version += 1;
        treatment.overrides = vec![Override { key: key("drain.low.warn"), number: -65.0 }];
    }
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Value(PressDrain, -58.0))], 10_000);
    assert_eq!(bedside.find("drain.low.warn").unwrap().limit, Some((Side::Below, -50.0)));
    bedside.play(&[(10_000, Input::Treat(lower))], 12_000);
    // Recovered by the new limit: it ends after its clear delay.
    assert!(bedside.find("drain.low.warn").is_none());
    bedside.play(&[(12_000, Input::Treat(|treatment, _| treatment.overrides.clear()))], 15_000);
    assert_eq!(bedside.find("drain.low.warn").unwrap().limit, Some((Side::Below, -50.0)));
}

#[test]
fn a_limit_that_moves_under_a_present_alarm_is_told() {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Value(PressDrain, -70.0))], 10_000);
    let before = bedside.find("drain.low.warn").unwrap().revision;
    bedside.apply(&Input::Treat(|treatment, _| {
        treatment.overrides = vec![Override { key: key("drain.low.warn"), number: -60.0 }];
    }));
    let found = bedside.find("drain.low.warn").unwrap();
    assert_eq!((found.limit.unwrap().1, found.revision), (-60.0, before + 1));
    assert_eq!(bedside.log.changes.last().unwrap().transition, Transition::RuleChanged);
}

/// A context that makes the drainage warning low and slow, and tries the same with the pump's stop.
fn profile() -> Profile {
    let effect = |condition, priority, delay| Effect {
        condition,
        priority: Some(priority),
        delay: Duration::from_secs(delay),
    };
    let spec = ContextSpec {
        kind: ContextKind::Suctioning,
        longest: Duration::from_mins(15),
        effects: vec![
            effect(Condition::DRAIN_LOW_WARN, Priority::Low, 10),
            effect(Condition::PUMP_STOP, Priority::Information, 3_600),
            effect(Condition::AIR_VENOUS, Priority::Low, 60),
        ],
    };
    Profile { contexts: vec![spec], ..limits_only() }
}

fn suction(treatment: &mut ecmo_core::alarm::treatment::Treatment, now: ecmo_core::time::Instant) {
    let until = now.plus(Duration::from_secs(60));
    treatment.contexts = vec![Context { kind: ContextKind::Suctioning, until }];
}

#[test]
fn a_context_lowers_and_lengthens_until_it_expires_by_itself() {
    let mut bedside = Bedside::with_profile(profile());
    bedside
        .play(&[(1_000, Input::Treat(suction)), (2_000, Input::Value(PressDrain, -60.0))], 60_000);
    let found = bedside.find("drain.low.warn").unwrap();
    assert_eq!(found.priority, Priority::Low);
    bedside.apply(&Input::Acknowledge("drain.low.warn"));
    bedside.run_until(61_500);
    let found = bedside.find("drain.low.warn").unwrap();
    assert_eq!((found.priority, found.signal()), (Priority::Medium, Signal::On));
    assert!(bedside.told().contains(&(61_000, "drain.low.warn".into(), Transition::Worsened)));
    assert!(bedside.pump.treatment().contexts.is_empty());
}

#[test]
fn a_context_never_disables_what_is_protected() {
    let mut bedside = Bedside::with_profile(profile());
    bedside.play(&[(1_000, Input::Treat(suction)), (2_000, Input::Value(PumpSpeed, 0.0))], 10_000);
    let found = bedside.find("pump.stop").unwrap();
    assert_eq!(found.priority, Priority::Medium);
    // Its own 0.3 s and at most 3 s of grace.
    assert!(bedside.told().contains(&(5_300, "pump.stop".into(), Transition::Raised)));
}

#[test]
fn a_context_that_begins_under_a_present_alarm_lowers_it_without_ending_it() {
    let mut bedside = Bedside::with_profile(profile());
    bedside
        .play(&[(1_000, Input::Value(PressDrain, -60.0)), (10_000, Input::Treat(suction))], 11_000);
    let found = bedside.find("drain.low.warn").unwrap();
    assert_eq!((found.priority, found.present), (Priority::Low, true));
}

#[test]
fn another_patient_forgets_that_the_pump_ran() {
    let mut bedside = Bedside::new();
    let standing = [
        (2_000, Input::Value(PumpSpeed, 0.0)),
        (2_000, Input::Value(ecmo_core::parameter::Parameter::PumpSpeedSet, 0.0)),
    ];
    bedside.play(&standing, 5_000);
    assert!(bedside.find("pump.stop").is_some(), "nobody said that it may stand");
    bedside.apply(&Input::Acknowledge("pump.stop"));
    bedside.play(
        &[
            (6_000, Input::Treat(|treatment, _| treatment.patient += 1)),
            (7_000, Input::Value(PumpSpeed, 200.0)),
            (7_500, Input::Value(PumpSpeed, 0.0)),
        ],
        9_000,
    );
    assert_eq!(bedside.pump.state(), ecmo_core::pump::PumpState::Standby);
}

#[test]
fn rules_are_keyed_by_pump_kind_and_therapy() {
    let mut bedside = Bedside::with_profile(ecmo_profile::starter());
    bedside.run_until(1_000);
    assert!(gaps(&bedside).contains(&("recirculation".into(), NotEvaluable::NoTherapy)));
    let has = |bedside: &Bedside, id: &str| {
        let rules = bedside.pump.rules();
        let wanted = key(id);
        rules.limits().iter().any(|rule| rule.key == wanted)
            || rules.composites().iter().any(|rule| rule.key == wanted)
    };
    for (kind, therapy, recirculation, pulse) in [
        (PumpKind::Centrifugal, Therapy::VenoVenous, true, false),
        (PumpKind::Roller, Therapy::VenoArterial, false, true),
    ] {
        let mut treatment = bedside.pump.treatment().clone();
        treatment.case.pump_kind = Some(kind);
        treatment.case.therapy = Some(therapy);
        let now = bedside.now();
        bedside.pump.set_treatment(treatment, now, &mut bedside.log);
        assert_eq!(has(&bedside, "recirculation"), recirculation, "{therapy:?}");
        assert_eq!(has(&bedside, "pulse.low"), pulse, "{therapy:?}");
    }
}

#[test]
fn a_weight_that_is_taken_back_leaves_the_alarm_as_last_known() {
    let mut bedside = Bedside::new();
    bedside.play(
        &[
            (1_000, Input::Treat(|treatment, _| treatment.case.weight_kg = Some(3.0))),
            (2_000, Input::Value(FlowBlood, 200.0)),
            (10_000, Input::Treat(|treatment, _| treatment.case.weight_kg = None)),
        ],
        20_000,
    );
    let found = bedside.find("flow.low").expect("what cannot be judged any more has not ended");
    assert!(found.present && found.last_known);
    // Known again, and recovered: it ends.
    bedside.play(
        &[
            (20_000, Input::Treat(|treatment, _| treatment.case.weight_kg = Some(3.0))),
            (21_000, Input::Value(FlowBlood, 400.0)),
        ],
        30_000,
    );
    assert!(bedside.find("flow.low").is_none());
}

#[test]
fn a_pump_that_stands_after_a_restart_of_the_reader_is_told() {
    let mut bedside = Bedside::new();
    let mut treatment = bedside.pump.treatment().clone();
    treatment.patient = 1;
    let now = bedside.now();
    bedside.pump.restore_treatment(treatment, now, &mut bedside.log);
    let set = ecmo_core::parameter::Parameter::PumpSpeedSet;
    bedside.play(&[(0, Input::Value(PumpSpeed, 0.0)), (0, Input::Value(set, 0.0))], 2_000);
    assert!(bedside.find("pump.stop").is_some());
}
