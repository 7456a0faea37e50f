//! What a person and the clock do to a signal: pause, shelve, remind, escalate, group; none of it touches the condition.

use std::time::Duration;

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::action::Ask;
use ecmo_core::alarm::condition::{Condition, Priority};
use ecmo_core::alarm::occurrence::{Audio, PauseScope, Transition};
use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::rule::{Group, SignalRules};
use ecmo_core::parameter::Parameter::{AirBubble, PressDrain, PressPost, PressPre, PumpSpeed};
use ecmo_core::reading::NoData;

use crate::bedside::{Bedside, Input, limits_only};

const MINUTE: u64 = 60_000;

/// The limits of the starter profile with signals whose numbers stand here.
fn profile() -> Profile {
    let signals = SignalRules {
        pause_max: Duration::from_secs(120),
        reminder: Duration::from_mins(1),
        shelve_max: Duration::from_hours(1),
        group_window: Duration::from_secs(5),
    };
    let groups = vec![Group {
        leaders: vec![Condition::PUMP_STOP],
        followers: vec![Condition::POST_HIGH_WARN, Condition::DRAIN_LOW_WARN],
    }];
    let mut profile = Profile { signals, groups, ..limits_only() };
    for spec in &mut profile.limits {
        spec.rule.escalate = None;
    }
    profile
}

fn play(script: &[(u64, Input)], until_ms: u64) -> Bedside {
    let mut bedside = Bedside::with_profile(profile());
    // Before the membrane the pressure is higher than behind it, whatever happens.
    bedside.apply(&Input::Value(PressPre, 225.0));
    bedside.play(script, until_ms);
    bedside
}

fn audio(bedside: &Bedside, name: &str) -> Audio {
    bedside.find(name).unwrap_or_else(|| panic!("{name} is not active")).audio()
}

fn told(bedside: &Bedside, name: &str) -> Vec<(u64, Transition)> {
    let told = bedside.told().into_iter().filter(|(_, condition, _)| condition == name);
    told.map(|(ms, _, transition)| (ms, transition)).collect()
}

#[test]
fn a_pause_ends_by_itself_and_never_lasts_longer_than_the_profile_allows() {
    let bedside = play(
        &[(1_000, Input::Value(PressPost, 210.0)), (3_000, Input::Pause(PauseScope::Pump, 3_600))],
        3 * MINUTE,
    );
    assert_eq!(
        told(&bedside, "post.high.warn"),
        [
            (2_000, Transition::Raised),
            (3_000, Transition::AudioChanged),
            (123_000, Transition::AudioChanged),
        ]
    );
    assert_eq!(audio(&bedside, "post.high.warn"), Audio::On);
}

#[test]
fn a_new_alarm_ends_the_pause_of_its_pump_and_not_that_of_a_single_alarm() {
    for (scope, expected_on) in
        [(PauseScope::Pump, true), (PauseScope::Ward, true), (PauseScope::Alarm, false)]
    {
        let bedside = play(
            &[
                (1_000, Input::Value(PressPost, 210.0)),
                (3_000, Input::Pause(scope, 120)),
                (5_000, Input::Value(PressPre, 300.0)),
            ],
            7_000,
        );
        assert_eq!(audio(&bedside, "pre.high.warn"), Audio::On, "the new alarm is heard");
        assert_eq!(audio(&bedside, "post.high.warn") == Audio::On, expected_on, "{scope:?}");
    }
}

#[test]
fn a_pause_needs_something_that_signals() {
    let mut bedside = play(&[], 1_000);
    let lasts = Duration::from_secs(60);
    let ask = Ask::Pause { id: None, scope: PauseScope::Pump, lasts };
    let refused = bedside.person(ask, "RN", "");
    assert_eq!(refused, Err(Refused::NothingSounds));
}

