//! An agent at the bedside: samples, publishes over every path, answers, keeps its frames, judges by itself. One run follows another.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ecmo_agent::lease::LeaseKeeper;
use ecmo_agent::queue::{FRAME_AGE_MAX, FRAMES_MAX};
use ecmo_core::alarm::profile::Profile;
use ecmo_core::alarm::{AlarmChange, Output};
use ecmo_core::channel::ChannelSpec;
use ecmo_core::frame::{BootId, Frame, FrameStamp};
use ecmo_core::pump::{Presence, Pump, SpoolWord};
use ecmo_core::reconcile::is_comparable;
use ecmo_core::time::{ClockMap, Instant};

use crate::breaks::Break;
use crate::broker::Life;
use crate::dice::Dice;
use crate::many::Many;
use crate::message::{Beat, Birth, Event, Message, Sender};
use crate::net::Net;
use crate::rules::{CODE, Pace, WATCHED};
use crate::time::{HostClock, MS, Nanos, SECOND};
use crate::truth::Truth;

/// From a sample to the hand-over of its frame.
const FRAMING: Nanos = 2 * MS;

/// An agent whose own word does not come back for this long has lost the path.
const ECHO_LATE: Nanos = 1_500 * MS;

/// A broker says that an agent whose process is gone is gone, after this.
const WILL_AFTER: Nanos = 3 * MS;

/// One path of an agent.
#[derive(Debug, Clone, Default)]
pub struct AgentPath {
    /// Whether it takes the path for connected.
    pub connected: bool,
    echo_at: Nanos,
    /// Frames that wait for the path, each with the true time of its making.
    waiting: VecDeque<(Nanos, Rc<Frame>)>,
}

impl AgentPath {
    /// Frames that wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// What came to an end with one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Which.
    pub boot: BootId,
    /// Frames that it made.
    pub frames: u64,
}

/// Nobody listens to the agent's own judge: its findings go with the heartbeat.
struct Nobody;

impl Output for Nobody {
    fn evaluated(&mut self, _frame: &Frame, _clock: &ClockMap) {}

    fn alarm(&mut self, _change: AlarmChange<'_>) {}
}

/// An agent.
#[derive(Debug)]
pub struct Agent {
    number: usize,
    pace: Pace,
    profile: Arc<Profile>,
    channels: Vec<ChannelSpec>,
    judges: bool,
    dice: Dice,
    /// The clocks of its host.
    pub clock: HostClock,
    /// What its process does.
    pub life: Life,
    /// Its present run.
    pub run: Run,
    runs: u64,
    indexes: Many<u64>,
    /// Its paths, one a broker.
    pub paths: Many<AgentPath>,
    /// Whether its disk works.
    pub disk_works: bool,
    lease: LeaseKeeper,
    /// A planted fault: it keeps in its queue what it has sent, without a bound.
    hoards: bool,
    judge: Option<Pump>,
}

/// The run of a pump by its number; its upper half names the pump.
fn boot_of(pump: usize, run: u64, dice: &mut Dice) -> BootId {
    let pump = u64::try_from(pump).unwrap_or(0) + 1;
    let number = (pump << 32) | (dice.below(1 << 16) << 16) | (run & 0xffff);
    BootId::new(number).unwrap_or_else(|| unreachable!("the pump's number is not 0"))
}

/// The pump whose run this is.
#[must_use]
pub fn pump_of(boot: BootId) -> usize {
    usize::try_from((boot.get() >> 32).saturating_sub(1)).unwrap_or(usize::MAX)
}

impl Agent {
    /// An agent that has not started yet.
    #[must_use]
    pub fn new(
        number: usize,
        brokers: usize,
        pace: Pace,
        profile: &Arc<Profile>,
        clock: HostClock,
        mut dice: Dice,
    ) -> Self {
        let interval = Some(Duration::from_nanos(pace.period));
        Self {
            number,
            pace,
            profile: Arc::clone(profile),
            channels: Self::parameters()
                .map(|parameter| ChannelSpec { parameter, interval })
                .collect(),
            judges: dice.chance(500_000),
            clock,
            life: Life::Dead,
            run: Run { boot: boot_of(number, 0, &mut dice), frames: 0 },
            runs: 0,
            indexes: Many::new(WATCHED.len() + 1, |_| 0),
            paths: Many::new(brokers, |_| AgentPath::default()),
            disk_works: true,
            lease: LeaseKeeper::default(),
            hoards: false,
            judge: None,
            dice,
        }
    }

