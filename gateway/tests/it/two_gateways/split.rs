//! Two gateways that cannot hear each other both go on; afterwards what people did at both counts at both.
#![cfg(test)]

use std::path::PathBuf;
use std::time::Duration;

use ecmo_gateway::config::Settings;
use ecmo_proto::topic::Id;
use ecmo_proto::v1;
use ecmo_testkit::{EmbeddedBroker, FaultProxy};

use super::{lists, named, raised};
use crate::display::Display;
use crate::hand::{HandAgent, address};
use crate::site::Site;

/// East reads broker A and hears B only when its way there is healed; west the other way round.
struct Split {
    east_to_b: FaultProxy,
    west_to_a: FaultProxy,
    east: Site,
    west: Site,
    agent: HandAgent,
    beside: HandAgent,
    brokers: [EmbeddedBroker; 2],
}

/// The same for a gateway that must not be alone.
fn beside(other: &str, settings: Settings) -> Settings {
    Settings { peers: vec![Id::new(other).unwrap()], ..settings }
}

impl Split {
    /// Both gateways hear each other over both brokers.
    async fn whole() -> Self {
        Self::keeping(None).await
    }

    /// The same, where east keeps what people do in a folder.
    async fn keeping(state_dir: Option<PathBuf>) -> Self {
        let brokers = [EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap()];
        let [a, b] = [brokers[0].addr(), brokers[1].addr()];
        let (east_to_b, west_to_a) = (FaultProxy::start(b).unwrap(), FaultProxy::start(a).unwrap());
        let east = Site::with(Settings {
            state_dir,
            ..beside("west", named("east", a, east_to_b.addr()))
        })
        .await;
        let west = Site::with(beside("east", named("west", b, west_to_a.addr()))).await;
        for site in [&east, &west] {
            site.await_counted("ecmo_gateway_mqtt_connected", &[], 2.0).await;
        }
        let mut agent = HandAgent::connect(a, address("p1"));
        let beside = agent.beside(b);
        let birth = v1::Birth { paths: 2, ..agent.birth() };
        agent.announce(&birth).await;
        beside.announce(&birth).await;
        agent.go_on_with(&beside);
        east.display.await_live("p1").await;
        west.display.await_live("p1").await;
        Self { east_to_b, west_to_a, east, west, agent, beside, brokers }
    }

    async fn cut(&self) {
        for proxy in [&self.east_to_b, &self.west_to_a] {
            proxy.refuse(true);
            proxy.cut();
        }
        for site in [&self.east, &self.west] {
            site.await_counted("ecmo_gateway_mqtt_connected", &[], 1.0).await;
        }
    }

    fn heal(&self) {
        self.east_to_b.heal();
        self.west_to_a.heal();
    }
}

/// Waits until a display lists the alarm no longer.
async fn lists_no(display: &Display, condition: &str) {
    ecmo_testkit::eventually(crate::display::SOON, &format!("{condition} over"), async || {
        let alarms = display.list_alarms().await;
        let found = alarms.into_iter().find(|alarm| alarm.condition == condition);
        found.map_or(Ok(()), |alarm| Err(format!("{alarm:#?}")))
    })
    .await
    .unwrap();
}

