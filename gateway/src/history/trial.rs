//! How often a limit would have alarmed over the rows that are held: the rule's own delays, gates and partners.

use std::collections::HashMap;
use std::time::Duration;

use ecmo_core::alarm::preview::{Bin, Preview};
use ecmo_core::alarm::rule::{Gate, Limit, LimitRule, Measure};
use ecmo_core::case::PumpKind;
use ecmo_core::parameter::Parameter;
use ecmo_core::pump::TURNING_RPM_MIN;
use ecmo_core::time::SampleTime;

use super::{BIN, BINS_PER_SECOND, Row};

/// Two rows of a fast channel that are further apart than this enclose time without data, in bins.
const GAP_TICKS_MIN: u64 = BINS_PER_SECOND;

/// A partner's value is taken for present for so long, in bins: the slowest console sends one in six seconds.
const PARTNER_TICKS_MAX: u64 = 10 * BINS_PER_SECOND;

/// What a limit would have done.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Trial {
    /// Times that it would have alarmed.
    pub alarms: u32,
    /// From the first to the last row.
    pub covered: Duration,
    /// Time within it without rows.
    pub without_data: Duration,
    /// Least and greatest value.
    pub extremes: Option<(f32, f32)>,
}

/// One series read along with another.
struct Partner<'a> {
    rows: &'a [Row],
    next: usize,
}

impl<'a> Partner<'a> {
    fn new(rows: &'a HashMap<Parameter, Vec<Row>>, parameter: Parameter) -> Self {
        Self { rows: rows.get(&parameter).map(Vec::as_slice).unwrap_or_default(), next: 0 }
    }

    /// The newest row up to a tick, if it is not too old. Ticks must not go back.
    fn at(&mut self, tick: u64) -> Option<Bin> {
        while self.rows.get(self.next).is_some_and(|row| row.tick <= tick) {
            self.next += 1;
        }
        let row = self.rows.get(self.next.checked_sub(1)?)?;
        (tick.saturating_sub(row.tick) <= PARTNER_TICKS_MAX).then_some(row.bin)
    }
}

/// Tries a rule as it would be in force at a pump of this kind.
#[must_use]
pub fn try_limit(
    rule: &LimitRule,
    kind: Option<PumpKind>,
    rows: &HashMap<Parameter, Vec<Row>>,
) -> Trial {
    let own = rows.get(&rule.parameter).map(Vec::as_slice).unwrap_or_default();
    let gap = gap_of(own);
    let mut speed = Partner::new(rows, Parameter::PumpSpeed);
    let mut speed_set = Partner::new(rows, Parameter::PumpSpeedSet);
    let mut other = partner_of(rule).map(|parameter| Partner::new(rows, parameter));
    let mut preview = Preview::new(rule);
    let mut trial = Trial::default();
    let mut at_work = false;
    let mut last: Option<u64> = None;
    for row in own {
        let apart = last.map_or(0, |last| row.tick.saturating_sub(last));
        last = Some(row.tick);
        trial.covered += BIN.saturating_mul(u32::try_from(apart).unwrap_or(u32::MAX));
        if apart > gap {
            trial.without_data += BIN.saturating_mul(u32::try_from(apart).unwrap_or(u32::MAX));
            preview.on_gap();
        }
        let (low, high) = trial.extremes.unwrap_or((row.bin.min, row.bin.max));
        trial.extremes = Some((low.min(row.bin.min), high.max(row.bin.max)));
        let turns = speed.at(row.tick).map(|bin| bin.mean);
        at_work |= turns.is_some_and(|rpm| rpm > by_kind(AT_WORK_RPM_MIN, kind));
        let set = speed_set.at(row.tick).map(|bin| bin.mean);
        let runs = turns.is_none_or(|rpm| rpm >= running_from(kind));
        let meant_to_run = at_work || set.is_none_or(|rpm| rpm > 0.0);
        let gate_open = is_open(rule.gate, runs, meant_to_run, turns);
        let other = other.as_mut().map(|other| other.at(row.tick));
        match judged(rule, row.bin, other) {
            Some((bin, limit)) => {
                let at = SampleTime::from_millis(row.tick.saturating_mul(100));
                preview.on_bin(at, bin, limit, gate_open);
            }
            None => preview.on_gap(),
        }
    }
    trial.alarms = preview.raised();
    trial
}

/// Above this speed a pump has certainly been at work, in rev/min: centrifugal or of unknown kind, roller (as the core has it).
const AT_WORK_RPM_MIN: (f32, f32) = (300.0, 10.0);

