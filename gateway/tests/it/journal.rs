//! The journal against real sockets: what is lost comes back from an agent's spool, once; what was missed is told; a bad disk holds
//! up nothing.
#![cfg(test)]

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ecmo_gateway::config::{Keep, Settings};
use ecmo_gateway::journal::inspect;
use ecmo_proto::topic::Kind;
use ecmo_proto::v1::request::Ask;
use ecmo_proto::{sealed, v1};
use ecmo_testkit::eventually;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};

use crate::display::SOON;
use crate::hand::{HandAgent, address};
use crate::site::Site;

/// Sample time of frame 0, in nanoseconds.
const START_NS: u64 = 1_000_000_000_000;

const PERIOD_NS: u64 = 20_000_000;

/// In these frames the pump stands still; they are lost on their way.
pub(super) const LOST: Range<u64> = 400..900;

pub(super) const FRAMES: u64 = 1_000;

pub(super) fn keep(dir: &Path) -> Keep {
    Keep { dir: dir.to_owned(), age_max: Duration::from_hours(24), bytes_max: 64 << 20 }
}

fn settings(dir: &Path) -> Settings {
    let mut settings = Settings::on_free_ports();
    settings.journal = Some(keep(dir));
    settings
}

/// A frame of the agent's run as it was sampled.
pub(super) fn frame(agent: &HandAgent, sequence: u64) -> v1::Frame {
    let stands = LOST.contains(&sequence) && sequence > LOST.start + 10;
    let (speed, flow) = if stands { (0, 0) } else { (2_000, 400) };
    let mono = START_NS + sequence * PERIOD_NS;
    let block = |(channel, count): (u32, i32)| v1::SampleBlock {
        channel,
        first_index: sequence,
        counts: vec![count],
        ..v1::SampleBlock::default()
    };
    v1::Frame {
        pump: agent.address.pump.to_string(),
        boot_id: agent.boot(),
        sequence,
        start_mono_ns: mono,
        publish_mono_ns: mono,
        publish_wall_ns: 1_700_000_000_000_000_000 + i64::try_from(mono).unwrap(),
        blocks: (0..).zip([speed, 2_000, flow, 150, 0]).map(block).collect(),
        ..v1::Frame::default()
    }
}

fn historical(agent: &HandAgent, sequence: u64) -> v1::Frame {
    let (publish_mono_ns, publish_wall_ns) = (0, 0);
    v1::Frame { publish_mono_ns, publish_wall_ns, historical: true, ..frame(agent, sequence) }
}

/// What the agent's spool holds, said each half second; requests are answered in parts of a hundred frames.
pub(super) struct Spool {
    asked: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn heartbeat(agent: &HandAgent) -> v1::AgentHeartbeat {
    v1::AgentHeartbeat {
        pump: agent.address.pump.to_string(),
        boot_id: agent.boot(),
        mono_ns: 1,
        wall_ns: 1,
        spool: Some(v1::Spool {
            extents: vec![v1::SpoolExtent {
                boot_id: agent.boot(),
                end_sequence: FRAMES,
                ..v1::SpoolExtent::default()
            }],
            ..v1::Spool::default()
        }),
        ..v1::AgentHeartbeat::default()
    }
}

fn part(agent: &HandAgent, request: &v1::Request, frames: &[u64], last: bool) -> v1::Backfill {
    let Some(Ask::Backfill(asked)) = &request.ask else { panic!("{request:?}") };
    v1::Backfill {
        pump: agent.address.pump.to_string(),
        gateway: request.gateway.clone(),
        number: asked.number,
        boot_id: asked.boot_id,
        birth: Some(agent.birth()),
        frames: frames.iter().map(|one| sealed::seal(&historical(agent, *one))).collect(),
        last,
        ..v1::Backfill::default()
    }
}

impl Spool {
    pub(super) fn start(site: &Site, agent: &Arc<HandAgent>) -> Self {
        let broker = site.broker();
        let mut options = MqttOptions::new("spool", broker.ip().to_string(), broker.port());
        options.set_max_packet_size(4 << 20, 4 << 20);
        let (client, mut event_loop) = AsyncClient::new(options, 100);
        let asked = Arc::new(AtomicU64::new(0));
        let (agent, counted) = (Arc::clone(agent), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            let topic = agent.address.topic(Kind::Request);
            client.subscribe(topic, QoS::AtLeastOnce).await.unwrap();
            let mut beats = tokio::time::interval(Duration::from_millis(500));
            let (requests, mut taken) = tokio::sync::mpsc::channel(100);
            let polling = tokio::spawn(async move {
                while let Ok(event) = event_loop.poll().await {
                    if let Event::Incoming(Packet::Publish(publish)) = event {
                        requests.send(publish.payload).await.unwrap();
                    }
                }
            });
            loop {
                tokio::select! {
                    _ = beats.tick() => {
                        let topic = agent.address.topic(Kind::Heartbeat);
                        let bytes = sealed::seal(&heartbeat(&agent));
                        agent.publish(&topic, QoS::AtMostOnce, false, bytes).await;
                    }
                    Some(payload) = taken.recv() => {
                        let request: v1::Request = sealed::open(&payload).unwrap();
                        let Some(Ask::Backfill(ask)) = request.ask.clone() else { continue };
                        counted.fetch_add(1, Ordering::Relaxed);
                        let wanted: Vec<u64> = (ask.first_sequence..ask.end_sequence).collect();
                        let topic = agent.address.topic(Kind::Backfill);
                        for chunk in wanted.chunks(100) {
                            let last = chunk.last() == wanted.last();
                            let bytes = sealed::seal(&part(&agent, &request, chunk, last));
                            // Twice: a repeat is kept once.
                            for _ in 0..2 {
                                let bytes = bytes.clone();
                                agent.publish(&topic, QoS::AtLeastOnce, false, bytes).await;
                            }
                        }
                    }
                    else => break,
                }
            }
            polling.abort();
        });
        Self { asked, task }
    }
}

