//! Absence: of frames, of one channel, of fresh data. It is heard at its deadline, and it never ends an alarm.

use std::time::Duration;

use ecmo_core::alarm::occurrence::Transition;
use ecmo_core::frame::{Frame, FrameStamp};
use ecmo_core::parameter::Parameter::{self, PressPost, PressPre, PumpSpeed, SatDrain};
use ecmo_core::pump::{Link, Presence, PumpState};
use ecmo_core::reading::{NoData, Reading};
use ecmo_core::time::{Instant, SampleTime};

use Transition::{DataBack, DataLost, Ended, Raised};

use crate::bedside::{Bedside, Input, Signal, check};

#[test]
fn trap_05_silence_is_heard_800_ms_after_the_last_frame_and_ends_after_2_s_of_frames() {
    let mut bedside = check(
        &[(5_010, Input::Lose(true)), (10_000, Input::Lose(false))],
        20_000,
        &[(5_800, "comm.stale", Raised), (12_000, "comm.stale", Ended)],
    );
    assert_eq!(bedside.pump.counters().dropouts, 1);
    assert_eq!(bedside.pump.counters().frames.missing, 249);
    assert_eq!(bedside.view().link, Link::Live);
    bedside.apply(&Input::Lose(true));
    bedside.run_until(21_000);
    let view = bedside.view();
    assert_eq!((view.link, view.state), (Link::Silent, PumpState::Unknown));
    assert!(view.readings.iter().all(|shown| shown.reading == Reading::NoData(NoData::CommLost)));
    assert!(view.readings.iter().all(|shown| shown.last_value.is_some()));
}

/// Frames like those that were sampled, with other times, from 2 s until 6 s; then nothing. When `comm.stale` was told.
fn stale_after(falsify: impl Fn(u64, &mut FrameStamp, SampleTime) -> SampleTime) -> Vec<u64> {
    let mut bedside = Bedside::new();
    bedside.run_until(2_000);
    for ms in 2_010..=12_000_u64 {
        let now = bedside.base.plus(Duration::from_millis(ms));
        if let Some(sampled) = bedside.agent.tick(ms).filter(|_| ms <= 6_000) {
            let mut stamp = FrameStamp { received: now, ..sampled.stamp };
            // A block says its own times, the stamp those of its frame.
            let starts: Vec<_> = sampled
                .blocks()
                .map(|(block, _)| falsify(ms, &mut stamp.clone(), block.start))
                .collect();
            falsify(ms, &mut stamp, sampled.stamp.published);
            let mut frame = Frame::new(sampled.boot, sampled.sequence, stamp);
            for ((block, readings), start) in sampled.blocks().zip(starts) {
                let readings = readings.iter().copied();
                frame.push(block.parameter, block.first_index, start, block.interval, readings);
            }
            bedside.pump.on_frame(&frame, now, &mut bedside.log).unwrap();
        }
        while bedside.pump.next_deadline().is_some_and(|deadline| deadline <= now) {
            bedside.pump.on_tick(now, &mut bedside.log);
        }
    }
    let told = bedside.told().into_iter();
    told.filter(|(_, name, step)| name == "comm.stale" && *step == Raised)
        .map(|(ms, _, _)| ms)
        .collect()
}

#[test]
fn trap_04_silence_is_told_whatever_times_the_frames_before_it_bore() {
    for (what, told, falsify) in [
        (
            "right",
            6_800,
            (|_, _, start| start) as fn(u64, &mut FrameStamp, SampleTime) -> SampleTime,
        ),
        ("samples all of one time", 6_800, |_, _, _| SampleTime::from_millis(92_000)),
        ("samples of the future", 6_800, |_, _, start| start.plus(Duration::from_secs(3_600))),
        ("a wall clock of tomorrow", 6_800, |_, stamp, start| {
            stamp.published_wall_ns += 86_400_000_000_000;
            start
        }),
        ("a wall clock that leaps each frame", 6_800, |ms, stamp, start| {
            let leap = i64::try_from(ms % 7).unwrap() - 3;
            stamp.published_wall_ns += leap * 3_600_000_000_000;
            start
        }),
        ("frames all of one time", 2_800, |_, stamp, start| {
            stamp.published = SampleTime::from_millis(92_000);
            start
        }),
        ("frames of the future", 6_800, |_, stamp, start| {
            stamp.published = stamp.published.plus(Duration::from_secs(3_600));
            start
        }),
    ] {
        assert_eq!(stale_after(falsify), [told], "{what}");
    }
}

#[test]
fn a_pause_in_the_recovery_begins_the_2_s_anew() {
    check(
        &[
            (1_010, Input::Lose(true)),
            (3_000, Input::Lose(false)),
            (4_010, Input::Lose(true)),
            (5_000, Input::Lose(false)),
        ],
        10_000,
        &[(1_800, "comm.stale", Raised), (7_000, "comm.stale", Ended)],
    );
}

