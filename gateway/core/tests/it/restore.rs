//! A restart of the reader: what was present goes on as the same alarm, is raised no second time, and never vanishes by it.

use ecmo_core::alarm::action::Ask;
use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::occurrence::{Audio, Occurrence, PauseScope, Signal, Transition};
use ecmo_core::parameter::Parameter::{
    self, AirBubble, FlowBlood, PressPost, PressPre, PumpSpeed, SatDrain,
};
use ecmo_core::pump::Pump;
use ecmo_core::reading::NoData;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::bedside::{Bedside, Change, Input};

use Transition::{DataBack, DataLost, Ended, Raised};

/// What of an occurrence must outlive a restart.
fn essence(one: &Occurrence) -> impl PartialEq + std::fmt::Debug + use<> {
    let acknowledged = one.acknowledged.clone();
    (
        one.id,
        one.call,
        one.present,
        one.priority,
        acknowledged,
        one.pause.clone(),
        one.shelf.clone(),
    )
}

/// The alarms by what was told of them, one after the other.
fn told_active(changes: &[Change]) -> Vec<(Condition, bool)> {
    let mut active: Vec<(Condition, bool)> = Vec::new();
    for change in changes {
        let condition = change.id.condition;
        let known = active.iter().position(|(one, _)| *one == condition);
        assert_eq!(known.is_none(), change.transition == Raised, "{change:?}");
        if let Some(place) = known {
            active.remove(place);
        }
        let is_over =
            !change.present && [Ended, Transition::Acknowledged].contains(&change.transition);
        if !is_over {
            active.push((condition, change.present));
        }
    }
    active.sort();
    active
}

fn active(bedside: &Bedside) -> Vec<(Condition, bool)> {
    let mut active: Vec<_> =
        bedside.pump.alarms().iter().map(|one| (one.id.condition, one.present)).collect();
    active.sort();
    active
}

/// Restarts the reader and looks that everything is there.
fn restart_reader(bedside: &mut Bedside) {
    let before: Vec<_> = bedside.pump.alarms().iter().map(essence).collect();
    bedside.restart_reader();
    let after: Vec<_> = bedside.pump.alarms().iter().map(essence).collect();
    assert_eq!(before, after);
}

fn transitions(bedside: &Bedside, condition: &str) -> Vec<Transition> {
    let told = bedside.told();
    told.iter().filter(|(_, name, _)| name == condition).map(|(_, _, it)| *it).collect()
}

#[test]
fn a_limit_goes_on_and_ends_when_its_samples_say_so() {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Value(PressPost, 320.0))], 3_000);
    let id = bedside.find("post.high.alarm").unwrap().id;
    restart_reader(&mut bedside);
    assert!(bedside.find("post.high.alarm").unwrap().last_known);
    bedside.run_until(5_000);
    let found = bedside.find("post.high.alarm").unwrap();
    assert!(found.id == id && !found.last_known);
    bedside.apply(&Input::Value(PressPost, 120.0));
    bedside.run_until(20_000);
    assert_eq!(transitions(&bedside, "post.high.alarm"), [Raised, DataLost, DataBack, Ended]);
}

#[test]
fn what_is_found_recovered_after_a_restart_is_never_told_as_judged_before_it_is_over() {
    for goes_on in [false, true] {
        let mut bedside = Bedside::new();
        bedside.play(
            &[(1_000, Input::Value(PressPost, 320.0)), (2_980, Input::Value(PressPost, 120.0))],
            3_000,
        );
        restart_reader(&mut bedside);
        bedside.run_until(3_300);
        assert!(bedside.find("post.high.alarm").unwrap().last_known);
        let expected: &[Transition] = if goes_on {
            bedside.apply(&Input::Value(PressPost, 320.0));
            &[Raised, DataLost, DataBack]
        } else {
            &[Raised, DataLost, Ended]
        };
        bedside.run_until(4_500);
        assert_eq!(transitions(&bedside, "post.high.alarm"), expected);
    }
}

