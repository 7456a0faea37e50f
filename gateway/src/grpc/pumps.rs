//! Pumps for displays: newest view wins, at the display's pace; waveforms as they come.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::time::Instant;
use ecmo_core::view::View;
use ecmo_proto::topic::{Id, PumpAddress};
use ecmo_proto::v1;
use ecmo_proto::v1::pump_service_server::PumpService;
use futures_util::stream::{Stream, try_unfold};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::{Request, Response, Status};

use super::{OpenStream, Serving, address, convert, never_seen, ward};
use crate::fanout::{RuleBook, WaveformFrame, WaveformWatch};
use crate::metrics::{Counter, StreamKind, SubscriptionDropped};

/// Time between two messages when the display does not say, in milliseconds.
const INTERVAL_MS_DEFAULT: u32 = 100;

/// Times between two messages that a display may ask for, in milliseconds.
const INTERVAL_MS: std::ops::RangeInclusive<u32> = 20..=1_000;

/// Longest time without a message.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The pump service.
#[derive(Debug)]
pub(super) struct Pumps {
    serving: Serving,
}

impl Pumps {
    pub(super) const fn new(serving: Serving) -> Self {
        Self { serving }
    }
}

/// One display's watch of pumps. Nothing is queued for it: each message is made when it is due.
#[derive(Debug)]
struct PumpWatch {
    serving: Serving,
    ward: Option<Id>,
    ticks: Interval,
    /// What the display has seen of each pump.
    seen: HashMap<PumpAddress, (Arc<View>, Arc<RuleBook>)>,
    sent_at: Instant,
    sequence: u64,
    conflated: Counter,
    _open: OpenStream,
}

impl PumpWatch {
    async fn next(&mut self) -> Result<v1::WatchPumpsResponse, Status> {
        loop {
            self.ticks.tick().await;
            let changed = self.changed();
            let now = self.serving.clock.now();
            let first = self.sequence == 0;
            if changed.is_empty() && !first && now.since(self.sent_at) < HEARTBEAT {
                continue;
            }
            let sequence = self.sequence;
            self.sequence += 1;
            self.sent_at = now;
            return Ok(v1::WatchPumpsResponse {
                pumps: changed,
                now_mono_ns: now.as_nanos(),
                epoch: self.serving.epoch,
                sequence,
                alarm_thread_mono_ns: self.serving.engine.last_round().as_nanos(),
            });
        }
    }

    /// The pumps whose view the display has not seen.
    fn changed(&mut self) -> Vec<v1::Pump> {
        let mut changed = Vec::new();
        for slot in self.serving.registry.list(self.ward.as_ref()) {
            let (view, rules) = (slot.view(), slot.rules());
            let known = self.seen.get(&slot.address);
            let is_same = |(seen, ruled): &(Arc<View>, Arc<RuleBook>)| {
                Arc::ptr_eq(seen, &view) && Arc::ptr_eq(ruled, &rules)
            };
            if !known.is_some_and(is_same) {
                // Views are made at the pace of frames: those between the two took each other's place.
                let accepted = |view: &Arc<View>| view.counters.frames.accepted;
                let passed =
                    known.map_or(0, |(seen, _)| accepted(&view).saturating_sub(accepted(seen)));
                self.conflated.increment(passed.saturating_sub(1));
                changed.push(convert::pump(&slot, &view));
                self.seen.insert(slot.address.clone(), (view, rules));
            }
        }
        changed
    }
}

/// One display's watch of waveforms.
#[derive(Debug)]
struct Waves {
    serving: Serving,
    watch: WaveformWatch,
    parameters: Vec<String>,
    beats: Interval,
    sequence: u64,
    overflown: Counter,
    _open: OpenStream,
}

impl Waves {
    async fn next(&mut self) -> Result<v1::WatchWaveformsResponse, Status> {
        tokio::select! {
            biased;
            taken = self.watch.next() => {
                let (frame, lost) = taken.ok_or_else(|| Status::unavailable("the gateway is ending"))?;
                self.beats.reset();
                self.overflown.increment(lost);
                Ok(self.response(Some(&frame), lost))
            }
            _ = self.beats.tick() => Ok(self.response(None, 0)),
        }
    }

