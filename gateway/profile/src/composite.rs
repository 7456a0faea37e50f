//! One `[[composite]]`: the condition says which signs are looked for, and every threshold of them is there by name.

use std::time::Duration;

use ecmo_core::alarm::composite::{
    AirEntrainment, BleedingTrend, Chatter, Clotting, Composite, Depleting, Disconnection,
    DrainObstruction, GasFailure, NoFlow, PostFall, PulseLow, Recirculation, ReturnObstruction,
};
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::profile::CompositeSpec;
use ecmo_core::alarm::rule::CompositeRule;

use crate::error::Problems;
use crate::head::{Head, Placed};
use crate::reader::Table;

/// A number or a time that a profile sets.
trait Threshold: Copy {
    /// Reads it; the range is in the unit of its key.
    fn read(
        key: &'static str,
        range: (f32, f32),
        table: &mut Table<'_>,
        problems: &mut Problems,
    ) -> Option<Self>;

    /// As it is written in a profile.
    fn text(self, key: &str) -> String;
}

impl Threshold for f32 {
    fn read(
        key: &'static str,
        (least, most): (f32, f32),
        table: &mut Table<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        table.required(key, problems)?.number_within(least, most, problems)
    }

    fn text(self, _key: &str) -> String {
        self.to_string()
    }
}

impl Threshold for Duration {
    fn read(
        key: &'static str,
        (least, most): (f32, f32),
        table: &mut Table<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let (unit, unit_s) = unit(key);
        let range = [least, most].map(|bound| Self::from_secs_f64(f64::from(bound) * unit_s));
        table.required(key, problems)?.duration((unit, unit_s), range.into(), problems)
    }

    fn text(self, key: &str) -> String {
        (self.as_secs_f64() / unit(key).1).to_string()
    }
}

/// The unit that the key of a time ends with, and how many seconds it has.
fn unit(key: &str) -> (&'static str, f64) {
    match key.rsplit('_').next() {
        Some("h") => ("h", 3_600.0),
        Some("min") => ("min", 60.0),
        _ => ("s", 1.0),
    }
}

/// Declares for each condition its composite, and for each field its key and range: wide enough for every site, too
/// narrow for a number with which the rule would never raise.
macro_rules! composites {
    ($($condition:ident: $kind:ident($thresholds:ident) { $($field:ident: $key:literal, $least:literal, $most:literal;)* })*) => {
        /// Conditions that have a composite.
        const WITH_COMPOSITE: &[Condition] = &[$(Condition::$condition,)*];

        /// Reads the thresholds of a condition's composite; `None` when one has a problem.
        fn thresholds(
            condition: Condition,
            table: &mut Table<'_>,
            problems: &mut Problems,
        ) -> Option<Composite> {
            $(if condition == Condition::$condition {
                $(let $field = Threshold::read($key, ($least, $most), table, problems);)*
                return Some(Composite::$kind($thresholds { $($field: $field?,)* }));
            })*
            None
        }

        /// Every threshold of a composite with its key, as a profile has them.
        fn written(composite: &Composite) -> Vec<(&'static str, String)> {
            match composite {
                $(Composite::$kind(given) => vec![$(($key, given.$field.text($key)),)*],)*
            }
        }
    };
}