#[test]
fn silence_does_not_end_an_alarm_and_shows_it_as_last_known() {
    let bedside = check(
        &[
            (1_000, Input::Value(PressPost, 5.0)),
            (2_010, Input::Lose(true)),
            (60_000, Input::Lose(false)),
        ],
        63_000,
        &[
            (1_500, "post.low", Raised),
            (2_800, "comm.stale", Raised),
            (2_800, "post.low", DataLost),
            // The first frame after lost ones waits for them, as long as a frame may be overtaken.
            (60_100, "post.low", DataBack),
            // Nobody has acknowledged it for a minute.
            (61_500, "post.low", Transition::Reminded),
            (62_000, "comm.stale", Ended),
        ],
    );
    assert!(!bedside.find("post.low").unwrap().last_known);
}

#[test]
fn silence_between_two_good_samples_is_no_recovery() {
    check(
        &[
            (1_000, Input::Value(PressPre, 300.0)),
            (3_000, Input::Value(PressPre, 150.0)),
            (3_510, Input::Lose(true)),
            (9_000, Input::Lose(false)),
        ],
        10_500,
        &[
            (2_000, "pre.high.warn", Raised),
            (4_300, "comm.stale", Raised),
            (4_300, "pre.high.warn", DataLost),
            (9_100, "pre.high.warn", DataBack),
            (10_000, "pre.high.warn", Ended),
        ],
    );
}

#[test]
fn a_violation_that_began_before_a_short_gap_is_raised_by_the_first_frame_after_it() {
    check(
        &[
            (5_000, Input::Value(PumpSpeed, 0.0)),
            (5_100, Input::Lose(true)),
            (5_700, Input::Lose(false)),
        ],
        7_000,
        // The frame of 5,700 ms waits for the lost ones as long as a frame may be overtaken.
        &[(5_800, "pump.stop", Raised)],
    );
}

#[test]
fn what_was_read_before_a_silence_is_not_shown_as_live_after_it() {
    let mut bedside = Bedside::new();
    bedside.play(
        &[
            (1_010, Input::Lose(true)),
            (1_010, Input::Mute(SatDrain, true)),
            (31_010, Input::Lose(false)),
        ],
        31_200,
    );
    assert_eq!(bedside.view().link, Link::Live);
    assert_eq!(bedside.reading(PumpSpeed), Reading::Value(3_000.0));
    assert_eq!(bedside.reading(SatDrain), Reading::NoData(NoData::CommLost));
}

#[test]
fn a_word_that_the_agent_is_gone_shortens_the_wait_to_200_ms() {
    let stale = [(5_200, "comm.stale", Raised)];
    let lost = (5_010, Input::Lose(true));
    for (presence, link) in [(Presence::Offline, Link::Silent), (Presence::Stopped, Link::Stopped)]
    {
        let gone = (5_020, Input::Status(1, presence));
        let bedside = check(&[lost.clone(), gone], 10_000, &stale);
        assert_eq!(bedside.view().link, link);
    }
    // Of another run it says nothing.
    let other = (5_020, Input::Status(9, Presence::Offline));
    check(&[lost, other], 10_000, &[(5_800, "comm.stale", Raised)]);
}

#[test]
fn a_late_will_beside_live_frames_raises_nothing_and_is_forgotten() {
    let will = |ms| (ms, Input::Status(1, Presence::Offline));
    let bedside = check(
        &[will(5_000), will(5_010), will(7_330), (19_010, Input::Lose(true))],
        19_900,
        &[(19_800, "comm.stale", Raised)],
    );
    assert_eq!(bedside.view().link, Link::Silent);
}

#[test]
fn the_last_frames_before_a_stop_do_not_hide_that_it_was_one() {
    // The word about the end overtakes the last two frames.
    let stopped = (5_010, Input::Status(1, Presence::Stopped));
    let bedside =
        check(&[stopped, (5_050, Input::Lose(true))], 6_000, &[(5_240, "comm.stale", Raised)]);
    assert_eq!(bedside.view().link, Link::Stopped);
}

#[test]
fn a_word_without_a_frame_is_no_life() {
    let bedside = check(
        &[
            (5_010, Input::Lose(true)),
            (5_020, Input::Status(1, Presence::Offline)),
            (5_300, Input::BirthAgain),
            (5_310, Input::Status(1, Presence::Online)),
        ],
        5_600,
        &[(5_200, "comm.stale", Raised)],
    );
    assert_eq!(bedside.view().link, Link::Silent);
    assert!(bedside.view().readings.iter().all(|it| it.reading.value().is_none()));
}

