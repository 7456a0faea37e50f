//! `ecmoctl history` and `ecmoctl export` against a history that is known to the last sample.
#![cfg(test)]

use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use ecmo_proto::v1::history_service_server::{HistoryService, HistoryServiceServer};
use ecmo_proto::v1::*;
use tokio::net::TcpListener;
use tokio_stream::Stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::process::{run, start};

/// 2026-01-02T13:00:00Z.
const FROM_NS: i64 = 1_767_358_800_000_000_000;

const SECOND_NS: i64 = 1_000_000_000;

const MINUTES: i64 = 20;

/// A pump of which one sample a second is kept, except in the third minute; each question takes a moment.
#[derive(Clone)]
struct Past;

impl Past {
    async fn start() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let server =
            tonic::transport::Server::builder().add_service(HistoryServiceServer::new(Self));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        format!("http://{address}")
    }
}

fn is_kept(index: i64) -> bool {
    (0..MINUTES * 60).contains(&index) && !(120..180).contains(&index)
}

fn block(index: i64) -> HistoryBlock {
    HistoryBlock {
        parameter: "flow.blood".to_owned(),
        boot_id: 7,
        first_index: u64::try_from(index).unwrap(),
        start_wall_ns: FROM_NS + index * SECOND_NS,
        values: vec![0.5],
        validity: if index % 100 == 0 {
            vec![ValidityRun { validity: Validity::SensorOff.into(), count: 1 }]
        } else {
            Vec::new()
        },
        ..HistoryBlock::default()
    }
}

#[tonic::async_trait]
impl HistoryService for Past {
    async fn list_history(
        &self,
        _request: Request<ListHistoryRequest>,
    ) -> Result<Response<ListHistoryResponse>, Status> {
        Ok(Response::new(ListHistoryResponse::default()))
    }

    async fn query_trend(
        &self,
        request: Request<QueryTrendRequest>,
    ) -> Result<Response<QueryTrendResponse>, Status> {
        let request = request.into_inner();
        if request.pump != "p1" {
            return Err(Status::not_found("nothing is kept of it"));
        }
        let series = request.parameters.into_iter().map(|parameter| TrendSeries {
            parameter,
            unit: "mL/min".to_owned(),
            count: vec![60, 0],
            min: vec![1.0, 0.0],
            max: vec![3.0, 0.0],
            mean: vec![2.0, 0.0],
            absences: Vec::new(),
        });
        let gaps = vec![HistoryGap {
            from_wall_ns: request.from_wall_ns,
            to_wall_ns: request.to_wall_ns,
            reason: HistoryGapReason::NotRunning.into(),
        }];
        Ok(Response::new(QueryTrendResponse {
            from_wall_ns: request.from_wall_ns,
            width_ns: 60_000_000_000,
            series: series.collect(),
            gaps,
            damaged_records: 0,
        }))
    }

    type ReadWaveformStream =
        Pin<Box<dyn Stream<Item = Result<ReadWaveformResponse, Status>> + Send>>;

    async fn read_waveform(
        &self,
        request: Request<ReadWaveformRequest>,
    ) -> Result<Response<Self::ReadWaveformStream>, Status> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let ReadWaveformRequest { from_wall_ns, to_wall_ns, .. } = request.into_inner();
        let index = |at_ns: i64| (at_ns - FROM_NS + SECOND_NS - 1).div_euclid(SECOND_NS);
        let kept = (index(from_wall_ns)..index(to_wall_ns)).filter(|index| is_kept(*index));
        let samples = ReadWaveformResponse {
            blocks: kept.map(block).collect(),
            ..ReadWaveformResponse::default()
        };
        let (begin, end) = (FROM_NS + 120 * SECOND_NS, FROM_NS + 180 * SECOND_NS);
        let gap = HistoryGap {
            from_wall_ns: begin.max(from_wall_ns),
            to_wall_ns: end.min(to_wall_ns),
            reason: HistoryGapReason::NotReceived.into(),
        };
        let is_gap = gap.from_wall_ns < gap.to_wall_ns;
        let end = ReadWaveformResponse {
            gaps: is_gap.then_some(gap).into_iter().collect(),
            complete: true,
            ..ReadWaveformResponse::default()
        };
        Ok(Response::new(Box::pin(tokio_stream::iter([Ok(samples), Ok(end)]))))
    }

    async fn list_alarm_history(
        &self,
        request: Request<ListAlarmHistoryRequest>,
    ) -> Result<Response<ListAlarmHistoryResponse>, Status> {
        let second = request.get_ref().page_token == "more";
        let (step, at_wall_ns) = if second {
            (AlarmTransition::Raised, FROM_NS)
        } else {
            (AlarmTransition::Ended, FROM_NS + SECOND_NS)
        };
        let alarm = Alarm {
            occurrence: "nicu/p1/x".to_owned(),
            condition: "flow.low".to_owned(),
            priority: AlarmPriority::High.into(),
            transition: step.into(),
            ..Alarm::default()
        };
        Ok(Response::new(ListAlarmHistoryResponse {
            revisions: vec![AlarmRevision { at_wall_ns, alarm: Some(alarm) }],
            next_page_token: if second { String::new() } else { "more".to_owned() },
            damaged_records: 0,
        }))
    }
}

