//! Exports as Parquet and `.vital`, read back by the programs of others, against a history that is known to the last sample.
#![cfg(test)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use ecmo_proto::v1::history_service_server::{HistoryService, HistoryServiceServer};
use ecmo_proto::v1::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_stream::Stream;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::process::{run, start};

/// 2026-01-02T13:00:00Z.
const FROM_NS: i64 = 1_767_358_800_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;
const WINDOW: i64 = 10;
const MINUTES: i64 = 5;

/// Seconds of which nothing is kept.
const GAP: std::ops::Range<i64> = 60..120;

/// A pump with a wave of 100 Hz and a number a second; the sensor of the wave is off for the second half of a window.
#[derive(Clone)]
struct Known;

/// Samples of the wave without a value.
const OFF: std::ops::Range<i64> = 20_500..21_000;

fn is_kept(second: i64) -> bool {
    (0..MINUTES * 60).contains(&second) && !GAP.contains(&second)
}

fn wave_value(index: i64) -> f32 {
    f32::from(i16::try_from(index % 500).unwrap()) * 0.5
}

fn wave(second: i64) -> HistoryBlock {
    let first = second * 100;
    let count = WINDOW * 100;
    let validity = |off: bool| if off { Validity::SensorOff } else { Validity::Valid };
    let mut runs: Vec<ValidityRun> = Vec::new();
    for index in first..first + count {
        let validity: i32 = validity(OFF.contains(&index)).into();
        match runs.last_mut().filter(|run| run.validity == validity) {
            Some(run) => run.count += 1,
            None => runs.push(ValidityRun { validity, count: 1 }),
        }
    }
    HistoryBlock {
        parameter: "press.drain".to_owned(),
        boot_id: u64::MAX - 1,
        first_index: u64::try_from(first).unwrap(),
        start_wall_ns: FROM_NS + second * SECOND_NS,
        interval_ns: 10_000_000,
        values: (first..first + count).map(wave_value).collect(),
        validity: runs,
        ..HistoryBlock::default()
    }
}

fn number(second: i64) -> HistoryBlock {
    HistoryBlock {
        parameter: "pt.hr".to_owned(),
        boot_id: u64::MAX - 1,
        first_index: u64::try_from(second).unwrap(),
        start_wall_ns: FROM_NS + second * SECOND_NS,
        values: vec![120.0],
        backfilled: second < 60,
        ..HistoryBlock::default()
    }
}

#[tonic::async_trait]
impl HistoryService for Known {
    async fn list_history(
        &self,
        _request: Request<ListHistoryRequest>,
    ) -> Result<Response<ListHistoryResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn query_trend(
        &self,
        _request: Request<QueryTrendRequest>,
    ) -> Result<Response<QueryTrendResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    type ReadWaveformStream =
        Pin<Box<dyn Stream<Item = Result<ReadWaveformResponse, Status>> + Send>>;

    async fn read_waveform(
        &self,
        request: Request<ReadWaveformRequest>,
    ) -> Result<Response<Self::ReadWaveformStream>, Status> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let ReadWaveformRequest { from_wall_ns, to_wall_ns, .. } = request.into_inner();
        let second = |at_ns: i64| (at_ns - FROM_NS).div_euclid(SECOND_NS);
        let (from, to) = (second(from_wall_ns), second(to_wall_ns));
        let mut messages = Vec::new();
        for begin in (from..to).step_by(usize::try_from(WINDOW).unwrap()) {
            let mut blocks: Vec<_> =
                (begin..begin + WINDOW).filter(|at| is_kept(*at)).map(number).collect();
            blocks.extend(is_kept(begin).then(|| wave(begin)));
            messages.push(Ok(ReadWaveformResponse { blocks, ..ReadWaveformResponse::default() }));
        }
        let gap = HistoryGap {
            from_wall_ns: (FROM_NS + GAP.start * SECOND_NS).max(from_wall_ns),
            to_wall_ns: (FROM_NS + GAP.end * SECOND_NS).min(to_wall_ns),
            reason: HistoryGapReason::NotRunning.into(),
        };
        messages.push(Ok(ReadWaveformResponse {
            gaps: (gap.from_wall_ns < gap.to_wall_ns).then_some(gap).into_iter().collect(),
            complete: true,
            ..ReadWaveformResponse::default()
        }));
        Ok(Response::new(Box::pin(tokio_stream::iter(messages))))
    }

    async fn list_alarm_history(
        &self,
        _request: Request<ListAlarmHistoryRequest>,
    ) -> Result<Response<ListAlarmHistoryResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }
}

async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_service(HistoryServiceServer::new(Known));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    format!("http://{address}")
}

fn export(file: &Path, more: &str) -> String {
    format!(
        "export nicu/p1 {} --from 2026-01-02T13:00:00Z --to 2026-01-02T13:05:00Z {more}",
        file.display()
    )
}

/// The Python that has the readers: named by the environment, or made by `cargo xtask ci --only test`.
fn python() -> PathBuf {
    std::env::var_os("ECMO_READERS_PYTHON").map_or_else(
        || {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
            let target = std::env::var_os("CARGO_TARGET_DIR");
            let target = target.map_or_else(|| root.join("target"), PathBuf::from);
            target.join("tools/readers/bin/python")
        },
        PathBuf::from,
    )
}