const fn by_kind((centrifugal, roller): (f32, f32), kind: Option<PumpKind>) -> f32 {
    match kind {
        Some(PumpKind::Roller) => roller,
        Some(PumpKind::Centrifugal) | None => centrifugal,
    }
}

/// From which speed on rules that hold while the pump turns hold: a pump of unknown kind may be a roller.
const fn running_from(kind: Option<PumpKind>) -> f32 {
    match kind {
        Some(PumpKind::Centrifugal) => TURNING_RPM_MIN.0,
        Some(PumpKind::Roller) | None => TURNING_RPM_MIN.1,
    }
}

/// The parameter that the limit or the measure depends on besides its own.
fn partner_of(rule: &LimitRule) -> Option<Parameter> {
    match (rule.measure, rule.limit) {
        (Measure::DistanceFrom(other), _) | (Measure::Value, Limit::ShareOf(other, _)) => {
            Some(other)
        }
        (Measure::Value, Limit::Fixed(_)) => None,
    }
}

/// Parameters whose rows a trial needs.
#[must_use]
pub fn needed(rule: &LimitRule) -> Vec<Parameter> {
    let speeds = [Parameter::PumpSpeed, Parameter::PumpSpeedSet];
    [rule.parameter].into_iter().chain(speeds).chain(partner_of(rule)).collect()
}

/// What is held against which limit; `None` while the partner is unknown.
fn judged(rule: &LimitRule, bin: Bin, other: Option<Option<Bin>>) -> Option<(Bin, f32)> {
    let limit = match rule.limit {
        Limit::Fixed(number) => number,
        Limit::ShareOf(_of, share) => other.flatten()?.mean * share,
    };
    if !matches!(rule.measure, Measure::DistanceFrom(_)) {
        return Some((bin, limit));
    }
    let from = other.flatten()?.mean;
    let (low, high) = ((bin.min - from).abs(), (bin.max - from).abs());
    let crosses = bin.min <= from && from <= bin.max;
    let min = if crosses { 0.0 } else { low.min(high) };
    Some((Bin { min, mean: (bin.mean - from).abs(), max: low.max(high) }, limit))
}

/// As the core has it: a speed that is unknown keeps no rule from raising.
fn is_open(gate: Gate, runs: bool, meant_to_run: bool, speed: Option<f32>) -> bool {
    match gate {
        Gate::Always => true,
        Gate::Running => runs,
        Gate::MeantToRun => meant_to_run,
        Gate::FasterThan(limit) => speed.is_none_or(|rpm| rpm > limit),
    }
}