#[test]
fn a_paused_alarm_can_still_be_acknowledged_as_it_was_shown() {
    let mut bedside = play(&[(1_000, Input::Value(PumpSpeed, 0.0))], 2_000);
    let (id, seen) = bedside.find("pump.stop").map(|one| (one.id, one.revision)).unwrap();
    bedside.apply(&Input::Pause(PauseScope::Pump, 60));
    let ask = Ask::Acknowledge { id, revision: seen };
    assert_eq!(bedside.person(ask, "RN", "hand crank ready"), Ok(()));
    let acknowledged = bedside.find("pump.stop").unwrap().acknowledged.clone().unwrap();
    assert_eq!(acknowledged.note, "hand crank ready");
}

#[test]
fn a_shelved_condition_is_silent_until_its_time_even_when_it_comes_back() {
    let bedside = play(
        &[
            (1_000, Input::Value(PressPost, 210.0)),
            (3_000, Input::Shelve("post.high.warn", 100)),
            (4_000, Input::Value(PressPost, 120.0)),
            (10_000, Input::Value(PressPost, 210.0)),
        ],
        50_000,
    );
    assert!(matches!(audio(&bedside, "post.high.warn"), Audio::Shelved { .. }));
    let mut bedside = bedside;
    bedside.run_until(104_000);
    assert_eq!(audio(&bedside, "post.high.warn"), Audio::On);
}

#[test]
fn high_and_protected_alarms_are_never_shelved() {
    let mut bedside = play(&[(1_000, Input::Value(PressPost, 320.0))], 3_000);
    let id = bedside.find("post.high.alarm").unwrap().id;
    let refused = bedside.person(Ask::Shelve { id, lasts: Duration::from_secs(9) }, "RN", "?");
    assert_eq!(refused, Err(Refused::NeverShelved));
}

#[test]
fn a_high_alarm_that_nobody_acknowledges_is_recalled_each_minute() {
    let bedside = play(
        &[(1_000, Input::Value(PumpSpeed, 0.0)), (150_000, Input::Acknowledge("pump.stop"))],
        10 * MINUTE,
    );
    assert_eq!(
        told(&bedside, "pump.stop"),
        [
            (1_300, Transition::Raised),
            (61_300, Transition::Reminded),
            (121_300, Transition::Reminded),
            (150_000, Transition::Acknowledged),
        ]
    );
}

#[test]
fn a_medium_alarm_that_nobody_acknowledges_in_time_goes_up() {
    let mut profile = profile();
    for spec in &mut profile.limits {
        if spec.rule.key.condition == Condition::POST_HIGH_WARN {
            spec.rule.escalate = Some(Duration::from_secs(90));
        }
    }
    let mut bedside = Bedside::with_profile(profile);
    bedside.play(&[(1_000, Input::Value(PressPost, 210.0))], 100_000);
    let found = bedside.find("post.high.warn").unwrap();
    assert_eq!((found.priority, found.escalated), (Priority::High, true));
    assert_eq!(
        told(&bedside, "post.high.warn"),
        [(2_000, Transition::Raised), (92_000, Transition::Worsened)]
    );
    // It stays high until it has ended, and begins as medium the next time.
    bedside.play(
        &[(101_000, Input::Value(PressPost, 120.0)), (110_000, Input::Value(PressPost, 210.0))],
        120_000,
    );
    assert_eq!(bedside.find("post.high.warn").unwrap().priority, Priority::Medium);
}

#[test]
fn far_worse_than_what_was_acknowledged_comes_back() {
    let bedside = play(
        &[
            (1_000, Input::Value(PressDrain, -60.0)),
            (5_000, Input::Acknowledge("drain.low.warn")),
            (10_000, Input::Value(PressDrain, -63.0)),
            (20_000, Input::Value(PressDrain, -74.0)),
        ],
        25_000,
    );
    let transitions: Vec<_> =
        told(&bedside, "drain.low.warn").into_iter().map(|(_, transition)| transition).collect();
    assert_eq!(transitions, [Transition::Raised, Transition::Acknowledged, Transition::Worsened]);
    assert_eq!(audio(&bedside, "drain.low.warn"), Audio::On);
}

