//! What the circuit does and which alarms it must cause, to the sample.

use ecmo_core::alarm::occurrence::{Signal, Transition};
use ecmo_core::parameter::Parameter::{
    AirBubble, FlowBlood, PressDrain, PressPost, PressPre, PumpSpeed, PumpSpeedSet,
};
use ecmo_core::pump::PumpState;
use ecmo_core::reading::{NoData, Reading};

use Transition::{Acknowledged, DataLost, Ended, Latched, Raised, Returned};

use crate::bedside::{Bedside, Input, check};

#[test]
fn a_healthy_circuit_raises_nothing() {
    let bedside = check(&[], 60_000, &[]);
    assert_eq!(bedside.pump.counters().frames.accepted, 3_000);
    assert_eq!(bedside.pump.state(), PumpState::Running);
}

#[test]
fn a_pump_stop_is_raised_after_300_ms_and_stays_until_a_person_has_seen_it() {
    let bedside = check(
        &[
            (5_000, Input::Value(PumpSpeed, 99.0)),
            (8_000, Input::Value(PumpSpeed, 3_000.0)),
            (20_000, Input::Acknowledge("pump.stop")),
        ],
        21_000,
        &[
            (5_300, "pump.stop", Raised),
            (9_000, "pump.stop", Latched),
            (20_000, "pump.stop", Acknowledged),
        ],
    );
    assert!(bedside.pump.alarms().is_empty());
}

#[test]
fn a_speed_on_the_limit_is_no_stop_and_neither_is_a_dip_of_less_than_300_ms() {
    check(
        &[
            (5_000, Input::Value(PumpSpeed, 100.0)),
            (10_000, Input::Value(PumpSpeed, 0.0)),
            (10_300, Input::Value(PumpSpeed, 3_000.0)),
        ],
        15_000,
        &[],
    );
}

#[test]
fn a_stopped_pump_that_is_acknowledged_ends_when_it_turns() {
    check(
        &[
            (1_000, Input::Value(PumpSpeed, 0.0)),
            (2_000, Input::Acknowledge("pump.stop")),
            (3_000, Input::Value(PumpSpeed, 3_000.0)),
        ],
        6_000,
        &[
            (1_300, "pump.stop", Raised),
            (2_000, "pump.stop", Acknowledged),
            (4_000, "pump.stop", Ended),
        ],
    );
}

