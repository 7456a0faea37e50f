//! Two brokers: one dies, one is slow, one has slept; and what the gateway asks of an agent over them.
#![cfg(test)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecmo_gateway::config::{Broker, Settings};
use ecmo_proto::topic::Kind;
use ecmo_proto::v1::request::Ask;
use ecmo_proto::{sealed, v1};
use ecmo_testkit::{Direction, EmbeddedBroker, FaultProxy, eventually};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::task::JoinHandle;

use crate::display::SOON;
use crate::hand::{HandAgent, address};
use crate::site::{Site, at};

fn at_both(a: SocketAddr, b: SocketAddr) -> Settings {
    Settings { second_broker: Some(Broker::External(b.into())), ..at(a) }
}

/// A ward with one pump whose agent sends over both brokers, and everything settled.
async fn doubled(a: SocketAddr, b: SocketAddr) -> (Site, HandAgent, HandAgent) {
    let site = Site::with(at_both(a, b)).await;
    site.await_ready().await;
    site.await_counted("ecmo_gateway_mqtt_connected", &[], 2.0).await;
    let mut agent = HandAgent::connect(a, address("p1"));
    let beside = agent.beside(b);
    let birth = v1::Birth { paths: 2, ..agent.birth() };
    agent.announce(&birth).await;
    beside.announce(&birth).await;
    agent.go_on_with(&beside);
    site.display.await_live("p1").await;
    (site, agent, beside)
}

