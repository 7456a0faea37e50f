//! A real rumqttc v4 client whose events are collected by a task.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use ecmo_testkit::eventually;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, QoS};

use super::SOON;

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    subscriptions: usize,
    errors: usize,
    messages: Vec<(String, Vec<u8>)>,
}

#[derive(Debug)]
pub(crate) struct Client {
    requests: AsyncClient,
    seen: Arc<Mutex<Seen>>,
    events: tokio::task::JoinHandle<()>,
}

impl Client {
    /// Connected when this returns.
    pub(crate) async fn connect(port: u16, id: &str) -> anyhow::Result<Self> {
        let client = Self::start(port, id);
        eventually(SOON, "the client connects", async || (client.connections() > 0).then_some(()))
            .await?;
        Ok(client)
    }

    pub(crate) fn start(port: u16, id: &str) -> Self {
        let mut options = MqttOptions::new(id, "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(1));
        options.set_max_packet_size(256 << 10, 256 << 10);
        let (requests, mut events) = AsyncClient::new(options, 100);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(2);
        events.set_network_options(network);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let events = tokio::spawn(collect(events, Arc::clone(&seen)));
        Self { requests, seen, events }
    }

    pub(crate) async fn subscribe(&self, filter: &str) -> anyhow::Result<()> {
        let before = self.look(|seen| seen.subscriptions);
        self.requests.subscribe(filter, QoS::AtLeastOnce).await?;
        eventually(SOON, "the subscription is confirmed", async || {
            (self.look(|seen| seen.subscriptions) > before).then_some(())
        })
        .await
    }

    pub(crate) async fn publish(
        &self,
        topic: &str,
        qos: QoS,
        payload: &[u8],
    ) -> anyhow::Result<()> {
        self.requests.publish(topic, qos, false, payload).await.context("cannot publish")
    }

    /// What has arrived, once the last of it is `last`.
    pub(crate) async fn received_up_to(
        &self,
        last: &str,
    ) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        eventually(SOON, "the last message arrives", async || {
            let messages = self.look(|seen| seen.messages.clone());
            if messages.last().is_some_and(|(topic, _)| topic == last) {
                return Ok(messages);
            }
            Err(format!("{messages:?}"))
        })
        .await
    }

    pub(crate) fn received(&self) -> usize {
        self.look(|seen| seen.messages.len())
    }

    pub(crate) fn connections(&self) -> usize {
        self.look(|seen| seen.connections)
    }

    pub(crate) fn errors(&self) -> usize {
        self.look(|seen| seen.errors)
    }

    fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.events.abort();
    }
}

async fn collect(mut events: EventLoop, seen: Arc<Mutex<Seen>>) {
    loop {
        let event = events.poll().await;
        let failed = event.is_err();
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => seen.connections += 1,
                Ok(Event::Incoming(Packet::SubAck(_))) => seen.subscriptions += 1,
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    seen.messages.push((publish.topic, publish.payload.to_vec()));
                }
                Ok(_) => {}
                Err(_) => seen.errors += 1,
            }
        }
        if failed {
            // rumqttc reconnects at once on the next poll.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
