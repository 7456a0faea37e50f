//! A gateway: the core's own `Pump` and `Uplink` behind two brokers, streams to displays, a disk. A process that can die.

mod attending;

mod heard;

mod people;

mod rounds;

mod serving;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ecmo_core::alarm::profile::Profile;
use ecmo_core::attendance::Attendance;
use ecmo_core::channel::ChannelSpec;
use ecmo_core::frame::Frame;
use ecmo_core::path::Path;
use ecmo_core::pump::{BirthRefusal, BirthWord, Pump, Refusal};
use ecmo_core::sequence::SequenceCounters;
use ecmo_core::time::Instant;
use ecmo_core::uplink::Uplink;

use crate::breaks::Break;
use crate::broker::Life;
use crate::dice::Dice;
use crate::many::Many;
use crate::message::{Birth, Event, Message};
use crate::net::Net;
use crate::store::Disk;
use crate::stream::Stream;
use crate::time::{HostClock, MS, Nanos};
use crate::words::{self, About};

pub use heard::{Heard, Judged, Told};
pub use people::{ACTIONS_MAX, PEOPLE_MAX};

use heard::Ear;

/// A missing frame is waited for no longer than this.
pub const WINDOW: Duration = Duration::from_millis(100);

/// Events that wait for a frozen gateway; what does not fit is lost, as from a full socket.
pub const WAITING_MAX: usize = 50_000;

/// One pump as a gateway knows it.
#[derive(Debug)]
struct Known {
    pump: Pump,
    /// As alarms of it are named: "ward/pump".
    address: String,
    /// When a timer was set for it.
    planned: Option<Nanos>,
    /// Births that wait for a frame of their run.
    unproven: Many<Option<Birth>>,
}

/// One path of a gateway.
#[derive(Debug, Clone, Default)]
struct GatewayPath {
    connected: bool,
    pong_at: Nanos,
}

/// A gateway.
#[derive(Debug)]
pub struct Gateway {
    number: usize,
    name: String,
    profile: Arc<Profile>,
    channels: Vec<ChannelSpec>,
    planted: Option<Break>,
    dice: Dice,
    /// The clocks of its host.
    pub clock: HostClock,
    /// What its process does.
    pub life: Life,
    /// Counts its starts: its epoch.
    pub starts: u32,
    known: Many<Known>,
    uplink: Uplink,
    attendance: Attendance,
    names: Many<Arc<str>>,
    uplink_planned: Option<Nanos>,
    paths: Many<GatewayPath>,
    rounds: u64,
    /// Its streams, one a display at most.
    pub streams: Many<Option<Stream>>,
    /// What came while it was frozen.
    pub waiting: VecDeque<Event>,
    /// Events that found no room while it was frozen.
    pub lost: u64,
    /// What its decisions said since anybody looked.
    pub heard: Heard,
    /// What people did, and what survives it.
    pub disk: Disk,
    actions: people::Actions,
    ended: serving::Ended,
    scratch: Option<Frame>,
}

impl Gateway {
    /// A gateway that has not started yet.
    #[must_use]
    pub fn new(
        number: usize,
        (pumps, brokers, displays): (usize, usize, usize),
        profile: &Arc<Profile>,
        channels: &[ChannelSpec],
        clock: HostClock,
        planted: Option<Break>,
        dice: Dice,
    ) -> Self {
        let now = clock.instant(0);
        let known = |pump| Known {
            address: words::address(pump),
            pump: Pump::new(Arc::clone(profile), WINDOW, now),
            planned: None,
            unproven: Many::new(brokers, |_| None),
        };
        Self {
            number,
            name: format!("g{number}"),
            profile: Arc::clone(profile),
            channels: channels.to_vec(),
            planted,
            clock,
            life: Life::Dead,
            starts: 0,
            known: Many::new(pumps, known),
            uplink: Uplink::new(profile, now),
            attendance: Attendance::new(profile, displays),
            names: Many::new(displays, |display| Arc::from(format!("d{display}"))),
            uplink_planned: None,
            paths: Many::new(brokers, |_| GatewayPath::default()),
            rounds: 0,
            streams: Many::new(displays, |_| None),
            waiting: VecDeque::new(),
            lost: 0,
            heard: Heard::default(),
            disk: Disk::new(pumps),
            actions: people::Actions::default(),
            ended: serving::Ended::default(),
            scratch: None,
            dice,
        }
    }

