//! The history against real sockets: what came live and what came late is there once; trends, samples and alarms are read back,
//! also after a restart; a disk that fails is told and holds nothing up.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ecmo_gateway::config::{Keep, Settings};
use ecmo_proto::v1;
use ecmo_testkit::eventually;
use tonic::Code;

use crate::display::SOON;
use crate::hand::{HandAgent, address};
use crate::journal::{FRAMES, LOST, Spool, agent_again, await_kept, frame, keep};
use crate::site::Site;

/// Channels of the agent in these tests, one sample a frame each.
const CHANNELS: usize = 5;

fn settings(folder: &Path) -> Settings {
    let mut settings = Settings::on_free_ports();
    settings.journal = Some(keep(&folder.join("journal")));
    settings.disclosure = Some(Keep { dir: folder.join("history"), ..keep(folder) });
    settings
}

fn request(from_wall_ns: i64, to_wall_ns: i64) -> v1::ReadWaveformRequest {
    v1::ReadWaveformRequest {
        ward: address("j1").ward.to_string(),
        pump: "j1".to_owned(),
        parameters: Vec::new(),
        from_wall_ns,
        to_wall_ns,
    }
}

/// Every sample by parameter and number; each once.
async fn samples(site: &Site) -> BTreeMap<(String, u64), f32> {
    let mut stream =
        site.display.history().read_waveform(request(0, i64::MAX)).await.unwrap().into_inner();
    let mut found = BTreeMap::new();
    let mut complete = false;
    while let Some(message) = stream.message().await.unwrap() {
        assert!(!complete, "nothing follows the last message");
        assert_eq!(message.damaged_records, 0);
        complete = message.complete;
        for block in message.blocks {
            assert!(block.validity.is_empty());
            for (index, value) in (block.first_index..).zip(block.values) {
                let twice = found.insert((block.parameter.clone(), index), value);
                assert_eq!(twice, None, "{} {index}", block.parameter);
            }
        }
    }
    assert!(complete);
    found
}

async fn await_samples(site: &Site, count: usize) -> BTreeMap<(String, u64), f32> {
    eventually(SOON, "kept", async || {
        let found = samples(site).await;
        if found.len() == count { Ok(found) } else { Err(format!("{} samples", found.len())) }
    })
    .await
    .unwrap()
}

