//! What the tests share: an agent that runs, and a listener that hears what it publishes.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecmo_agent::{RunError, Settings, Summary};
use ecmo_proto::topic::{Id, Kind, PumpAddress};
use ecmo_proto::{sealed, topic, v1};
use ecmo_testkit::eventually;
use prost::Message;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longest wait for anything that should happen soon.
pub const SOON: Duration = Duration::from_secs(10);

/// Most messages that a listener keeps.
const HEARD_MAX: usize = 20_000;

pub fn address(pump: &str) -> PumpAddress {
    PumpAddress { ward: Id::new("nicu").unwrap(), pump: Id::new(pump).unwrap() }
}

pub fn simulated(pump: &str, broker: SocketAddr) -> Settings {
    Settings::simulated(address(pump), format!("mqtt://{broker}").parse().unwrap(), 1)
}

/// An agent that runs as a task.
pub struct Agent {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<Summary, RunError>>,
}

impl Agent {
    pub fn start(settings: Settings) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async {
            // Stopped by a message; a test that just ends drops the sender.
            let _either_way = stopped.await;
        };
        Self { stop: Some(stop), task: tokio::spawn(ecmo_agent::run(settings, until)) }
    }

    /// Stops it as an operator does.
    pub async fn stop(mut self) -> Summary {
        drop(self.stop.take());
        let end = tokio::time::timeout(SOON, self.task).await.expect("the agent stops");
        end.expect("no panic").expect("no error")
    }

    /// Ends it as a crash does: nothing more is said.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// One message as it was heard.
#[derive(Debug, Clone)]
pub enum Heard {
    Frame(v1::Frame),
    Birth(v1::Birth),
    Status(v1::Status),
    Heartbeat(v1::AgentHeartbeat),
    Backfill(v1::Backfill),
}

/// A subscriber to everything of all pumps. It connects again by itself, and forgets nothing.
pub struct Listener {
    heard: Arc<Mutex<VecDeque<(Heard, bool)>>>,
    task: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    /// Subscribes; what is published after this returns is heard.
    pub async fn start(broker: SocketAddr) -> Self {
        let heard: Arc<Mutex<VecDeque<(Heard, bool)>>> = Arc::default();
        let (ready, subscribed) = oneshot::channel();
        let task = tokio::spawn(listen(broker, Arc::clone(&heard), ready));
        tokio::time::timeout(SOON, subscribed).await.expect("subscribed soon").unwrap();
        Self { heard, task }
    }

    pub fn all(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().iter().map(|(heard, _)| heard.clone()).collect()
    }

    pub fn frames(&self) -> Vec<v1::Frame> {
        let frame = |heard| if let Heard::Frame(frame) = heard { Some(frame) } else { None };
        self.all().into_iter().filter_map(frame).collect()
    }

    pub fn births(&self) -> Vec<v1::Birth> {
        let birth = |heard| if let Heard::Birth(birth) = heard { Some(birth) } else { None };
        self.all().into_iter().filter_map(birth).collect()
    }

    pub fn states(&self) -> Vec<v1::AgentState> {
        let state = |heard| if let Heard::Status(s) = heard { Some(s.state()) } else { None };
        self.all().into_iter().filter_map(state).collect()
    }

    pub fn heartbeats(&self) -> Vec<v1::AgentHeartbeat> {
        let beat = |heard| if let Heard::Heartbeat(beat) = heard { Some(beat) } else { None };
        self.all().into_iter().filter_map(beat).collect()
    }

    pub fn backfills(&self) -> Vec<v1::Backfill> {
        let part = |heard| if let Heard::Backfill(part) = heard { Some(part) } else { None };
        self.all().into_iter().filter_map(part).collect()
    }

    /// Whether the first message was a retained one.
    pub fn first_is_retained(&self) -> Option<bool> {
        self.heard.lock().unwrap().front().map(|(_, retained)| *retained)
    }

    /// Waits until so many frames were heard.
    pub async fn await_frames(&self, count: usize) -> Vec<v1::Frame> {
        self.await_that("enough frames", |listener| {
            let frames = listener.frames();
            if frames.len() >= count { Ok(frames) } else { Err(format!("{}", frames.len())) }
        })
        .await
    }

