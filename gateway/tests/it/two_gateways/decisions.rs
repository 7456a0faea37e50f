//! Both gateways decide the same, byte for byte, whatever one of the paths does within 100 ms.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecmo_proto::{sealed, v1};
use ecmo_testkit::{Direction, PublishFaults, eventually};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::task::JoinHandle;

use super::Unit;
use crate::display::SOON;

/// Hears every decision at one broker.
struct Listener {
    heard: Arc<Mutex<BTreeMap<Vec<u8>, usize>>>,
    task: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    async fn at(broker: SocketAddr) -> Self {
        let id = format!("listener-{:08x}", fastrand::u32(..));
        let options = MqttOptions::new(id, broker.ip().to_string(), broker.port());
        let (client, mut event_loop) = AsyncClient::new(options, 10);
        let heard: Arc<Mutex<BTreeMap<Vec<u8>, usize>>> = Arc::default();
        let hears = Arc::clone(&heard);
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            client.subscribe("ecmo/v1/+/+/alarm", QoS::AtLeastOnce).await.unwrap();
            let mut ready = Some(ready);
            while let Ok(event) = event_loop.poll().await {
                match event {
                    Event::Incoming(Packet::SubAck(_)) => {
                        ready.take().map(|ready| ready.send(()));
                    }
                    Event::Incoming(Packet::Publish(publish)) => {
                        assert!(!publish.retain, "decisions are never kept");
                        *hears.lock().unwrap().entry(publish.payload.to_vec()).or_default() += 1;
                    }
                    Event::Incoming(_) | Event::Outgoing(_) => {}
                }
            }
        });
        is_ready.await.unwrap();
        Self { heard, task }
    }

    fn heard(&self) -> BTreeMap<Vec<u8>, usize> {
        self.heard.lock().unwrap().clone()
    }

    /// Each decision that was heard, with how often.
    fn decisions(&self) -> Vec<(v1::AlarmDecision, usize)> {
        let open = |(bytes, count): (Vec<u8>, usize)| (sealed::open(&bytes).unwrap(), count);
        self.heard().into_iter().map(open).collect()
    }
}

fn has(
    decisions: &[(v1::AlarmDecision, usize)],
    condition: &str,
    step: v1::AlarmTransition,
) -> bool {
    decisions.iter().any(|(decision, count)| {
        let name = decision.alarm.as_ref().unwrap();
        *count >= 2 && name.condition == condition && decision.transition() == step
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_say_the_same_decisions_byte_for_byte_and_name_alarms_alike() {
    let unit = Unit::start().await;
    let listeners = [Listener::at(unit.a.addr()).await, Listener::at(unit.b.addr()).await];
    let (east, west) =
        (unit.east.display.watch_alarms().await, unit.west.display.watch_alarms().await);
    // What west lacks of the first path comes over the second one, late, twice and out of order.
    let lossy = PublishFaults::on("/frame").drop_every(7);
    unit.to_a.on(Direction::ServerToClient).publish(lossy);
    let messy = PublishFaults::on("/frame").duplicate_every(4).reorder_every(3);
    unit.to_b.on(Direction::ServerToClient).delay(Duration::from_millis(20)).publish(messy);
    let (agent, _beside) = unit.agent("p1").await;
    let (other, _beside_other) = unit.agent("p2").await;
    for (of, channel, bad, good, condition) in [
        (&agent, "pump.speed", 0, 2_000, "pump.stop"),
        (&other, "press.pre", 480, 150, "pre.high.alarm"),
        (&other, "air.bubble", 1, 0, "air.arterial"),
    ] {
        of.set(channel, bad);
        east.raised(of.address.pump.as_str(), condition).await;
        west.raised(of.address.pump.as_str(), condition).await;
        of.set(channel, good);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    let both = v1::AlarmTransition::Raised;
    eventually(SOON, "every decision twice at each broker", async || {
        let wrong = listeners.iter().flat_map(Listener::decisions).find(|(_, count)| *count != 2);
        let all = listeners.iter().all(|listener| has(&listener.decisions(), "pump.stop", both));
        match wrong {
            Some(wrong) => Err(format!("{wrong:#?}")),
            None if all => Ok(()),
            None => Err("none yet".to_owned()),
        }
    })
    .await
    .unwrap();
    assert_eq!(listeners[0].heard(), listeners[1].heard());
    let said = listeners[0].decisions();
    for condition in ["pump.stop", "pre.high.alarm", "air.arterial"] {
        assert!(has(&said, condition, both), "{condition} of {said:#?}");
    }
    assert!(said.iter().all(|(it, _)| it.profile_hash != 0 && it.sample_mono_ns != 0));
    let ids = |log: &crate::display::AlarmLog| -> BTreeSet<String> {
        let changes = log.changes().into_iter();
        let of_pumps =
            changes.filter(|(_, alarm)| !alarm.pump.is_empty() && alarm.latency.is_some());
        of_pumps.map(|(_, alarm)| alarm.occurrence).collect()
    };
    assert_eq!(ids(&east), ids(&west));
    let dropped = unit.to_a.counters().server_to_client.dropped;
    assert!(dropped > 10, "the path was faulty: {dropped}");
    println!(
        "{} decisions, each twice at each of two brokers; {dropped} frames dropped",
        said.len()
    );
}
