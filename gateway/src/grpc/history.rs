//! What was kept: trends, samples and alarms of the past. Each question is answered on a thread that may wait for the disk.

use std::sync::Arc;
use std::time::Duration;

use ecmo_core::parameter::Parameter;
use ecmo_history::{
    EventPlace, EventQuery, Extent, Gap, GapReason, History, Piece, QueryError, Series, Trend,
    TrendQuery, Waves,
};
use ecmo_proto::v1;
use ecmo_proto::v1::history_service_server::HistoryService;
use futures_util::stream::{Stream, try_unfold};
use prost::Message as _;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use super::{address, convert, ward};
use crate::disclosure::Disclosed;
use crate::fanout::AlarmUpdate;

/// Questions that are answered at a time: each takes a thread and a part of the disk; others wait their turn.
const QUESTIONS_MAX: usize = 4;

/// Streams of samples at a time: a reader that stands holds one, and no question.
const STREAMS_MAX: usize = 8;

/// Windows of samples that wait for a reader: what a stream that is not read costs.
const WINDOWS_AHEAD: usize = 2;

/// How long a question waits for its turn, and for its answer (prop): a disk that hangs must not keep whoever asks.
const TURN_MAX: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// How long a stream waits for its reader (prop). Then it ends without its last message, and is read anew from there.
const READER_MAX: Duration = Duration::from_secs(30);

/// Most parameters of a trend.
const PARAMETERS_MAX: usize = 64;

/// Revisions of a page, when the request does not say, and at most.
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// An alarm as the history keeps it.
#[must_use]
pub fn write_alarm(update: &AlarmUpdate) -> Vec<u8> {
    convert::alarm(update).encode_to_vec()
}

/// The history service.
#[derive(Debug)]
pub(super) struct Histories {
    disclosed: Option<Disclosed>,
    turns: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

type Windows =
    std::pin::Pin<Box<dyn Stream<Item = Result<v1::ReadWaveformResponse, Status>> + Send>>;

impl Histories {
    pub(super) fn new(disclosed: Option<Disclosed>) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self { disclosed, turns: places(QUESTIONS_MAX), streams: places(STREAMS_MAX) }
    }

    /// The history, and a turn to ask it.
    async fn turn(&self) -> Result<(History, OwnedSemaphorePermit), Status> {
        let Some(disclosed) = &self.disclosed else {
            return Err(Status::unavailable(
                "this gateway keeps no history; set dir under [history] or [state] in its settings",
            ));
        };
        let Some(history) = disclosed.get().cloned() else {
            return Err(Status::unavailable("the history is being opened; ask again in a moment"));
        };
        Ok((history, turn(&self.turns).await?))
    }

    /// Asks on a thread that may wait for the disk.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&History) -> Result<T, Status> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        let (history, turn) = self.turn().await?;
        let answered = tokio::task::spawn_blocking(move || {
            let answer = question(&history);
            drop(turn);
            answer
        });
        let answered = timeout(ANSWER_MAX, answered).await.map_err(|_late| {
            Status::deadline_exceeded("the disk of the history does not answer; ask again later")
        })?;
        let answer = answered.map_err(|_ended| Status::internal("the question was cut off"))?;
        answer.map(Response::new)
    }
}

