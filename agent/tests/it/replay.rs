//! A real recording, from the file to the listener: value by value.

use std::path::Path;

use ecmo_agent::Settings;
use ecmo_agent::config::{AtEnd, Rate, ReplaySettings, SourceSettings};
use ecmo_proto::v1::{SourceKind, Validity};
use ecmo_testkit::EmbeddedBroker;

use crate::ward::{Agent, Listener, address, samples};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_values_of_the_recording_arrive_as_they_stand_in_the_file() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("records/abp-125hz-10min.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    let in_file: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).take(300).collect();
    assert_eq!(in_file.len(), 300);

    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let source = SourceSettings::Replay(ReplaySettings {
        file,
        rate: Some(Rate::try_from(125.0).unwrap()),
        speed: None,
        at_end: AtEnd::Loop,
    });
    let url = format!("mqtt://{}", broker.addr()).parse().unwrap();
    let agent = Agent::start(Settings::new(address("p1"), url, source));
    let frames = listener.await_frames(130).await;
    agent.stop().await;

    let birth = &listener.births()[0];
    assert_eq!(birth.source(), SourceKind::Replayed);
    assert_eq!(birth.device, "recording abp-125hz-10min.csv");
    assert_eq!((birth.channels[0].id.as_str(), birth.channels[0].rate_hz), ("pt.abp", 125.0));
    let heard = samples(&frames, birth, "pt.abp");
    assert!(heard.len() >= 300, "{}", heard.len());
    for ((index, expected), sample) in (0..).zip(&in_file).zip(&heard) {
        assert_eq!(sample.index, index);
        assert_eq!(sample.validity, Validity::Valid);
        assert!((sample.value - expected).abs() < 1e-9, "{index}: {} {expected}", sample.value);
        assert_eq!(sample.time_us - heard[0].time_us, index * 8000, "its own time, 125 Hz");
    }
}
