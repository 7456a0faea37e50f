//! Numerics and waveforms of a ward in one stream: the pumps always first; of waveforms the oldest are lost by a display that
//! reads too slowly, and it is told how many.

use std::time::Duration;

use bytes::{BufMut, Bytes};
use ecmo_proto::topic::PumpAddress;
use ecmo_proto::v1;
use futures_util::stream::{Stream, try_unfold};
use tokio::time::Interval;
use tonic::Status;

use super::pump_lane::{Numerics, Pace};
use super::wave_lane::{Wanted, in_ward, overflown, pieces, ticks, wanted};
use super::wire::{Wire, put_fixed, put_head, put_uint, uint_len};
use super::{OpenStream, Serving, address, ward};
use crate::config::PUMPS_MAX;
use crate::fanout::WaveformWatch;
use crate::metrics::{Counter, StreamKind};

/// Waveforms are sent so often, all that came since: 25 pictures a second, and one wake-up for the frames of all pumps instead
/// of one for each (prop).
const WAVES_PERIOD: Duration = Duration::from_millis(40);

/// Number of the field that tells what was lost, within the waveforms of one pump.
const DROPPED: u32 = 6;

/// What a message carries.
#[derive(Debug)]
enum Update {
    Pumps(Vec<Bytes>),
    Waveform { frame: Vec<Bytes>, dropped: u64 },
}

/// One message of the stream of a ward.
#[derive(Debug)]
pub(super) struct WardMessage {
    sequence: u64,
    epoch: u64,
    now_mono_ns: u64,
    alarm_thread_mono_ns: u64,
    update: Update,
}

fn length(pieces: &[Bytes]) -> usize {
    pieces.iter().map(Bytes::len).sum()
}

impl Wire for WardMessage {
    fn write(&self, out: &mut impl BufMut) {
        put_uint(1, self.sequence, out);
        put_fixed(2, self.epoch, out);
        put_uint(3, self.now_mono_ns, out);
        put_uint(4, self.alarm_thread_mono_ns, out);
        match &self.update {
            Update::Pumps(pumps) => {
                put_head(5, length(pumps), out);
                for pump in pumps {
                    out.put_slice(pump);
                }
            }
            Update::Waveform { frame, dropped } => {
                put_head(6, length(frame) + uint_len(*dropped), out);
                for piece in frame {
                    out.put_slice(piece);
                }
                put_uint(DROPPED, *dropped, out);
            }
        }
    }

    fn size_hint(&self) -> usize {
        64 + match &self.update {
            Update::Pumps(pieces) | Update::Waveform { frame: pieces, dropped: _ } => {
                length(pieces)
            }
        }
    }
}

/// The waveforms of one pump that a display wants.
#[derive(Debug)]
struct Wave {
    address: PumpAddress,
    wanted: Wanted,
    /// `None` until the pump is met.
    watch: Option<WaveformWatch>,
}

/// The waveforms that a display wants, pump by pump in turn.
#[derive(Debug)]
struct Waves {
    waves: Vec<Wave>,
    /// Whose turn it is.
    turn: usize,
    overflown: Counter,
}

impl Waves {
    /// The choices of a display; one pump that is chosen twice is refused.
    fn new(serving: &Serving, choices: &[v1::WaveformChoice]) -> Result<Self, Status> {
        if choices.len() > PUMPS_MAX {
            return Err(Status::invalid_argument(format!("waveforms: choose {PUMPS_MAX} at most")));
        }
        let mut waves: Vec<Wave> = Vec::with_capacity(choices.len());
        for choice in choices {
            let address = address(&choice.ward, &choice.pump)?;
            if waves.iter().any(|wave| wave.address == address) {
                return Err(Status::invalid_argument(format!("waveforms: {address} twice")));
            }
            waves.push(Wave { address, wanted: wanted(&choice.parameters), watch: None });
        }
        let mut waves = Self { waves, turn: 0, overflown: overflown(serving) };
        waves.join(serving);
        Ok(waves)
    }

    /// Begins with the pumps that were met since the last time.
    fn join(&mut self, serving: &Serving) {
        for wave in self.waves.iter_mut().filter(|wave| wave.watch.is_none()) {
            wave.watch = serving.registry.get(&wave.address).map(|slot| slot.watch_waveforms());
        }
    }

    /// One frame that is there, of the next pump that has one.
    fn take(&mut self) -> Option<Update> {
        for _pump in 0..self.waves.len() {
            self.turn = (self.turn + 1) % self.waves.len();
            let Some(wave) = self.waves.get_mut(self.turn) else { continue };
            let Some(watch) = &mut wave.watch else { continue };
            let Some((frame, dropped)) = watch.try_next() else { continue };
            self.overflown.increment(dropped);
            let frame = pieces(in_ward(watch.slot(), &frame), &wave.wanted);
            return Some(Update::Waveform { frame, dropped });
        }
        None
    }
}

/// One display's watch of a ward.
#[derive(Debug)]
struct Watch {
    serving: Serving,
    numerics: Numerics,
    pace: Pace,
    waves: Waves,
    waves_at: Interval,
    /// Frames may be there that have not been taken.
    taking: bool,
    sequence: u64,
    _open: (OpenStream, OpenStream),
}

impl Watch {
    async fn next(&mut self) -> WardMessage {
        loop {
            if self.taking {
                // However many waveforms wait, pumps that are due go before them.
                let pumps = self.pace.is_due().and_then(|must| self.pumps(must));
                if let Some(update) = pumps.or_else(|| self.waves.take()) {
                    return self.message(update);
                }
                self.taking = false;
            }
            tokio::select! {
                biased;
                must = self.pace.due() => if let Some(update) = self.pumps(must) {
                    return self.message(update);
                },
                _ = self.waves_at.tick() => self.taking = true,
            }
        }
    }

    /// What changed, or nothing where that must be said.
    fn pumps(&mut self, must: bool) -> Option<Update> {
        self.waves.join(&self.serving);
        let pumps = self.numerics.changed();
        let told = must || !pumps.is_empty();
        if told {
            self.pace.sent();
        }
        told.then_some(Update::Pumps(pumps))
    }

    fn message(&mut self, update: Update) -> WardMessage {
        let sequence = self.sequence;
        self.sequence += 1;
        WardMessage {
            sequence,
            epoch: self.serving.epoch,
            now_mono_ns: self.serving.clock.now().as_nanos(),
            alarm_thread_mono_ns: self.serving.engine.last_round().as_nanos(),
            update,
        }
    }
}

/// Opens the stream of a ward for one display.
///
/// # Errors
/// A ward or pump is none or chosen twice, too many are chosen, or the interval is out of range.
pub(super) fn open(
    serving: &Serving,
    request: &v1::WatchWardRequest,
) -> Result<impl Stream<Item = Result<WardMessage, Status>> + Send + use<>, Status> {
    let of_ward = ward(&request.ward)?;
    let pace = Pace::new(request.interval_ms)?;
    let waves = Waves::new(serving, &request.waveforms)?;
    let open = serving.metrics.subscriptions_active(&request.ward);
    let opened = |kind| OpenStream::new(open.get(kind));
    let watch = Watch {
        numerics: Numerics::new(serving, of_ward),
        serving: serving.clone(),
        pace,
        waves,
        waves_at: ticks(WAVES_PERIOD),
        taking: false,
        sequence: 0,
        _open: (opened(StreamKind::Numeric), opened(StreamKind::Waveform)),
    };
    Ok(try_unfold(watch, async |mut watch| Ok(Some((watch.next().await, watch)))))
}