/// A turn to ask, once one is free.
async fn turn(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Status> {
    let turn = timeout(TURN_MAX, Arc::clone(turns).acquire_owned()).await.map_err(|_late| {
        Status::resource_exhausted("other questions take all the time; ask again in a moment")
    })?;
    turn.map_err(|_closed| Status::unavailable("the gateway is ending"))
}

/// Hands a message to a reader; false when it is gone, or takes nothing for too long.
async fn hand_over<T>(sender: &mpsc::Sender<T>, message: T) -> bool {
    sender.send_timeout(message, READER_MAX).await.is_ok()
}

fn refused(error: QueryError) -> Status {
    match error {
        QueryError::UnknownPump(_) => Status::not_found(error.to_string()),
        QueryError::EmptyRange { .. } | QueryError::Buckets(_) => {
            Status::invalid_argument(error.to_string())
        }
        QueryError::Disk(source) => {
            tracing::error!(error = %source, "the history cannot be read");
            Status::internal("the history cannot be read; the gateway's log says why")
        }
    }
}

fn parameters(ids: &[String]) -> Result<Vec<Parameter>, Status> {
    let parameter = |id: &String| {
        Parameter::from_id(id)
            .ok_or_else(|| Status::invalid_argument(format!("no parameter has the id {id:?}")))
    };
    ids.iter().map(parameter).collect()
}

/// A pump from a request, as the history names it.
fn pump(ward: &str, pump: &str) -> Result<String, Status> {
    Ok(address(ward, pump)?.to_string())
}

fn gap(gap: &Gap) -> v1::HistoryGap {
    use v1::HistoryGapReason as Reason;
    let reason = match gap.reason {
        GapReason::NotRunning => Reason::NotRunning,
        GapReason::NotReceived => Reason::NotReceived,
        GapReason::AgentRestarted => Reason::AgentRestarted,
        GapReason::NotRecorded => Reason::NotRecorded,
        GapReason::ClockSet => Reason::ClockSet,
        GapReason::Damaged => Reason::Damaged,
        GapReason::Unknown => Reason::Unspecified,
    };
    let reason = reason.into();
    v1::HistoryGap { from_wall_ns: gap.from_ns, to_wall_ns: gap.to_ns, reason }
}

fn series(of: &Series) -> v1::TrendSeries {
    let rows = || of.rows.iter();
    let absences = (0..).zip(&of.rows).filter_map(|(bucket, row)| {
        let reason = |reason| convert::validity(ecmo_core::reading::Reading::NoData(reason)).into();
        let reasons: Vec<i32> = row.reasons().map(reason).collect();
        (!reasons.is_empty()).then_some(v1::BucketAbsence { bucket, reasons })
    });
    v1::TrendSeries {
        parameter: of.parameter.info().id.to_owned(),
        unit: of.parameter.info().unit.to_owned(),
        count: rows().map(|row| row.count).collect(),
        min: rows().map(|row| row.min).collect(),
        max: rows().map(|row| row.max).collect(),
        mean: rows().map(|row| row.mean().unwrap_or_default()).collect(),
        absences: absences.collect(),
    }
}

fn trend(of: &Trend) -> v1::QueryTrendResponse {
    v1::QueryTrendResponse {
        from_wall_ns: of.from_ns,
        width_ns: u64::try_from(of.width_ns).unwrap_or_default(),
        series: of.series.iter().map(series).collect(),
        gaps: of.gaps.iter().map(gap).collect(),
        damaged_records: of.damaged,
    }
}

fn block(piece: &Piece) -> v1::HistoryBlock {
    v1::HistoryBlock {
        parameter: piece.parameter.info().id.to_owned(),
        boot_id: piece.boot,
        first_index: piece.first_index,
        start_wall_ns: piece.start_ns,
        interval_ns: piece.interval_ns,
        values: convert::values(&piece.readings),
        validity: convert::validity_runs(&piece.readings),
        backfilled: piece.is_late,
    }
}

fn extent(of: Extent) -> v1::HistoryExtent {
    let (ward, pump) = of.pump.split_once('/').unwrap_or_default();
    v1::HistoryExtent {
        ward: ward.to_owned(),
        pump: pump.to_owned(),
        from_wall_ns: of.span_ns.map(|(from, _to)| from),
        to_wall_ns: of.span_ns.map(|(_from, to)| to),
        bytes: of.bytes,
        foreign_records: of.foreign,
    }
}

/// Where a page goes on, as text.
fn token(place: EventPlace) -> String {
    format!("{:x}-{:x}", place.segment, place.at)
}

fn place(token: &str) -> Result<Option<EventPlace>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let place = token
        .split_once('-')
        .and_then(|(segment, at)| Some(EventPlace { segment: number(segment)?, at: number(at)? }));
    let wrong = || Status::invalid_argument("page_token is none of ours; leave it empty to begin");
    place.map(Some).ok_or_else(wrong)
}

/// Sends window by window, as fast as they are taken, and what is missing at the end.
fn send_windows(
    runtime: &Handle,
    mut waves: Waves,
    gaps: &[Gap],
    sender: &mpsc::Sender<Result<v1::ReadWaveformResponse, Status>>,
) {
    loop {
        let message = match waves.next_window() {
            Ok(Some(pieces)) => Ok(v1::ReadWaveformResponse {
                blocks: pieces.iter().map(block).collect(),
                damaged_records: waves.damaged(),
                ..v1::ReadWaveformResponse::default()
            }),
            Ok(None) => Ok(v1::ReadWaveformResponse {
                gaps: gaps.iter().map(gap).collect(),
                damaged_records: waves.damaged(),
                complete: true,
                ..v1::ReadWaveformResponse::default()
            }),
            Err(error) => Err(refused(error.into())),
        };
        let is_last = message.as_ref().map_or(true, |message| message.complete);
        if !runtime.block_on(hand_over(sender, message)) || is_last {
            return;
        }
    }
}

#[tonic::async_trait]
impl HistoryService for Histories {
    type ReadWaveformStream = Windows;

    async fn list_history(
        &self,
        request: Request<v1::ListHistoryRequest>,
    ) -> Result<Response<v1::ListHistoryResponse>, Status> {
        let ward = ward(&request.get_ref().ward)?;
        self.ask(move |history| {
            let extents = history.extents().into_iter().map(extent);
            let of_ward = |one: &v1::HistoryExtent| {
                ward.as_ref().is_none_or(|ward| ward.as_str() == one.ward)
            };
            Ok(v1::ListHistoryResponse { extents: extents.filter(of_ward).collect() })
        })
        .await
    }

