//! Samples that are no measurement, in frames that are fine otherwise.
#![cfg(test)]

use std::time::Duration;

use ecmo_proto::v1;
use tokio::time::Instant;

use super::{PATIENT, Scene, WITNESS};
use crate::display::{reading, shows};
use crate::hand::channel;

const INVALID: &str = "ecmo_gateway_samples_invalid_total";

/// Whether the flow has no value now, for this reason, with the last one kept apart.
fn is_without_flow(pump: &v1::Pump, validity: v1::Validity) -> bool {
    let flow = reading(pump, "flow.blood").unwrap();
    flow.value.is_none()
        && flow.validity() == validity
        && flow.last_value.is_some_and(|value| (value - 400.0).abs() < 0.1)
        && flow.last_value_mono_ns < flow.sampled_mono_ns
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_sensor_says_instead_of_a_value_is_shown_with_its_reason_and_never_as_a_value() {
    use v1::Validity as V;
    let scene = Scene::start().await;
    for (sent, shown, reason) in [
        (V::SensorOff, V::SensorOff, "sensor"),
        (V::SensorFault, V::SensorFault, "sensor"),
        (V::NotMeasured, V::NotMeasured, "sensor"),
        (V::BelowRange, V::BelowRange, "sensor"),
        (V::AboveRange, V::AboveRange, "sensor"),
        (V::Calibrating, V::Calibrating, "sensor"),
        (V::Stale, V::Stale, "sensor"),
        (V::Simulated, V::Simulated, "sensor"),
        (V::CommLost, V::CommLost, "sensor"),
        (V::Unspecified, V::SensorFault, "unspecified"),
    ] {
        let labels = ["pump=\"p1\"", &format!("reason=\"{reason}\"")];
        let before = scene.site.counted(INVALID, &labels).await;
        scene.patient.set_validity("flow.blood", sent);
        let pump = scene
            .site
            .display
            .await_pump(PATIENT, sent.as_str_name(), |pump| is_without_flow(pump, shown))
            .await;
        assert_eq!(pump.link(), v1::LinkState::Live);
        scene.patient.set_validity("flow.blood", V::Valid);
        scene
            .site
            .display
            .await_pump(PATIENT, "measured", |pump| shows(pump, "flow.blood", 400.0))
            .await;
        assert!(scene.site.counted(INVALID, &labels).await > before + 0.5, "{sent:?}");
    }
    let pump = scene.site.display.pump(PATIENT).await.unwrap();
    assert!(pump.counters.unwrap().samples_invalid >= 10);
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubted_value_is_shown_as_doubted() {
    let scene = Scene::start().await;
    scene.patient.set_validity("flow.blood", v1::Validity::Questionable);
    scene
        .site
        .display
        .await_pump(PATIENT, "doubted", |pump| {
            let flow = reading(pump, "flow.blood").unwrap();
            shows(pump, "flow.blood", 400.0) && flow.validity() == v1::Validity::Questionable
        })
        .await;
    assert!(scene.site.counted(INVALID, &[]).await < 0.5, "it is a measurement");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validity_that_nobody_knows_is_a_fault() {
    let mut scene = Scene::start().await;
    scene.patient.pause();
    let mut frame = scene.patient.frame();
    frame.blocks[channel("flow.blood")].validity = vec![v1::ValidityRun { validity: 77, count: 1 }];
    scene.patient.send(&frame).await;
    scene
        .site
        .display
        .await_pump(PATIENT, "a fault", |pump| is_without_flow(pump, v1::Validity::SensorFault))
        .await;
    scene.site.await_counted(INVALID, &["pump=\"p1\"", "reason=\"unspecified\""], 1.0).await;
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_not_possible_is_a_fault() {
    let scene = Scene::start().await;
    // Beyond anything a circuit does; and what devices send for "no value".
    for count in [2_001, -1_001, i32::MIN, i32::MAX, -32_768, 32_767, 9_999] {
        scene.patient.set("flow.blood", count);
        let pump = scene
            .site
            .display
            .await_pump(PATIENT, "a fault", |pump| is_without_flow(pump, v1::Validity::SensorFault))
            .await;
        assert_eq!(pump.alarms, [], "no limit is judged by it");
        scene.patient.set("flow.blood", 400);
        scene
            .site
            .display
            .await_pump(PATIENT, "measured", |pump| shows(pump, "flow.blood", 400.0))
            .await;
    }
    assert!(scene.site.counted(INVALID, &["pump=\"p1\"", "reason=\"range\""]).await > 6.5);
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sensor_without_measurements_is_an_alarm_after_two_seconds_until_it_measures_again() {
    let scene = Scene::start().await;
    let log = scene.site.display.watch_alarms().await;
    let unplugged = Instant::now();
    scene.patient.set_validity("flow.blood", v1::Validity::SensorOff);
    let (told, raised) = log.raised(PATIENT, "sensor.fault.flow.blood").await;
    assert_eq!(raised.kind(), v1::AlarmKind::Technical);
    assert_eq!(raised.priority(), v1::AlarmPriority::High);
    assert_eq!(raised.validity(), v1::Validity::SensorOff);
    let since_onset = Duration::from_nanos(raised.changed_mono_ns - raised.onset_mono_ns);
    assert!(
        since_onset >= Duration::from_millis(1_900),
        "onset is the first lost sample: {since_onset:?}"
    );
    let lasted = told - unplugged;
    assert!((Duration::from_secs(2)..Duration::from_secs(3)).contains(&lasted), "{lasted:?}");
    scene.patient.set_validity("flow.blood", v1::Validity::Valid);
    log.ended(PATIENT, "sensor.fault.flow.blood").await;
    assert!(log.changes().iter().all(|(_, alarm)| alarm.pump != WITNESS));
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_the_birth_does_not_declare_is_counted_and_the_rest_is_read() {
    let mut scene = Scene::start().await;
    scene.patient.pause();
    for undeclared in [5, 64, u32::MAX] {
        let mut frame = scene.patient.frame();
        frame.blocks[channel("flow.blood")].counts = vec![401];
        frame.blocks[channel("press.pre")].channel = undeclared;
        scene.patient.send(&frame).await;
    }
    scene.site.await_counted(INVALID, &["pump=\"p1\"", "reason=\"channel\""], 3.0).await;
    let pump = scene.site.display.pump(PATIENT).await.unwrap();
    assert!(shows(&pump, "flow.blood", 401.0), "{pump:#?}");
    assert_eq!(pump.counters.unwrap().frames_rejected, 0);
    assert_eq!(pump.counters.unwrap().samples_invalid, 3);
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_and_numbers_at_the_end_of_their_range_stop_nobody() {
    let scene = Scene::start().await;
    // Each spoils the order or the clock of its own run; the run after it is read as if nothing had been.
    let spoils: [fn(&mut v1::Frame); 6] = [
        |frame| frame.start_mono_ns = u64::MAX,
        |frame| (frame.start_mono_ns, frame.publish_mono_ns) = (u64::MAX, u64::MAX),
        |frame| (frame.start_mono_ns, frame.publish_mono_ns) = (0, 0),
        |frame| frame.publish_wall_ns = i64::MIN,
        |frame| frame.sequence = u64::MAX,
        |frame| {
            for block in &mut frame.blocks {
                (block.first_index, block.start_us) = (u64::MAX, u32::MAX);
                (block.interval_us, block.counts) = (u32::MAX, vec![i32::MIN; 1_000]);
                block.validity.clear();
            }
        },
    ];
    for spoil in spoils {
        scene.patient.restart();
        scene.site.introduce(&scene.patient).await;
        let mut frame = scene.patient.frame();
        spoil(&mut frame);
        scene.patient.send(&frame).await;
        scene.patient.restart();
        scene.site.introduce(&scene.patient).await;
        scene.patient_goes_on().await;
    }
    scene.witness_is_unharmed().await;
}
