//! The streams of pumps and of waveforms to a display that reads.
#![cfg(test)]

use std::time::Duration;

use ecmo_gateway::config::Settings;
use ecmo_proto::v1;
use tokio::time::timeout;
use tonic::{Code, Streaming};

use crate::display::{SOON, shows};
use crate::hand::channel;
use crate::site::Site;

async fn watch(site: &Site, interval_ms: u32) -> Result<Streaming<v1::WatchPumpsResponse>, Code> {
    let request = v1::WatchPumpsRequest { interval_ms, ..v1::WatchPumpsRequest::default() };
    let answer = site.display.pumps().watch_pumps(request).await;
    answer.map(tonic::Response::into_inner).map_err(|status| status.code())
}

async fn next<T>(stream: &mut Streaming<T>) -> T {
    timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap()
}

/// A gateway that calls nobody silent for ten seconds.
async fn patient_site() -> Site {
    let mut settings = Settings::on_free_ports();
    settings.alarms.silence = Some(Duration::from_secs(10));
    Site::with(settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interval_out_of_range_is_refused() {
    let site = Site::start().await;
    for interval_ms in [1, 19, 1_001, u32::MAX] {
        let refused = watch(&site, interval_ms).await.map(drop);
        assert_eq!(refused, Err(Code::InvalidArgument), "{interval_ms}");
    }
    for interval_ms in [0, 20, 1_000] {
        let mut stream = watch(&site, interval_ms).await.unwrap();
        assert_eq!(next(&mut stream).await.sequence, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_come_at_the_displays_pace_and_without_a_gap() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let mut stream = watch(&site, 100).await.unwrap();
    let mut times = Vec::new();
    for sequence in 0..10 {
        let message = next(&mut stream).await;
        assert_eq!(message.sequence, sequence);
        assert_eq!(message.pumps.len(), 1, "fifty frames a second: it has changed each time");
        let age = Duration::from_nanos(message.now_mono_ns - message.alarm_thread_mono_ns);
        assert!(age < Duration::from_secs(1), "the alarm thread's last round was {age:?} ago");
        times.push(message.now_mono_ns);
    }
    let apart = |pair: &[u64]| Duration::from_nanos(pair[1] - pair[0]);
    // A tick fires up to a millisecond late, and the next one counts from when it was due.
    let shortest = times.windows(2).map(apart).min().unwrap();
    assert!(shortest >= Duration::from_millis(90), "{shortest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_change_is_sent_although_none_follows() {
    let site = patient_site().await;
    let mut agent = site.agent("p1").await;
    let mut stream = watch(&site, 200).await.unwrap();
    next(&mut stream).await;
    agent.pause();
    for last in [411, 422, 433] {
        // Each comes just after a message, within the interval in which nothing may be sent.
        agent.set("flow.blood", last);
        agent.send(&agent.frame()).await;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let expected = last as f32;
        loop {
            let message = next(&mut stream).await;
            if message.pumps.first().is_some_and(|pump| shows(pump, "flow.blood", expected)) {
                break;
            }
        }
    }
    // The channels count as silent after a second; with nothing more to tell there is an empty heartbeat each second.
    let mut first = next(&mut stream).await;
    while !first.pumps.is_empty() {
        first = next(&mut stream).await;
    }
    let second = next(&mut stream).await;
    assert_eq!(second.pumps, []);
    let apart = Duration::from_nanos(second.now_mono_ns - first.now_mono_ns);
    assert!((Duration::from_millis(900)..Duration::from_millis(1_600)).contains(&apart));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_is_delivered_once_and_in_order() {
    let site = patient_site().await;
    let mut agent = site.agent("p1").await;
    agent.pause();
    let mut stream = site.display.waveforms("p1").await;
    let samples = 10;
    let frames = 200;
    let write = async {
        let mut index = 0;
        for frame in 0..frames {
            let mut sent = agent.frame();
            let block = &mut sent.blocks[channel("flow.blood")];
            // Sample number as value: what arrives says which sample it is.
            block.counts = (0..samples).map(|sample| frame * samples + sample).collect();
            block.validity.clear();
            (block.first_index, block.interval_us) = (index, 2_000);
            index += u64::try_from(samples).unwrap();
            agent.send(&sent).await;
        }
    };
    let read = async {
        let mut expected = 0;
        let mut last_frame = None;
        while expected < frames * samples {
            let message = next(&mut stream).await;
            assert_eq!(message.dropped, 0);
            let flow = message.blocks.iter().find(|block| block.parameter == "flow.blood");
            let Some(block) = flow else { continue };
            assert_eq!(message.boot_id, agent.boot());
            assert_eq!(
                (block.first_index, block.interval_ns),
                (u64::try_from(expected).unwrap(), 2_000_000)
            );
            for value in &block.values {
                #[expect(clippy::cast_precision_loss, reason = "a small number")]
                let number = expected as f32;
                assert!((value - number).abs() < 0.01, "{value} instead of {number}");
                expected += 1;
            }
            assert!(last_frame.is_none_or(|last| message.frame_sequence == last + 1));
            last_frame = Some(message.frame_sequence);
        }
    };
    tokio::join!(write, read);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waveforms_of_named_parameters_only_and_of_no_unknown_pump() {
    let site = Site::start().await;
    let _agent = site.agent("p1").await;
    let ask = async |ward: &str, pump: &str, parameters: &[&str]| {
        let request = v1::WatchWaveformsRequest {
            ward: ward.to_owned(),
            pump: pump.to_owned(),
            parameters: parameters.iter().map(|id| (*id).to_owned()).collect(),
        };
        let answer = site.display.pumps().watch_waveforms(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| status.code())
    };
    assert_eq!(ask("nicu", "p9", &[]).await.map(drop), Err(Code::NotFound));
    assert_eq!(ask("picu", "p1", &[]).await.map(drop), Err(Code::NotFound));
    assert_eq!(ask("nicu", "", &[]).await.map(drop), Err(Code::InvalidArgument));
    let mut stream = ask("nicu", "p1", &["press.pre", "nothing"]).await.unwrap();
    let mut message = next(&mut stream).await;
    while message.blocks.is_empty() {
        message = next(&mut stream).await;
    }
    let parameters: Vec<_> = message.blocks.iter().map(|it| it.parameter.as_str()).collect();
    assert_eq!(parameters, ["press.pre"]);
}
