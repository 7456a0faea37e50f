//! The lane of waveforms: every sample of a pump as it comes; the oldest are lost by a display that reads too slowly.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use ecmo_core::parameter::Parameter;
use ecmo_proto::v1;
use futures_util::stream::{Stream, try_unfold};
use prost::Message as _;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::Status;

use super::pump_lane::HEARTBEAT;
use super::wire::{Wire, put_fixed, put_head, put_text, put_uint};
use super::{OpenStream, Serving, address, convert, never_seen};
use crate::fanout::{Laid, Lane, PumpSlot, WaveformFrame, WaveformWatch};
use crate::metrics::{Counter, StreamKind, SubscriptionDropped};

/// The parameters that a display wants; `None` for all.
pub(super) type Wanted = Option<Vec<Parameter>>;

/// The parameters that were named; a name that is none stands for nothing.
pub(super) fn wanted(names: &[String]) -> Wanted {
    let known = || names.iter().filter_map(|name| Parameter::from_id(name)).collect();
    (!names.is_empty()).then(known)
}

/// Encodes a frame: its head by the lane, then block by block, each as a field.
fn lay(frame: &WaveformFrame, field: u32, head: impl FnOnce(&mut BytesMut)) -> Laid {
    let mut out = BytesMut::new();
    head(&mut out);
    let head = 0..out.len();
    let mut blocks = Vec::with_capacity(frame.blocks.len());
    for block in &frame.blocks {
        let start = out.len();
        let message = convert::waveform(block);
        put_head(field, message.encoded_len(), &mut out);
        message.encode_raw(&mut out);
        blocks.push((block.parameter, start..out.len()));
    }
    Laid { bytes: out.freeze(), head, blocks }
}

/// What a display gets of a frame: all of it as one piece, or head and wanted blocks.
pub(super) fn pieces(laid: &Laid, wanted: &Wanted) -> Vec<Bytes> {
    let Some(wanted) = wanted else { return vec![laid.bytes.clone()] };
    let mut pieces = vec![laid.bytes.slice(laid.head.clone())];
    let named = laid.blocks.iter().filter(|(parameter, _)| wanted.contains(parameter));
    pieces.extend(named.map(|(_, place)| laid.bytes.slice(place.clone())));
    pieces
}

/// A frame in the stream of its ward.
pub(super) fn in_ward<'a>(slot: &PumpSlot, frame: &'a WaveformFrame) -> &'a Laid {
    frame.laid(Lane::Ward, |frame| {
        lay(frame, 5, |out| {
            put_text(1, slot.address.ward.as_str(), out);
            put_text(2, slot.address.pump.as_str(), out);
            put_fixed(3, frame.boot.get(), out);
            put_uint(4, frame.sequence, out);
        })
    })
}

/// A frame in the stream of its pump.
fn in_pump(frame: &WaveformFrame) -> &Laid {
    frame.laid(Lane::Pump, |frame| {
        lay(frame, 1, |out| {
            put_uint(2, frame.sequence, out);
            put_fixed(3, frame.boot.get(), out);
        })
    })
}

/// One message of the stream of waveforms.
#[derive(Debug)]
pub(super) struct WaveMessage {
    frame: Vec<Bytes>,
    dropped: u64,
    now_mono_ns: u64,
    epoch: u64,
    sequence: u64,
}

impl Wire for WaveMessage {
    fn write(&self, out: &mut impl BufMut) {
        for piece in &self.frame {
            out.put_slice(piece);
        }
        put_uint(4, self.dropped, out);
        put_uint(5, self.now_mono_ns, out);
        put_fixed(6, self.epoch, out);
        put_uint(7, self.sequence, out);
    }

    fn size_hint(&self) -> usize {
        64 + self.frame.iter().map(Bytes::len).sum::<usize>()
    }
}

/// One display's watch of waveforms.
#[derive(Debug)]
struct Watch {
    serving: Serving,
    watch: WaveformWatch,
    wanted: Wanted,
    beats: Interval,
    sequence: u64,
    overflown: Counter,
    _open: OpenStream,
}

impl Watch {
    async fn next(&mut self) -> Result<WaveMessage, Status> {
        tokio::select! {
            biased;
            taken = self.watch.next() => {
                let (frame, lost) = taken.ok_or_else(|| Status::unavailable("the gateway is ending"))?;
                self.beats.reset();
                self.overflown.increment(lost);
                Ok(self.message(Some(&frame), lost))
            }
            _ = self.beats.tick() => Ok(self.message(None, 0)),
        }
    }

    fn message(&mut self, frame: Option<&Arc<WaveformFrame>>, dropped: u64) -> WaveMessage {
        let sequence = self.sequence;
        self.sequence += 1;
        WaveMessage {
            frame: frame.map(|frame| pieces(in_pump(frame), &self.wanted)).unwrap_or_default(),
            dropped,
            now_mono_ns: self.serving.clock.now().as_nanos(),
            epoch: self.serving.epoch,
            sequence,
        }
    }
}

/// Counts frames that displays lost because they read too slowly.
pub(super) fn overflown(serving: &Serving) -> Counter {
    let dropped = serving.metrics.subscription_dropped.get(StreamKind::Waveform);
    dropped.get(SubscriptionDropped::Overflow).clone()
}

/// Ticks of a period; what was missed is not made up for.
pub(super) fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Opens the stream of one pump's waveforms for one display.
///
/// # Errors
/// Ward or pump is none, or the pump was never seen.
pub(super) fn open(
    serving: &Serving,
    request: &v1::WatchWaveformsRequest,
) -> Result<impl Stream<Item = Result<WaveMessage, Status>> + Send + use<>, Status> {
    let address = address(&request.ward, &request.pump)?;
    let slot = serving.registry.get(&address).ok_or_else(|| never_seen(&address))?;
    let open = serving.metrics.subscriptions_active(&request.ward);
    let watch = Watch {
        overflown: overflown(serving),
        serving: serving.clone(),
        watch: slot.watch_waveforms(),
        wanted: wanted(&request.parameters),
        beats: ticks(HEARTBEAT),
        sequence: 0,
        _open: OpenStream::new(open.get(StreamKind::Waveform)),
    };
    Ok(try_unfold(watch, async |mut watch| Ok(Some((watch.next().await?, watch)))))
}