    async fn query_trend(
        &self,
        request: Request<v1::QueryTrendRequest>,
    ) -> Result<Response<v1::QueryTrendResponse>, Status> {
        let request = request.into_inner();
        let named = request.parameters.len();
        if !(1..=PARAMETERS_MAX).contains(&named) {
            return Err(Status::invalid_argument(format!(
                "{named} parameters; name 1 to {PARAMETERS_MAX}"
            )));
        }
        let query = TrendQuery {
            pump: pump(&request.ward, &request.pump)?,
            parameters: parameters(&request.parameters)?,
            from_ns: request.from_wall_ns,
            to_ns: request.to_wall_ns,
            buckets: usize::try_from(request.buckets).unwrap_or(usize::MAX),
        };
        self.ask(move |history| history.trend(&query).map(|found| trend(&found)).map_err(refused))
            .await
    }

    async fn read_waveform(
        &self,
        request: Request<v1::ReadWaveformRequest>,
    ) -> Result<Response<Self::ReadWaveformStream>, Status> {
        let request = request.into_inner();
        let pump = pump(&request.ward, &request.pump)?;
        let parameters = parameters(&request.parameters)?;
        let (from_ns, to_ns) = (request.from_wall_ns, request.to_wall_ns);
        let opened = self.ask(move |history| {
            let gaps = history.gaps(&pump, from_ns, to_ns).map_err(refused)?;
            let waves = history.waves(&pump, &parameters, (from_ns, to_ns)).map_err(refused)?;
            Ok((waves, gaps))
        });
        let stream = Arc::clone(&self.streams).try_acquire_owned().map_err(|_none_free| {
            Status::resource_exhausted(format!(
                "{STREAMS_MAX} streams of samples are read already; wait until one ends"
            ))
        })?;
        let (waves, gaps) = opened.await?.into_inner();
        let (sender, windows) = mpsc::channel(WINDOWS_AHEAD);
        let runtime = Handle::current();
        tokio::task::spawn_blocking(move || {
            send_windows(&runtime, waves, &gaps, &sender);
            drop(stream);
        });
        let stream = try_unfold(windows, async |mut windows| {
            let next: Option<Result<v1::ReadWaveformResponse, Status>> = windows.recv().await;
            next.transpose().map(|message| message.map(|message| (message, windows)))
        });
        Ok(Response::new(Box::pin(stream)))
    }

    async fn list_alarm_history(
        &self,
        request: Request<v1::ListAlarmHistoryRequest>,
    ) -> Result<Response<v1::ListAlarmHistoryResponse>, Status> {
        let request = request.into_inner();
        let page_size = usize::try_from(request.page_size).unwrap_or(usize::MAX);
        if page_size > PAGE_MAX {
            return Err(Status::invalid_argument(format!(
                "a page of {page_size} revisions; ask for at most {PAGE_MAX}"
            )));
        }
        let query = EventQuery {
            pump: Some(pump(&request.ward, &request.pump)?),
            from_ns: request.from_wall_ns,
            to_ns: request.to_wall_ns,
            limit: if page_size == 0 { PAGE_DEFAULT } else { page_size },
            after: place(&request.page_token)?,
        };
        self.ask(move |history| {
            let mut revisions = Vec::new();
            let (conditions, priorities) = (request.conditions, request.priorities);
            let page = history.events(&query, |event| {
                v1::Alarm::decode(event.payload.as_slice()).is_ok_and(|alarm| {
                    (conditions.is_empty() || conditions.contains(&alarm.condition))
                        && (priorities.is_empty() || priorities.contains(&alarm.priority))
                })
            });
            let page = page.map_err(refused)?;
            for event in &page.events {
                let alarm = v1::Alarm::decode(event.payload.as_slice()).ok();
                revisions.push(v1::AlarmRevision { at_wall_ns: event.at_ns, alarm });
            }
            Ok(v1::ListAlarmHistoryResponse {
                revisions,
                next_page_token: page.next.map(token).unwrap_or_default(),
                damaged_records: page.damaged,
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_question_that_finds_no_turn_is_refused_and_one_that_is_free_is_given() {
        let turns = Arc::new(Semaphore::new(1));
        let held = turn(&turns).await.unwrap();
        let begun = tokio::time::Instant::now();
        assert_eq!(turn(&turns).await.unwrap_err().code(), tonic::Code::ResourceExhausted);
        assert_eq!(begun.elapsed().as_secs(), TURN_MAX.as_secs());
        drop(held);
        assert!(turn(&turns).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_ends_its_stream() {
        let (sender, mut windows) = mpsc::channel(1);
        assert!(hand_over(&sender, 1).await);
        let begun = tokio::time::Instant::now();
        assert!(!hand_over(&sender, 2).await);
        assert_eq!(begun.elapsed().as_secs(), READER_MAX.as_secs());
        assert_eq!(windows.try_recv().unwrap(), 1);
        assert!(hand_over(&sender, 3).await);
        drop(windows);
        assert!(!hand_over(&sender, 4).await, "gone");
    }
}