composites! {
    PUMP_STOP: PumpNoFlow(NoFlow) {
        flow_min: "flow_min_ml_min", 5.0, 100.0;
        flow_share: "flow_share", 0.02, 0.5;
        delta_max: "delta_max_mmhg", 0.5, 20.0;
        head_share: "head_share", 0.05, 0.5;
    }
    CIRCUIT_DISCONNECTION: Disconnection(Disconnection) {
        fall_share: "fall_share", 0.1, 0.7;
        fall_min: "fall_min_mmhg", 5.0, 100.0;
        flow_share: "flow_share", 0.5, 1.0;
        resistance_fall: "resistance_fall_share", 0.1, 0.8;
        flow_fall: "flow_fall_share", 0.1, 0.7;
        drain_near: "drain_near_mmhg", 1.0, 20.0;
        drain_from: "drain_from_mmhg", -50.0, -2.0;
        current_fall: "current_fall_share", 0.05, 0.7;
        speed_steady: "speed_steady_share", 0.005, 0.1;
        speed_pause: "speed_pause_s", 0.5, 5.0;
    }
    POST_LOW: PostFall(PostFall) {
        fall_share: "fall_share", 0.1, 0.7;
        fall_min: "fall_min_mmhg", 5.0, 100.0;
        speed_steady: "speed_steady_share", 0.005, 0.1;
        speed_pause: "speed_pause_s", 0.5, 5.0;
    }
    RETURN_OBSTRUCTION: ReturnObstruction(ReturnObstruction) {
        resistance_ratio: "resistance_ratio", 1.1, 5.0;
        rise_min: "rise_min_mmhg", 5.0, 150.0;
        flow_fall: "flow_fall_share", 0.0, 0.5;
        post_high: "post_high_mmhg", 100.0, 400.0;
        speed_steady: "speed_steady_share", 0.005, 0.1;
        speed_pause: "speed_pause_s", 0.5, 5.0;
    }
    DRAIN_OBSTRUCTION: DrainObstruction(DrainObstruction) {
        fall_min: "fall_min_mmhg", 3.0, 100.0;
        flow_fall: "flow_fall_share", 0.01, 0.5;
        speed_steady: "speed_steady_share", 0.005, 0.1;
        speed_pause: "speed_pause_s", 0.5, 5.0;
    }
    OXYGENATOR_CLOTTING: Clotting(Clotting) {
        flow_steady: "flow_steady_share", 0.01, 0.2;
        flow_min: "flow_min_ml_min", 50.0, 500.0;
        baseline_from: "baseline_from_h", 0.0, 12.0;
        baseline_until: "baseline_until_h", 0.5, 18.0;
        low_ratio: "low_ratio", 1.1, 5.0;
        low_for: "low_for_min", 1.0, 240.0;
        slope_per_hour: "slope_share_per_h", 0.01, 0.5;
        medium_ratio: "medium_ratio", 1.2, 10.0;
        medium_delta: "medium_delta_mmhg", 10.0, 100.0;
        medium_for: "medium_for_min", 1.0, 120.0;
        sat_fall: "sat_fall_points", 0.5, 20.0;
    }
    DRAIN_CHATTER: Chatter(Chatter) {
        swing_min: "swing_min_mmhg", 5.0, 150.0;
        swing_ratio: "swing_ratio", 1.2, 10.0;
        dip: "dip_mmhg", 5.0, 100.0;
        dips_per_10_s: "dips_per_10_s", 1.0, 30.0;
        flow_swing: "flow_swing_share", 0.05, 0.8;
        target_share: "target_share", 0.1, 0.95;
        drain_very_low: "drain_very_low_mmhg", -300.0, -50.0;
        speed_steady: "speed_steady_share", 0.005, 0.1;
    }
    AIR_SUSPECTED: AirEntrainment(AirEntrainment) {
        quality_fall: "quality_fall_points", 2.0, 60.0;
        quality_min: "quality_min_percent", 5.0, 90.0;
        noise_ratio: "noise_ratio", 1.5, 20.0;
        current_fall: "current_fall_share", 0.05, 0.7;
        drain_low: "drain_low_mmhg", -200.0, -30.0;
        speed_steady: "speed_steady_share", 0.005, 0.1;
        speed_pause: "speed_pause_s", 0.5, 5.0;
    }
    RECIRCULATION: Recirculation(Recirculation) {
        sat_rise: "sat_rise_points", 1.0, 30.0;
        spo2_fall: "spo2_fall_points", 1.0, 20.0;
        flow_share: "flow_share", 0.5, 1.0;
        over: "over_s", 60.0, 300.0;
    }
    GAS_FAILURE: GasFailure(GasFailure) {
        sat_post_min: "sat_post_min_percent", 70.0, 100.0;
        fdo2_min: "fdo2_min_percent", 21.0, 60.0;
        gain_min: "gain_min_points", 1.0, 30.0;
        sat_pre_max: "sat_pre_max_percent", 60.0, 98.0;
        sat_for: "sat_for_s", 1.0, 60.0;
        sweep_share: "sweep_share", 0.1, 0.95;
        sweep_for: "sweep_for_s", 0.5, 30.0;
    }
    POWER_DEPLETING: Depleting(Depleting) {
        over: "over_s", 60.0, 300.0;
        empty_within: "empty_within_min", 2.0, 60.0;
    }
    BLEEDING_TREND: BleedingTrend(BleedingTrend) {
        over: "over_min", 5.0, 30.0;
        drain_fall: "drain_fall_mmhg", 1.0, 50.0;
        arterial_fall: "arterial_fall_mmhg", 1.0, 50.0;
        heart_rise: "heart_rise_per_min", 2.0, 100.0;
        hct_fall: "hct_fall_points", 0.5, 20.0;
    }
    PULSE_LOW: PulseLow(PulseLow) {
        pulse_min: "pulse_min_mmhg", 2.0, 40.0;
    }
}

/// Reads a composite; `None` when it has a problem.
pub(crate) fn read(mut table: Table<'_>, problems: &mut Problems) -> Option<Placed<CompositeSpec>> {
    let at = table.at();
    let head = Head::read(&mut table, problems);
    let condition = Head::condition(&mut table);
    let hold = Head::delay(condition, "hold_s", &mut table, problems);
    // Without a known condition nobody can say which thresholds belong here.
    let condition = condition?;
    if !WITH_COMPOSITE.contains(&condition) {
        let possible: Vec<String> = WITH_COMPOSITE.iter().map(Condition::to_string).collect();
        problems.add(
            at,
            table.key("condition"),
            format!("{condition} has no composite"),
            format!("write it as a [[limit]], or use one of {}", possible.join(", ")),
        );
        return None;
    }
    let composite = thresholds(condition, &mut table, problems);
    table.close(problems);
    let (head, composite) = (head?, composite?);
    check(&composite, at, problems);
    let rule = CompositeRule {
        key: head.key,
        composite,
        hold: hold?,
        clear_delay: head.clear_delay,
        priority: head.priority,
        kind: condition.kind(),
        latching: head.latching,
        escalate: head.escalate,
    };
    Some(Placed { at, it: CompositeSpec { rule, applies: head.applies } })
}

/// Refuses thresholds of one composite that contradict each other.
fn check(composite: &Composite, at: usize, problems: &mut Problems) {
    let Composite::Clotting(clotting) = composite else { return };
    let longest = Duration::from_secs(6 * 60 * 60);
    let span = clotting.baseline_until.checked_sub(clotting.baseline_from);
    if span.is_none_or(|span| span.is_zero() || span > longest) {
        problems.add(
            at,
            "composite.baseline_until_h",
            "is not within 6 h after baseline_from_h",
            "write a later time, at most 6 h later",
        );
    }
    if clotting.medium_ratio <= clotting.low_ratio {
        problems.add(
            at,
            "composite.medium_ratio",
            "is not beyond low_ratio",
            "write more than low_ratio",
        );
    }
}

/// The thresholds of a composite in one line, by their keys.
pub(crate) fn thresholds_text(composite: &Composite) -> String {
    let each: Vec<String> =
        written(composite).into_iter().map(|(key, number)| format!("{key} {number}")).collect();
    each.join(", ")
}