#[test]
fn a_consequence_is_shown_and_not_heard_while_its_cause_signals() {
    // Cause first, consequence first, and one that began too long before.
    for (cause, consequence, grouped) in
        [(1_000, 2_000, true), (4_000, 1_000, true), (20_000, 1_000, false)]
    {
        let mut script = vec![
            (cause, Input::Value(PumpSpeed, 0.0)),
            (consequence, Input::Value(PressPost, 210.0)),
        ];
        script.sort_by_key(|(ms, _)| *ms);
        // The limit is judged while the pump turns: the speed falls a little later in the second case.
        let mut bedside = Bedside::with_profile(Profile {
            limits: profile()
                .limits
                .into_iter()
                .map(|mut spec| {
                    spec.rule.gate = ecmo_core::alarm::rule::Gate::Always;
                    spec
                })
                .collect(),
            ..profile()
        });
        bedside.play(&script, 30_000);
        let heard = audio(&bedside, "post.high.warn");
        let expected = Audio::Grouped { leader: Condition::PUMP_STOP };
        assert_eq!(heard == expected, grouped, "{cause} {consequence}: {heard:?}");
        assert!(bedside.has(Condition::POST_HIGH_WARN), "the record is not suppressed");
        // The cause ends: what is left speaks for itself.
        bedside.play(
            &[
                (30_000, Input::Acknowledge("pump.stop")),
                (31_000, Input::Value(PumpSpeed, 3_000.0)),
            ],
            40_000,
        );
        assert_eq!(audio(&bedside, "post.high.warn"), Audio::On);
    }
}

#[test]
fn a_pause_hides_neither_loss_of_data_nor_a_bubble() {
    let bedside = play(
        &[
            (1_000, Input::Value(PressPost, 210.0)),
            (3_000, Input::Pause(PauseScope::Ward, 120)),
            (4_000, Input::Value(AirBubble, 1.0)),
            (6_000, Input::Pause(PauseScope::Ward, 120)),
            (7_000, Input::Without(PressDrain, NoData::SensorOff)),
        ],
        12_000,
    );
    assert!(told(&bedside, "air.arterial").contains(&(4_000, Transition::Raised)));
    assert_eq!(audio(&bedside, "sensor.fault.press.drain"), Audio::On);
    assert_eq!(audio(&bedside, "air.arterial"), Audio::On, "the new alarm ended the pause");
}

#[test]
fn quality_counts_what_was_raised() {
    let mut script = Vec::new();
    for round in 0..4 {
        script.push((round * 10_000 + 1_000, Input::Value(PressPost, 210.0)));
        script.push((round * 10_000 + 6_000, Input::Value(PressPost, 120.0)));
    }
    let mut bedside = play(&script, 40_000);
    let now = bedside.now();
    let summary = bedside.pump.quality().summary(now);
    assert_eq!(summary.total.raised, [0, 0, 4, 0]);
    assert_eq!(summary.total.chattering, 1);
}

#[test]
fn a_cause_that_is_acknowledged_does_not_silence_a_consequence_of_high_priority() {
    let groups = vec![Group {
        leaders: vec![Condition::AIR_ARTERIAL],
        followers: vec![Condition::POST_HIGH_ALARM, Condition::POST_HIGH_WARN],
    }];
    let mut bedside = Bedside::with_profile(Profile { groups, ..profile() });
    bedside.apply(&Input::Value(PressPre, 345.0));
    bedside.play(
        &[
            (1_000, Input::Value(AirBubble, 1.0)),
            (2_000, Input::Value(PressPost, 320.0)),
            (5_000, Input::Acknowledge("air.arterial")),
        ],
        5_500,
    );
    assert_eq!(audio(&bedside, "post.high.alarm"), Audio::On);
    let leader = Condition::AIR_ARTERIAL;
    assert_eq!(audio(&bedside, "post.high.warn"), Audio::Grouped { leader });
    let transitions: Vec<_> = told(&bedside, "post.high.alarm");
    assert!(transitions.contains(&(5_000, Transition::AudioChanged)), "{transitions:?}");
}
