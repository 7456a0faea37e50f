//! Two gateways at the same brokers: they decide alike, and what a person does at one is known at the other.
#![cfg(test)]

mod decisions;

mod people;

mod split;

mod standing;

use std::net::SocketAddr;
use std::time::Duration;

use ecmo_gateway::config::{Broker, Settings};
use ecmo_proto::topic::Id;
use ecmo_proto::v1;
use ecmo_testkit::{EmbeddedBroker, FaultProxy, eventually};

use crate::display::{AlarmLog, Display, SOON};
use crate::hand::{HandAgent, address};
use crate::site::{Site, at};

/// What happens at one gateway is seen at the displays of the other within it.
const SEEN_WITHIN: Duration = Duration::from_millis(250);

/// Settings of a gateway of this name at two brokers.
fn named(name: &str, a: SocketAddr, b: SocketAddr) -> Settings {
    Settings {
        name: Id::new(name).unwrap(),
        second_broker: Some(Broker::External(b.into())),
        ..at(a)
    }
}

/// Two brokers, and two gateways at them; west reads both of them through proxies.
struct Unit {
    a: EmbeddedBroker,
    b: EmbeddedBroker,
    to_a: FaultProxy,
    to_b: FaultProxy,
    east: Site,
    west: Site,
}

impl Unit {
    async fn start() -> Self {
        Self::with(|_east, _west| {}).await
    }

    /// With a change of the settings of both.
    async fn with(change: impl FnOnce(&mut Settings, &mut Settings)) -> Self {
        let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
        let (to_a, to_b) =
            (FaultProxy::start(a.addr()).unwrap(), FaultProxy::start(b.addr()).unwrap());
        let mut of_east = named("east", a.addr(), b.addr());
        let mut of_west = named("west", to_a.addr(), to_b.addr());
        change(&mut of_east, &mut of_west);
        let east = Site::with(of_east).await;
        // Its clock has another zero.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let west = Site::with(of_west).await;
        for site in [&east, &west] {
            site.await_counted("ecmo_gateway_mqtt_connected", &[], 2.0).await;
        }
        Self { a, b, to_a, to_b, east, west }
    }

    /// A pump that sends over both brokers, live at both gateways.
    async fn agent(&self, pump: &str) -> (HandAgent, HandAgent) {
        let mut agent = HandAgent::connect(self.a.addr(), address(pump));
        let beside = agent.beside(self.b.addr());
        let birth = v1::Birth { paths: 2, ..agent.birth() };
        agent.announce(&birth).await;
        beside.announce(&birth).await;
        agent.go_on_with(&beside);
        self.east.display.await_live(pump).await;
        self.west.display.await_live(pump).await;
        (agent, beside)
    }
}

/// Waits until a display lists the alarm so.
async fn lists(
    display: &Display,
    condition: &str,
    what: &str,
    is_it: impl Fn(&v1::Alarm) -> bool,
) -> v1::Alarm {
    eventually(SOON, &format!("{condition} {what}"), async || {
        let alarms = display.list_alarms().await;
        let found = alarms.iter().find(|alarm| alarm.condition == condition && is_it(alarm));
        found.cloned().ok_or_else(|| format!("{alarms:#?}"))
    })
    .await
    .unwrap()
}

/// How often a condition of a pump was raised.
fn raised(log: &AlarmLog, pump: &str, condition: &str) -> usize {
    let is_it = |alarm: &v1::Alarm| {
        let is_new = alarm.transition() == v1::AlarmTransition::Raised;
        is_new && alarm.pump == pump && alarm.condition == condition
    };
    log.changes().iter().filter(|(_, alarm)| is_it(alarm)).count()
}