pub(super) async fn await_kept(site: &Site, expected: (u64, u64)) {
    let what = |pump: &v1::Pump| {
        pump.completeness.is_some_and(|has| (has.frames_kept, has.frames_missing) == expected)
    };
    site.display.await_pump("j1", "complete", what).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_10_what_comes_late_sounds_no_alarm_and_what_was_missed_in_it_is_told_and_survives_a_restart()
 {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(settings(folder.path())).await;
    let agent = Arc::new(HandAgent::connect(site.broker(), address("j1")));
    site.introduce(&agent).await;
    let log = site.display.watch_alarms().await;
    for sequence in (0..FRAMES).filter(|one| !LOST.contains(one)) {
        agent.send(&frame(&agent, sequence)).await;
    }
    let spool = Spool::start(&site, &agent);
    await_kept(&site, (FRAMES, 0)).await;

    let missed = eventually(SOON, "missed", async || {
        let request = v1::ListMissedAlarmsRequest::default();
        let answer = site.display.alarms().list_missed_alarms(request).await.unwrap().into_inner();
        let stop = answer.missed.into_iter().find(|one| one.condition == "pump.stop");
        stop.ok_or("not listed")
    })
    .await
    .unwrap();
    assert!(missed.found_by_gateway && !missed.found_by_agent && !missed.sounded);
    assert!(missed.end_wall_ns.is_some_and(|end| end > missed.onset_wall_ns), "{missed:?}");
    let notice = eventually(SOON, "notice", async || {
        let alarms = site.display.list_alarms().await;
        let found = alarms.into_iter().find(|alarm| alarm.condition == "alarm.missed");
        found.ok_or("no notice")
    })
    .await
    .unwrap();
    assert_eq!(notice.priority(), v1::AlarmPriority::Low);
    assert_eq!(notice.signal(), v1::SignalPresence::Latched);
    assert!(spool.asked.load(Ordering::Relaxed) > 0);
    drop(spool);
    let live = log.changes().into_iter().find(|(_, alarm)| alarm.condition == "pump.stop");
    assert_eq!(live, None, "what comes late sounds nothing");
    site.gateway.stop().await;

    let opened = inspect::open(&keep(folder.path()), Some("j1")).unwrap();
    let check = opened[0].verify().unwrap();
    assert_eq!((check.frames, check.doubled, check.damaged), (FRAMES, 0, 0));
    drop(opened);

    // Another gateway on the same folder lacks nothing, and asks for nothing.
    let site = Site::with(settings(folder.path())).await;
    let agent = Arc::new(agent_again(&site, &agent).await);
    let spool = Spool::start(&site, &agent);
    await_kept(&site, (FRAMES, 0)).await;
    assert_eq!(spool.asked.load(Ordering::Relaxed), 0);
    site.gateway.stop().await;
}

/// The same run on the broker of another gateway.
pub(super) async fn agent_again(site: &Site, before: &HandAgent) -> HandAgent {
    let agent = HandAgent::connect_as(site.broker(), address("j1"), before.boot());
    site.introduce(&agent).await;
    agent
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_nothing_is_recorded_and_the_list_of_missed_alarms_says_so() {
    let site = Site::start().await;
    let agent = site.agent("j1").await;
    let request = v1::ListMissedAlarmsRequest::default();
    let refused = site.display.alarms().list_missed_alarms(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    let pump = site.display.pump("j1").await.unwrap();
    assert_eq!(pump.completeness, None);
    let alarms = site.display.list_alarms().await;
    assert!(!alarms.iter().any(|alarm| alarm.condition == "gateway.recording"));
    drop(agent);
    site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_be_written_is_an_alarm_and_holds_up_no_frame() {
    let folder = tempfile::tempdir().unwrap();
    // A file where a folder should be: nothing can be made below it, not even by root.
    let path = folder.path().join("file");
    std::fs::write(&path, "x").unwrap();
    let site = Site::with(settings(&path)).await;
    let _agent = site.agent("j1").await;
    eventually(SOON, "told", async || {
        let alarms = site.display.list_alarms().await;
        let told = alarms.iter().any(|alarm| alarm.condition == "gateway.recording");
        if told { Ok(()) } else { Err("not told") }
    })
    .await
    .unwrap();
    let pump = site.display.await_live("j1").await;
    assert_eq!(pump.counters.unwrap().frames_missing, 0);
    site.gateway.stop().await;
}
