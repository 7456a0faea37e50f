//! The starter profile holds the starter table of the clinical reference: every condition, as it stands there.

use std::time::Duration;

use ecmo_core::alarm::composite::{
    AirEntrainment, BleedingTrend, Chatter, Clotting, Composite, Depleting, Disconnection,
    DrainObstruction, GasFailure, NoFlow, PostFall, PulseLow, Recirculation, ReturnObstruction,
};
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::condition::Priority::{self, High, Information, Low, Medium};
use ecmo_core::alarm::profile::Bound::{Absolute, OfCase, OfParameter, PerKg};
use ecmo_core::alarm::profile::{Bound, CaseNumber};
use ecmo_core::alarm::rule::Side::{Above, Below};
use ecmo_core::alarm::rule::{Gate, Measure, RuleKey, Side};
use ecmo_core::alarm::treatment::{ContextKind, Treatment};
use ecmo_core::case::{Case, PumpKind, Therapy};
use ecmo_core::parameter::Parameter;
use ecmo_profile::{STARTER, parse, starter};

const FLOW_TARGET: CaseNumber = CaseNumber::FlowTarget;
const DETECTED: Bound = Absolute(0.5);

/// Section 2.2: rule, side, limit, delay in ms, priority, latching.
#[rustfmt::skip]
const LIMITS: &[(&str, Side, Bound, u64, Priority, bool)] = &[
    ("flow.low", Below, PerKg { per_kg: 80.0, and: None }, 3_000, Medium, false),
    ("flow.low#2", Below, OfCase(FLOW_TARGET, 0.8), 3_000, Medium, false),
    ("flow.very_low", Below, OfCase(FLOW_TARGET, 0.5), 1_000, High, false),
    ("flow.high", Above, PerKg { per_kg: 180.0, and: None }, 5_000, Medium, false),
    ("flow.retrograde", Below, PerKg { per_kg: -5.0, and: Some(-20.0) }, 500, High, true),
    ("flow.min_oxygenator", Below, OfCase(CaseNumber::OxygenatorFlowMin, 1.0), 60_000, Low, false),
    ("pump.stop", Below, Absolute(100.0), 300, High, true),
    ("pump.stop#3", Below, Absolute(2.0), 300, High, true),
    ("pump.speed.high", Above, OfCase(CaseNumber::SpeedMax, 1.0), 2_000, Medium, false),
    ("drain.low.warn", Below, Absolute(-50.0), 2_000, Medium, false),
    ("drain.low.alarm", Below, Absolute(-75.0), 1_000, High, false),
    ("drain.high", Above, Absolute(20.0), 2_000, High, false),
    ("drain.high#2", Above, Absolute(-2.0), 2_000, High, false),
    ("pre.high.warn", Above, Absolute(250.0), 1_000, Medium, false),
    ("pre.high.alarm", Above, Absolute(350.0), 500, High, false),
    ("post.high.warn", Above, Absolute(200.0), 1_000, Medium, false),
    ("post.high.alarm", Above, Absolute(300.0), 500, High, false),
    ("delta.high", Above, Absolute(30.0), 30_000, Low, false),
    ("delta.high#2", Above, Absolute(50.0), 30_000, Medium, false),
    ("air.arterial", Above, DETECTED, 0, High, true),
    ("air.venous", Above, DETECTED, 0, High, true),
    ("level.low", Above, DETECTED, 500, High, false),
    ("sat.drain.low", Below, Absolute(65.0), 20_000, Low, false),
    ("sat.drain.low#2", Below, Absolute(60.0), 20_000, Medium, false),
    ("sat.post.low", Below, Absolute(95.0), 15_000, High, false),
    ("gas.sweep.low", Below, OfParameter(Parameter::GasSweepSet, 0.5), 3_000, High, false),
    ("gas.sweep.low#2", Below, Absolute(50.0), 3_000, High, false),
    ("gas.fdo2.dev", Above, Absolute(5.0), 10_000, Medium, false),
    ("temp.return.high", Above, Absolute(38.5), 30_000, Medium, false),
    ("temp.return.low", Below, Absolute(35.0), 30_000, Medium, false),
    ("heater.over", Above, Absolute(40.5), 5_000, High, false),
    ("power.mains_lost", Below, DETECTED, 2_000, Medium, false),
    ("battery.low", Below, Absolute(30.0), 5_000, Medium, false),
    ("battery.low#2", Below, Absolute(30.0), 5_000, Medium, false),
    ("battery.critical", Below, Absolute(10.0), 5_000, High, false),
    ("battery.critical#2", Below, Absolute(10.0), 5_000, High, false),
];

