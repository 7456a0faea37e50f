//! An agent whose every byte a test dictates: births, frames sample by sample, and what no agent should ever send.
#![cfg(test)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecmo_gateway::clock::Clock;
use ecmo_proto::topic::{Id, Kind, PumpAddress};
use ecmo_proto::{sealed, v1};
use prost::Message as _;
use rumqttc::{AsyncClient, MqttOptions, QoS};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Time between two frames.
pub(crate) const PERIOD: Duration = Duration::from_millis(20);

/// The channels: parameter, unit, and the count of a healthy circuit. A count is the value; one sample a frame.
const CHANNELS: [(&str, &str, i32); 5] = [
    ("pump.speed", "{rev}/min", 2000),
    ("pump.speed.set", "{rev}/min", 2000),
    ("flow.blood", "mL/min", 400),
    ("press.pre", "mm[Hg]", 150),
    ("air.bubble", "{bool}", 0),
];

/// Where the agent's clock starts: nobody's clock starts at 0.
const MONO_START_NS: u64 = 1_000_000_000_000;

pub(crate) fn address(pump: &str) -> PumpAddress {
    address_in("nicu", pump)
}

pub(crate) fn address_in(ward: &str, pump: &str) -> PumpAddress {
    PumpAddress { ward: Id::new(ward).unwrap(), pump: Id::new(pump).unwrap() }
}

/// Place of a channel in the birth.
pub(crate) fn channel(id: &str) -> usize {
    CHANNELS.iter().position(|(name, _, _)| *name == id).unwrap()
}

/// One run of the agent.
#[derive(Debug)]
struct Run {
    boot: u64,
    start: Instant,
    sequence: u64,
    counts: [i32; CHANNELS.len()],
    validity: [v1::Validity; CHANNELS.len()],
    wall_offset_ns: i64,
}

impl Run {
    fn new(boot: u64) -> Self {
        Self {
            boot,
            start: Instant::now(),
            sequence: 0,
            counts: CHANNELS.map(|(_, _, healthy)| healthy),
            validity: [v1::Validity::Valid; CHANNELS.len()],
            wall_offset_ns: 0,
        }
    }

    fn frame(&mut self, pump: &str, clock: Clock) -> v1::Frame {
        let mono_ns = MONO_START_NS + u64::try_from(self.start.elapsed().as_nanos()).unwrap();
        let sequence = self.sequence;
        self.sequence += 1;
        let samples = (0..).zip(self.counts).zip(self.validity);
        v1::Frame {
            pump: pump.to_owned(),
            boot_id: self.boot,
            sequence,
            start_mono_ns: mono_ns - 1_000_000,
            publish_mono_ns: mono_ns,
            publish_wall_ns: clock.wall_ns() + self.wall_offset_ns,
            blocks: samples
                .map(|((channel, count), validity)| v1::SampleBlock {
                    channel,
                    first_index: sequence,
                    counts: vec![count],
                    validity: vec![v1::ValidityRun { validity: validity.into(), count: 1 }],
                    ..v1::SampleBlock::default()
                })
                .collect(),
            ..v1::Frame::default()
        }
    }
}

/// The agent. It connects again by itself; dropped, it is gone without a word.
pub(crate) struct HandAgent {
    pub(crate) address: PumpAddress,
    client: AsyncClient,
    polling: JoinHandle<()>,
    run: Arc<Mutex<Run>>,
    clock: Clock,
    sending: Option<JoinHandle<()>>,
}

impl Drop for HandAgent {
    fn drop(&mut self) {
        self.pause();
        self.polling.abort();
    }
}

impl HandAgent {
    /// Connects, and says nothing yet.
    pub(crate) fn connect(broker: SocketAddr, address: PumpAddress) -> Self {
        let id = format!("hand-{}-{:08x}", address.pump, fastrand::u32(..));
        let mut options = MqttOptions::new(id, broker.ip().to_string(), broker.port());
        options.set_max_packet_size(4 << 20, 4 << 20).set_keep_alive(Duration::from_secs(60));
        let (client, mut event_loop) = AsyncClient::new(options, 1_000);
        let mut network = rumqttc::NetworkOptions::new();
        network.set_tcp_nodelay(true);
        event_loop.set_network_options(network);
        let polling = tokio::spawn(async move {
            loop {
                if event_loop.poll().await.is_err() {
                    tokio::time::sleep(PERIOD).await;
                }
            }
        });
        let run = Arc::new(Mutex::new(Run::new(fastrand::u64(1..))));
        Self { address, client, polling, run, clock: Clock::start(), sending: None }
    }

    /// The same with a run that was before.
    pub(crate) fn connect_as(broker: SocketAddr, address: PumpAddress, boot: u64) -> Self {
        let agent = Self::connect(broker, address);
        *agent.run.lock().unwrap() = Run::new(boot);
        agent
    }

    /// The same agent at a second broker: the same run, another connection.
    pub(crate) fn beside(&self, broker: SocketAddr) -> Self {
        let mut other = Self::connect(broker, self.address.clone());
        other.run = Arc::clone(&self.run);
        other
    }

    /// The agent's monotonic time, in nanoseconds.
    pub(crate) fn mono_ns(&self) -> u64 {
        let passed = self.run.lock().unwrap().start.elapsed();
        MONO_START_NS + u64::try_from(passed.as_nanos()).unwrap()
    }