fn raised(log: &crate::display::AlarmLog) -> Vec<(String, String)> {
    log.changes().into_iter().map(|(_, alarm)| (alarm.pump, alarm.condition)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_f08_a_broker_that_dies_beside_another_costs_no_frame_and_is_one_low_notice() {
    let (mut a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let (site, _agent, _beside) = doubled(a.addr(), b.addr()).await;
    let log = site.display.watch_alarms().await;
    a.kill().unwrap();
    let (_, alarm) = log.raised("", "comm.redundancy_lost").await;
    assert_eq!(alarm.priority(), v1::AlarmPriority::Low);
    assert!(site.readiness().await.contains("200"), "one broker is enough");
    tokio::time::sleep(Duration::from_secs(3)).await;
    site.await_counted("ecmo_gateway_frames_missing_total", &[], 0.0).await;
    site.await_counted("ecmo_pump_path_up", &["path=\"a\"", "\"p1\""], 0.0).await;
    site.await_counted("ecmo_pump_path_up", &["path=\"b\"", "\"p1\""], 1.0).await;
    let pump = site.display.await_live("p1").await;
    assert_eq!(pump.paths.iter().map(|path| path.connected).collect::<Vec<_>>(), [false, true]);
    let notice = ("".to_owned(), "comm.redundancy_lost".to_owned());
    assert_eq!(raised(&log), [notice], "nothing else is told, and not for each pump");
    a.restart().unwrap();
    log.ended("", "comm.redundancy_lost").await;
    site.await_counted("ecmo_gateway_dropout_seconds_count", &["\"p1\""], 0.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_f22_a_second_path_that_is_300_ms_late_repeats_what_was_here_and_is_counted_by_path()
{
    let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let slow = FaultProxy::start(b.addr()).unwrap();
    let (site, _agent, _beside) = doubled(a.addr(), slow.addr()).await;
    slow.delay(Duration::from_millis(300));
    let log = site.display.watch_alarms().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(raised(&log), []);
    let repeats = |path| site.counted("ecmo_gateway_frames_duplicate_total", path);
    assert!(repeats(&["path=\"b\"", "\"p1\""]).await > 50.0);
    site.await_counted("ecmo_gateway_frames_missing_total", &["\"p1\""], 0.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_loses_one_path_is_a_low_notice_at_its_pump() {
    let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let (site, mut agent, _beside) = doubled(a.addr(), b.addr()).await;
    let log = site.display.watch_alarms().await;
    agent.go_on();
    let (_, alarm) = log.raised("p1", "comm.redundancy_lost").await;
    assert_eq!(alarm.priority(), v1::AlarmPriority::Low);
    assert_eq!(alarm.kind(), v1::AlarmKind::Technical);
    assert_eq!(raised(&log).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_birth_that_one_broker_has_slept_with_does_not_replace_the_run_that_lives() {
    let (a, b) = (EmbeddedBroker::start(None).unwrap(), EmbeddedBroker::start(None).unwrap());
    let mut agent = HandAgent::connect(a.addr(), address("p1"));
    let slept = HandAgent::connect(b.addr(), address("p1"));
    slept.announce(&slept.birth()).await;
    agent.announce(&agent.birth()).await;
    // Whichever comes first: a retained one proves nothing, and a frame does.
    let site = Site::with(at_both(a.addr(), b.addr())).await;
    site.display.await_pump("p1", "announced", |pump| pump.boot_id != 0).await;
    agent.go_on();
    let boot = agent.boot();
    site.display
        .await_pump("p1", "live", |pump| pump.link() == v1::LinkState::Live && pump.boot_id == boot)
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let pump = site.display.await_live("p1").await;
    assert_eq!((pump.boot_id, pump.counters.unwrap().frames_rejected), (boot, 0));
    let told = site.display.list_alarms().await;
    assert!(!told.iter().any(|alarm| alarm.condition == "source.duplicate"), "{told:?}");
}

/// What a live agent answers, over one broker: probes by heartbeats. Leases are kept for the test.
pub(crate) struct Answerer {
    pub(crate) leases: Arc<Mutex<Vec<v1::AlarmLease>>>,
    task: JoinHandle<()>,
}

impl Drop for Answerer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Answerer {
    pub(crate) fn start(broker: SocketAddr, agent: &HandAgent) -> Self {
        let pump = agent.address.pump.to_string();
        let id = format!("answerer-{pump}");
        let mut options = MqttOptions::new(id, broker.ip().to_string(), broker.port());
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut event_loop) = AsyncClient::new(options, 100);
        let leases = Arc::new(Mutex::new(Vec::new()));
        let (kept, address, boot) = (Arc::clone(&leases), agent.address.clone(), agent.boot());
        let began = (agent.mono_ns(), tokio::time::Instant::now());
        let mono = move || began.0 + u64::try_from(began.1.elapsed().as_nanos()).unwrap();
        let task = tokio::spawn(async move {
            client.subscribe(address.topic(Kind::Request), QoS::AtLeastOnce).await.unwrap();
            while let Ok(event) = event_loop.poll().await {
                let Event::Incoming(Packet::Publish(publish)) = event else { continue };
                let request: v1::Request = sealed::open(&publish.payload).unwrap();
                assert_eq!((request.pump.as_str(), request.boot_id), (pump.as_str(), boot));
                match request.ask.unwrap() {
                    Ask::Lease(lease) => kept.lock().unwrap().push(lease),
                    Ask::Backfill(_) => {}
                    Ask::Probe(probe) => {
                        let read = mono();
                        let beat = v1::AgentHeartbeat {
                            pump: pump.clone(),
                            boot_id: boot,
                            mono_ns: mono(),
                            sampling: Some(v1::Sampling { samples: 77, ..Default::default() }),
                            echoes: vec![v1::ProbeEcho {
                                gateway: request.gateway,
                                number: probe.number,
                                sent_mono_ns: probe.sent_mono_ns,
                                received_mono_ns: read,
                            }],
                            ..v1::AgentHeartbeat::default()
                        };
                        let topic = address.topic(Kind::Heartbeat);
                        let bytes = sealed::seal(&beat);
                        client.try_publish(topic, QoS::AtMostOnce, false, bytes).ok();
                    }
                }
            }
        });
        Self { leases, task }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_over_an_asymmetric_way_err_by_no_more_than_they_say_and_a_stepped_wall_clock_is_shown()
 {
    let broker = EmbeddedBroker::start(None).unwrap();
    let uneven = FaultProxy::start(broker.addr()).unwrap();
    uneven.on(Direction::ServerToClient).delay(Duration::from_millis(200));
    let site = Site::at(broker.addr()).await;
    site.await_ready().await;
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    let answerer = Answerer::start(uneven.addr(), &agent);
    let pump = site.display.await_pump("p1", "its clock known", |pump| pump.clock.is_some()).await;
    let before = i128::from(agent.mono_ns());
    let gateway = i128::from(site.display.list().await.now_mono_ns);
    let after = i128::from(agent.mono_ns());
    let clock = pump.clock.unwrap();
    let (low, high) = (gateway - after, gateway - before);
    let (told, error) = (i128::from(clock.offset_ns), i128::from(clock.uncertainty_ns));
    assert!(told - error <= high && told + error >= low, "{clock:?} of {low}..{high}");
    assert!((100_000_000..400_000_000).contains(&clock.uncertainty_ns), "{clock:?}");
    assert!(told < low, "half of the delay is taken for the other direction's");
    eventually(SOON, "the uncertainty counted", async || {
        let uncertainty = "ecmo_gateway_clock_offset_uncertainty_seconds";
        let shown = site.counted(uncertainty, &["\"p1\""]).await;
        if shown > 0.1 { Ok(()) } else { Err(shown.to_string()) }
    })
    .await
    .unwrap();
    assert_eq!(pump.agent.unwrap().sampling.unwrap().samples, 77);
    site.await_counted("ecmo_agent_samples_total", &["\"p1\""], 77.0).await;

    agent.step_wall(Duration::from_secs(3_600));
    site.display
        .await_pump("p1", "its wall clock told", |pump| {
            let hour = 3_599_000_000_000..3_601_000_000_000_i64;
            pump.clock.and_then(|it| it.wall_difference_ns).is_some_and(|it| hour.contains(&it))
        })
        .await;
    assert_eq!(raised(&log), [], "a stepped wall clock changes no order, no age and no alarm");
    drop(answerer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_follows_the_frames_that_were_judged_and_ends_with_them() {
    let broker = EmbeddedBroker::start(None).unwrap();
    let site = Site::at(broker.addr()).await;
    site.await_ready().await;
    let mut agent = site.agent("p1").await;
    let answerer = Answerer::start(broker.addr(), &agent);
    let newest = || answerer.leases.lock().unwrap().last().map(|lease| lease.decided_mono_ns);
    let fresh = |agent: &HandAgent| {
        newest().is_some_and(|decided| agent.mono_ns() - decided < 1_000_000_000)
    };
    for _ in 0..3 {
        answerer.leases.lock().unwrap().clear();
        eventually(SOON, "a fresh lease", async || fresh(&agent).then_some(())).await.unwrap();
    }
    assert_ne!(answerer.leases.lock().unwrap()[0].profile_hash, 0);
    agent.pause();
    let log = site.display.watch_alarms().await;
    log.raised("p1", "comm.stale").await;
    let last = newest();
    // The answers to probes go on: the agent lives, and samples nothing.
    log.raised("p1", "agent.not_sampling").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(newest(), last, "nobody judges, so nobody is said to");
    agent.go_on();
    log.ended("p1", "agent.not_sampling").await;
    eventually(SOON, "a fresh lease", async || fresh(&agent).then_some(())).await.unwrap();
}