#[test]
fn an_alarm_whose_data_is_gone_stays_as_last_known() {
    for gone in [
        Input::Lose(true),
        Input::Mute(PressPost, true),
        Input::Without(PressPost, NoData::SensorOff),
    ] {
        let mut bedside = Bedside::new();
        bedside.play(&[(1_000, Input::Value(PressPost, 320.0)), (3_000, gone)], 4_000);
        for second in 0..3 {
            restart_reader(&mut bedside);
            bedside.run_until(10_000 + second * 20_000);
            let found = bedside.find("post.high.alarm").unwrap();
            assert!(found.last_known && !found.orphan && found.signal() == Signal::On);
        }
        for back in
            [Input::Lose(false), Input::Mute(PressPost, false), Input::Value(PressPost, 120.0)]
        {
            bedside.apply(&back);
        }
        bedside.run_until(70_000);
        assert!(bedside.find("post.high.alarm").is_none());
    }
}

#[test]
fn an_agent_that_starts_anew_while_the_reader_does_changes_nothing_of_that() {
    let mut bedside = Bedside::new();
    bedside.play(
        &[
            (1_000, Input::Value(PressPost, 320.0)),
            (1_000, Input::Without(PressPre, NoData::SensorOff)),
        ],
        5_000,
    );
    let ids: Vec<_> = bedside.pump.alarms().iter().map(|one| one.id).collect();
    restart_reader(&mut bedside);
    bedside.apply(&Input::Restart(2));
    bedside.run_until(12_000);
    assert_eq!(bedside.pump.alarms().iter().map(|one| one.id).collect::<Vec<_>>(), ids);
    bedside.play(
        &[(12_000, Input::Value(PressPost, 120.0)), (12_000, Input::Value(PressPre, 150.0))],
        30_000,
    );
    assert!(bedside.pump.alarms().iter().all(|one| !ids.contains(&one.id)));
}

#[test]
fn what_was_acknowledged_paused_and_shelved_stays_so() {
    let mut bedside = Bedside::new();
    bedside.play(
        &[
            (1_000, Input::Value(PumpSpeed, 0.0)),
            (2_000, Input::Acknowledge("pump.stop")),
            (2_000, Input::Mute(SatDrain, true)),
            (6_000, Input::Shelve("sensor.fault.sat.drain", 100)),
            (6_000, Input::Without(FlowBlood, NoData::SensorOff)),
            (9_000, Input::Pause(PauseScope::Pump, 60)),
        ],
        10_000,
    );
    let audio = |bedside: &Bedside, name: &str| bedside.find(name).unwrap().audio();
    assert_eq!(audio(&bedside, "pump.stop"), Audio::Off);
    assert!(matches!(audio(&bedside, "sensor.fault.sat.drain"), Audio::Shelved { .. }));
    let paused = audio(&bedside, "sensor.fault.flow.blood");
    assert!(matches!(paused, Audio::Paused { .. }));
    restart_reader(&mut bedside);
    bedside.run_until(20_000);
    assert_eq!(audio(&bedside, "pump.stop"), Audio::Off);
    assert!(matches!(audio(&bedside, "sensor.fault.sat.drain"), Audio::Shelved { .. }));
    assert_eq!(audio(&bedside, "sensor.fault.flow.blood"), paused);
    bedside.run_until(120_000);
    assert_eq!(audio(&bedside, "sensor.fault.flow.blood"), Audio::On, "the pause ends at its time");
    assert_eq!(
        audio(&bedside, "sensor.fault.sat.drain"),
        Audio::On,
        "the shelving ends at its time"
    );
}

