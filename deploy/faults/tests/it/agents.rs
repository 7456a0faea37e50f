//! F1, F3, F29, F40: agents that are killed, frozen, doubled, or send at another rate than they say.
#![cfg(test)]

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ecmo_faults::{AgentSetup, Ward};
use ecmo_proto::v1;
use ecmo_testkit::display::{Display, PROMISE};
use ecmo_testkit::eventually;
use tokio::time::Instant;

use crate::site::{PUMP, SETTLE, Site};

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f01_a_killed_agent_is_told_within_a_second_and_its_frames_are_kept() {
    let mut site = Site::start(1).await;
    let before = site.pump().await.boot_id;
    let killed_at = Instant::now();
    site.agent.kill().unwrap();
    let (told_at, alarm) = site.log.raised(PUMP, "comm.stale").await;
    let took = told_at - killed_at;
    println!("f01: told {took:?} after the kill");
    assert!(took <= PROMISE, "{took:?}");
    assert_eq!(alarm.priority(), v1::AlarmPriority::High);
    // The next run names itself anew, brings what the run before had kept, and raises nothing from it.
    let setup = AgentSetup::simulated(PUMP, site.ward.broker_addresses());
    site.agent = site.ward.agent(&setup).unwrap();
    let pump = site.settles("live in a new run", |pump| {
        pump.link() == v1::LinkState::Live && pump.boot_id != before
    });
    assert_ne!(pump.await.boot_id, before);
    site.log.ended(PUMP, "comm.stale").await;
    let nothing_missing = |pump: &v1::Pump| {
        pump.completeness.as_ref().is_some_and(|it| it.recording && it.frames_missing == 0)
    };
    let pump = site.settles("nothing is missing", nothing_missing).await;
    let extents = pump.agent.unwrap_or_default().spool.unwrap_or_default().extents;
    assert!(extents.iter().any(|extent| extent.boot_id == before), "{extents:?}");
    site.assert_no_physiological_alarm();
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f03_a_frozen_agent_is_told_and_goes_on_where_it_was() {
    let mut site = Site::start(1).await;
    let boot = site.pump().await.boot_id;
    let frozen_at = Instant::now();
    site.agent.freeze().unwrap();
    let (told_at, _alarm) = site.log.raised(PUMP, "comm.stale").await;
    let took = told_at - frozen_at;
    println!("f03: told {took:?} after the freeze");
    assert!(took <= Duration::from_millis(1_500), "{took:?}");
    site.agent.thaw().unwrap();
    site.log.ended(PUMP, "comm.stale").await;
    assert_eq!(site.pump().await.boot_id, boot, "the same run goes on");
    site.assert_no_physiological_alarm();
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f29_two_agents_of_one_pump_are_told_and_never_mixed() {
    let ward = Ward::start(2).unwrap();
    let brokers = ward.broker_addresses();
    let site = Site::with(ward, &AgentSetup::simulated(PUMP, vec![brokers[0]])).await;
    let first = site.pump().await.boot_id;
    // The other one publishes by the other broker: no broker can see that there are two.
    let other = tempfile::tempdir().unwrap();
    let mut setup = AgentSetup::simulated(PUMP, vec![brokers[1]]);
    let spool = format!("dir = \"{}\"", other.path().join("spool").display());
    setup.settings = setup.settings.replace("dir = \"spool-pump-1\"", &spool);
    let _second = site.ward.agent(&setup).unwrap();
    let (_, alarm) = site.log.raised(PUMP, "source.duplicate").await;
    assert_eq!(alarm.kind(), v1::AlarmKind::Technical);
    // The newer run is read, and it alone.
    let pump = site.settles("the newer run is read", |pump| pump.boot_id != first).await;
    for _look in 0..50 {
        assert_eq!(site.pump().await.boot_id, pump.boot_id, "the runs are mixed");
        tokio::task::yield_now().await;
    }
    site.assert_no_physiological_alarm();
}

/// Writes lines of one channel to a FIFO at a pace, until it is dropped.
struct Feed {
    stop: Arc<AtomicBool>,
    pace_us: Arc<AtomicU64>,
}

impl Feed {
    fn start(fifo: &std::path::Path, pace_us: u64) -> Self {
        let made = std::process::Command::new("mkfifo").arg(fifo).status().unwrap();
        assert!(made.success());
        let feed = Self { stop: Arc::default(), pace_us: Arc::default() };
        feed.pace_us.store(pace_us, Ordering::Relaxed);
        let (stop, pace) = (feed.stop.clone(), feed.pace_us.clone());
        let fifo = fifo.to_owned();
        std::thread::spawn(move || {
            let mut file = std::fs::File::options().read(true).write(true).open(fifo).unwrap();
            writeln!(file, "press.drain").unwrap();
            let mut count = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                count += 1;
                // A pressure that moves: one that does not would be a fault of its own.
                let value = -40.0 + f64::from(count % 7) * 0.5;
                if writeln!(file, "{value}").is_err() {
                    return;
                }
                let pace = pace.load(Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(pace));
            }
        });
        feed
    }

    fn pace(&self, pace_us: u64) {
        self.pace_us.store(pace_us, Ordering::Relaxed);
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

async fn rate_told(display: &Display) -> bool {
    let alarms = display.list_alarms().await;
    alarms.iter().any(|it| it.condition.starts_with("sensor.rate") && it.present)
}

#[tokio::test]
#[ignore = "needs Mosquitto"]
async fn fault_f40_a_channel_at_half_its_rate_is_told() {
    let ward = Ward::start(1).unwrap();
    let fifo = ward.folder().join("device");
    let feed = Feed::start(&fifo, 9_900);
    let settings = format!(
        "[[source]]\nkind = \"line\"\nfrom = \"{}\"\nrate_hz = 100\n[[source.channel]]\nparameter = \"press.drain\"\n",
        fifo.display()
    );
    let setup = AgentSetup { settings, ..AgentSetup::simulated(PUMP, ward.broker_addresses()) };
    let site = Site::with(ward, &setup).await;
    site.display
        .await_pump(PUMP, "the pressure is read", |pump| {
            pump.readings.iter().any(|it| it.parameter == "press.drain" && it.value.is_some())
        })
        .await;
    feed.pace(20_000);
    eventually(SETTLE, "the rate is told", async || rate_told(&site.display).await.then_some(()))
        .await
        .unwrap();
    feed.pace(9_900);
    eventually(SETTLE, "the rate is right again", async || {
        (!rate_told(&site.display).await).then_some(())
    })
    .await
    .unwrap();
}