    pub(crate) fn boot(&self) -> u64 {
        self.run.lock().unwrap().boot
    }

    /// Starts anew: another boot, another clock, healthy values. The frames to come are of the new run.
    pub(crate) fn restart(&self) {
        *self.run.lock().unwrap() = Run::new(fastrand::u64(1..));
    }

    /// What the channel measures from now on.
    pub(crate) fn set(&self, id: &str, count: i32) {
        self.run.lock().unwrap().counts[channel(id)] = count;
    }

    /// What is said of the channel's samples from now on.
    pub(crate) fn set_validity(&self, id: &str, validity: v1::Validity) {
        self.run.lock().unwrap().validity[channel(id)] = validity;
    }

    /// Steps the wall clock.
    pub(crate) fn step_wall(&self, by: Duration) {
        self.run.lock().unwrap().wall_offset_ns += i64::try_from(by.as_nanos()).unwrap();
    }

    /// The birth of the present run.
    pub(crate) fn birth(&self) -> v1::Birth {
        v1::Birth {
            pump: self.address.pump.to_string(),
            boot_id: self.boot(),
            agent_version: "0.0.0".to_owned(),
            device: "a test".to_owned(),
            source: v1::SourceKind::Simulated.into(),
            pump_kind: v1::PumpKind::Centrifugal.into(),
            channels: CHANNELS
                .map(|(id, unit, _)| v1::Channel {
                    id: id.to_owned(),
                    unit: unit.to_owned(),
                    rate_hz: 50.0,
                    scale: 1.0,
                    ..v1::Channel::default()
                })
                .to_vec(),
            ..v1::Birth::default()
        }
    }

    /// The next frame of the present run.
    pub(crate) fn frame(&self) -> v1::Frame {
        self.run.lock().unwrap().frame(self.address.pump.as_str(), self.clock)
    }

    /// Publishes a birth, retained as it should be.
    pub(crate) async fn announce(&self, birth: &v1::Birth) {
        let topic = self.address.topic(Kind::Birth);
        self.publish(&topic, QoS::AtLeastOnce, true, birth.encode_to_vec()).await;
    }

    /// Publishes a frame.
    pub(crate) async fn send(&self, frame: &v1::Frame) {
        self.send_bytes(sealed::seal(frame)).await;
    }

    /// Publishes anything as a frame.
    pub(crate) async fn send_bytes(&self, bytes: impl Into<Vec<u8>>) {
        self.publish(&self.address.topic(Kind::Frame), QoS::AtMostOnce, false, bytes).await;
    }

    /// Publishes anything anywhere.
    pub(crate) async fn publish(
        &self,
        topic: &str,
        qos: QoS,
        retain: bool,
        bytes: impl Into<Vec<u8>>,
    ) {
        self.client.publish(topic, qos, retain, bytes).await.unwrap();
    }

    /// Sends a frame each period from now on.
    pub(crate) fn go_on(&mut self) {
        self.pause();
        let topic = self.address.topic(Kind::Frame);
        let (pump, client) = (self.address.pump.to_string(), self.client.clone());
        let (run, clock) = (Arc::clone(&self.run), self.clock);
        self.sending = Some(tokio::spawn(async move {
            let mut ticks = interval(PERIOD);
            // Late ticks come in a burst: the channels keep their rate.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            loop {
                ticks.tick().await;
                let bytes = sealed::seal(&run.lock().unwrap().frame(&pump, clock));
                client.publish(topic.as_str(), QoS::AtMostOnce, false, bytes).await.unwrap();
            }
        }));
    }

    /// Sends each frame over this connection and another one from now on.
    pub(crate) fn go_on_with(&mut self, other: &Self) {
        self.pause();
        let topic = self.address.topic(Kind::Frame);
        let (pump, run, clock) = (self.address.pump.to_string(), Arc::clone(&self.run), self.clock);
        let clients = [self.client.clone(), other.client.clone()];
        self.sending = Some(tokio::spawn(async move {
            let mut ticks = interval(PERIOD);
            loop {
                ticks.tick().await;
                let bytes = sealed::seal(&run.lock().unwrap().frame(&pump, clock));
                for client in &clients {
                    // A path that is dead takes nothing, and holds up nothing.
                    let bytes = bytes.clone();
                    client.try_publish(topic.as_str(), QoS::AtMostOnce, false, bytes).ok();
                }
            }
        }));
    }

    /// Sends nothing by itself any more.
    pub(crate) fn pause(&mut self) {
        if let Some(sending) = self.sending.take() {
            sending.abort();
        }
    }
}

/// Any bytes with a right seal behind them.
pub(crate) fn with_seal(body: &[u8]) -> Vec<u8> {
    let mut sum = !0_u32;
    for byte in body {
        sum ^= u32::from(*byte);
        for _bit in 0..8 {
            sum = (sum >> 1) ^ (0x82f6_3b78 & (sum & 1).wrapping_neg());
        }
    }
    [body, &[(15 << 3) | 5], &(!sum).to_le_bytes()].concat()
}

#[test]
fn a_seal_made_by_hand_is_the_contracts_seal() {
    let frame = v1::Frame { pump: "p1".to_owned(), boot_id: 7, ..v1::Frame::default() };
    assert_eq!(with_seal(&frame.encode_to_vec()), sealed::seal(&frame));
}