#[test]
fn reminders_and_escalations_come_when_they_were_due() {
    let told = |restarted: bool| {
        let mut bedside = Bedside::new();
        bedside.play(
            &[(1_000, Input::Value(PumpSpeed, 0.0)), (1_000, Input::Mute(PressPre, true))],
            30_000,
        );
        if restarted {
            restart_reader(&mut bedside);
        }
        bedside.run_until(200_000);
        let ours =
            |it: &Transition| [Transition::Reminded, Transition::Worsened, Raised].contains(it);
        bedside.told().into_iter().filter(|(_, _, it)| ours(it)).collect::<Vec<_>>()
    };
    assert_eq!(told(true), told(false));
}

#[test]
fn a_silence_goes_on_and_ends_after_two_seconds_of_frames() {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Lose(true))], 3_000);
    restart_reader(&mut bedside);
    bedside.run_until(6_000);
    assert!(!bedside.find("comm.stale").unwrap().last_known, "it is silent still");
    bedside.apply(&Input::Lose(false));
    bedside.run_until(9_000);
    assert_eq!(transitions(&bedside, "comm.stale"), [Raised, DataLost, DataBack, Ended]);

    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Lose(true))], 3_000);
    restart_reader(&mut bedside);
    // It comes back before anybody could miss it.
    bedside.play(&[(3_100, Input::Lose(false))], 5_000);
    assert!(bedside.find("comm.stale").is_some());
    bedside.run_until(5_200);
    assert_eq!(transitions(&bedside, "comm.stale"), [Raised, DataLost, DataBack, Ended]);
}

#[test]
fn a_silent_console_a_failed_sensor_and_a_wrong_clock_go_on() {
    let mut bedside = Bedside::new();
    bedside.play(
        &[(1_000, Input::WallStep(9)), (2_000, Input::Without(PressPre, NoData::SensorOff))],
        60_000,
    );
    let mut script = Vec::new();
    for (parameter, _, _) in crate::bedside::HEALTHY {
        script.push((60_000, Input::Mute(parameter, true)));
    }
    bedside.play(&script, 65_000);
    for second in 0..2 {
        let names: Vec<_> = active(&bedside);
        let has = |name: &str| names.iter().any(|(it, present)| it.to_string() == name && *present);
        for name in ["comm.console_silent", "sensor.fault.press.pre", "sensor.fault.flow.blood"] {
            assert!(has(name), "{name} {second} {names:?}");
        }
        restart_reader(&mut bedside);
        bedside.run_until(70_000 + second * 5_000);
        assert!(
            bedside.pump.alarms().iter().all(|one| !one.last_known || one.rule > 0),
            "{:?}",
            bedside.pump.alarms()
        );
    }
    for (parameter, _, value) in crate::bedside::HEALTHY {
        bedside.apply(&Input::Mute(parameter, false));
        bedside.apply(&Input::Value(parameter, value));
    }
    bedside.run_until(80_000);
    assert_eq!(bedside.pump.alarms().len(), 0, "{:?}", bedside.pump.alarms());
}

#[test]
fn a_fault_that_was_told_by_what_was_usual_does_not_become_the_usual() {
    let mut bedside = Bedside::with_profile(ecmo_profile::starter());
    bedside.run_until(30_000);
    bedside.apply(&Input::Value(FlowBlood, 240.0));
    bedside.apply(&Input::Value(PressPost, 190.0));
    bedside.apply(&Input::Value(PressPre, 215.0));
    bedside.run_until(40_000);
    let id = bedside.find("return.obstruction").expect("it is told").id;
    restart_reader(&mut bedside);
    bedside.run_until(100_000);
    let found = bedside.find("return.obstruction").expect("it has not ended");
    assert!(found.id == id && found.present && found.last_known && found.orphan);
    let (id, revision) = (found.id, found.revision);
    bedside.restart_reader();
    bedside.run_until(110_000);
    bedside.person(Ask::Acknowledge { id, revision }, "RN", "").unwrap();
    assert!(bedside.find("return.obstruction").is_none(), "a person has looked");
    // Its rule begins anew, and can tell the next one.
    bedside.apply(&Input::Value(FlowBlood, 120.0));
    bedside.apply(&Input::Value(PressPost, 270.0));
    bedside.apply(&Input::Value(PressPre, 280.0));
    bedside.run_until(120_000);
    assert!(bedside.find("return.obstruction").is_some_and(|next| next.id != id));
}