    /// Its process starts, with what its disk kept.
    pub fn start(&mut self, net: &mut Net) {
        let now = self.clock.instant(net.now);
        self.starts += 1;
        self.life = Life::Runs;
        for known in self.known.iter_mut() {
            known.pump = Pump::new(Arc::clone(&self.profile), WINDOW, now);
            known.planned = None;
            known.unproven.iter_mut().for_each(|birth| *birth = None);
        }
        self.uplink = Uplink::new(&self.profile, now);
        self.attendance = Attendance::new(&self.profile, self.streams.len());
        self.uplink_planned = None;
        self.paths.iter_mut().for_each(|path| *path = GatewayPath::default());
        self.rounds = 0;
        self.restore(net);
        self.answer_for_restored(now);
        for pump in 0..self.known.len() {
            self.plan_timer(pump, net);
        }
        self.ping(net);
    }

    /// Its process is killed: what was not on its disk is gone.
    pub fn die(&mut self) {
        self.life = Life::Dead;
        self.streams.iter_mut().for_each(|stream| *stream = None);
        self.waiting.clear();
        self.heard = Heard::default();
        self.actions = people::Actions::default();
        self.ended = serving::Ended::default();
    }

    /// What it knows of a pump.
    #[must_use]
    pub fn pump(&self, pump: usize) -> &Pump {
        &self.known[pump].pump
    }

    /// What its decisions said since this was last asked.
    pub fn take_heard(&mut self) -> Heard {
        let mut heard = std::mem::take(&mut self.heard);
        if self.planted == Some(Break::IdByArrival) {
            let by_samples = heard.told.iter_mut().filter(|told| told.frame.is_some());
            by_samples
                .for_each(|told| told.occurrence.id.onset = told.occurrence.changed_at.as_nanos());
        }
        heard
    }

    /// What it counts of the frames of a pump.
    #[must_use]
    pub fn frame_counters(&self, pump: usize) -> SequenceCounters {
        let counters = self.known[pump].pump.counters().frames;
        if self.planted == Some(Break::MissingNotCounted) {
            return SequenceCounters { missing: 0, ..counters };
        }
        counters
    }

