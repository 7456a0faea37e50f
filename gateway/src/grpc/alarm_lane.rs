//! The lane of alarms: a snapshot, every change in order, a heartbeat from the alarm thread itself.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use ecmo_core::time::Instant;
use ecmo_proto::topic::Id;
use ecmo_proto::v1;
use futures_util::stream::{Stream, try_unfold};
use tonic::Status;

use super::people::{name, no_answer};
use super::wire::{Wire, delimited, field, put_fixed, put_head, put_key, put_uint};
use super::{OpenStream, Serving, convert, ward};
use crate::fanout::{
    AlarmItem, AlarmMailbox, AlarmUpdate, Handed, Listed, MailboxEnd, Seen, Snapshot, Stamped,
};
use crate::metrics::StreamKind;

/// Longest snapshot, in bytes: most readers refuse a message over 4 MiB, and would come back for the same one for ever. What
/// finds no place follows at once as single alarms (prop).
const SNAPSHOT_BYTES_MAX: usize = 1024 * 1024;

/// Numbers of the fields.
mod number {
    pub(super) const SEQUENCE: u32 = 1;
    pub(super) const EPOCH: u32 = 2;
    pub(super) const NOW: u32 = 3;
    pub(super) const SNAPSHOT: u32 = 4;
    pub(super) const ALARM: u32 = 5;
    pub(super) const HEARTBEAT: u32 = 6;
    pub(super) const DRILL: u32 = 7;
    pub(super) const SNAPSHOT_ALARMS: u32 = 1;
    pub(super) const SNAPSHOT_ENDED: u32 = 2;
    pub(super) const SNAPSHOT_ENDED_INCOMPLETE: u32 = 3;
}

/// What a message carries.
#[derive(Debug)]
enum Body {
    /// The same bytes at every display.
    Shared(Handed),
    /// A display's own choice of shared bytes, each an alarm behind its length.
    Snapshot { made_at: Instant, alarms: Vec<Bytes>, ended: Vec<Bytes>, incomplete: bool },
    /// An alarm for which there was no place in the snapshot.
    Rest { made_at: Instant, alarm: Bytes },
}

/// One message of the lane.
#[derive(Debug)]
pub(super) struct AlarmMessage {
    epoch: u64,
    sequence: u64,
    body: Body,
}

impl AlarmMessage {
    fn put_times(&self, made_at: Instant, out: &mut impl BufMut) {
        put_times(self.epoch, made_at, out);
    }
}

fn put_times(epoch: u64, made_at: Instant, out: &mut impl BufMut) {
    put_fixed(number::EPOCH, epoch, out);
    put_uint(number::NOW, made_at.as_nanos(), out);
}

/// An alarm behind its length, as it stands in every message.
fn encoded(update: &AlarmUpdate) -> Bytes {
    delimited(&convert::alarm(update))
}

/// What all displays get of an item: everything but the number of the message.
fn shared(stamped: &Stamped, epoch: u64) -> Bytes {
    let mut out = BytesMut::new();
    put_times(epoch, stamped.made_at, &mut out);
    match &stamped.item {
        AlarmItem::Change(update) | AlarmItem::Redirected(update) => {
            put_key(number::ALARM, &mut out);
            out.put_slice(update.bytes(encoded));
        }
        AlarmItem::Drill { occurrence, revision } => {
            let drill = v1::Drill { occurrence: occurrence.to_string(), revision: *revision };
            out.put_slice(&field(number::DRILL, &drill));
        }
        AlarmItem::Heartbeat => {
            let heartbeat = v1::Heartbeat { wall_ns: stamped.wall_ns };
            out.put_slice(&field(number::HEARTBEAT, &heartbeat));
        }
        // Each display has one of its own.
        AlarmItem::Snapshot(_) => {}
    }
    out.freeze()
}

impl Wire for AlarmMessage {
    fn write(&self, out: &mut impl BufMut) {
        put_uint(number::SEQUENCE, self.sequence, out);
        match &self.body {
            Body::Shared(item) => {
                out.put_slice(item.bytes(|stamped| shared(stamped, self.epoch)));
            }
            Body::Snapshot { made_at, alarms, ended, incomplete } => {
                self.put_times(*made_at, out);
                put_head(number::SNAPSHOT, snapshot_len(alarms, ended, *incomplete), out);
                for alarm in alarms {
                    put_key(number::SNAPSHOT_ALARMS, out);
                    out.put_slice(alarm);
                }
                for alarm in ended {
                    put_key(number::SNAPSHOT_ENDED, out);
                    out.put_slice(alarm);
                }
                put_uint(number::SNAPSHOT_ENDED_INCOMPLETE, u64::from(*incomplete), out);
            }
            Body::Rest { made_at, alarm } => {
                self.put_times(*made_at, out);
                put_key(number::ALARM, out);
                out.put_slice(alarm);
            }
        }
    }

    fn size_hint(&self) -> usize {
        const OWN: usize = 64;
        OWN + match &self.body {
            Body::Shared(item) => item.bytes(|stamped| shared(stamped, self.epoch)).len(),
            Body::Snapshot { alarms, ended, incomplete, .. } => {
                snapshot_len(alarms, ended, *incomplete)
            }
            Body::Rest { alarm, .. } => alarm.len(),
        }
    }
}

