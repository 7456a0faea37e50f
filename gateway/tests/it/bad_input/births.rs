//! Births that are refused, and births of which one channel is not read.
#![cfg(test)]

use ecmo_proto::topic::Kind;
use ecmo_proto::v1;
use prost::Message as _;
use rumqttc::QoS;

use super::{PATIENT, Scene};
use crate::display::{reading, shows};
use crate::hand::channel;

const REJECTED: &str = "ecmo_gateway_births_rejected_total";
const INVALID: &str = "ecmo_gateway_samples_invalid_total";

/// Announces the patient with its drainage side spoilt, channel by channel: the channel is not read and says why, its
/// samples are counted, and every other channel is read on.
async fn channel_is_not_read(
    reason: &str,
    samples: &str,
    why: &str,
    spoils: &[fn(&mut v1::Channel)],
) {
    let mut scene = Scene::start().await;
    for spoil in spoils {
        let before = scene.site.counted(REJECTED, &[&format!("reason=\"{reason}\"")]).await;
        scene.patient.pause();
        scene.patient.restart();
        let mut birth = scene.patient.birth();
        let id = birth.channels[channel("press.pre")].id.clone();
        spoil(&mut birth.channels[channel("press.pre")]);
        let sent = birth.channels[channel("press.pre")].id.clone();
        scene.patient.announce(&birth).await;
        let boot = scene.patient.boot();
        // In the broker a frame may overtake the birth before it.
        scene.site.display.await_pump(PATIENT, "announced", |pump| pump.boot_id == boot).await;
        scene.patient.go_on();
        let invalid = |pump: &v1::Pump| pump.counters.unwrap().samples_invalid;
        let before_invalid = invalid(&scene.site.display.pump(PATIENT).await.unwrap());
        let pump = scene
            .site
            .display
            .await_pump(PATIENT, "one channel not read", |pump| {
                pump.boot_id == boot
                    && pump.link() == v1::LinkState::Live
                    && shows(pump, "flow.blood", 400.0)
                    && invalid(pump) >= before_invalid + 3
            })
            .await;
        let [refused] = &pump.refused_channels[..] else { panic!("{pump:#?}") };
        assert_eq!((&refused.id, refused.reason.as_str()), (&sent, why));
        // What was read in the run before is history.
        assert_eq!(reading(&pump, &id).and_then(|reading| reading.value), None, "{pump:#?}");
        if why != "unknown parameter" && why != "declared twice" {
            // A limit that cannot be judged any more must not be silent about it.
            let fault = format!("sensor.fault.{id}");
            let raised = |pump: &v1::Pump| pump.alarms.iter().any(|it| it.condition == fault);
            scene.site.display.await_pump(PATIENT, "told as failed", raised).await;
        }
        let label = format!("reason=\"{reason}\"");
        scene.site.await_counted(REJECTED, &["pump=\"p1\"", &label], before + 1.0).await;
    }
    scene.patient.pause();
    let label = format!("reason=\"{samples}\"");
    assert!(scene.site.counted(INVALID, &["pump=\"p1\"", &label]).await > 2.5);
    let all = scene.site.counted(INVALID, &["pump=\"p1\""]).await;
    let of_reason = scene.site.counted(INVALID, &["pump=\"p1\"", &label]).await;
    assert!((all - of_reason).abs() < 0.5, "no other reason: {all} {of_reason}");
    // Frames of the run before may come after the birth of the next one; no other is refused.
    let refused = "ecmo_gateway_frames_rejected_total";
    let of_old_runs = scene.site.counted(refused, &["pump=\"p1\"", "reason=\"boot\""]).await;
    scene.site.await_counted(refused, &[], of_old_runs).await;
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scale_that_is_no_scale_makes_the_channel_unread() {
    let why = "scale must be above 0 and finite, offset finite";
    channel_is_not_read(
        "range",
        "channel",
        why,
        &[
            |channel| channel.scale = f64::NAN,
            |channel| channel.scale = f64::INFINITY,
            |channel| channel.scale = f64::NEG_INFINITY,
            |channel| channel.scale = 0.0,
            |channel| channel.scale = -1.0,
            |channel| channel.offset = f64::NAN,
            |channel| channel.offset = f64::NEG_INFINITY,
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_that_is_no_rate_makes_the_channel_unread() {
    let why = "rate must be 0 (on change, and once a second) or 0.01 to 100000 Hz";
    channel_is_not_read(
        "range",
        "channel",
        why,
        &[
            |channel| channel.rate_hz = f64::NAN,
            |channel| channel.rate_hz = f64::INFINITY,
            |channel| channel.rate_hz = -50.0,
            |channel| channel.rate_hz = 1e-300,
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_channel_is_not_read() {
    channel_is_not_read(
        "channel",
        "channel",
        "unknown parameter",
        &[
            |channel| channel.id = "press.hepatic".to_owned(),
            |channel| channel.id = String::new(),
            |channel| channel.id = "PRESS.PRE".to_owned(),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_is_declared_twice_is_read_once() {
    channel_is_not_read(
        "channel",
        "channel",
        "declared twice",
        &[|channel| {
            channel.id = "flow.blood".to_owned();
            channel.unit = "mL/min".to_owned();
        }],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_in_a_wrong_unit_is_not_read() {
    channel_is_not_read(
        "unit",
        "unit",
        "unit bar, expected mm[Hg]",
        &[|channel| channel.unit = "bar".to_owned()],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_commands_a_terminal_is_shown_without_its_commands() {
    let mut scene = Scene::start().await;
    scene.patient.pause();
    scene.patient.restart();
    let mut birth = scene.patient.birth();
    birth.device = format!("\u{1b}[2Jpump\u{7}\n{}", "x".repeat(500));
    birth.channels.push(v1::Channel { id: "\u{1b}]0;a\u{7}".to_owned(), ..<_>::default() });
    scene.patient.announce(&birth).await;
    let boot = birth.boot_id;
    let pump =
        scene.site.display.await_pump(PATIENT, "announced", |pump| pump.boot_id == boot).await;
    assert!(pump.device.starts_with("[2Jpumpxxx") && pump.device.len() == 64, "{}", pump.device);
    assert_eq!(pump.refused_channels[0].id, "]0;a");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_birth_that_is_none_changes_nothing() {
    let scene = Scene::start().await;
    let good = scene.patient.birth();
    let boot = good.boot_id;
    let too_many = vec![v1::Channel::default(); 65];
    let long = "x".repeat(70 * 1024);
    for (damaged, (reason, payload)) in (1..).zip([
        ("decode", vec![0xff; 300]),
        ("decode", vec![0x63; 30_000]),
        ("decode", vec![0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
        ("identity", v1::Birth { pump: "p9".to_owned(), ..good.clone() }.encode_to_vec()),
        ("identity", Vec::new()),
        ("boot", v1::Birth { boot_id: 0, ..good.clone() }.encode_to_vec()),
        ("channel", v1::Birth { channels: too_many, ..good.clone() }.encode_to_vec()),
        ("oversize", v1::Birth { device: long, ..good.clone() }.encode_to_vec()),
    ]) {
        let labels = ["pump=\"p1\"", &format!("reason=\"{reason}\"")];
        let before = scene.site.counted(REJECTED, &labels).await;
        let topic = scene.patient.address.topic(Kind::Birth);
        scene.patient.publish(&topic, QoS::AtLeastOnce, false, payload).await;
        scene.site.await_counted(REJECTED, &labels, before + 1.0).await;
        let pump = scene.patient_goes_on_after(damaged).await;
        assert_eq!((pump.boot_id, pump.device.as_str()), (boot, "a test"), "{reason}");
        assert_eq!(pump.counters.unwrap().frames_rejected, 0);
    }
    scene.witness_is_unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_that_is_none_changes_nothing() {
    let scene = Scene::start().await;
    let boot_id = scene.patient.boot();
    let good =
        v1::Status { pump: PATIENT.to_owned(), boot_id, state: v1::AgentState::Offline.into() };
    for (damaged, (reason, payload)) in (1..).zip([
        ("decode", vec![0xff; 30]),
        ("identity", v1::Status { pump: "p9".to_owned(), ..good.clone() }.encode_to_vec()),
        ("boot", v1::Status { boot_id: 0, ..good.clone() }.encode_to_vec()),
        ("state", v1::Status { state: 0, ..good.clone() }.encode_to_vec()),
        ("state", v1::Status { state: 99, ..good.clone() }.encode_to_vec()),
        ("oversize", vec![0; 70 * 1024]),
        ("oversize", vec![0; 2 * 1024]),
    ]) {
        let labels = ["pump=\"p1\"", &format!("reason=\"{reason}\"")];
        let rejected = "ecmo_gateway_statuses_rejected_total";
        let before = scene.site.counted(rejected, &labels).await;
        let topic = scene.patient.address.topic(Kind::Status);
        scene.patient.publish(&topic, QoS::AtLeastOnce, false, payload).await;
        scene.site.await_counted(rejected, &labels, before + 1.0).await;
        scene.patient_goes_on_after(damaged).await;
    }
    scene.witness_is_unharmed().await;
}