/// Who acknowledged the alarm at this display, once somebody has.
async fn acknowledged(display: &Display, condition: &str) -> String {
    lists(display, condition, "acknowledged", |it| !it.acknowledged_by.is_empty())
        .await
        .acknowledged_by
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_f37_gateways_that_were_split_alarm_alike_and_have_every_acknowledgement_afterwards()
{
    let split = Split::whole().await;
    let (east, west) = (&split.east.display, &split.west.display);
    let (at_east, at_west) = (east.watch_alarms().await, west.watch_alarms().await);
    split.cut().await;
    split.agent.set("pump.speed", 0);
    split.agent.set_validity("press.pre", v1::Validity::SensorOff);
    let fault = "sensor.fault.press.pre";
    let mut names = Vec::new();
    for condition in ["pump.stop", fault] {
        let one = lists(east, condition, "raised", |it| it.present).await;
        let other = lists(west, condition, "raised", |it| it.present).await;
        assert_eq!(one.occurrence, other.occurrence, "both name it alike");
        names.push((one, other));
    }
    east.acknowledge(&names[0].0, names[0].0.revision, "East").await.unwrap();
    west.acknowledge(&names[1].1, names[1].1.revision, "West").await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let unseen = lists(west, "pump.stop", "still signals", |it| it.present).await;
    assert_eq!(unseen.acknowledged_by, "", "west cannot know");
    for log in [&at_east, &at_west] {
        log.raised("", "gateway.peer_lost").await;
    }

    split.heal();
    for display in [east, west] {
        assert_eq!(acknowledged(display, "pump.stop").await, "East");
        assert_eq!(acknowledged(display, fault).await, "West");
    }
    for log in [&at_east, &at_west] {
        log.ended("", "gateway.peer_lost").await;
        for condition in ["pump.stop", fault] {
            assert_eq!(raised(log, "p1", condition), 1, "{condition} is raised once");
        }
    }
    for display in [east, west] {
        let alarms = display.list_alarms().await;
        let of_pump = alarms.iter().filter(|alarm| alarm.pump == "p1");
        let conditions: Vec<_> = of_pump.map(|alarm| alarm.condition.as_str()).collect();
        assert!(conditions.contains(&"pump.stop") && conditions.contains(&fault), "{conditions:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_starts_anew_without_its_state_is_told_what_people_did() {
    let split = Split::whole().await;
    let Split { east, west, agent, beside: _beside, brokers, .. } = split;
    agent.set("pump.speed", 0);
    let alarm = lists(&east.display, "pump.stop", "raised", |it| it.present).await;
    east.display.acknowledge(&alarm, alarm.revision, "East").await.unwrap();
    assert_eq!(acknowledged(&west.display, "pump.stop").await, "East");
    west.gateway.stop().await;
    // Another one in its place, which knows nothing.
    let [a, b] = [brokers[0].addr(), brokers[1].addr()];
    let west = Site::with(named("west", a, b)).await;
    let again = lists(&west.display, "pump.stop", "acknowledged there too", |it| {
        it.acknowledged_by == "East"
    });
    assert!(again.await.present);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acknowledgement_that_ended_its_alarm_reaches_the_other_also_from_a_gateway_that_began_anew()
 {
    let folder = tempfile::tempdir().unwrap();
    let state_dir = || Some(folder.path().to_owned());
    let split = Split::keeping(state_dir()).await;
    split.cut().await;
    split.agent.set("pump.speed", 0);
    for site in [&split.east, &split.west] {
        lists(&site.display, "pump.stop", "raised", |it| it.present).await;
    }
    split.agent.set("pump.speed", 2_000);
    for site in [&split.east, &split.west] {
        lists(&site.display, "pump.stop", "latched", |it| !it.present).await;
    }
    // East takes it, and is gone before west can hear of it; what it wrote down is there.
    let Split { east_to_b, west_to_a, east, west, agent: _agent, beside: _beside, brokers } = split;
    let alarm = lists(&east.display, "pump.stop", "waits", |it| !it.present).await;
    east.display.acknowledge(&alarm, alarm.revision, "East").await.unwrap();
    lists_no(&east.display, "pump.stop").await;
    east.gateway.stop().await;
    lists(&west.display, "pump.stop", "still waits", |it| it.acknowledged_by.is_empty()).await;
    let [a, b] = [brokers[0].addr(), brokers[1].addr()];
    let settings = Settings { state_dir: state_dir(), ..named("east", a, b) };
    let _east = Site::with(settings).await;
    east_to_b.heal();
    west_to_a.heal();
    lists_no(&west.display, "pump.stop").await;
}