    /// What it measures, in the order of its channels.
    pub fn parameters() -> impl Iterator<Item = ecmo_core::parameter::Parameter> {
        WATCHED.iter().map(|watched| watched.parameter).chain([CODE])
    }

    /// Its channels, as its birth tells them.
    #[must_use]
    pub fn channels(&self) -> &[ChannelSpec] {
        &self.channels
    }

    /// Its process starts: a new run.
    pub fn start(&mut self, net: &mut Net) {
        self.runs += 1;
        self.life = Life::Runs;
        self.run = Run { boot: boot_of(self.number, self.runs, &mut self.dice), frames: 0 };
        self.indexes.iter_mut().for_each(|index| *index = 0);
        self.lease = LeaseKeeper::default();
        self.judge = self.judges.then(|| {
            let now = self.instant(net.now);
            let window = Duration::from_millis(100);
            let mut judge = Pump::new(Arc::clone(&self.profile), window, now);
            // A birth that is refused leaves the judge without a word, which is what a check of the verdict would find.
            let _taken =
                judge.on_birth(self.run.boot, &self.channels, None, false, now, &mut Nobody);
            judge
        });
        for path in 0..self.paths.len() {
            self.paths[path] =
                AgentPath { connected: true, echo_at: net.now, ..AgentPath::default() };
            self.introduce(path, net);
        }
    }

    /// Its process is killed.
    pub fn die(&mut self, net: &mut Net) {
        if self.life == Life::Dead {
            return;
        }
        self.life = Life::Dead;
        let (pump, boot) = (self.number, self.run.boot);
        let will = Message::Status { pump, boot, presence: Presence::Offline };
        for broker in 0..self.paths.len() {
            if net.bedside[pump][broker].there.cuts == 0 {
                net.plan(net.now + WILL_AFTER, Event::AtBroker(broker, Sender::Will, will.clone()));
            }
        }
    }

    /// The reader's clock of its own judge is its monotonic clock.
    fn instant(&self, now: Nanos) -> Instant {
        Instant::from_nanos(self.clock.sample_time(now).as_nanos())
    }

    fn introduce(&self, path: usize, net: &mut Net) {
        let (pump, boot, number) = (self.number, self.run.boot, self.runs);
        net.publish(pump, path, &Message::Birth(Birth { pump, boot, number, retained: false }));
        net.publish(pump, path, &Message::Status { pump, boot, presence: Presence::Online });
    }

    /// Samples once, and publishes.
    pub fn sample(
        &mut self,
        truth: &mut Truth,
        planted: Option<Break>,
        net: &mut Net,
    ) -> Option<Rc<Frame>> {
        if self.life != Life::Runs {
            return None;
        }
        self.hoards = planted == Some(Break::QueueUnbounded);
        let sampled = self.clock.sample_time(net.now);
        let published = self.clock.sample_time(net.now + FRAMING);
        let published_wall_ns = self.clock.wall(net.now + FRAMING);
        let received = Instant::from_nanos(published.as_nanos());
        let stamp = FrameStamp { published, published_wall_ns, received };
        let mut frame = Frame::new(self.run.boot, self.run.frames, stamp);
        self.run.frames += 1;
        let code = truth.sample_code(net.now);
        for (place, channel) in self.channels.iter().enumerate() {
            let reading = if place < WATCHED.len() { truth.sample(place) } else { Some(code) };
            if let Some(reading) = reading {
                let index = self.indexes[place];
                self.indexes[place] += 1;
                frame.push(channel.parameter, index, sampled, Duration::ZERO, [reading]);
            }
        }
        if let Some(judge) = &mut self.judge {
            let _judged = judge.on_frame(&frame, received, &mut Nobody);
            if judge.next_deadline().is_some_and(|deadline| deadline <= received) {
                judge.on_tick(received, &mut Nobody);
            }
        }
        let frame = Rc::new(frame);
        for path in 0..self.paths.len() {
            self.hand_over(path, Rc::clone(&frame), net);
        }
        Some(frame)
    }