    /// Waits until a look at what was heard finds something.
    pub async fn await_that<T>(
        &self,
        what: &str,
        mut look: impl FnMut(&Self) -> Result<T, String>,
    ) -> T {
        eventually(SOON, what, async || look(self).map_err(anyhow::Error::msg)).await.unwrap()
    }

    pub async fn await_state(&self, state: v1::AgentState) {
        self.await_that(state.as_str_name(), |listener| {
            let states = listener.states();
            if states.contains(&state) { Ok(()) } else { Err(format!("{states:?}")) }
        })
        .await;
    }
}

async fn listen(
    broker: SocketAddr,
    heard: Arc<Mutex<VecDeque<(Heard, bool)>>>,
    ready: oneshot::Sender<()>,
) {
    let mut ready = Some(ready);
    loop {
        let id = format!("listener-{}", fastrand::u32(..));
        let mut options = MqttOptions::new(id, broker.ip().to_string(), broker.port());
        options.set_max_packet_size(1 << 20, 1 << 20).set_keep_alive(Duration::from_secs(1));
        let (client, events) = AsyncClient::new(options, 10);
        client.try_subscribe("ecmo/v1/#", QoS::AtLeastOnce).unwrap();
        hear(events, &heard, &mut ready).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn hear(
    mut events: EventLoop,
    heard: &Mutex<VecDeque<(Heard, bool)>>,
    ready: &mut Option<oneshot::Sender<()>>,
) {
    while let Ok(event) = events.poll().await {
        match event {
            Event::Incoming(Packet::SubAck(_)) => {
                if let Some(ready) = ready.take() {
                    ready.send(()).unwrap();
                }
            }
            Event::Incoming(Packet::Publish(publish)) => {
                let topic = topic::parse(&publish.topic).expect("a topic of the contract");
                let payload = publish.payload;
                let message = match topic.kind {
                    Kind::Frame => Heard::Frame(sealed::open(&payload).expect("a sealed frame")),
                    Kind::Birth => Heard::Birth(v1::Birth::decode(payload).unwrap()),
                    Kind::Status => Heard::Status(v1::Status::decode(payload).unwrap()),
                    Kind::Heartbeat => Heard::Heartbeat(sealed::open(&payload).unwrap()),
                    Kind::Backfill => Heard::Backfill(sealed::open(&payload).unwrap()),
                    // What the test itself asks.
                    Kind::Request => continue,
                    other => panic!("an agent does not publish {other:?}"),
                };
                let mut heard = heard.lock().unwrap();
                assert!(heard.len() < HEARD_MAX, "a test hears less");
                heard.push_back((message, publish.retain));
            }
            _ => {}
        }
    }
}

/// Samples of one parameter as they were heard: index, time in microseconds, value, validity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub index: u64,
    pub time_us: u64,
    pub value: f64,
    pub validity: v1::Validity,
}

/// Takes the samples of one parameter out of frames, in the order in which they came.
pub fn samples(frames: &[v1::Frame], birth: &v1::Birth, parameter: &str) -> Vec<Sample> {
    let channel = birth.channels.iter().position(|channel| channel.id == parameter).unwrap();
    let channel_info = &birth.channels[channel];
    let mut samples = Vec::new();
    for frame in frames.iter().filter(|frame| frame.boot_id == birth.boot_id) {
        for block in frame.blocks.iter().filter(|block| block.channel as usize == channel) {
            let mut validity: Vec<_> = block
                .validity
                .iter()
                .flat_map(|run| std::iter::repeat_n(run.validity(), run.count as usize))
                .collect();
            if validity.is_empty() {
                validity = vec![v1::Validity::Valid; block.counts.len()];
            }
            assert_eq!(validity.len(), block.counts.len());
            for ((step, count), validity) in (0u64..).zip(&block.counts).zip(validity) {
                let later_us = u64::from(block.start_us) + step * u64::from(block.interval_us);
                samples.push(Sample {
                    index: block.first_index + step,
                    time_us: frame.start_mono_ns / 1000 + later_us,
                    value: f64::from(*count) * channel_info.scale + channel_info.offset,
                    validity,
                });
            }
        }
    }
    samples
}