    fn response(
        &mut self,
        frame: Option<&WaveformFrame>,
        dropped: u64,
    ) -> v1::WatchWaveformsResponse {
        let sequence = self.sequence;
        self.sequence += 1;
        let wanted =
            |id: &str| self.parameters.is_empty() || self.parameters.iter().any(|it| it == id);
        let blocks = frame.map(|frame| {
            let wanted = frame.blocks.iter().filter(|block| wanted(block.parameter.info().id));
            wanted.map(convert::waveform).collect()
        });
        v1::WatchWaveformsResponse {
            blocks: blocks.unwrap_or_default(),
            frame_sequence: frame.map_or(0, |frame| frame.sequence),
            boot_id: frame.map_or(0, |frame| frame.boot.get()),
            dropped,
            now_mono_ns: self.serving.clock.now().as_nanos(),
            epoch: self.serving.epoch,
            sequence,
        }
    }
}

type Watching<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl PumpService for Pumps {
    type WatchWardStream = std::pin::Pin<
        Box<dyn futures_util::Stream<Item = Result<v1::WatchWardResponse, Status>> + Send>,
    >;

    async fn watch_ward(
        &self,
        _request: Request<v1::WatchWardRequest>,
    ) -> Result<Response<Self::WatchWardStream>, Status> {
        Err(Status::unimplemented("no ward to watch here"))
    }

    type WatchPumpsStream = Watching<v1::WatchPumpsResponse>;
    type WatchWaveformsStream = Watching<v1::WatchWaveformsResponse>;

    async fn list_pumps(
        &self,
        request: Request<v1::ListPumpsRequest>,
    ) -> Result<Response<v1::ListPumpsResponse>, Status> {
        let ward = ward(&request.get_ref().ward)?;
        let slots = self.serving.registry.list(ward.as_ref());
        Ok(Response::new(v1::ListPumpsResponse {
            pumps: slots.iter().map(|slot| convert::pump(slot, &slot.view())).collect(),
            now_mono_ns: self.serving.clock.now().as_nanos(),
            epoch: self.serving.epoch,
            alarm_thread_mono_ns: self.serving.engine.last_round().as_nanos(),
        }))
    }

    async fn watch_pumps(
        &self,
        request: Request<v1::WatchPumpsRequest>,
    ) -> Result<Response<Self::WatchPumpsStream>, Status> {
        let request = request.into_inner();
        let ward = ward(&request.ward)?;
        let asked = request.interval_ms;
        let interval_ms = if asked == 0 { INTERVAL_MS_DEFAULT } else { asked };
        if !INTERVAL_MS.contains(&interval_ms) {
            return Err(Status::invalid_argument("interval_ms: use 20 to 1000, or 0 for 100"));
        }
        let mut ticks = interval(Duration::from_millis(u64::from(interval_ms)));
        // A display that could not be written to gets the newest state next, not the ticks it missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let open = self.serving.metrics.subscriptions_active(&request.ward);
        let dropped = self.serving.metrics.subscription_dropped.get(StreamKind::Numeric);
        let watch = PumpWatch {
            conflated: dropped.get(SubscriptionDropped::Conflated).clone(),
            serving: self.serving.clone(),
            ward,
            ticks,
            seen: HashMap::new(),
            sent_at: self.serving.clock.now(),
            sequence: 0,
            _open: OpenStream::new(open.get(StreamKind::Numeric)),
        };
        Ok(Response::new(Box::pin(try_unfold(watch, async |mut watch| {
            Ok(Some((watch.next().await?, watch)))
        }))))
    }

    async fn watch_waveforms(
        &self,
        request: Request<v1::WatchWaveformsRequest>,
    ) -> Result<Response<Self::WatchWaveformsStream>, Status> {
        let request = request.into_inner();
        let address = address(&request.ward, &request.pump)?;
        let slot = self.serving.registry.get(&address).ok_or_else(|| never_seen(&address))?;
        let open = self.serving.metrics.subscriptions_active(&request.ward);
        let mut beats = interval(HEARTBEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let dropped = self.serving.metrics.subscription_dropped.get(StreamKind::Waveform);
        let watch = Waves {
            overflown: dropped.get(SubscriptionDropped::Overflow).clone(),
            serving: self.serving.clone(),
            watch: slot.watch_waveforms(),
            parameters: request.parameters,
            beats,
            sequence: 0,
            _open: OpenStream::new(open.get(StreamKind::Waveform)),
        };
        Ok(Response::new(Box::pin(try_unfold(watch, async |mut watch| {
            Ok(Some((watch.next().await?, watch)))
        }))))
    }
}
