//! What people do: prepared, written, applied, answered, told to the other gateway. And what a start finds of it.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use ecmo_core::alarm::Refused;
use ecmo_core::alarm::action::{Action, Ask, Order, What};
use ecmo_core::alarm::occurrence::PauseScope;
use ecmo_core::time::Instant;

use super::{Ear, Gateway};
use crate::breaks::Break;
use crate::dice::mixed;
use crate::message::{Event, Message};
use crate::net::Net;
use crate::peer::{PeerAction, PeerWord};
use crate::store::Written;
use crate::stream::{Packet, Wish, WishKind};
use crate::time::{Nanos, SECOND};
use crate::words::About;

/// Actions that are remembered for the other gateway; an older one has ended, or was taken over long ago.
pub const ACTIONS_MAX: usize = 512;

/// Most people who wait at once; one more is refused.
pub const PEOPLE_MAX: usize = 64;

/// A person is answered after this, written or not.
const WAIT_MAX: Nanos = 2 * SECOND;

/// A peer that was silent for this long has missed something.
const PEER_LOST: Nanos = 3 * SECOND;

/// An action that a person waits for.
#[derive(Debug)]
struct Pending {
    display: usize,
    number: u64,
    since: Nanos,
    action: Rc<PeerAction>,
}

/// What people have done, as this gateway knows it.
#[derive(Debug, Default)]
pub(super) struct Actions {
    known: VecDeque<(Instant, Rc<PeerAction>)>,
    names: BTreeSet<(usize, u64)>,
    /// Sum over the names of all that are remembered.
    digest: u64,
    pending: Vec<Pending>,
    newest: u64,
    number: u64,
    wants: bool,
    peer_at: Option<Nanos>,
    /// How much each pump had changed when it was last kept.
    changes: Vec<u64>,
}

fn name_digest(id: (usize, u64)) -> u64 {
    mixed(id.1 ^ (u64::try_from(id.0).unwrap_or(0) << 48))
}

impl Actions {
    /// Remembers an action; false when it is known.
    fn remember(&mut self, at: Instant, action: &Rc<PeerAction>) -> bool {
        if !self.names.insert(action.id) {
            return false;
        }
        self.newest = self.newest.max(action.action.order.at);
        self.digest = self.digest.wrapping_add(name_digest(action.id));
        self.known.push_back((at, Rc::clone(action)));
        while self.known.len() > ACTIONS_MAX {
            let Some((_at, old)) = self.known.pop_front() else { break };
            self.names.remove(&old.id);
            self.digest = self.digest.wrapping_sub(name_digest(old.id));
        }
        true
    }

    /// Actions that are remembered, and that wait.
    pub(super) fn lengths(&self) -> (usize, usize) {
        (self.known.len(), self.pending.len())
    }
}

impl Gateway {
    /// Its start: what was kept, and what was done after that.
    pub(super) fn restore(&mut self, net: &Net) {
        let now = self.clock.instant(net.now);
        self.actions.wants = true;
        self.actions.changes = vec![0; self.known.len()];
        self.actions.number = u64::from(self.starts) << 32;
        for (at, action) in self.disk.log.iter().rev().take(ACTIONS_MAX).rev() {
            self.actions.remember(*at, action);
        }
        if self.planted == Some(Break::ActionsForgotten) {
            return;
        }
        for pump in 0..self.known.len() {
            let mut ear = Ear::new(About::Pump(pump), &mut self.heard);
            let of = &mut self.known[pump].pump;
            let from = self.disk.kept[pump].clone().map_or(0, |(kept, actions)| {
                of.restore(kept, now, &mut ear);
                actions
            });
            let log = self.disk.log.iter().skip(from);
            for (at, action) in log.filter(|(_, one)| one.pump == pump) {
                // One that is overtaken, or about what has ended, changes nothing.
                let aged = action.aged(now.since(*at));
                let _applied = of.apply(&aged.action, now, &mut ear);
            }
        }
    }

    /// A person wants something.
    pub(super) fn wish(&mut self, display: usize, wish: &Wish, net: &mut Net) {
        let now = self.clock.instant(net.now);
        let what = self.prepare(wish, now).ok();
        let Some(what) = what.filter(|_| self.actions.pending.len() < PEOPLE_MAX) else {
            return self.answer(display, wish.number, None, net);
        };
        let wall = u64::try_from(self.clock.wall(net.now)).unwrap_or(0);
        self.actions.newest = wall.max(self.actions.newest + 1);
        self.actions.number += 1;
        let order = Order { at: self.actions.newest, gateway: self.name.clone() };
        let action = Action { order, by: wish.by(), note: String::new(), what };
        let id = (self.number, self.actions.number);
        let action = Rc::new(PeerAction { id, pump: wish.pump, action });
        let number = wish.number;
        let pending = Pending { display, number, since: net.now, action: Rc::clone(&action) };
        self.actions.pending.push(pending);
        self.write(Written::Action(now, action), net);
    }