    /// Does something to a pump, and hears what it says.
    fn act<T>(
        &mut self,
        pump: usize,
        net: &mut Net,
        what: impl FnOnce(&mut Pump, &mut Ear<'_>) -> T,
    ) -> T {
        let mut ear = Ear::new(About::Pump(pump), &mut self.heard);
        let done = what(&mut self.known[pump].pump, &mut ear);
        self.plan_timer(pump, net);
        done
    }

    fn plan_timer(&mut self, pump: usize, net: &mut Net) {
        if let Some(deadline) = self.known[pump].pump.next_deadline() {
            self.plan_timer_at(pump, deadline, net);
        }
    }

    fn plan_timer_at(&mut self, pump: usize, deadline: Instant, net: &mut Net) {
        let known = &mut self.known[pump];
        if known.planned.is_some_and(|planned| self.clock.instant(planned) <= deadline) {
            // The timer that is set comes first, and sets the next one.
            return;
        }
        let at = self.clock.when(deadline.as_nanos()).max(net.now + MS);
        known.planned = Some(at);
        net.plan(at, Event::Timer(self.number, Some(pump), at));
    }

    fn plan_uplink_timer(&mut self, net: &mut Net) {
        let now = self.clock.instant(net.now);
        let own = [self.uplink.next_deadline(), self.attendance.next_deadline(now)];
        let Some(deadline) = own.into_iter().flatten().min() else { return };
        let at = self.clock.when(deadline.as_nanos()).max(net.now + MS);
        if self.uplink_planned.is_none_or(|planned| at < planned) {
            self.uplink_planned = Some(at);
            net.plan(at, Event::Timer(self.number, None, at));
        }
    }

    /// A timer is due.
    pub fn timer(&mut self, pump: Option<usize>, planned: Nanos, net: &mut Net) {
        let now = self.clock.instant(net.now);
        let Some(pump) = pump else {
            if self.uplink_planned == Some(planned) {
                self.uplink_planned = None;
                self.attend(now, net);
            }
            return;
        };
        if self.known[pump].planned != Some(planned) {
            return;
        }
        self.known[pump].planned = None;
        match self.known[pump].pump.next_deadline() {
            Some(deadline) if deadline <= now => {
                self.act(pump, net, |pump, out| pump.on_tick(now, out));
            }
            Some(deadline) => self.plan_timer_at(pump, deadline, net),
            None => {}
        }
    }

    /// Takes what a broker hands on.
    pub fn take(&mut self, path: usize, message: Message, net: &mut Net) {
        let now = self.clock.instant(net.now);
        match message {
            Message::Frame { pump, frame } => self.take_frame(pump, path, &frame, now, net),
            Message::Birth(birth) => self.take_birth(birth, path, now, net),
            Message::Status { pump, boot, presence } => {
                self.act(pump, net, |pump, _out| {
                    pump.on_status_from(way(path), boot, presence, now);
                });
            }
            Message::Beat { pump, beat } => self.take_beat(pump, &beat, now, net),
            Message::Action(action) => self.merge(&action, net),
            Message::Peer(word) => self.take_peer(&word, net),
            Message::Pong => self.take_pong(path, now, net),
            Message::Ask { .. } | Message::Ping { .. } => {}
        }
    }

    fn take_birth(&mut self, birth: Birth, path: usize, now: Instant, net: &mut Net) {
        let channels = std::mem::take(&mut self.channels);
        let paths = u32::try_from(self.paths.len()).unwrap_or(0);
        let Birth { pump, boot, number: boot_number, retained } = birth;
        let word =
            BirthWord { boot, boot_number, paths, channels: &channels, kind: None, retained };
        let taken = self.act(pump, net, |pump, out| pump.on_birth_word(&word, way(path), now, out));
        self.channels = channels;
        match taken {
            Ok(()) | Err(BirthRefusal::Superseded) => {}
            Err(BirthRefusal::Unproven) => self.known[pump].unproven[path] = Some(birth),
        }
    }

    fn take_frame(&mut self, of: usize, path: usize, frame: &Frame, now: Instant, net: &mut Net) {
        let mut of = of;
        if self.planted == Some(Break::WrongPump) && self.dice.chance(1_000) {
            of = (of + 1) % self.known.len();
        }
        if self.planted == Some(Break::NoOrder) {
            let (boot, sequence) = (frame.boot, frame.sequence);
            let published = frame.stamp.published;
            self.heard.judged.push(Judged { pump: of, boot, sequence, published });
        }
        let mut copy =
            self.scratch.take().unwrap_or_else(|| Frame::new(frame.boot, 0, frame.stamp));
        copy.copy_from(frame);
        copy.stamp.received = now;
        if self.planted == Some(Break::WrongPump)
            && let Some(boot) = self.known[of].pump.boot()
        {
            copy.boot = boot;
        }
        let taken = self.act(of, net, |pump, out| pump.on_frame_from(way(path), &copy, now, out));
        if taken == Err(Refusal::NoBirth) {
            let births = self.known[of].unproven.iter().flatten();
            let proven = births.copied().find(|birth| birth.boot == frame.boot);
            if let Some(birth) = proven {
                self.take_birth(Birth { retained: false, ..birth }, path, now, net);
                // What is still refused then is of no run that is known.
                let _taken =
                    self.act(of, net, |pump, out| pump.on_frame_from(way(path), &copy, now, out));
            }
        }
        self.scratch = Some(copy);
    }
}

/// The path of a broker's number.
const fn way(broker: usize) -> Path {
    if broker == 0 { Path::A } else { Path::B }
}