#[test]
fn a_condition_that_returns_while_latched_is_the_same_occurrence() {
    let bedside = check(
        &[
            (1_000, Input::Value(PumpSpeed, 0.0)),
            (2_000, Input::Value(PumpSpeed, 3_000.0)),
            (4_000, Input::Value(PumpSpeed, 0.0)),
        ],
        6_000,
        &[
            (1_300, "pump.stop", Raised),
            (3_000, "pump.stop", Latched),
            (4_300, "pump.stop", Returned),
        ],
    );
    let changes = &bedside.log.changes;
    assert!(changes.iter().all(|change| change.id == changes[0].id));
    assert_eq!(changes.iter().map(|change| change.revision).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(bedside.find("pump.stop").unwrap().signal(), Signal::On);
}

#[test]
fn a_pump_in_standby_raises_neither_stop_nor_pressures() {
    let bedside = check(
        &[
            (0, Input::Value(PumpSpeedSet, 0.0)),
            (0, Input::Value(PumpSpeed, 0.0)),
            (0, Input::Value(PressPost, 0.0)),
            (0, Input::Value(FlowBlood, 0.0)),
        ],
        30_000,
        &[],
    );
    assert_eq!(bedside.pump.state(), PumpState::Standby);
}

#[test]
fn a_pump_whose_set_speed_was_never_known_is_not_taken_for_one_that_rests() {
    // As after a restart of the gateway into a pump that has stopped and does not tell its set speed.
    let bedside = check(
        &[(0, Input::Mute(PumpSpeedSet, true)), (0, Input::Value(PumpSpeed, 0.0))],
        900,
        &[(300, "pump.stop", Raised)],
    );
    assert_eq!(bedside.pump.state(), PumpState::Stopped);
}

#[test]
fn a_pump_that_stands_although_it_is_set_to_turn_is_alarmed_from_the_first_frames_on() {
    let bedside = check(&[(0, Input::Value(PumpSpeed, 0.0))], 5_000, &[(300, "pump.stop", Raised)]);
    assert_eq!(bedside.pump.state(), PumpState::Stopped);
}

#[test]
fn the_set_speed_that_was_known_last_still_counts_when_it_is_lost() {
    check(
        &[
            (0, Input::Value(PumpSpeed, 100.0)),
            (1_000, Input::Without(PumpSpeedSet, NoData::SensorOff)),
            (2_000, Input::Value(PumpSpeed, 0.0)),
        ],
        2_900,
        &[(2_300, "pump.stop", Raised)],
    );
}

#[test]
fn an_open_return_line_raises_after_half_a_second_and_names_its_first_sample() {
    let bedside = check(
        &[(5_010, Input::Value(PressPost, 5.0))],
        7_000,
        // The sample of 5,510 ms decides; it travels in the frame of 5,520 ms.
        &[(5_520, "post.low", Raised)],
    );
    let change = &bedside.log.changes[0];
    assert_eq!(change.id.onset, 95_010_000_000);
    assert_eq!(change.cause.unwrap().sampled.as_nanos(), 95_510_000_000);
    let shown = bedside.find("post.low").unwrap();
    // Around 5 with the ripple of a bedside.
    assert_eq!((shown.value, shown.worst), (Some(5.125), Some(4.875)));
}

#[test]
fn an_obstructed_drainage_warns_and_alarms_by_its_mean() {
    // From -30 to -95, pulsating by 25: the mean of one second passes -50 after 0.2 s and -75 after 0.6 s. On the way
    // back it has recovered to -70 after 0.4 s and to -45 after 0.8 s.
    let bedside = check(
        &[
            (5_000, Input::Pulse(PressDrain, -95.0, 25.0)),
            (10_000, Input::Pulse(PressDrain, -30.0, 25.0)),
        ],
        15_000,
        &[
            // A mean of 1 s is of the middle of its window: its delay began half a second ago.
            (6_100, "drain.low.alarm", Raised),
            (6_700, "drain.low.warn", Raised),
            (11_400, "drain.low.alarm", Ended),
            (11_800, "drain.low.warn", Ended),
        ],
    );
    assert!(bedside.pump.alarms().is_empty());
}

#[test]
fn pulsation_across_the_limit_raises_nothing_while_the_mean_is_well() {
    check(&[(5_000, Input::Pulse(PressDrain, -45.0, 40.0))], 30_000, &[]);
}

#[test]
fn an_edge_is_raised_with_its_sample_and_a_doubted_one_as_well() {
    check(
        &[(5_000, Input::Value(AirBubble, 1.0)), (5_020, Input::Value(AirBubble, 0.0))],
        7_000,
        &[(5_000, "air.arterial", Raised), (6_020, "air.arterial", Latched)],
    );
    let mut bedside = Bedside::new();
    bedside.run_until(100);
    let doubted = Reading::Questionable(1.0);
    bedside.agent.show(AirBubble, crate::bedside::Signal::Steady(doubted));
    bedside.run_until(200);
    assert!(bedside.find("air.arterial").is_some());
}

#[test]
fn a_reading_beyond_the_sensors_range_violates_the_limit_on_that_side() {
    check(
        &[
            (2_000, Input::Without(PressPre, NoData::AboveRange)),
            (4_000, Input::Value(PressPre, 150.0)),
        ],
        8_000,
        &[
            (2_500, "pre.high.alarm", Raised),
            (3_000, "pre.high.warn", Raised),
            (5_000, "pre.high.warn", Ended),
            (5_000, "pre.high.alarm", Ended),
        ],
    );
    check(
        &[(2_000, Input::Without(PressPost, NoData::BelowRange))],
        2_700,
        &[(2_500, "post.low", Raised)],
    );
}

#[test]
fn a_sensor_that_is_off_raises_its_fault_and_keeps_the_alarm_as_last_known() {
    let bedside = check(
        &[
            (1_000, Input::Value(PressPre, 400.0)),
            (3_000, Input::Without(PressPre, NoData::SensorOff)),
        ],
        60_000,
        &[
            (1_500, "pre.high.alarm", Raised),
            (2_000, "pre.high.warn", Raised),
            (5_000, "sensor.fault.press.pre", Raised),
            (5_000, "pre.high.alarm", DataLost),
            (5_000, "pre.high.warn", DataLost),
        ],
    );
    let alarm = bedside.find("pre.high.alarm").unwrap();
    assert!(alarm.present && alarm.last_known);
    assert_eq!(bedside.find("sensor.fault.press.pre").unwrap().no_data, Some(NoData::SensorOff));
    assert_eq!(bedside.reading(PressPre), Reading::NoData(NoData::SensorOff));
}

#[test]
fn an_alarm_stays_last_known_when_a_failed_sensor_shows_itself_only_for_a_moment() {
    let bedside = check(
        &[
            (1_000, Input::Value(PressPre, 300.0)),
            (3_000, Input::Without(PressPre, NoData::SensorOff)),
            (6_000, Input::Value(PressPre, 300.0)),
            (6_100, Input::Without(PressPre, NoData::SensorOff)),
        ],
        10_000,
        &[
            (2_000, "pre.high.warn", Raised),
            (5_000, "sensor.fault.press.pre", Raised),
            (5_000, "pre.high.warn", DataLost),
        ],
    );
    assert!(bedside.find("pre.high.warn").unwrap().last_known);
}

#[test]
fn time_without_a_measurement_does_not_count_as_recovered() {
    // Recovered for 0.5 s, unknown for 5 s, recovered for 1 s: it ends after that second, not before.
    check(
        &[
            (1_000, Input::Value(PressPre, 300.0)),
            (3_000, Input::Value(PressPre, 150.0)),
            (3_500, Input::Without(PressPre, NoData::SensorOff)),
            (9_000, Input::Value(PressPre, 150.0)),
        ],
        12_000,
        &[
            (2_000, "pre.high.warn", Raised),
            (5_500, "sensor.fault.press.pre", Raised),
            (5_500, "pre.high.warn", DataLost),
            (10_000, "sensor.fault.press.pre", Ended),
            (10_000, "pre.high.warn", Ended),
        ],
    );
}

#[test]
fn a_restart_of_the_agent_neither_forgets_nor_doubles_a_violation() {
    let bedside = check(
        &[
            (2_000, Input::Value(PumpSpeed, 0.0)),
            (2_200, Input::Restart(2)),
            (5_000, Input::Restart(3)),
        ],
        10_000,
        // 180 ms in the first boot, 120 ms in the second.
        &[(2_320, "pump.stop", Raised)],
    );
    assert_eq!(bedside.log.changes[0].id.boot, Some(crate::bedside::boot(1)));
    assert_eq!(bedside.pump.counters().boots, 3);
}

#[test]
fn a_channel_that_a_new_birth_lacks_leaves_its_alarm_as_last_known() {
    let mut bedside = Bedside::new();
    bedside.play(&[(1_000, Input::Value(PressPre, 300.0))], 3_000);
    bedside.agent.drop_channel(PressPre);
    bedside.play(&[(3_000, Input::Restart(2))], 6_000);
    let alarm = bedside.find("pre.high.warn").unwrap();
    assert!(alarm.present && alarm.last_known);
    assert_eq!(bedside.reading(PressPre), Reading::NoData(NoData::NotMeasured));
}