/// Section 2.4: rule, hold in ms, priority, latching.
const COMPOSITES: &[(&str, u64, Priority, bool)] = &[
    ("pump.stop#2", 500, High, true),
    ("circuit.disconnection", 400, High, true),
    ("post.low", 500, High, true),
    ("return.obstruction", 2_000, Medium, false),
    ("drain.obstruction", 3_000, Medium, false),
    ("oxygenator.clotting", 0, Low, false),
    ("drain.chatter", 3_000, Medium, false),
    ("air.suspected", 300, Medium, true),
    ("recirculation", 60_000, Medium, false),
    ("gas.failure", 0, High, false),
    ("power.depleting", 5_000, High, false),
    ("bleeding.trend", 60_000, Information, false),
    ("pulse.low", 25_000, Information, false),
];

fn key(id: &str) -> RuleKey {
    RuleKey::from_id(id).expect("the table names rules that exist")
}

#[test]
fn the_limits_are_those_of_the_reference() {
    let profile = starter();
    assert_eq!(profile.limits.len(), LIMITS.len());
    for (id, side, bound, delay_ms, priority, latching) in LIMITS {
        let spec = profile.limit(key(id)).unwrap_or_else(|| panic!("{id} is missing"));
        let rule = &spec.rule;
        let delay = Duration::from_millis(*delay_ms);
        assert_eq!((rule.side, spec.bound, rule.delay), (*side, *bound, delay), "{id}");
        assert_eq!((rule.priority, rule.latching), (*priority, *latching), "{id}");
    }
}

/// Section 2.2, column "clear": rule, hysteresis, its share of the limit, clear delay in s where it is given.
const CLEARS: &[(&str, f32, f32, Option<u64>)] = &[
    ("flow.low", 0.0, 0.05, Some(5)),
    ("flow.low#2", 0.0, 0.05, Some(5)),
    ("flow.very_low", 0.0, 0.1, Some(5)),
    ("flow.retrograde", 1.0, 1.0, Some(3)),
    ("drain.low.warn", 5.0, 0.0, None),
    ("drain.low.alarm", 5.0, 0.0, None),
    ("pre.high.warn", 10.0, 0.0, None),
    ("pre.high.alarm", 10.0, 0.0, None),
    ("post.high.warn", 10.0, 0.0, None),
    ("post.high.alarm", 10.0, 0.0, None),
    ("delta.high", 3.0, 0.0, None),
    ("delta.high#2", 3.0, 0.0, None),
    ("sat.drain.low", 2.0, 0.0, None),
    ("sat.drain.low#2", 2.0, 0.0, None),
    ("sat.post.low", 1.0, 0.0, None),
    ("temp.return.high", 0.3, 0.0, None),
    ("temp.return.low", 0.3, 0.0, None),
];

#[test]
fn conditions_end_as_the_reference_says() {
    let profile = starter();
    for (id, hysteresis, share, clear_s) in CLEARS {
        let rule = &profile.limit(key(id)).unwrap().rule;
        assert_eq!((rule.hysteresis, rule.hysteresis_share), (*hysteresis, *share), "{id}");
        if let Some(clear_s) = clear_s {
            assert_eq!(rule.clear_delay, Duration::from_secs(*clear_s), "{id}");
        }
    }
}