#[test]
fn what_no_rule_knows_any_more_stays_until_a_person_acknowledges_it() {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Value(PressPost, 320.0))], 3_000);
    let mut other = crate::bedside::limits_only();
    other.limits.retain(|limit| limit.rule.key.condition != Condition::POST_HIGH_ALARM);
    bedside.restart_reader_with(other);
    bedside.apply(&Input::Value(PressPost, 120.0));
    bedside.run_until(60_000);
    let found = bedside.find("post.high.alarm").unwrap();
    assert!(found.orphan && found.last_known && found.signal() == Signal::On);
    bedside.apply(&Input::Acknowledge("post.high.alarm"));
    assert!(bedside.find("post.high.alarm").is_none());
}

/// What may happen at a bedside.
fn input() -> impl Strategy<Value = Input> {
    let muted = || (select(&[PumpSpeed, PressPost, PressPre][..]), any::<bool>());
    prop_oneof![
        3 => select(&[0.0_f32, 3_000.0][..]).prop_map(|rpm| Input::Value(PumpSpeed, rpm)),
        3 => select(&[5.0_f32, 120.0, 210.0, 320.0][..]).prop_map(|post| Input::Value(PressPost, post)),
        1 => select(&[0.0_f32, 1.0][..]).prop_map(|air| Input::Value(AirBubble, air)),
        1 => Just(Input::Without(PumpSpeed, NoData::SensorOff)),
        1 => Just(Input::Without(PressPost, NoData::SensorFault)),
        2 => muted().prop_map(|(it, muted)| Input::Mute(it, muted)),
        2 => any::<bool>().prop_map(Input::Lose),
        1 => Just(Input::BirthAgain),
        1 => (-4_000..4_000_i64).prop_map(Input::WallStep),
    ]
}

#[derive(Debug, Clone)]
enum Event {
    Input(Input),
    /// Something is acknowledged, paused or shelved.
    Person(usize, u8),
    Agent,
    Reader,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => input().prop_map(Event::Input),
        2 => (0..9_usize, 0..4_u8).prop_map(|(which, what)| Event::Person(which, what)),
        1 => Just(Event::Agent),
        3 => Just(Event::Reader),
    ]
}

fn person(bedside: &mut Bedside, which: usize, what: u8) {
    let alarms = bedside.pump.alarms();
    let Some(one) = alarms.get(which % alarms.len().max(1)) else { return };
    let (id, revision) = (one.id, one.revision);
    let lasts = std::time::Duration::from_secs(30);
    let ask = match what {
        0 => Ask::Pause { id: None, scope: PauseScope::Pump, lasts },
        1 => Ask::Shelve { id, lasts },
        _ => Ask::Acknowledge { id, revision },
    };
    let _refused = bedside.person(ask, "RN", "why");
}