/// Appends a change or a heartbeat as one display's stream does; for whoever counts what a delivery costs.
pub fn write_item(item: &Handed, epoch: u64, sequence: u64, out: &mut BytesMut) {
    let message = AlarmMessage { epoch, sequence, body: Body::Shared(Handed::clone(item)) };
    out.reserve(message.size_hint());
    message.write(out);
}

/// Each alarm is preceded by a key of one byte.
fn snapshot_len(alarms: &[Bytes], ended: &[Bytes], incomplete: bool) -> usize {
    let listed: usize = alarms.iter().chain(ended).map(|alarm| 1 + alarm.len()).sum();
    listed + if incomplete { 2 } else { 0 }
}

/// One display's watch.
#[derive(Debug)]
struct Watch {
    mailbox: AlarmMailbox,
    ward: Option<Id>,
    epoch: u64,
    sequence: u64,
    /// What found no place in the snapshot, and when that was made.
    rest: VecDeque<(Instant, Bytes)>,
    _open: OpenStream,
}

impl Watch {
    async fn next(&mut self) -> Result<AlarmMessage, Status> {
        let body = match self.rest.pop_front() {
            Some((made_at, alarm)) => Body::Rest { made_at, alarm },
            None => {
                let item = self.mailbox.next().await.map_err(ended)?;
                let Stamped { item: what, made_at, .. } = item.value();
                match what {
                    AlarmItem::Snapshot(snapshot) => self.begin(snapshot, *made_at),
                    AlarmItem::Change(_)
                    | AlarmItem::Redirected(_)
                    | AlarmItem::Drill { .. }
                    | AlarmItem::Heartbeat => Body::Shared(item),
                }
            }
        };
        let sequence = self.sequence;
        self.sequence += 1;
        Ok(AlarmMessage { epoch: self.epoch, sequence, body })
    }

    /// The first message, and what follows it where it would be too long.
    fn begin(&mut self, snapshot: &Snapshot, made_at: Instant) -> Body {
        let concerned = |one: &&Listed| one.value().concerns(self.ward.as_ref());
        let bytes = |one: &Listed| one.bytes(encoded).clone();
        let listed = snapshot.alarms.iter().filter(concerned).map(bytes);
        let mut room = SNAPSHOT_BYTES_MAX;
        let mut fits = |alarm: &Bytes| {
            let left = room.checked_sub(1 + alarm.len());
            room = left.unwrap_or(0);
            left.is_some()
        };
        let (mut alarms, mut rest) = (Vec::new(), VecDeque::new());
        for alarm in listed {
            // Once one finds no place none does: they are told in order, the most urgent first.
            if rest.is_empty() && fits(&alarm) {
                alarms.push(alarm);
            } else {
                rest.push_back((made_at, alarm));
            }
        }
        let all = snapshot.ended.iter().map(|one| bytes(one));
        let ended: Vec<Bytes> = all.take_while(|alarm| fits(alarm)).collect();
        let incomplete = snapshot.ended_incomplete || ended.len() < snapshot.ended.len();
        self.rest = rest;
        Body::Snapshot { made_at, alarms, ended, incomplete }
    }
}

fn ended(end: MailboxEnd) -> Status {
    match end {
        MailboxEnd::CutOff => Status::resource_exhausted(
            "this display read alarms too slowly and was cut off; watch again for a snapshot",
        ),
        MailboxEnd::Closed => {
            Status::unavailable("the gateway is ending; treat every pump as unknown")
        }
    }
}

/// Until when a display has seen everything; a time of another start of the gateway compares by the wall clock alone.
fn seen(until: v1::SeenUntil, epoch: u64) -> Seen {
    if until.epoch == epoch {
        Seen::Here(Instant::from_nanos(until.mono_ns))
    } else {
        Seen::Before(until.wall_ns)
    }
}

/// Opens the lane for one display.
///
/// # Errors
/// The ward or the display's name is none, or the alarm thread does not answer.
pub(super) fn open(
    serving: &Serving,
    request: v1::WatchAlarmsRequest,
) -> Result<impl Stream<Item = Result<AlarmMessage, Status>> + Send + use<>, Status> {
    let of_ward = ward(&request.ward)?;
    if !request.display.is_empty() {
        let watcher = name(&request.display, "display")?;
        tracing::info!(display = watcher, "watches alarms");
    }
    let seen = request.seen_until.map(|until| seen(until, serving.epoch));
    let open = serving.metrics.subscriptions_active(&request.ward);
    let watch = Watch {
        mailbox: serving.engine.watch(of_ward.clone(), seen).map_err(no_answer)?,
        ward: of_ward,
        epoch: serving.epoch,
        sequence: 0,
        rest: VecDeque::new(),
        _open: OpenStream::new(open.get(StreamKind::Alarm)),
    };
    Ok(try_unfold(watch, async |mut watch| Ok(Some((watch.next().await?, watch)))))
}

#[cfg(test)]
mod tests;