#[test]
fn rules_are_judged_when_and_where_they_mean_something() {
    let profile = starter();
    for spec in &profile.limits {
        let rule = &spec.rule;
        let id = rule.key.to_string();
        // The drainage pressure as the reference asks; flow over one beat of the heart, our own.
        let of = |parameter, millis| if rule.parameter == parameter { millis } else { 0 };
        let millis = of(Parameter::PressDrain, 1_000) + of(Parameter::FlowBlood, 400);
        let average = Duration::from_millis(millis);
        assert_eq!(rule.average, average, "{id}");
        let cumulative = id == "flow.min_oxygenator";
        assert_eq!(rule.cumulative, cumulative, "{id}");
        let centrifugal = ["pump.stop", "drain.high#2"].contains(&id.as_str());
        let pump_kind = centrifugal.then_some(PumpKind::Centrifugal);
        assert_eq!((spec.applies.pump_kind, spec.applies.therapy), (pump_kind, None), "{id}");
        let deviation = id == "gas.fdo2.dev";
        let measure =
            if deviation { Measure::DistanceFrom(Parameter::GasFdo2Set) } else { Measure::Value };
        assert_eq!(rule.measure, measure, "{id}");
    }
    let gate = |id| profile.limit(key(id)).unwrap().rule.gate;
    assert_eq!(gate("drain.high#2"), Gate::FasterThan(1_000.0));
    assert_eq!(gate("pump.stop"), Gate::MeantToRun);
    for id in ["flow.retrograde", "air.arterial", "air.venous", "level.low", "power.mains_lost"] {
        assert_eq!(gate(id), Gate::Always, "{id}");
    }
    for spec in &profile.composites {
        let therapy = match spec.rule.key.to_string().as_str() {
            "recirculation" => Some(Therapy::VenoVenous),
            "pulse.low" => Some(Therapy::VenoArterial),
            _ => None,
        };
        assert_eq!((spec.applies.pump_kind, spec.applies.therapy), (None, therapy));
    }
}

#[test]
fn the_composites_are_those_of_the_reference() {
    let profile = starter();
    assert_eq!(profile.composites.len(), COMPOSITES.len());
    for (id, hold_ms, priority, latching) in COMPOSITES {
        let found = profile.composites.iter().find(|spec| spec.rule.key == key(id));
        let rule = &found.unwrap_or_else(|| panic!("{id} is missing")).rule;
        assert_eq!(rule.hold, Duration::from_millis(*hold_ms), "{id}");
        assert_eq!((rule.priority, rule.latching), (*priority, *latching), "{id}");
        assert_eq!(rule.composite, of_reference(rule.key.condition), "{id}");
    }
}

/// The thresholds that the core takes from the reference.
fn of_reference(condition: Condition) -> Composite {
    [
        (Condition::PUMP_STOP, Composite::PumpNoFlow(NoFlow::default())),
        (Condition::CIRCUIT_DISCONNECTION, Composite::Disconnection(Disconnection::default())),
        (Condition::POST_LOW, Composite::PostFall(PostFall::default())),
        (Condition::RETURN_OBSTRUCTION, Composite::ReturnObstruction(ReturnObstruction::default())),
        (Condition::DRAIN_OBSTRUCTION, Composite::DrainObstruction(DrainObstruction::default())),
        (Condition::OXYGENATOR_CLOTTING, Composite::Clotting(Clotting::default())),
        (Condition::DRAIN_CHATTER, Composite::Chatter(Chatter::default())),
        (Condition::AIR_SUSPECTED, Composite::AirEntrainment(AirEntrainment::default())),
        (Condition::RECIRCULATION, Composite::Recirculation(Recirculation::default())),
        (Condition::GAS_FAILURE, Composite::GasFailure(GasFailure::default())),
        (Condition::POWER_DEPLETING, Composite::Depleting(Depleting::default())),
        (Condition::BLEEDING_TREND, Composite::BleedingTrend(BleedingTrend::default())),
        (Condition::PULSE_LOW, Composite::PulseLow(PulseLow::default())),
    ]
    .into_iter()
    .find_map(|(one, composite)| (one == condition).then_some(composite))
    .expect("every composite has its numbers in the reference")
}

#[test]
fn it_is_unreviewed_and_known_by_its_text() {
    let profile = starter();
    assert_eq!((profile.name.as_str(), profile.version), ("neonatal starter", 1));
    assert_eq!(profile.reviewed_by, None);
    assert!(profile.resolve(&Treatment::default()).unreviewed);
    let signature = "N. N., perfusionist, 2026-01-31";
    let example = STARTER.replace("# reviewed_by = ", "reviewed_by = ");
    assert!(
        parse(&example).unwrap_err().to_string().contains("reviewed_by: is the example; write")
    );
    let signed = parse(&example.replace("name, role, date", signature)).unwrap();
    assert_eq!(signed.reviewed_by.as_deref(), Some(signature));
    assert!(!signed.resolve(&Treatment::default()).unreviewed);
    assert_ne!(signed.hash, profile.hash);
    assert_eq!(starter(), profile);
}