    fn prepare(&self, wish: &Wish, now: Instant) -> Result<What, Refused> {
        let pump = &self.known[wish.pump].pump;
        let by = wish.by();
        let ask = match &wish.what {
            WishKind::Acknowledge { occurrence, revision } => {
                let found = pump.alarms().iter().find(|one| {
                    *occurrence
                        == crate::words::occurrence_id(About::Pump(wish.pump), &self.name, one)
                });
                let id = found.ok_or(Refused::Unknown)?.id;
                Ask::Acknowledge { id, revision: *revision }
            }
            WishKind::Pause(seconds) => {
                let lasts = Duration::from_secs(*seconds);
                Ask::Pause { id: None, scope: PauseScope::Pump, lasts }
            }
            WishKind::Accept => Ask::Accept,
            WishKind::HandOver => Ask::HandOver { to: "somebody" },
            WishKind::Reject => Ask::Reject,
        };
        pump.prepare(ask, &by, now)
    }

    fn write(&mut self, what: Written, net: &mut Net) {
        if let Some(takes) = self.disk.takes() {
            let at = net.now + takes + self.dice.below(takes);
            net.plan(at, Event::Written(self.number, self.starts, Box::new(what)));
        }
    }

    /// The disk has it.
    pub fn written(&mut self, starts: u32, what: Written, net: &mut Net) {
        if starts != self.starts || !self.disk.works {
            return;
        }
        let action = match &what {
            Written::Action(_at, action) => Some(action.id),
            Written::Kept(..) => None,
        };
        self.disk.write(what);
        let waits = |pending: &Pending| Some(pending.action.id) == action;
        if let Some(place) = self.actions.pending.iter().position(waits) {
            let pending = self.actions.pending.remove(place);
            self.carry_out(pending, true, net);
        }
    }

    /// Whoever has waited too long is answered: it is in force, and not durable.
    pub(super) fn look_at_pending(&mut self, net: &mut Net) {
        while let Some(place) =
            self.actions.pending.iter().position(|one| net.now >= one.since + WAIT_MAX)
        {
            let pending = self.actions.pending.remove(place);
            self.carry_out(pending, false, net);
        }
    }

    fn carry_out(&mut self, pending: Pending, durable: bool, net: &mut Net) {
        let now = self.clock.instant(net.now);
        let Pending { display, number, action, .. } = pending;
        let pump = action.pump;
        let done = self.act(pump, net, |pump, out| pump.apply(&action.action, now, out));
        self.answer(display, number, done.is_ok().then_some(durable), net);
        if done.is_ok() && self.actions.remember(now, &action) {
            self.tell_peer(&Message::Action(action), net);
        }
    }

    fn answer(&mut self, display: usize, number: u64, done: Option<bool>, net: &mut Net) {
        let (accepted, durable) = (done.is_some(), done == Some(true));
        // A cut way swallows the answer; the person sees what became of the alarm.
        net.to_display(self.number, display, Packet::Answer { number, accepted, durable });
    }

    fn tell_peer(&self, message: &Message, net: &mut Net) {
        for path in 0..self.paths.len() {
            net.from_gateway(self.number, path, message);
        }
    }

    /// The other gateway tells what somebody did.
    pub(super) fn merge(&mut self, action: &Rc<PeerAction>, net: &mut Net) {
        let now = self.clock.instant(net.now);
        if !self.actions.remember(now, action) {
            return;
        }
        let pump = action.pump;
        // One that is overtaken, or about what has ended here, changes nothing; one that is early waits in the core.
        let _applied = self.act(pump, net, |pump, out| pump.apply(&action.action, now, out));
        self.write(Written::Action(now, Rc::clone(action)), net);
    }

    /// The other gateway lives.
    pub(super) fn take_peer(&mut self, word: &PeerWord, net: &mut Net) {
        let lost = |at: Nanos| net.now.saturating_sub(at) > PEER_LOST;
        let missed = self.actions.peer_at.is_some_and(lost);
        self.actions.peer_at = Some(net.now);
        let mine = (self.actions.known.len(), self.actions.digest);
        self.actions.wants = missed || mine != word.actions;
        if word.wants {
            self.tell_all(net);
        }
    }

    /// Every action that may still count goes to the other gateway, with the time that is left of it.
    fn tell_all(&self, net: &mut Net) {
        let now = self.clock.instant(net.now);
        for (at, action) in &self.actions.known {
            let aged = action.aged(now.since(*at));
            self.tell_peer(&Message::Action(Rc::new(aged)), net);
        }
    }

    /// Its word to the other gateway.
    pub(super) fn peer_word(&mut self, net: &mut Net) {
        let actions = (self.actions.known.len(), self.actions.digest);
        let word = PeerWord { gateway: self.number, wants: self.actions.wants, actions };
        self.tell_peer(&Message::Peer(Rc::new(word)), net);
    }

    /// What changed is kept.
    pub(super) fn keep(&mut self, net: &mut Net) {
        for pump in 0..self.known.len() {
            let changes = self.known[pump].pump.changes();
            let Some(before) = self.actions.changes.get_mut(pump) else { continue };
            if *before == changes || !self.disk.works {
                continue;
            }
            *before = changes;
            let kept = Box::new(self.known[pump].pump.kept());
            self.write(Written::Kept(pump, kept, self.disk.log.len()), net);
        }
    }

    /// Lengths of its queues: actions that are remembered, persons who wait.
    #[must_use]
    pub fn action_lengths(&self) -> (usize, usize) {
        self.actions.lengths()
    }
}