fn trend(parameters: &[&str], buckets: u32) -> v1::QueryTrendRequest {
    let v1::ReadWaveformRequest { ward, pump, .. } = request(0, 1);
    let parameters = parameters.iter().map(|one| (*one).to_owned()).collect();
    let to_wall_ns = 4_000_000_000_000_000_000;
    v1::QueryTrendRequest { ward, pump, parameters, from_wall_ns: 0, to_wall_ns, buckets }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_live_and_what_came_late_is_kept_once_and_read_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(settings(folder.path())).await;
    let agent = Arc::new(HandAgent::connect(site.broker(), address("j1")));
    site.introduce(&agent).await;
    for sequence in (0..FRAMES).filter(|one| !LOST.contains(one)) {
        agent.send(&frame(&agent, sequence)).await;
    }
    let spool = Spool::start(&site, &agent);
    await_kept(&site, (FRAMES, 0)).await;
    let all = usize::try_from(FRAMES).unwrap() * CHANNELS;
    let found = await_samples(&site, all).await;
    drop(spool);

    let answer = site.display.history().query_trend(trend(&["pump.speed"], 3)).await;
    let answer = answer.unwrap().into_inner();
    let speed = &answer.series[0];
    assert_eq!(speed.count.iter().sum::<u64>(), FRAMES);
    // What came late stood still: the trend has it.
    let with_values = |of: &[f32]| -> Vec<f32> {
        of.iter().zip(&speed.count).filter(|(_, count)| **count > 0).map(|(one, _)| *one).collect()
    };
    assert!(with_values(&speed.min).contains(&0.0) && with_values(&speed.max).contains(&2_000.0));
    site.gateway.stop().await;

    let site = Site::with(settings(folder.path())).await;
    let _agent = agent_again(&site, &agent).await;
    eventually(SOON, "open", async || {
        site.display.history().list_history(v1::ListHistoryRequest::default()).await
    })
    .await
    .unwrap();
    assert_eq!(samples(&site).await, found);
    site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_revision_of_an_alarm_is_listed_and_filtered_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(settings(folder.path())).await;
    let agent = site.agent("j1").await;
    site.display.await_live("j1").await;
    drop(agent);
    let list =
        |conditions: &[&str], page_size: u32, page_token: String| v1::ListAlarmHistoryRequest {
            ward: address("j1").ward.to_string(),
            pump: "j1".to_owned(),
            from_wall_ns: 0,
            to_wall_ns: i64::MAX,
            conditions: conditions.iter().map(|one| (*one).to_owned()).collect(),
            priorities: Vec::new(),
            page_size,
            page_token,
        };
    let stale = eventually(SOON, "listed", async || {
        let request = list(&["comm.stale"], 0, String::new());
        let answer = site.display.history().list_alarm_history(request).await;
        let answer = answer.map_err(|error| error.to_string())?.into_inner();
        answer.revisions.into_iter().next_back().ok_or_else(|| "no revision".to_owned())
    })
    .await
    .unwrap();
    let alarm = stale.alarm.unwrap();
    assert_eq!(
        (alarm.condition.as_str(), alarm.transition()),
        ("comm.stale", v1::AlarmTransition::Raised)
    );
    assert!(stale.at_wall_ns >= alarm.onset_wall_ns);
    let mut token = String::new();
    let mut paged = Vec::new();
    loop {
        let request = list(&[], 1, token);
        let answer = site.display.history().list_alarm_history(request).await.unwrap().into_inner();
        assert!(answer.revisions.len() <= 1);
        paged.extend(answer.revisions);
        token = answer.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert!(paged.contains(&v1::AlarmRevision { alarm: Some(alarm), ..stale }));
    let wrong = site.display.history().list_alarm_history(list(&[], 1, "x".to_owned())).await;
    assert_eq!(wrong.unwrap_err().code(), Code::InvalidArgument);
    site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_question_is_refused_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(settings(folder.path())).await;
    let _agent = site.agent("j1").await;
    eventually(SOON, "kept", async || {
        site.display.history().query_trend(trend(&["pump.speed"], 1)).await
    })
    .await
    .unwrap();
    let base = trend(&["pump.speed"], 10);
    let many = vec!["pump.speed".to_owned(); 65];
    for (wrong, code, says) in [
        (
            v1::QueryTrendRequest { parameters: vec![], ..base.clone() },
            Code::InvalidArgument,
            "1 to 64",
        ),
        (
            v1::QueryTrendRequest { parameters: many, ..base.clone() },
            Code::InvalidArgument,
            "1 to 64",
        ),
        (trend(&["no.such"], 10), Code::InvalidArgument, "no.such"),
        (v1::QueryTrendRequest { buckets: 0, ..base.clone() }, Code::InvalidArgument, "1 to 10000"),
        (
            v1::QueryTrendRequest { buckets: 10_001, ..base.clone() },
            Code::InvalidArgument,
            "1 to 10000",
        ),
        (v1::QueryTrendRequest { to_wall_ns: 0, ..base.clone() }, Code::InvalidArgument, "empty"),
        (v1::QueryTrendRequest { pump: "j9".to_owned(), ..base.clone() }, Code::NotFound, "j9"),
        (v1::QueryTrendRequest { pump: "a/b".to_owned(), ..base }, Code::InvalidArgument, "pump"),
    ] {
        let refused = site.display.history().query_trend(wrong).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused:?}");
        assert!(refused.message().contains(says), "{refused:?}");
    }
    site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_folder_no_history_is_kept_and_every_question_says_so() {
    let site = Site::start().await;
    let refused = site.display.history().query_trend(trend(&["pump.speed"], 1)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("[history]"), "{refused:?}");
    site.gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_f13_a_history_that_cannot_be_written_is_an_alarm_and_holds_up_no_frame() {
    let folder = tempfile::tempdir().unwrap();
    // A file where a folder should be: nothing can be made below it, not even by root.
    let path = folder.path().join("file");
    std::fs::write(&path, "x").unwrap();
    let mut settings = Settings::on_free_ports();
    settings.disclosure = Some(keep(&path));
    let site = Site::with(settings).await;
    let _agent = site.agent("j1").await;
    eventually(SOON, "told", async || {
        let alarms = site.display.list_alarms().await;
        let told = alarms.iter().any(|alarm| alarm.condition == "gateway.recording");
        if told { Ok(()) } else { Err("not told") }
    })
    .await
    .unwrap();
    let pump = site.display.await_live("j1").await;
    assert_eq!(pump.counters.unwrap().frames_missing, 0);
    let refused = site.display.history().query_trend(trend(&["pump.speed"], 1)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    site.gateway.stop().await;
}
