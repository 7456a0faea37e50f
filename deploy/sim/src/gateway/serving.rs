//! What displays get: a snapshot, then every change of an alarm, and the pumps; each lane bounded, or cut off.

use std::collections::VecDeque;

use ecmo_core::alarm::occurrence::Transition;
use ecmo_core::time::Instant;
use ecmo_proto::v1;
use ecmo_proto::v1::watch_alarms_response::Update;

use super::{Gateway, Told};
use crate::breaks::Break;
use crate::broker::Life;
use crate::net::Net;
use crate::rules::WATCHED;
use crate::stream::{LANE_MAX, Lane, LaneKind, Packet, Request};
use crate::words::{self, About};

/// Occurrences that have ended and are told to a display that was away.
const ENDED_MAX: usize = 1_024;

/// What has ended of late.
#[derive(Debug, Default)]
pub(super) struct Ended {
    alarms: VecDeque<(Instant, v1::Alarm)>,
    forgot: bool,
}

impl Ended {
    fn add(&mut self, at: Instant, alarm: v1::Alarm) {
        if self.alarms.len() >= ENDED_MAX {
            self.alarms.pop_front();
            self.forgot = true;
        }
        self.alarms.push_back((at, alarm));
    }
}

impl Gateway {
    /// Takes what a display asks for.
    pub fn serve(&mut self, display: usize, request: Request, net: &mut Net) {
        match request {
            Request::Watch { subscription, lane, seen_until } => {
                let stream = self.streams[display].get_or_insert_default();
                let made = Some(Lane::new(subscription));
                match lane {
                    LaneKind::Alarms => {
                        stream.alarms = made;
                        let snapshot = self.snapshot(seen_until.as_ref());
                        self.send_alarm(display, Update::Snapshot(snapshot), net);
                    }
                    LaneKind::Pumps => {
                        stream.pumps = made;
                        self.send_pumps(display, None, net);
                    }
                }
            }
            Request::Confirm(shown) => self.confirm(display, shown, net),
            Request::Attend(sent, painted) => {
                let now = self.clock.instant(net.now);
                self.take_lease(display, painted, now);
                let packet = Packet::Attended(u64::from(self.starts), now.as_nanos(), sent);
                // A cut way swallows it: the next one comes in a second.
                net.to_display(self.number, display, packet);
            }
            Request::Act(wish) => self.wish(display, &wish, net),
        }
    }

    fn snapshot(&self, seen: Option<&v1::SeenUntil>) -> v1::AlarmSnapshot {
        let of_pumps = self.known.iter().enumerate().flat_map(|(pump, known)| {
            known.pump.alarms().iter().map(move |one| (About::Pump(pump), one))
        });
        let own = self.uplink.alarms().iter().map(|one| (About::Gateway, one));
        let of_ward = self.attendance.ward_alarms().flat_map(|(_ward, alarms)| alarms);
        let own = own.chain(of_ward.map(|one| (About::Ward, one)));
        let alarms = of_pumps.chain(own).filter(|(_, one)| !self.is_hidden(one));
        let epoch = u64::from(self.starts);
        let same = seen.is_some_and(|seen| seen.epoch == epoch);
        let since = |at: &Instant| seen.is_some_and(|seen| !same || at.as_nanos() > seen.mono_ns);
        let ended = self.ended.alarms.iter().rev().filter(|(at, _)| since(at));
        v1::AlarmSnapshot {
            alarms: alarms.map(|(about, one)| words::alarm(about, &self.name, one, None)).collect(),
            ended: ended.map(|(_, alarm)| alarm.clone()).collect(),
            ended_incomplete: seen.is_some() && (!same || self.ended.forgot),
        }
    }

    /// Whether a planted fault keeps an alarm from displays.
    fn is_hidden(&self, one: &ecmo_core::alarm::occurrence::Occurrence) -> bool {
        self.planted == Some(Break::AlarmNotSent)
            && WATCHED.iter().any(|watched| watched.condition == one.id.condition)
    }