#[test]
fn a_repeat_of_an_old_frame_is_no_sign_of_life() {
    let mut bedside = Bedside::new();
    bedside.run_until(5_000);
    let last = bedside.agent.clone().tick(5_000).unwrap();
    bedside
        .play(&[(5_010, Input::Lose(true)), (5_020, Input::Status(1, Presence::Offline))], 5_100);
    bedside.deliver(last).unwrap();
    bedside.run_until(10_000);
    assert_eq!(bedside.told(), [(5_200, "comm.stale".into(), Raised)]);
    assert_eq!(bedside.pump.counters().frames.duplicate, 1);
}

#[test]
fn a_pump_that_was_never_seen_is_alarmed() {
    let bedside = check(&[(0, Input::Lose(true))], 5_000, &[(800, "comm.stale", Raised)]);
    assert_eq!(bedside.view().link, Link::NeverSeen);
    assert_eq!(bedside.view().fresh_at, None);
}

#[test]
fn a_channel_that_falls_silent_alone_raises_its_fault_while_the_others_go_on() {
    let bedside = check(
        &[
            (2_000, Input::Value(PressPost, 5.0)),
            (4_010, Input::Mute(PressPost, true)),
            (9_000, Input::Mute(PressPost, false)),
        ],
        12_000,
        &[
            (2_500, "post.low", Raised),
            (5_000, "sensor.fault.press.post", Raised),
            (5_000, "post.low", DataLost),
            (10_000, "sensor.fault.press.post", Ended),
            (10_000, "post.low", DataBack),
        ],
    );
    assert_eq!(bedside.reading(PumpSpeed), Reading::Value(3_000.0));
    let evaluated = bedside.pump.counters().frames;
    assert_eq!((evaluated.accepted, evaluated.missing), (600, 0));
}

#[test]
fn a_silent_channel_is_not_excused_by_births_or_by_restarts_of_the_agent() {
    let again: [fn(u64) -> Input; 2] = [|_turn| Input::BirthAgain, |turn| Input::Restart(2 + turn)];
    for again in again {
        let mut script = vec![(2_010, Input::Mute(PressPost, true))];
        script.extend((0..8).map(|turn| (2_500 + 500 * turn, again(turn))));
        check(&script, 7_000, &[(3_000, "sensor.fault.press.post", Raised)]);
    }
}

#[test]
fn a_failed_channel_that_shows_itself_once_and_then_nothing_is_withdrawn() {
    let mut bedside = Bedside::new();
    bedside.play(
        &[
            (1_000, Input::Without(PressPost, NoData::SensorOff)),
            (5_000, Input::Value(PressPost, 120.0)),
            (5_020, Input::Mute(PressPost, true)),
        ],
        9_000,
    );
    assert_eq!(bedside.reading(PressPost), Reading::NoData(NoData::CommLost));
    assert!(bedside.find("sensor.fault.press.post").is_some());
}

#[test]
fn frames_that_waited_in_a_queue_are_judged_but_are_no_sign_of_life() {
    let bedside = check(
        &[
            (5_000, Input::Delay(30_000)),
            (6_000, Input::Value(PumpSpeed, 0.0)),
            (40_000, Input::Delay(0)),
        ],
        39_000,
        &[
            (5_780, "comm.stale", Raised),
            // The violation is 30 s old when it arrives; it is told, as last known.
            (36_300, "pump.stop", Raised),
        ],
    );
    assert_eq!(bedside.view().link, Link::Silent);
    assert!(bedside.pump.counters().frames.accepted > 400);
}

#[test]
fn an_alarm_whose_data_is_old_is_not_shown_as_judged_now() {
    let mut bedside = Bedside::new();
    bedside.play(&[(3_000, Input::Value(PressPost, 5.0)), (5_000, Input::Delay(30_000))], 39_000);
    assert!(bedside.find("comm.stale").is_some());
    assert!(bedside.find("post.low").unwrap().last_known);
}

#[test]
fn a_step_of_the_wall_clock_is_counted_and_changes_nothing_else() {
    let bedside =
        check(&[(5_000, Input::WallStep(3_600)), (9_000, Input::WallStep(-7_200))], 15_000, &[]);
    assert_eq!(bedside.pump.counters().clock_steps, 2);
    // The newest frame was sealed 10 ms before the script's end.
    let fresh_at = bedside.pump.fresh_at().unwrap();
    assert_eq!(bedside.now().since(fresh_at).as_millis(), 20);
}