/// What others find in a file.
async fn read_back(kind: &str, file: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/read_back.py");
    let mut command = tokio::process::Command::new(python());
    let output = command.arg(script).arg(kind).arg(file).kill_on_drop(true).output();
    let output = tokio::time::timeout(Duration::from_secs(120), output).await.unwrap();
    let output = output.expect("python with the readers: cargo xtask ci --only test");
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Samples of the wave that have a value, and their sum.
fn wave_truth() -> (i64, f64) {
    let kept = (0..MINUTES * 6_000).filter(|index| is_kept(index / 100) && !OFF.contains(index));
    kept.fold((0, 0.0), |(count, sum), index| (count + 1, sum + f64::from(wave_value(index))))
}

/// What is left in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs pandas, polars and DuckDB: cargo xtask ci --only test"]
async fn pandas_polars_and_duckdb_read_a_parquet_export_to_the_last_sample() {
    let url = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.parquet");
    let done = run(&url, &export(&file, "")).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let found = read_back("parquet", &file).await;
    let (waves, sum) = wave_truth();
    let seconds = MINUTES * 60 - 60;
    let truth = json!({
        "rows": seconds * 101,
        "values": waves + seconds,
        "sum": sum + 120.0 * f64::from(i16::try_from(seconds).unwrap()),
        "first_ns": FROM_NS,
        "last_ns": FROM_NS + MINUTES * 60 * SECOND_NS - 10_000_000,
        "is_utc": true,
        "in_order": true,
        "validity": { "valid": waves + seconds, "sensor_off": OFF.end - OFF.start },
        "units": { "press.drain": "mm[Hg]", "pt.hr": "/min" },
        "boots": [u64::MAX - 1],
        "late": 60,
    });
    for reader in ["pandas", "polars", "duckdb"] {
        assert_eq!(found[reader], truth, "{reader}");
    }
    let notes = &found["notes"];
    let subject = notes["ecmo.subject"].as_str().unwrap();
    assert!(subject.starts_with("subject-") && !notes.to_string().contains("nicu"), "{notes}");
    assert!(done.stderr.contains(subject), "whoever exports is told the name: {}", done.stderr);
    let parameters = notes["ecmo.parameters"].as_str().unwrap();
    assert!(parameters.contains("\"MDC:147842\""), "{parameters}");
    let gap: Value = serde_json::from_str(notes["ecmo.gaps"].as_str().unwrap()).unwrap();
    let (from_ns, to_ns) = (FROM_NS + 60 * SECOND_NS, FROM_NS + 120 * SECOND_NS);
    assert_eq!(gap, json!([{ "from_ns": from_ns, "to_ns": to_ns, "reason": "not_running" }]));
    assert_eq!(names(folder.path()), ["all.parquet", "all.parquet.gaps.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs vitaldb: cargo xtask ci --only test"]
async fn vitaldb_reads_waves_numbers_reasons_and_gaps_of_an_export() {
    let url = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("night.vital");
    let done = run(&url, &export(&file, "--subject case-7")).await;
    assert_eq!(done.code, 0, "{}", done.stderr);
    let found = read_back("vital", &file).await;
    let tracks = &found["tracks"];
    let (waves, sum) = wave_truth();
    assert_eq!(
        tracks["case-7/press.drain"],
        json!({ "unit": "mm[Hg]", "rate": 100.0, "type": 1, "values": waves, "sum": sum })
    );
    assert_eq!(tracks["case-7/pt.hr"]["values"], 240, "{tracks}");
    assert_eq!(tracks["case-7/pt.hr"]["sum"], 240.0 * 120.0);
    let begin = 1_767_358_800.0;
    let off = json!([[begin + 205.0, "sensor_off"], [begin + 210.0, "valid"]]);
    assert_eq!(tracks["case-7/press.drain.validity"]["texts"], off, "{tracks}");
    let gap = json!([[begin + 60.0, "no samples: not_running"], [begin + 120.0, "samples again"]]);
    assert_eq!(tracks["EVENT"]["texts"], gap, "{tracks}");
    assert_eq!(found["from"], begin);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_stopped_goes_on_under_its_name_and_appears_whole_or_not_at_all() {
    let url = serve().await;
    let folder = tempfile::tempdir().unwrap();
    let (cut, whole) = (folder.path().join("cut.parquet"), folder.path().join("whole.parquet"));
    let running = start(&url, &export(&cut, "--subject case-7"));
    let part = folder.path().join("cut.parquet.part");
    ecmo_testkit::eventually(Duration::from_secs(20), "a part", async || {
        let bytes = std::fs::metadata(&part).map_or(0, |meta| meta.len());
        if bytes > 10_000 { Ok(()) } else { Err(bytes) }
    })
    .await
    .unwrap();
    drop(running);
    assert_eq!(std::fs::metadata(&cut).unwrap().len(), 0, "nobody takes it for a table");
    // Half a message behind the mark is what a kill may leave.
    let mut torn = std::fs::read(&part).unwrap();
    torn.extend([0xff, 0xff, 0x03, 1]);
    std::fs::write(&part, torn).unwrap();
    for other in ["--subject case-8", "--format vital", "--parameters pt.hr"] {
        let refused = run(&url, &export(&cut, &format!("--resume {other}"))).await;
        assert_eq!(refused.code, 64, "{other}: {}", refused.stderr);
    }
    let finished = run(&url, &export(&cut, "--resume")).await;
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    let at_once = run(&url, &export(&whole, "--subject case-7")).await;
    assert_eq!(at_once.code, 0, "{}", at_once.stderr);
    assert!(std::fs::read(&cut).unwrap() == std::fs::read(&whole).unwrap());
    assert_eq!(std::fs::read(&cut).unwrap()[..4], *b"PAR1");
    let left = ["cut.parquet", "cut.parquet.gaps.csv", "whole.parquet", "whole.parquet.gaps.csv"];
    assert_eq!(names(folder.path()), left);
    let csv = run(&url, &export(&folder.path().join("all.csv"), "--subject case-7")).await;
    assert_eq!(csv.code, 64, "a CSV file names no pump");
}
