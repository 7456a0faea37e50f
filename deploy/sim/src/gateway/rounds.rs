//! What a gateway does twice a second: asks its brokers and agents, gives leases, beats, sends pumps, keeps what changed.

use std::time::Duration;

use ecmo_core::clock_estimate::ProbeTimes;
use ecmo_core::pump::Link;
use ecmo_core::reconcile::{RuleSet, Verdict};
use ecmo_core::time::{Instant, SampleTime};
use ecmo_proto::v1::watch_alarms_response::Update;

use super::{Ear, Gateway, way};
use crate::breaks::Break;
use crate::message::{Beat, Message};
use crate::net::Net;
use crate::time::{Nanos, SECOND};
use crate::words::{self, About};

/// A broker that does not answer for this long is lost.
const PONG_LATE: Nanos = 2 * SECOND;

/// A pump whose newest judged frame is older than this gets no lease.
const DECIDED_AGE_MAX: Duration = Duration::from_secs(1);

impl Gateway {
    /// The round.
    pub fn round(&mut self, net: &mut Net) {
        self.rounds += 1;
        let now = self.clock.instant(net.now);
        for path in 0..self.paths.len() {
            let one = &mut self.paths[path];
            if one.connected && net.now.saturating_sub(one.pong_at) > PONG_LATE {
                self.lose_path(path, now, net);
            }
        }
        self.ping(net);
        self.ask(now, net);
        self.look_at_pending(net);
        self.keep(net);
        if self.rounds.is_multiple_of(2) {
            self.second(now, net);
        }
        self.attend(now, net);
    }

    fn second(&mut self, now: Instant, net: &mut Net) {
        let wall = self.clock.wall(net.now);
        for pump in 0..self.known.len() {
            self.act(pump, net, |pump, out| pump.on_wall_clock(wall, now, out));
        }
        let pumps = self.pump_words(now);
        for display in 0..self.streams.len() {
            self.send_alarm(display, Update::Heartbeat(words::heartbeat(wall)), net);
            self.send_pumps(display, Some(&pumps), net);
        }
        self.watch_ward(now);
        self.peer_word(net);
    }

    /// The connection to a broker is lost.
    pub fn lose_path(&mut self, path: usize, now: Instant, net: &mut Net) {
        if !std::mem::take(&mut self.paths[path].connected) {
            return;
        }
        self.tell_paths(path, now, net);
    }

    pub(super) fn ping(&self, net: &mut Net) {
        for (path, one) in self.paths.iter().enumerate() {
            let message = Message::Ping { gateway: self.number, fresh: !one.connected };
            net.from_gateway(self.number, path, &message);
        }
    }

    pub(super) fn take_pong(&mut self, path: usize, now: Instant, net: &mut Net) {
        self.paths[path].pong_at = net.now;
        if !std::mem::replace(&mut self.paths[path].connected, true) {
            self.tell_paths(path, now, net);
        }
    }

    fn tell_paths(&mut self, path: usize, now: Instant, net: &mut Net) {
        let is_up = self.paths[path].connected;
        for pump in 0..self.known.len() {
            self.act(pump, net, |pump, _out| pump.on_link(way(path), is_up, now));
        }
        let up = self.paths.iter().filter(|path| path.connected).count();
        let mut ear = Ear::new(About::Gateway, &mut self.heard);
        self.uplink.on_paths(up, self.paths.len(), now, &mut ear);
        self.plan_uplink_timer(net);
    }

    /// Asks the agents what time it is there, over one path after the other, and says up to where they were judged.
    fn ask(&self, now: Instant, net: &mut Net) {
        let turn = usize::try_from(self.rounds).unwrap_or(0) % self.paths.len().max(1);
        for (number, known) in self.known.iter().enumerate() {
            let Some(boot) = known.pump.boot() else { continue };
            let decided = known.pump.judged_until();
            let is_young = |decided: &SampleTime| {
                now.since(known.pump.clock().to_reader(*decided, now)) <= DECIDED_AGE_MAX
            };
            let live = known.pump.link(now) == Link::Live;
            let heard = !self.is_unheard(number, now);
            let lease = decided.filter(|_| heard && live).filter(is_young);
            let forged = (self.planted == Some(Break::LeaseForged))
                .then(|| known.pump.clock().to_agent(now))
                .flatten();
            let lease = forged.or(lease);
            let gateway = self.number;
            let message = Message::Ask { pump: number, boot, gateway, sent: now, lease };
            net.from_gateway(self.number, turn, &message);
        }
    }

    /// An agent says how it is.
    pub(super) fn take_beat(&mut self, pump: usize, beat: &Beat, now: Instant, net: &mut Net) {
        let number = self.number;
        if beat.answer.is_some_and(|(gateway, ..)| gateway != number) {
            return;
        }
        let profile_hash = self.profile.hash;
        let hears = self.planted != Some(Break::AgeTrusted);
        self.act(pump, net, |pump, out| {
            if let Some((_, sent, read)) = beat.answer {
                // A probe that says nothing is counted by the real gateway, and of no use here.
                let times = ProbeTimes { sent, read, answered: read, received: now };
                let _taken = hears.then(|| pump.on_probe(times, now));
            } else {
                pump.on_heartbeat(beat.boot, beat.spool, now, out);
                if beat.judges {
                    let rules = RuleSet { profile_hash, treatment_version: 0 };
                    let verdict = Verdict { rules, present: &beat.present };
                    pump.on_local_verdict(beat.boot, verdict, now, out);
                }
            }
        });
    }
}
