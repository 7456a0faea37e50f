//! The pumps as MQTT clients, and a plain subscriber. The only file that knows the MQTT client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use ecmo_proto::sealed::FRAME_BYTES_MAX;
use ecmo_proto::topic::{Id, Kind, PumpAddress, filter};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, Publish, QoS};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::background::Background;

/// Longest packet.
const PACKET_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;

/// Frames of one pump that wait for its client: more than a second of them.
const REQUESTS_MAX: usize = 128;

/// How long a connection may take, and an answer to what was asked over it.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Above any round, so that no ping falls into it.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// One connected client for each pump. Dropping it cuts the connections, with what they have not sent yet.
#[derive(Debug)]
pub(crate) struct Fleet {
    clients: Vec<(AsyncClient, String)>,
    refused: AtomicU64,
    lost: Arc<AtomicU64>,
    _threads: Background,
}

impl Fleet {
    /// Connects every pump; each publishes its birth, retained, if it has one, and waits for the acknowledgement.
    pub(crate) async fn connect(
        broker: SocketAddr,
        pumps: Vec<(PumpAddress, Option<Vec<u8>>)>,
    ) -> anyhow::Result<Self> {
        let threads = Background::start("pumps", Some(1))?;
        let lost = Arc::new(AtomicU64::new(0));
        let mut connecting = JoinSet::new();
        for (place, (address, birth)) in pumps.into_iter().enumerate() {
            let lost = Arc::clone(&lost);
            let connected = async move {
                let (client, mut events) = connect(broker, &format!("bench-{address}")).await?;
                if let Some(birth) = birth {
                    client.try_publish(
                        address.topic(Kind::Birth),
                        QoS::AtLeastOnce,
                        true,
                        birth,
                    )?;
                    until(&mut events, "the acknowledgement of a birth", |packet| {
                        matches!(packet, Packet::PubAck(_))
                    })
                    .await?;
                }
                tokio::spawn(async move {
                    while events.poll().await.is_ok() {}
                    lost.fetch_add(1, Ordering::Relaxed);
                });
                anyhow::Ok((place, client, address.topic(Kind::Frame)))
            };
            connecting.spawn_on(connected, &threads);
        }
        let mut clients = Vec::new();
        while let Some(connected) = connecting.join_next().await {
            clients.push(connected.context("connecting a pump panicked")??);
        }
        clients.sort_by_key(|(place, _client, _topic)| *place);
        let clients = clients.into_iter().map(|(_place, client, topic)| (client, topic)).collect();
        Ok(Self { clients, refused: AtomicU64::new(0), lost, _threads: threads })
    }

    /// Hands a frame to its pump's client; never waits.
    pub(crate) fn publish(&self, pump: u32, frame: Vec<u8>) {
        let place = usize::try_from(pump).unwrap_or(usize::MAX);
        let handed_over = self.clients.get(place).is_some_and(|(client, topic)| {
            client.try_publish(topic.as_str(), QoS::AtMostOnce, false, frame).is_ok()
        });
        if !handed_over {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Fails when a frame could not be handed over or a connection was lost: the round measured something else.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let refused = self.refused.load(Ordering::Relaxed);
        let lost = self.lost.load(Ordering::Relaxed);
        ensure!(
            refused == 0 && lost == 0,
            "{refused} frames found no place in their client, {lost} connections were lost: the broker or this \
             machine is too slow; try fewer --pumps"
        );
        Ok(())
    }
}

/// Subscribes to the frames of a ward on a thread of its own; `act` gets every message, until it returns false.
pub(crate) async fn subscribe(
    threads: &Background,
    broker: SocketAddr,
    ward: Id,
    mut act: impl FnMut(Publish) -> bool + Send + 'static,
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let subscribed = async move {
        let (client, mut events) = connect(broker, &format!("bench-{ward}-subscriber")).await?;
        client.try_subscribe(filter(Some(&ward), Kind::Frame), QoS::AtMostOnce)?;
        until(&mut events, "the answer to the subscription", |packet| {
            matches!(packet, Packet::SubAck(_))
        })
        .await?;
        anyhow::Ok((client, events))
    };
    let (client, mut events) =
        threads.spawn(subscribed).await.context("subscribing panicked")??;
    Ok(threads.spawn(async move {
        // Dropped, it would end the connection.
        let _client = client;
        loop {
            match events.poll().await.context("the subscriber lost the broker")? {
                Event::Incoming(Packet::Publish(publish)) => {
                    if !act(publish) {
                        return Ok(());
                    }
                }
                Event::Incoming(_) | Event::Outgoing(_) => {}
            }
        }
    }))
}

/// A client that the broker has accepted.
async fn connect(broker: SocketAddr, id: &str) -> anyhow::Result<(AsyncClient, EventLoop)> {
    let mut options =
        MqttOptions::new(id.replace('/', "-"), broker.ip().to_string(), broker.port());
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_session(true)
        .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    let (client, mut events) = AsyncClient::new(options, REQUESTS_MAX);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    events.set_network_options(network);
    until(&mut events, "the broker's acceptance", |packet| matches!(packet, Packet::ConnAck(_)))
        .await?;
    Ok((client, events))
}

async fn until(
    events: &mut EventLoop,
    what: &str,
    is_it: impl Fn(&Packet) -> bool,
) -> anyhow::Result<()> {
    let waited = timeout(ANSWER_MAX, async {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(packet)) if is_it(&packet) => return Ok(()),
                Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
                Err(error) => bail!("no connection to the broker: {error}"),
            }
        }
    });
    waited.await.with_context(|| format!("{what} did not come in {ANSWER_MAX:?}"))?
}
