//! What a healthy agent publishes: birth first, every frame once, every sample in its time.

use std::time::Duration;

use ecmo_agent::{Fault, FaultKind};
use ecmo_proto::v1::{AgentState, SourceKind, Validity};
use ecmo_testkit::EmbeddedBroker;

use crate::ward::{Agent, Heard, Listener, samples, simulated};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn birth_and_status_come_first_and_frames_have_no_gap() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    let frames = listener.await_frames(150).await;
    let summary = agent.stop().await;
    listener.await_state(AgentState::Stopped).await;

    let heard = listener.all();
    let Heard::Birth(birth) = &heard[0] else { panic!("{:?}", heard[0]) };
    let Heard::Status(status) = &heard[1] else { panic!("{:?}", heard[1]) };
    assert_eq!(status.state(), AgentState::Online);
    assert_ne!(birth.boot_id, 0);
    assert_eq!((birth.boot_id, birth.pump.as_str()), (status.boot_id, "p1"));
    assert_eq!(birth.source(), SourceKind::Simulated);
    assert_eq!(birth.frame_period_us, 20_000);

    for (expected, frame) in (0..).zip(&frames) {
        assert_eq!(frame.sequence, expected, "no frame is missing, doubled or out of order");
        assert_eq!((frame.boot_id, frame.pump.as_str()), (birth.boot_id, "p1"));
        assert!(frame.publish_mono_ns >= frame.start_mono_ns);
        assert!(!frame.historical);
    }
    assert_eq!(summary.frames_published, listener.frames().len() as u64);
    assert_eq!(summary.frames_published, summary.frames_prepared);
    assert!(matches!(heard.last(), Some(Heard::Status(_))), "the status is the last word");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_keep_their_period_and_samples_their_rate() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let agent = Agent::start(simulated("p1", broker.addr()));
    let frames = listener.await_frames(150).await;
    agent.stop().await;
    let birth = &listener.births()[0];

    // Frames start on their grid; only an edge (here: the first word of bubble and mains) cuts one short.
    let starts: Vec<_> = frames.iter().map(|frame| frame.start_mono_ns / 1000).collect();
    let on_period = starts.windows(2).filter(|pair| pair[1] - pair[0] == 20_000).count();
    assert!(on_period >= 140, "{on_period} of 149 frames are 20 ms long");

    for (parameter, interval_us) in [("press.drain", 10_000), ("flow.blood", 100_000)] {
        let samples = samples(&frames, birth, parameter);
        for (expected, pair) in (0..).zip(samples.windows(2)) {
            assert_eq!(pair[0].index, expected, "{parameter}");
            assert_eq!(pair[1].time_us - pair[0].time_us, interval_us, "{parameter}");
            assert_eq!(pair[0].validity, Validity::Valid);
        }
        assert!(samples.len() > 25, "{parameter}: {}", samples.len());
    }
    // A sample waits for its frame at most the frame's period, and then a little for the machine.
    let mut waits: Vec<_> =
        frames.iter().map(|frame| frame.publish_mono_ns - frame.start_mono_ns).collect();
    waits.sort_unstable();
    assert!(waits[waits.len() / 2] < 40_000_000, "half wait less than {} ns", waits[75]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_does_not_wait_for_the_frame_period() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let at = Duration::from_millis(1500);
    let fault = Fault { kind: FaultKind::AirBubble, at, lasts: None };
    let mut settings = simulated("p1", broker.addr()).with_fault(fault);
    settings.frame_period = Duration::from_secs(1);
    let agent = Agent::start(settings);
    let (sampled_us, published_us) = listener
        .await_that("a bubble", |listener| {
            let births = listener.births();
            let birth = births.first().ok_or("no birth")?;
            for frame in listener.frames() {
                let bubbles = samples(std::slice::from_ref(&frame), birth, "air.bubble");
                if let Some(bubble) = bubbles.into_iter().find(|sample| sample.value > 0.5) {
                    return Ok((bubble.time_us, frame.publish_mono_ns / 1000));
                }
            }
            Err("no bubble".to_owned())
        })
        .await;
    agent.stop().await;
    let waited_us = published_us - sampled_us;
    assert!(waited_us < 500_000, "{waited_us} us, far less than the period of 1 s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_agents_run_in_one_process_and_keep_apart() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let listener = Listener::start(broker.addr()).await;
    let names: Vec<_> = (1..=8).map(|number| format!("p{number}")).collect();
    let agents: Vec<_> =
        names.iter().map(|name| Agent::start(simulated(name, broker.addr()))).collect();
    listener.await_frames(8 * 30).await;
    for agent in agents {
        let summary = agent.stop().await;
        assert_eq!(summary.connections, 1);
    }
    let frames = listener.frames();
    let mut boots = std::collections::BTreeSet::new();
    for name in &names {
        let of_pump: Vec<_> = frames.iter().filter(|frame| frame.pump == *name).collect();
        assert!(of_pump.len() > 10, "{name}: {}", of_pump.len());
        assert!((0..).zip(&of_pump).all(|(expected, frame)| frame.sequence == expected));
        boots.insert(of_pump[0].boot_id);
    }
    assert_eq!(boots.len(), names.len());
}