/// Plays events; restarts of the reader only where asked for.
fn play(events: &[(u64, Event)], with_restarts: bool) -> Bedside {
    let mut bedside = Bedside::new();
    let (mut ms, mut boots) = (1_000, 1);
    for (pause, event) in events {
        ms += pause * 10;
        bedside.run_until(ms);
        match event {
            Event::Input(input) => bedside.apply(input),
            Event::Person(which, what) if with_restarts => person(&mut bedside, *which, *what),
            Event::Agent => {
                boots += 1;
                bedside.apply(&Input::Restart(boots));
            }
            Event::Reader if with_restarts => {
                restart_reader(&mut bedside);
                assert_eq!(active(&bedside), told_active(&bedside.log.changes));
            }
            Event::Person(..) | Event::Reader => {}
        }
    }
    bedside.apply(&Input::Lose(false));
    // Longer than a pressure that jumps alone counts as flushed.
    bedside.run_until(ms + 12_000);
    bedside
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_restart_at_any_time_loses_no_alarm_and_raises_none_twice(
        events in vec((1..250_u64, event()), 4..20),
    ) {
        let mut bedside = play(&events, true);
        // Every alarm was told when it began, and when it ended.
        prop_assert_eq!(active(&bedside), told_active(&bedside.log.changes));
        // And what a reader finds present that never restarted is present here.
        let straight = play(&events, false);
        for one in straight.pump.alarms().iter().filter(|one| one.present) {
            let here = bedside.pump.alarms().iter().find(|it| it.id.condition == one.id.condition);
            // The clock is compared for 30 s before it is told; whom a contradiction is blamed on depends on what was before.
            let doubted = one.no_data == Some(NoData::SensorFault);
            // Where the data is gone, one sample more or less of a mean may have ended it before.
            let is_alike = !doubted && !one.last_known;
            if one.id.condition != Condition::CLOCK_SKEW && is_alike {
                prop_assert!(here.is_some_and(|here| here.present), "{} {:?}", one.id, bedside.told());
            }
        }
        // All is well again: everything ends. A sensor waits for a minute, because nobody knows why it was doubted.
        for (parameter, _, value) in crate::bedside::HEALTHY {
            bedside.apply(&Input::Mute(parameter, false));
            bedside.apply(&Input::Value(parameter, value));
        }
        let healthy_at = bedside.now().since(bedside.base).as_millis();
        bedside.run_until(u64::try_from(healthy_at).unwrap() + 20_000);
        for one in bedside.pump.alarms() {
            prop_assert!(!one.present || one.no_data == Some(NoData::SensorFault), "{one:?}");
        }
    }

    #[test]
    fn keeping_and_restoring_twice_changes_nothing(
        events in vec((1..250_u64, event()), 4..14),
    ) {
        let mut bedside = play(&events, true);
        bedside.restart_reader();
        let once = bedside.pump.kept();
        let now = bedside.now();
        bedside.pump.restore(once.clone(), now, &mut bedside.log);
        prop_assert_eq!(&bedside.pump.kept(), &once);
        let profile = std::sync::Arc::new(crate::bedside::limits_only());
        let mut other = Pump::new(profile, crate::bedside::WINDOW, now);
        other.restore(once.clone(), now, &mut bedside.log);
        prop_assert_eq!(other.kept(), once);
    }
}

#[test]
fn a_sensor_that_no_agent_sends_any_more_waits_for_a_person() {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Without(Parameter::PressPre, NoData::SensorOff))], 5_000);
    bedside.agent.drop_channel(PressPre);
    restart_reader(&mut bedside);
    bedside.run_until(10_000);
    let found = bedside.find("sensor.fault.press.pre").unwrap();
    assert!(found.orphan && found.last_known);
    bedside.apply(&Input::Acknowledge("sensor.fault.press.pre"));
    assert!(bedside.find("sensor.fault.press.pre").is_none());
}

/// A sensor that the reader has not heard yet has no sample that names its silence. What a person did about the first silence
/// says nothing about the second.
#[test]
fn silences_of_a_sensor_before_its_first_sample_have_names_of_their_own() {
    let mut bedside = Bedside::new();
    let mut name = |muted_at: u64| {
        bedside.run_until(muted_at);
        bedside.apply(&Input::Mute(SatDrain, true));
        bedside.restart_reader();
        bedside.run_until(muted_at + 3_000);
        let id = bedside.find("sensor.fault.sat.drain").unwrap().id;
        bedside.apply(&Input::Acknowledge("sensor.fault.sat.drain"));
        bedside.apply(&Input::Mute(SatDrain, false));
        bedside.run_until(muted_at + 9_000);
        assert!(bedside.find("sensor.fault.sat.drain").is_none());
        id
    };
    let (one, other) = (name(3_000), name(20_000));
    assert_eq!((one.condition, one.boot), (other.condition, other.boot));
    assert_ne!(one.onset, other.onset);
}
