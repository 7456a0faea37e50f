//! A gateway as an agent sees it: something that asks on one broker.

use std::net::SocketAddr;
use std::time::Duration;

use ecmo_proto::topic::Kind;
use ecmo_proto::v1::request::Ask;
use ecmo_proto::v1::{AlarmLease, BackfillRequest, Probe, Request};
use ecmo_proto::{sealed, v1};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::ward::{SOON, address};

/// Asks the agent of one pump. Its connection is for life: a test that cuts it makes another.
pub struct Gateway {
    pub name: String,
    pump: String,
    client: AsyncClient,
    task: JoinHandle<()>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gateway {
    pub async fn start(broker: SocketAddr, pump: &str) -> Self {
        let name = format!("gateway-{}", fastrand::u32(..));
        let mut options = MqttOptions::new(&name, broker.ip().to_string(), broker.port());
        options.set_keep_alive(Duration::from_secs(1)).set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut events) = AsyncClient::new(options, 100);
        let (ready, accepted) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut ready = Some(ready);
            while let Ok(event) = events.poll().await {
                if let (Event::Incoming(Packet::ConnAck(_)), Some(ready)) = (event, ready.take()) {
                    ready.send(()).unwrap();
                }
            }
        });
        tokio::time::timeout(SOON, accepted).await.expect("accepted soon").unwrap();
        Self { name, pump: pump.to_owned(), client, task }
    }

    /// Publishes a request as it is.
    pub async fn send(&self, payload: impl Into<Vec<u8>>, retain: bool) {
        let topic = address(&self.pump).topic(Kind::Request);
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload.into()).await.unwrap();
    }

    pub fn request(&self, boot_id: u64, ask: Ask) -> Request {
        let (pump, gateway) = (self.pump.clone(), self.name.clone());
        Request { pump, boot_id, gateway, ask: Some(ask), crc32c: 0 }
    }

    async fn ask(&self, boot_id: u64, ask: Ask) {
        self.send(sealed::seal(&self.request(boot_id, ask)).to_vec(), false).await;
    }

    pub async fn probe(&self, number: u64) {
        self.ask(0, Ask::Probe(Probe { number, sent_mono_ns: 1000 + number })).await;
    }

    pub async fn lease(&self, boot_id: u64, decided_mono_ns: u64, version: u64) {
        let treatment = Some(v1::LeasedTreatment { version, ..Default::default() });
        let lease = AlarmLease { decided_mono_ns, profile_hash: 77, treatment };
        self.ask(boot_id, Ask::Lease(lease)).await;
    }

    pub async fn backfill(&self, number: u64, boot_id: u64, range: std::ops::Range<u64>) {
        let (first_sequence, end_sequence) = (range.start, range.end);
        let request = BackfillRequest { number, boot_id, first_sequence, end_sequence };
        self.ask(0, Ask::Backfill(request)).await;
    }
}