#[test]
fn a_sensor_that_repeats_an_old_sample_is_not_taken_for_a_working_one() {
    let mut bedside = Bedside::new();
    bedside.run_until(2_000);
    // The driver hangs: fresh frames, the same sample with its old time in each.
    for ms in (2_000..6_000_u64).step_by(10) {
        let Some(mut frame) = bedside.agent.tick(ms) else { continue };
        let mut hung = ecmo_core::frame::Frame::new(frame.boot, frame.sequence, frame.stamp);
        for (block, readings) in frame.blocks() {
            let start = if block.parameter == PressPost {
                SampleTime::from_millis(90_000 + 2_000)
            } else {
                block.start
            };
            let readings = readings.iter().copied();
            hung.push(block.parameter, block.first_index, start, block.interval, readings);
        }
        std::mem::swap(&mut frame, &mut hung);
        let now = bedside.base.plus(std::time::Duration::from_millis(ms));
        frame.stamp.received = now;
        bedside.pump.on_frame(&frame, now, &mut bedside.log).unwrap();
        while bedside.pump.next_deadline().is_some_and(|deadline| deadline <= now) {
            bedside.pump.on_tick(now, &mut bedside.log);
        }
    }
    let fault = bedside.find("sensor.fault.press.post").unwrap();
    assert_eq!(fault.no_data, Some(NoData::Stale));
    assert_eq!(bedside.pump.alarms().len(), 1);
}

#[test]
fn a_sample_from_the_future_does_not_hold_up_the_samples_after_it() {
    let mut bedside = Bedside::new();
    bedside.run_until(2_000);
    bedside.agent.show(PumpSpeed, Signal::Steady(Reading::Value(0.0)));
    let sealed = bedside.agent.tick(2_000).unwrap();
    let mut frame = ecmo_core::frame::Frame::new(sealed.boot, sealed.sequence, sealed.stamp);
    let hour = std::time::Duration::from_secs(3_600);
    let future = sealed.stamp.published.plus(hour);
    frame.push(PumpSpeed, 0, future, hour, [Reading::Value(0.0)]);
    bedside.deliver(frame).unwrap();
    for ms in (2_010..=2_400_u64).step_by(10) {
        if let Some(mut frame) = bedside.agent.tick(ms) {
            let now = bedside.base.plus(std::time::Duration::from_millis(ms));
            frame.stamp.received = now;
            bedside.pump.on_frame(&frame, now, &mut bedside.log).unwrap();
        }
    }
    assert_eq!(bedside.told(), [(2_300, "pump.stop".into(), Raised)]);
}

#[test]
fn every_channel_of_the_circuit_can_be_told_silent() {
    for (parameter, _period, _value) in crate::bedside::HEALTHY {
        let mut bedside = Bedside::new();
        bedside.play(&[(1_010, Input::Mute(parameter, true))], 4_000);
        let name = format!("sensor.fault.{}", Parameter::info(parameter).id);
        let fault = bedside.find(&name).unwrap_or_else(|| panic!("{name} is not raised"));
        assert!(fault.changed_at > Instant::default());
        assert_eq!(bedside.pump.alarms().len(), 1, "{name}");
    }
}

#[test]
fn fault_f06_a_link_that_flaps_needs_five_seconds_of_frames() {
    // 2 s of frames end the first silence. The second one follows within 30 s: it lasts until 5 s of frames have come, through
    // a pause that is no silence of its own.
    let stale = |ms, transition| (ms, "comm.stale", transition);
    check(
        &[
            (5_010, Input::Lose(true)),
            (7_000, Input::Lose(false)),
            (12_010, Input::Lose(true)),
            (14_000, Input::Lose(false)),
            (18_010, Input::Lose(true)),
            (20_000, Input::Lose(false)),
            // Long afterwards it is as before.
            (60_010, Input::Lose(true)),
            (62_000, Input::Lose(false)),
        ],
        70_000,
        &[
            stale(5_800, Raised),
            stale(9_000, Ended),
            stale(12_800, Raised),
            stale(25_000, Ended),
            stale(60_800, Raised),
            stale(64_000, Ended),
        ],
    );
}

#[test]
fn silences_before_the_first_frame_have_names_of_their_own() {
    let name = |started: u64| {
        let profile = std::sync::Arc::new(ecmo_profile::starter());
        let window = std::time::Duration::from_millis(100);
        let started = Instant::from_millis(started);
        let mut pump = ecmo_core::pump::Pump::new(profile, window, started);
        pump.on_tick(started.plus(std::time::Duration::from_secs(1)), &mut Deaf);
        pump.alarms().first().unwrap().id
    };
    // A gateway that is started anew: what a person did about the first silence says nothing about the second.
    assert_ne!(name(1_000), name(90_000));
    assert_eq!(name(1_000), name(1_000));
}

struct Deaf;

impl ecmo_core::alarm::Output for Deaf {
    fn evaluated(&mut self, _: &ecmo_core::frame::Frame, _: &ecmo_core::time::ClockMap) {}

    fn alarm(&mut self, _: ecmo_core::alarm::AlarmChange<'_>) {}
}