fn export(file: &Path, more: &str) -> String {
    format!(
        "export nicu/p1 {} --from 2026-01-02T13:00:00Z --to 2026-01-02T13:20:00Z {more}",
        file.display()
    )
}

/// The numbers of the samples in a file, in its order.
fn indexes(file: &Path) -> Vec<i64> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("time,wall_ns,parameter,unit,value,validity,boot,index,backfilled")
    );
    lines.map(|line| line.split(',').nth(7).unwrap().parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_was_stopped_goes_on_and_holds_each_sample_once() {
    let url = Past::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.csv");
    let kept: Vec<i64> = (0..MINUTES * 60).filter(|index| is_kept(*index)).collect();
    // Killed once the first parts are there; half a line behind them is what a kill may leave.
    let running = start(&url, &export(&file, ""));
    ecmo_testkit::eventually(Duration::from_secs(20), "parts", async || {
        let bytes = std::fs::metadata(&file).map_or(0, |meta| meta.len());
        if bytes > 10_000 { Ok(()) } else { Err(bytes) }
    })
    .await
    .unwrap();
    drop(running);
    assert!(indexes(&file).len() < kept.len(), "it was stopped in time");
    let mut torn = std::fs::read(&file).unwrap();
    torn.extend(b"2026-01-02T13");
    std::fs::write(&file, torn).unwrap();

    let other = run(&url, &export(&file, "--resume --parameters press.drain")).await;
    assert_eq!(other.code, 64, "{}", other.stderr);
    let again = run(&url, &export(&file, "")).await;
    assert_eq!(again.code, 64, "nobody's file is written over: {}", again.stderr);
    let finished = run(&url, &export(&file, "--resume")).await;
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(
        finished.stderr.contains("100 %") && !finished.stderr.contains(" 0 %"),
        "{}",
        finished.stderr
    );
    assert_eq!(indexes(&file), kept);
    let text = std::fs::read_to_string(&file).unwrap();
    let line = |index: usize| text.lines().nth(index + 1).unwrap().to_owned();
    assert_eq!(
        line(1),
        "2026-01-02T13:00:01.000Z,1767358801000000000,flow.blood,mL/min,0.5,valid,0000000000000007,1,0"
    );
    assert!(line(100).contains(",mL/min,,sensor_off,"), "{}", line(100));
    let gaps = std::fs::read_to_string(folder.path().join("all.csv.gaps.csv")).unwrap();
    let gap = "2026-01-02T13:02:00.000Z,2026-01-02T13:03:00.000Z,1767358920000000000,1767358980000000000,not_received";
    assert_eq!(gaps.lines().collect::<Vec<_>>(), ["from,to,from_wall_ns,to_wall_ns,reason", gap]);
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 2, "the file, its gaps, and no mark");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_told_as_table_csv_and_json_and_a_gap_is_no_number() {
    let url = Past::start().await;
    let asked = "history nicu/p1 --from 2026-01-02T13:00:00Z --to 2026-01-02T13:02:00Z --parameters flow.blood";
    let table = run(&url, asked).await;
    assert_eq!(table.code, 0, "{}", table.stderr);
    let says = |text: &str| assert!(table.stdout.contains(text), "{text}: {}", table.stdout);
    says("2026-01-02 13:00:00  1.0 2.0 3.0");
    says("2026-01-02 13:01:00  ---");
    says("no samples from 2026-01-02 13:00:00 to 2026-01-02 13:02:00: not running");
    let csv = run(&url, &format!("{asked} --csv")).await;
    assert!(
        csv.stdout.contains("2026-01-02T13:01:00.000Z,flow.blood,mL/min,0,,,,"),
        "{}",
        csv.stdout
    );
    let json = run(&url, &format!("{asked} --json")).await.object();
    assert_eq!(json["series"][0]["buckets"][0]["max"], 3.0);
    assert!(json["series"][0]["buckets"][1].is_null());
    assert_eq!(json["gaps"][0]["reason"], "not_running");
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_of_the_past_are_listed_over_all_pages_and_wrong_questions_are_refused() {
    let url = Past::start().await;
    let alarms = run(&url, "history nicu/p1 --last 2h --alarms").await;
    assert_eq!(alarms.code, 0, "{}", alarms.stderr);
    let lines: Vec<&str> = alarms.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].ends_with("ended") && lines[1].ends_with("raised"), "{lines:?}");
    for (asked, code) in [
        ("history nicu/p2", 2),
        ("history nicu/p1 --last 0h", 64),
        ("history nicu/p1 --parameters no.such", 64),
        ("history nicu/p1 --last 1h --from 2026-01-02T13:00:00Z", 64),
        ("history nicu/p1 --buckets 10001", 64),
        ("export nicu/p1 /nowhere/at/all.csv", 64),
    ] {
        assert_eq!(run(&url, asked).await.code, code, "{asked}");
    }
}
