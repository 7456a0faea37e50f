//! What came and went while a display, and a broker, were away.
#![cfg(test)]

use ecmo_proto::v1;
use ecmo_proto::v1::watch_alarms_response::Update;
use ecmo_testkit::EmbeddedBroker;
use tokio::time::timeout;

use crate::display::SOON;
use crate::site::Site;

/// The first message of a display that has seen everything until then.
async fn first(site: &Site, seen_until: Option<v1::SeenUntil>) -> (u64, v1::AlarmSnapshot) {
    let request = v1::WatchAlarmsRequest { seen_until, ..v1::WatchAlarmsRequest::default() };
    let mut stream = site.display.alarms().watch_alarms(request).await.unwrap().into_inner();
    let message = timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap();
    match message.update {
        Some(Update::Snapshot(snapshot)) => (message.now_mono_ns, snapshot),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trap_01_what_latched_or_ended_while_broker_and_display_were_away_is_told_to_every_display()
{
    let mut broker = EmbeddedBroker::start(None).unwrap();
    let site = Site::at(broker.addr()).await;
    site.await_ready().await;
    let (agent, other) = tokio::join!(site.agent("p1"), site.agent("p2"));
    let log = site.display.watch_alarms().await;
    let newest = log.told().pop().unwrap().message;
    let wall_ns = ecmo_gateway::clock::Clock::start().wall_ns();
    let seen = v1::SeenUntil { epoch: newest.epoch, mono_ns: newest.now_mono_ns, wall_ns };
    // The display is away; a bubble comes, is acknowledged, and goes.
    agent.set("air.bubble", 1);
    let (_, raised) = log.raised("p1", "air.arterial").await;
    site.display.acknowledge(&raised, raised.revision, "A. Nurse").await.unwrap();
    agent.set("air.bubble", 0);
    let (_, ended) = log.ended("p1", "air.arterial").await;
    // Another one comes, nobody acknowledges it, and it is gone before the broker dies.
    other.set("air.bubble", 1);
    log.raised("p2", "air.arterial").await;
    other.set("air.bubble", 0);
    let is_latched = |alarm: &v1::Alarm| {
        alarm.pump == "p2"
            && alarm.condition == "air.arterial"
            && alarm.signal() == v1::SignalPresence::Latched
    };
    let (_, latched) = log.change("latched", is_latched).await;
    broker.kill().unwrap();
    log.raised("", "comm.broker").await;

    let (now, back) = first(&site, Some(seen)).await;
    assert!(
        back.alarms.iter().any(|alarm| alarm.occurrence == latched.occurrence && is_latched(alarm))
    );
    let [missed] = &back.ended[..] else { panic!("{back:#?}") };
    assert_eq!((&missed.occurrence, missed.revision), (&raised.occurrence, ended.revision));
    assert_eq!(missed.signal(), v1::SignalPresence::Off);
    assert_eq!(missed.acknowledged_by, "A. Nurse");
    assert!(!back.ended_incomplete);
    assert!(back.alarms.iter().all(|alarm| alarm.occurrence != raised.occurrence));
    // Who has seen that is not told again.
    let (_, again) = first(&site, Some(v1::SeenUntil { mono_ns: now, ..seen })).await;
    assert_eq!((again.ended.len(), again.ended_incomplete), (0, false));
    // A display that knew another start of the gateway compares by the wall clock, and what it missed before is not known.
    let other = v1::SeenUntil { epoch: seen.epoch ^ 1, mono_ns: u64::MAX, wall_ns };
    let (_, other_epoch) = first(&site, Some(other)).await;
    assert_eq!((other_epoch.ended.len(), other_epoch.ended_incomplete), (1, false));
    let (_, long_ago) = first(&site, Some(v1::SeenUntil { wall_ns: 0, ..other })).await;
    assert_eq!((long_ago.ended.len(), long_ago.ended_incomplete), (1, true));
    // A display that starts for the first time missed nothing.
    let (_, new) = first(&site, None).await;
    assert_eq!((new.ended.len(), new.ended_incomplete), (0, false));
    // But what nobody has acknowledged is shown to it too, whether the broker is back or not.
    assert!(
        new.alarms.iter().any(|alarm| alarm.occurrence == latched.occurrence && is_latched(alarm))
    );
}