    fn hand_over(&mut self, path: usize, frame: Rc<Frame>, net: &mut Net) {
        let way = &mut self.paths[path];
        if self.hoards {
            way.waiting.push_back((net.now, Rc::clone(&frame)));
        }
        if way.connected {
            net.publish(self.number, path, &Message::Frame { pump: self.number, frame });
            return;
        }
        if way.waiting.len() >= FRAMES_MAX {
            way.waiting.pop_front();
        }
        way.waiting.push_back((net.now, frame));
    }

    /// Says that it lives, on every path; a path on which that does not come back is lost.
    pub fn beat(&mut self, net: &mut Net) {
        if self.life != Life::Runs {
            return;
        }
        let beat = Rc::new(self.word(None));
        for path in 0..self.paths.len() {
            let way = &mut self.paths[path];
            if net.now.saturating_sub(way.echo_at) > ECHO_LATE {
                way.connected = false;
            }
            let message = Message::Beat { pump: self.number, beat: Rc::clone(&beat) };
            net.publish(self.number, path, &message);
        }
    }

    fn word(&self, answer: Option<(usize, Instant, ecmo_core::time::SampleTime)>) -> Beat {
        let present = self.judge.iter().flat_map(|judge| judge.alarms());
        let present = present.filter(|one| one.present && is_comparable(one.id.condition));
        Beat {
            boot: self.run.boot,
            spool: if self.disk_works { SpoolWord::Records } else { SpoolWord::DoesNot },
            present: present.map(|one| one.id.condition).collect(),
            judges: self.judge.is_some(),
            answer,
        }
    }

    /// Takes what a broker hands on.
    pub fn take(&mut self, path: usize, message: &Message, net: &mut Net) {
        if self.life != Life::Runs {
            return;
        }
        match message {
            Message::Beat { beat, .. } if beat.boot == self.run.boot => self.echo(path, net),
            Message::Ask { boot, gateway, sent, lease, .. } if *boot == self.run.boot => {
                let now = self.clock.sample_time(net.now);
                if let Some(decided) = lease {
                    // One that is refused is no lease, and nobody else needs to know.
                    let _taken = self.lease.take(*decided, now);
                }
                let beat = Rc::new(self.word(Some((*gateway, *sent, now))));
                net.publish(self.number, path, &Message::Beat { pump: self.number, beat });
            }
            Message::Birth(_)
            | Message::Status { .. }
            | Message::Frame { .. }
            | Message::Beat { .. }
            | Message::Ask { .. }
            | Message::Action(_)
            | Message::Peer(_)
            | Message::Ping { .. }
            | Message::Pong => {}
        }
    }

    /// Its own word came back: the path carries.
    fn echo(&mut self, path: usize, net: &mut Net) {
        self.paths[path].echo_at = net.now;
        if std::mem::replace(&mut self.paths[path].connected, true) {
            return;
        }
        self.introduce(path, net);
        let age_max = u64::try_from(FRAME_AGE_MAX.as_nanos()).unwrap_or(u64::MAX);
        for (made, frame) in std::mem::take(&mut self.paths[path].waiting) {
            if net.now.saturating_sub(made) <= age_max {
                net.publish(self.number, path, &Message::Frame { pump: self.number, frame });
            }
        }
    }

    /// Whether it holds a lease: its own alarm is quiet meanwhile.
    pub fn is_leased(&mut self, now: Nanos) -> bool {
        self.lease.look(self.clock.sample_time(now))
    }

    /// When it samples next, and when it beats next.
    #[must_use]
    pub const fn next(&self, now: Nanos) -> (Nanos, Nanos) {
        (now + self.pace.period, now + SECOND)
    }
}
