//! Displays that do not read: cut off or told of their loss, and never in the way of another.
#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::condition::Condition;
use ecmo_core::alarm::profile::Profile;
use ecmo_gateway::config::Settings;
use ecmo_proto::v1;
use ecmo_proto::v1::watch_alarms_response::Update;
use tokio::time::timeout;
use tonic::Code;

use crate::display::{Display, SOON};
use crate::hand::{HandAgent, address, channel};
use crate::held_up::Since;
use crate::site::Site;

/// What a display with these windows takes without reading: less than two alarms.
pub(super) const SMALL_WINDOW: u32 = 512;

/// A gateway whose bubble alarms come and go with each sample.
pub(super) async fn stormy_site() -> Site {
    let mut settings = Settings::on_free_ports();
    settings.alarms.silence = Some(Duration::from_secs(10));
    let mut profile = Profile::clone(&settings.alarms.profile);
    for limit in &mut profile.limits {
        if limit.rule.key.condition == Condition::AIR_ARTERIAL {
            limit.rule.clear_delay = Duration::ZERO;
        }
    }
    settings.alarms.profile = Arc::new(profile);
    Site::with(settings).await
}

/// One frame in which the bubble detector changes its mind so often.
pub(super) async fn send_bubbles(agent: &HandAgent, changes: u64) {
    let mut frame = agent.frame();
    let sequence = frame.sequence;
    let block = &mut frame.blocks[channel("air.bubble")];
    block.counts = (0..changes).map(|change| i32::from(change % 2 == 0)).collect();
    block.validity.clear();
    (block.first_index, block.interval_us) = (sequence * changes, 100);
    agent.send(&frame).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_that_never_reads_does_not_delay_the_alarms_of_another() {
    let site = Site::start().await;
    let agent = site.agent("p1").await;
    let log = site.display.watch_alarms().await;
    let mut stalled = Vec::new();
    for _ in 0..5 {
        let display = Display::with_windows(site.gateway.address(), SMALL_WINDOW).await;
        let alarms = display.alarm_stream("").await;
        let request = v1::WatchPumpsRequest { interval_ms: 20, ..<_>::default() };
        let pumps = display.pumps().watch_pumps(request).await.unwrap();
        let waveforms = display.waveforms("p1").await;
        stalled.push((alarms, pumps, waveforms));
    }
    // Let them fall far behind.
    let received = |pump: &v1::Pump| pump.counters.unwrap().frames_received;
    let before = received(&site.display.pump("p1").await.unwrap());
    site.display.await_pump("p1", "a second more", |pump| received(pump) > before + 50).await;
    for revision in 1..=3 {
        let begun = Since::now();
        agent.set("air.bubble", i32::from(revision % 2 == 1));
        let is_it = |it: &v1::Alarm| it.condition == "air.arterial" && it.revision == revision;
        let (told, alarm) = log.change("bubble", is_it).await;
        // The bubble clears after a second without one.
        let own = Duration::from_secs(u64::from(revision == 2));
        let what = format!("{alarm:?}");
        begun.is_within(own + Duration::from_millis(500), told, &what);
    }
    assert!(log.end().is_none());
    drop(stalled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_that_does_not_read_during_a_storm_is_cut_off_and_gets_a_snapshot_on_return() {
    let site = stormy_site().await;
    let mut agents = Vec::new();
    for number in 0..8 {
        let mut agent = HandAgent::connect(site.broker(), address(&format!("p{number}")));
        site.introduce(&agent).await;
        agent.pause();
        agents.push(agent);
    }
    let log = site.display.watch_alarms().await;
    let slow = Display::with_windows(site.gateway.address(), SMALL_WINDOW).await;
    let mut stalled = slow.alarm_stream("").await;
    let dropped = "ecmo_gateway_subscription_dropped_total";
    let cut_off = ["kind=\"alarm\"", "reason=\"overflow\""];
    let mut rounds = 0;
    while site.counted(dropped, &cut_off).await < 0.5 {
        // Ten frames a pump and round, each with four changes; the healthy display reads along.
        for _ in 0..10 {
            for agent in &agents {
                send_bubbles(agent, 4).await;
            }
        }
        rounds += 1;
        assert!(rounds < 50, "nobody is cut off after {} changes", log.changes().len());
        let told = rounds * 8 * 10 * 4;
        ecmo_testkit::eventually(SOON, "the healthy display", async || {
            let changes = log.changes().len();
            if changes >= told { Ok(()) } else { Err(format!("{changes} of {told}")) }
        })
        .await
        .unwrap();
    }
    // It reads on at last: what was on its way, then the word that it was cut off.
    let ended = timeout(SOON, async {
        loop {
            match stalled.message().await {
                Ok(Some(_on_its_way)) => {}
                Ok(None) => panic!("ended without a word"),
                Err(status) => return status,
            }
        }
    });
    let status = ended.await.unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert!(status.message().contains("watch again"), "{status}");
    // The healthy one has every revision of every pump.
    assert!(log.end().is_none());
    for agent in &agents {
        let changes = log.changes();
        let of_pump = changes.iter().filter(|(_, it)| {
            it.pump == agent.address.pump.as_str() && it.condition == "air.arterial"
        });
        let revisions: Vec<u32> = of_pump.map(|(_, it)| it.revision).collect();
        assert!((1..).zip(&revisions).all(|(expected, revision)| *revision == expected));
    }
    // Back again it gets everything that is active, at once.
    let mut again = slow.alarm_stream("").await;
    let message = timeout(SOON, again.message()).await.unwrap().unwrap().unwrap();
    let Some(Update::Snapshot(snapshot)) = message.update else { panic!("{message:?}") };
    // That no display here confirms anything, and that a busy machine lets pumps be silent, are alarms beside them.
    let bubbles = snapshot.alarms.iter().filter(|alarm| alarm.condition == "air.arterial").count();
    assert_eq!((message.sequence, bubbles), (0, agents.len()));
    site.await_counted(dropped, &cut_off, 1.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_that_reads_waveforms_too_slowly_is_told_how_many_it_lost() {
    let site = stormy_site().await;
    let mut agent = site.agent("p1").await;
    agent.pause();
    let slow = Display::with_windows(site.gateway.address(), SMALL_WINDOW).await;
    let mut stalled = slow.waveforms("p1").await;
    let first = agent.frame().sequence + 1;
    let frames = 600;
    for _ in 0..frames {
        agent.send(&agent.frame()).await;
    }
    let received = |pump: &v1::Pump| pump.counters.unwrap().frames_received;
    site.display.await_pump("p1", "all frames", |pump| received(pump) >= first - 1 + frames).await;
    let (mut next, mut lost) = (None, 0);
    while next != Some(first + frames) {
        let message = timeout(SOON, stalled.message()).await.unwrap().unwrap().unwrap();
        if message.blocks.is_empty() {
            continue;
        }
        let sequence = message.frame_sequence;
        let expected = *next.get_or_insert(sequence);
        // What is missing is what is told, to the frame; but for the number that was only made.
        if expected > first {
            assert_eq!(sequence - expected, message.dropped, "{sequence} after {expected}");
        }
        lost += message.dropped;
        next = Some(sequence + 1);
    }
    assert!(lost > 100, "{lost}");
}