#[test]
fn times_of_silence_signals_and_sensors_are_those_of_the_reference() {
    let profile = starter();
    let ms = Duration::from_millis;
    let silence = profile.silence;
    assert_eq!((silence.frame, silence.frame_after_hint), (ms(800), ms(200)));
    assert_eq!((silence.frame_clear, silence.console), (ms(2_000), ms(2_000)));
    assert_eq!((silence.channel, silence.channel_missing), (ms(2_000), ms(1_000)));
    assert_eq!((silence.channel_clear, silence.calibrating), (ms(1_000), ms(60_000)));
    assert_eq!(silence.duplicate_clear, ms(10_000));
    assert_eq!((silence.skew, silence.skew_delay), ((ms(250), ms(1_000)), ms(30_000)));
    let signals = profile.signals;
    assert_eq!((signals.pause_max, signals.group_window), (ms(120_000), ms(5_000)));
    for vital in [
        Parameter::FlowBlood,
        Parameter::PressPre,
        Parameter::PressPost,
        Parameter::AirBubble,
        Parameter::AirVenous,
    ] {
        assert_eq!(profile.sensors.priority(vital), High);
    }
    assert_eq!(profile.sensors.priority(Parameter::TempReturn), Medium);
}

#[test]
fn retrograde_flow_ends_only_above_zero_at_every_weight() {
    let spec = starter().limit(key("flow.retrograde")).unwrap().clone();
    for kg in [0.3_f32, 2.0, 4.0, 5.0, 10.0] {
        let limit = (-5.0 * kg).min(-20.0);
        let distance = spec.rule.hysteresis + spec.rule.hysteresis_share * limit.abs();
        assert!(!spec.rule.side.is_recovered(0.0, limit, distance), "{kg} kg");
        assert!(spec.rule.side.is_recovered(1.0, limit, distance), "{kg} kg");
    }
}

#[test]
fn a_full_case_leaves_no_rule_unjudged_and_an_empty_one_judges_what_nothing_may_hide() {
    let profile = starter();
    for pump_kind in PumpKind::ALL {
        for therapy in Therapy::ALL {
            let case = Case {
                pump_kind: Some(pump_kind),
                therapy: Some(therapy),
                weight_kg: Some(3.2),
                flow_target: Some(360.0),
                oxygenator_flow_min: Some(250.0),
                speed_max: Some(4_000.0),
            };
            let rules = profile.resolve(&Treatment { case, ..Treatment::default() });
            assert_eq!(rules.not_evaluable, Vec::new(), "{pump_kind:?} {therapy:?}");
        }
    }
    let rules = profile.resolve(&Treatment::default());
    let judged: Vec<Condition> = rules
        .limits()
        .iter()
        .map(|rule| rule.key.condition)
        .chain(rules.composites().iter().map(|rule| rule.key.condition))
        .collect();
    for condition in [
        Condition::PUMP_STOP,
        Condition::CIRCUIT_DISCONNECTION,
        Condition::POST_LOW,
        Condition::AIR_ARTERIAL,
        Condition::AIR_VENOUS,
        Condition::AIR_SUSPECTED,
    ] {
        assert!(judged.contains(&condition), "{condition}");
    }
}

#[test]
fn causes_lead_their_consequences_and_every_context_is_there() {
    let profile = starter();
    let rules = profile.resolve(&Treatment::default());
    for (leader, follower) in [
        (Condition::PUMP_STOP, Condition::FLOW_LOW),
        (Condition::CIRCUIT_DISCONNECTION, Condition::FLOW_VERY_LOW),
        (Condition::AIR_ARTERIAL, Condition::SAT_POST_LOW),
        (Condition::AIR_SUSPECTED, Condition::FLOW_LOW),
        (Condition::COMM_CONSOLE_SILENT, Condition::sensor_fault(Parameter::PressAux)),
    ] {
        assert!(rules.follows(follower, leader), "{follower} after {leader}");
    }
    assert!(!rules.follows(Condition::FLOW_VERY_LOW, Condition::AIR_SUSPECTED));
    assert!(!rules.follows(Condition::AIR_ARTERIAL, Condition::PUMP_STOP));
    for kind in ContextKind::ALL {
        assert!(profile.context(kind).is_some(), "{}", kind.id());
    }
}