    /// Every display gets what changed.
    pub fn spread(&mut self, told: &Told, net: &mut Net) {
        let now = self.clock.instant(net.now);
        let one = &told.occurrence;
        self.answer_for(told.about, one, now);
        if self.is_hidden(one) {
            return;
        }
        let mut alarm = words::alarm(told.about, &self.name, one, Some(told.transition));
        if self.planted == Some(Break::ActionInvented)
            && told.transition == Transition::Raised
            && self.dice.chance(100_000)
        {
            "nobody".clone_into(&mut alarm.acknowledged_by);
            alarm.signal = v1::SignalPresence::Acknowledged.into();
        }
        if one.has_ended() {
            self.ended.add(now, alarm.clone());
        }
        for display in 0..self.streams.len() {
            self.send_alarm(display, Update::Alarm(alarm.clone()), net);
        }
    }

    /// Sends something down the alarm lane of a display; one that does not read is cut off.
    pub(super) fn send_alarm(&mut self, display: usize, update: Update, net: &mut Net) {
        let (number, epoch) = (self.number, u64::from(self.starts));
        let now_mono_ns = self.clock.instant(net.now).as_nanos();
        let Some(lane) = self.streams[display].as_mut().and_then(|stream| stream.alarms.as_mut())
        else {
            return;
        };
        if lane.is_dead {
            return;
        }
        let subscription = lane.subscription;
        if lane.unread >= LANE_MAX {
            lane.is_dead = true;
            net.to_display(number, display, Packet::Closed(subscription, LaneKind::Alarms));
            return;
        }
        let sequence = lane.sequence;
        lane.sequence += 1;
        lane.unread += 1;
        let update = Some(update);
        let message = v1::WatchAlarmsResponse { sequence, epoch, now_mono_ns, update };
        lane.is_dead =
            !net.to_display(number, display, Packet::Alarms(subscription, Box::new(message)));
    }

    /// The pumps, as displays see them.
    pub(super) fn pump_words(&self, now: Instant) -> Vec<v1::Pump> {
        let pumps = self.known.iter().enumerate();
        pumps.map(|(pump, known)| words::pump(pump, &known.pump, now, self.planted)).collect()
    }

    /// Sends the pumps, those that were just made or made now, to a display that reads; one that does not gets the newest later.
    pub(super) fn send_pumps(&mut self, display: usize, made: Option<&[v1::Pump]>, net: &mut Net) {
        let now = self.clock.instant(net.now);
        let (number, epoch) = (self.number, u64::from(self.starts));
        let Some(lane) = self.streams[display].as_mut().and_then(|stream| stream.pumps.as_mut())
        else {
            return;
        };
        lane.is_behind = lane.unread >= 2;
        if lane.is_dead || lane.is_behind {
            return;
        }
        let subscription = lane.subscription;
        let sequence = lane.sequence;
        lane.sequence += 1;
        lane.unread += 1;
        let pumps = made.map_or_else(|| self.pump_words(now), <[v1::Pump]>::to_vec);
        let message = v1::WatchPumpsResponse {
            pumps,
            now_mono_ns: now.as_nanos(),
            epoch,
            sequence,
            alarm_thread_mono_ns: now.as_nanos(),
        };
        let sent = net.to_display(number, display, Packet::Pumps(subscription, message));
        let stream = self.streams[display].as_mut();
        if let Some(lane) = stream.and_then(|stream| stream.pumps.as_mut()) {
            lane.is_dead = !sent;
        }
    }

    /// A display has read a packet of a lane.
    pub fn read(&mut self, display: usize, subscription: u64, net: &mut Net) {
        let Some(stream) = &mut self.streams[display] else { return };
        for lane in [&mut stream.alarms, &mut stream.pumps].into_iter().flatten() {
            if lane.subscription == subscription {
                lane.unread = lane.unread.saturating_sub(1);
            }
        }
        let runs = self.life == Life::Runs;
        if stream.pumps.as_ref().is_some_and(|lane| runs && lane.is_behind && lane.unread < 2) {
            self.send_pumps(display, None, net);
        }
    }
}