/// More than three usual distances between rows enclose time without data.
fn gap_of(rows: &[Row]) -> u64 {
    let apart = |pair: &[Row]| match pair {
        [one, next] => next.tick.saturating_sub(one.tick),
        _ => 0,
    };
    let mut distances: Vec<u64> = rows.windows(2).map(apart).collect();
    let middle = distances.len() / 2;
    if distances.is_empty() {
        return GAP_TICKS_MIN;
    }
    let (_less, median, _more) = distances.select_nth_unstable(middle);
    median.saturating_mul(3).max(GAP_TICKS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecmo_core::alarm::rule::RuleKey;
    use ecmo_core::alarm::treatment::{Override, Treatment};
    use ecmo_core::case::{Case, Therapy};

    /// A rule of the starter profile as it is in force at a baby of 3 kg, with another number if one is given.
    fn rule(id: &str, number: Option<f32>) -> LimitRule {
        let key = RuleKey::from_id(id).unwrap();
        let case = Case {
            pump_kind: Some(PumpKind::Centrifugal),
            therapy: Some(Therapy::VenoArterial),
            weight_kg: Some(3.0),
            flow_target: Some(300.0),
            ..Case::default()
        };
        let overrides = number.map(|number| Override { key, number }).into_iter().collect();
        let treatment = Treatment { case, overrides, ..Treatment::default() };
        let rules = ecmo_profile::starter().resolve(&treatment);
        rules.limits().iter().find(|rule| rule.key == key).unwrap().clone()
    }

    fn tried(rule: &LimitRule, rows: &HashMap<Parameter, Vec<Row>>) -> Trial {
        try_limit(rule, Some(PumpKind::Centrifugal), rows)
    }

    fn row(tick: u64, value: f32) -> Row {
        Row { tick, bin: Bin { min: value, mean: value, max: value } }
    }

    /// Rows of each tenth of a second, from (tenths, value) pieces.
    fn series(pieces: &[(u64, f32)]) -> Vec<Row> {
        let values = pieces.iter().flat_map(|(count, value)| (0..*count).map(|_| *value));
        (1_000..).zip(values).map(|(tick, value)| row(tick, value)).collect()
    }

    fn turning(ticks: u64) -> (Parameter, Vec<Row>) {
        (Parameter::PumpSpeed, series(&[(ticks, 2_000.0)]))
    }

    #[test]
    fn a_lower_limit_would_have_alarmed_less_often() {
        // 240 mL/min is the profile's limit at 3 kg. Below it for 5 s, for 2 s, and for 5 s much deeper.
        let flow = series(&[
            (100, 300.0),
            (50, 230.0),
            (100, 300.0),
            (20, 230.0),
            (100, 300.0),
            (50, 150.0),
            (100, 300.0),
        ]);
        let rows = HashMap::from([(Parameter::FlowBlood, flow), turning(520)]);
        let of_profile = tried(&rule("flow.low", None), &rows);
        assert_eq!(of_profile.alarms, 2);
        assert_eq!(tried(&rule("flow.low", Some(60.0)), &rows).alarms, 1);
        assert_eq!(tried(&rule("flow.low", Some(40.0)), &rows).alarms, 0);
        assert_eq!(of_profile.extremes, Some((150.0, 300.0)));
        assert_eq!(of_profile.covered, Duration::from_millis(51_900));
        assert_eq!(of_profile.without_data, Duration::ZERO);
    }

    #[test]
    fn a_pump_that_stands_keeps_the_gate_shut_and_one_of_unknown_speed_does_not() {
        let flow = (Parameter::FlowBlood, series(&[(100, 0.0)]));
        let standing = (Parameter::PumpSpeed, series(&[(100, 0.0)]));
        let rule = rule("flow.low", None);
        assert_eq!(tried(&rule, &HashMap::from([flow.clone(), standing])).alarms, 0);
        assert_eq!(tried(&rule, &HashMap::from([flow])).alarms, 1);
    }

    #[test]
    fn a_roller_turns_slowly_and_so_may_a_pump_of_unknown_kind() {
        let flow = (Parameter::FlowBlood, series(&[(100, 0.0)]));
        let slow = (Parameter::PumpSpeed, series(&[(100, 60.0)]));
        let rows = HashMap::from([flow, slow]);
        for (kind, alarms) in
            [(Some(PumpKind::Centrifugal), 0), (Some(PumpKind::Roller), 1), (None, 1)]
        {
            assert_eq!(try_limit(&rule("flow.low", None), kind, &rows).alarms, alarms, "{kind:?}");
        }
    }

    #[test]
    fn a_share_of_another_parameter_and_a_distance_follow_their_partner() {
        let sweep = (Parameter::GasSweep, series(&[(100, 400.0)]));
        let rule_share = rule("gas.sweep.low", None);
        let set = |value| (Parameter::GasSweepSet, series(&[(100, value)]));
        let alarms = |rows: &[(Parameter, Vec<Row>)], rule: &LimitRule| {
            tried(rule, &rows.iter().cloned().collect()).alarms
        };
        assert_eq!(alarms(&[sweep.clone(), set(1_000.0)], &rule_share), 1);
        assert_eq!(alarms(&[sweep.clone(), set(700.0)], &rule_share), 0);
        assert_eq!(alarms(&[sweep], &rule_share), 0, "without a partner nothing can be said");
        let distance = rule("gas.fdo2.dev", None);
        let fdo2 = |value| (Parameter::GasFdo2, series(&[(200, value)]));
        let wanted = (Parameter::GasFdo2Set, series(&[(200, 60.0)]));
        assert_eq!(alarms(&[fdo2(50.0), wanted.clone()], &distance), 1);
        assert_eq!(alarms(&[fdo2(57.0), wanted], &distance), 0);
    }

    #[test]
    fn a_gap_is_time_without_data_and_a_slow_feed_is_none() {
        let mut flow = series(&[(50, 300.0)]);
        flow.extend((0..50).map(|tick| row(2_000 + tick, 300.0)));
        let trial = tried(&rule("flow.low", None), &HashMap::from([(Parameter::FlowBlood, flow)]));
        assert_eq!(trial.without_data, Duration::from_millis(95_100));
        let slow = (0..100).map(|second| row(second * 60, 300.0)).collect();
        let trial = tried(&rule("flow.low", None), &HashMap::from([(Parameter::FlowBlood, slow)]));
        assert_eq!(trial.without_data, Duration::ZERO);
        assert_eq!(trial.covered, Duration::from_secs(594));
        let nothing = tried(&rule("flow.low", None), &HashMap::new());
        assert_eq!(nothing, Trial::default());
    }
}
