//! Two gateways of a model that judge the same pump, and displays that lose messages, links and gateways.

use std::collections::{BTreeMap, BTreeSet};

use ecmo_display::{Freshness, LinkId};
use ecmo_proto::v1;
use v1::watch_alarms_response::Update;

use crate::messages::{acknowledged, alarm, ended, ms, pump};
use crate::watcher::{Line, Watcher, Wire};

/// Time between two pictures, and between two messages of pumps.
const STEP_MS: u64 = 100;

/// What happens to the world.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Nothing, for so many tenths of a second.
    Pass(u8),
    /// A condition comes, gets worse, or goes; at both gateways.
    Raise(u8),
    Worsen(u8),
    Go(u8),
    /// A person acknowledges at one gateway; the other one hears of it at [`Step::Sync`].
    Acknowledge(u8, u8),
    Sync,
    /// The tested display loses the next message of a link.
    Drop(u8),
    /// The tested display loses a link, or opens it anew.
    Cut(u8),
    Open(u8),
    /// Messages of a link wait for so many tenths of a second on their way to the tested display.
    Stall(u8, u8),
    /// A gateway is killed; the other one, if it is there, goes on alone.
    Kill(u8),
    /// A gateway starts anew, from what it has kept: it learns at [`Step::Sync`] what has become of it.
    Restart(u8),
}

/// One gateway.
struct Gateway {
    epoch: u64,
    /// Its monotonic time less the world's, in milliseconds.
    ahead: u64,
    down: bool,
    /// It went on from what it had kept when it was killed, and has not learnt yet what has become of it.
    restored: bool,
    alarms: BTreeMap<u8, v1::Alarm>,
    /// What ended, and when by the world's time.
    ended: Vec<(u64, v1::Alarm)>,
    unsynced: Vec<v1::Alarm>,
}

/// Everything.
pub(crate) struct World {
    pub(crate) now_ms: u64,
    gateways: [Gateway; 2],
    /// The display whose links are harmed, and the one that never lost anything but a gateway that was started anew.
    pub(crate) tested: Watcher,
    pub(crate) faithful: Watcher,
    /// When the tested display first heard of the present start of each gateway; 0 for the first start.
    heard_ms: [u64; 2],
    onsets: u64,
    pub(crate) raised: BTreeSet<String>,
    pub(crate) painted: BTreeSet<String>,
    /// What people acknowledged: at which gateway, and as far as which call.
    acknowledged: BTreeSet<(usize, String, u32)>,
}

impl World {
    pub(crate) fn new() -> Self {
        let gateway = |epoch, ahead| Gateway {
            epoch,
            ahead,
            down: false,
            restored: false,
            alarms: BTreeMap::new(),
            ended: Vec::new(),
            unsynced: Vec::new(),
        };
        let mut world = Self {
            now_ms: 1_000,
            gateways: [gateway(10, 70_000), gateway(20, 3)],
            tested: Watcher::new(),
            faithful: Watcher::new(),
            heard_ms: [0; 2],
            onsets: 0,
            raised: BTreeSet::new(),
            painted: BTreeSet::new(),
            acknowledged: BTreeSet::new(),
        };
        for link in 0..2 {
            world.open(true, link);
            world.open(false, link);
        }
        world
    }

    pub(crate) fn take(&mut self, step: Step) {
        match step {
            Step::Pass(tenths) => (0..tenths).for_each(|_| self.pass()),
            Step::Raise(condition) => self.raise(condition),
            Step::Worsen(condition) => self.change(condition, |alarm| v1::Alarm {
                revision: alarm.revision + 1,
                call: alarm.call + 1,
                signal: v1::SignalPresence::On.into(),
                audio: v1::AudioState::On.into(),
                acknowledged_by: String::new(),
                ..alarm.clone()
            }),
            Step::Go(condition) => self.change(condition, ended),
            Step::Acknowledge(gateway, condition) => {
                self.acknowledge(usize::from(gateway), condition)
            }
            Step::Sync => self.sync(),
            Step::Drop(link) => self.tested.lines[usize::from(link)].drop_next = true,
            Step::Cut(link) => self.tested.cut(usize::from(link), self.now_ms),
            Step::Open(link) => self.open(true, usize::from(link)),
            Step::Stall(link, tenths) => {
                let until = self.now_ms + u64::from(tenths) * STEP_MS;
                self.tested.lines[usize::from(link)].stalled_until = until;
            }
            Step::Kill(gateway) => self.kill(usize::from(gateway)),
            Step::Restart(gateway) => self.restart(usize::from(gateway)),
        }
        self.tested.deliver(self.now_ms);
        self.faithful.deliver(self.now_ms);
    }

    /// Everything is well again, and both displays hear of everything.
    pub(crate) fn heal(&mut self) {
        (0..2)
            .filter(|link| self.gateways[*link].down)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|link| self.restart(link));
        self.sync();
        for link in 0..2 {
            self.tested.cut(link, self.now_ms);
            self.open(true, link);
        }
        self.take(Step::Pass(11));
    }

    fn pass(&mut self) {
        self.now_ms += STEP_MS;
        for link in 0..2 {
            self.beat(link);
        }
        for watcher in [&mut self.tested, &mut self.faithful] {
            watcher.deliver(self.now_ms);
        }
        let picture = self.tested.screen.picture();
        self.tested.screen.painted(&picture, |_| true);
        let told = picture.rows.iter().flat_map(|row| &row.told);
        self.painted.extend(told.map(|told| told.shown.occurrence.clone()));
    }

    fn beat(&mut self, link: usize) {
        let mono = self.now_ms + self.gateways[link].ahead;
        let pumps = vec![pump(mono)];
        self.tell_pumps(link, &pumps);
        if self.now_ms.is_multiple_of(1_000) {
            self.tell(link, &Update::Heartbeat(v1::Heartbeat { wall_ns: 1 }));
        }
    }

    fn tell(&mut self, link: usize, update: &Update) {
        if self.gateways[link].down {
            return;
        }
        let (epoch, ahead) = (self.gateways[link].epoch, self.gateways[link].ahead);
        let now_mono_ns = (self.now_ms + ahead) * 1_000_000;
        let update = match update {
            Update::Alarm(alarm) => {
                Update::Alarm(v1::Alarm { changed_mono_ns: now_mono_ns, ..dated(alarm, ahead) })
            }
            Update::Snapshot(_) | Update::Heartbeat(_) | Update::Drill(_) => update.clone(),
        };
        for watcher in [&mut self.tested, &mut self.faithful] {
            let sequence = watcher.number(link).0;
            watcher.lines[link].numbers.0 += 1;
            let update = Some(update.clone());
            let message = v1::WatchAlarmsResponse { sequence, epoch, now_mono_ns, update };
            watcher.send(link, self.now_ms, Wire::Alarms(Box::new(message)));
        }
    }

    fn tell_pumps(&mut self, link: usize, pumps: &[v1::Pump]) {
        if self.gateways[link].down {
            return;
        }
        let (epoch, ahead) = (self.gateways[link].epoch, self.gateways[link].ahead);
        for watcher in [&mut self.tested, &mut self.faithful] {
            let sequence = watcher.number(link).1;
            watcher.lines[link].numbers.1 += 1;
            let now_mono_ns = (self.now_ms + ahead) * 1_000_000;
            let alarm_thread_mono_ns = now_mono_ns;
            let pumps = pumps.to_vec();
            let message = v1::WatchPumpsResponse {
                pumps,
                now_mono_ns,
                epoch,
                sequence,
                alarm_thread_mono_ns,
            };
            watcher.send(link, self.now_ms, Wire::Pumps(message));
        }
    }

    /// Opens a link of a display: everything first.
    fn open(&mut self, tested: bool, link: usize) {
        let (now, gateway) = (self.now_ms, &self.gateways[link]);
        if gateway.down {
            return;
        }
        let watcher = if tested { &mut self.tested } else { &mut self.faithful };
        let id = LinkId(u8::try_from(link).unwrap());
        let seen = watcher.screen.seen_until(id);
        if tested && seen.as_ref().is_some_and(|seen| seen.epoch != gateway.epoch) {
            self.heard_ms[link] = now;
        }
        watcher.screen.on_connecting(id, ms(now));
        // Of another start everything that is remembered is told: wall clocks are not modelled.
        let since = seen.map(|seen| {
            if seen.epoch == gateway.epoch { seen.mono_ns / 1_000_000 - gateway.ahead } else { 0 }
        });
        let missed = |(at, _): &&(u64, v1::Alarm)| since.is_some_and(|since| *at >= since);
        let ended = gateway.ended.iter().rev().filter(missed);
        let snapshot = v1::AlarmSnapshot {
            alarms: gateway.alarms.values().map(|alarm| dated(alarm, gateway.ahead)).collect(),
            ended: ended
                .map(|(at, alarm)| v1::Alarm {
                    changed_mono_ns: (at + gateway.ahead) * 1_000_000,
                    ..dated(alarm, gateway.ahead)
                })
                .collect(),
            ended_incomplete: false,
        };
        let now_mono_ns = (now + gateway.ahead) * 1_000_000;
        let (epoch, update) = (gateway.epoch, Some(Update::Snapshot(snapshot)));
        let alarms = v1::WatchAlarmsResponse { sequence: 0, epoch, now_mono_ns, update };
        let pumps = v1::WatchPumpsResponse {
            pumps: vec![pump(now + gateway.ahead)],
            now_mono_ns,
            epoch,
            sequence: 0,
            alarm_thread_mono_ns: now_mono_ns,
        };
        watcher.lines[link] = Line { open: true, numbers: (1, 1), ..Line::default() };
        watcher.send(link, now, Wire::Alarms(Box::new(alarms)));
        watcher.send(link, now, Wire::Pumps(pumps));
        watcher.deliver(now);
    }

    fn raise(&mut self, condition: u8) {
        let is_there = |gateway: &Gateway| !gateway.down && gateway.alarms.contains_key(&condition);
        if self.gateways.iter().all(|gateway| gateway.down || is_there(gateway)) {
            return;
        }
        self.onsets += 1;
        let name = format!("condition.{condition}");
        let occurrence = format!("nicu/p1/{name}/1-{:x}", self.onsets);
        self.raised.insert(occurrence.clone());
        let onset_mono_ns = self.now_ms * 1_000_000;
        let alarm = v1::Alarm { occurrence, onset_mono_ns, ..alarm(&name, 1, 1) };
        for link in 0..2 {
            // One that goes on from what it had kept takes it for the one before.
            if self.gateways[link].down || is_there(&self.gateways[link]) {
                continue;
            }
            self.gateways[link].alarms.insert(condition, alarm.clone());
            self.tell(link, &Update::Alarm(alarm.clone()));
        }
    }

    fn change(&mut self, condition: u8, next: impl Fn(&v1::Alarm) -> v1::Alarm) {
        for link in (0..2).filter(|link| !self.gateways[*link].down).collect::<Vec<_>>() {
            let Some(alarm) = self.gateways[link].alarms.get(&condition).map(&next) else {
                continue;
            };
            if alarm.present {
                self.gateways[link].alarms.insert(condition, alarm.clone());
            } else {
                self.gateways[link].alarms.remove(&condition);
                self.gateways[link].ended.push((self.now_ms, alarm.clone()));
            }
            self.tell(link, &Update::Alarm(alarm));
        }
    }

    fn acknowledge(&mut self, link: usize, condition: u8) {
        let Some(alarm) = self.gateways[link].alarms.get(&condition) else { return };
        if self.gateways[link].down || alarm.signal() == v1::SignalPresence::Acknowledged {
            return;
        }
        let alarm = acknowledged(alarm, "Mia");
        self.gateways[link].alarms.insert(condition, alarm.clone());
        self.acknowledged.insert((link, alarm.occurrence.clone(), alarm.call));
        self.gateways[1 - link].unsynced.push(alarm.clone());
        self.tell(link, &Update::Alarm(alarm));
    }

    fn sync(&mut self) {
        if self.gateways.iter().any(|gateway| gateway.down) {
            return;
        }
        (0..2).for_each(|link| self.catch_up(link));
        for link in 0..2 {
            for other in std::mem::take(&mut self.gateways[link].unsynced) {
                let held = self.gateways[link].alarms.iter();
                let held = held.map(|(condition, alarm)| (*condition, alarm.clone()));
                let same = |alarm: &v1::Alarm| alarm.occurrence == other.occurrence;
                let covered = |alarm: &v1::Alarm| same(alarm) && alarm.call <= other.call;
                let signals = |alarm: &v1::Alarm| alarm.signal() == v1::SignalPresence::On;
                let found = held.into_iter().find(|(_, alarm)| covered(alarm) && signals(alarm));
                if let Some((condition, alarm)) = found {
                    let alarm = acknowledged(&alarm, &other.acknowledged_by);
                    self.acknowledged.insert((link, alarm.occurrence.clone(), alarm.call));
                    self.gateways[link].alarms.insert(condition, alarm.clone());
                    self.tell(link, &Update::Alarm(alarm));
                }
            }
        }
    }

    fn kill(&mut self, link: usize) {
        if !self.gateways[1 - link].down {
            self.gateways[link].down = true;
            self.tested.cut(link, self.now_ms);
            self.faithful.cut(link, self.now_ms);
        }
    }

    /// What a gateway learns by the samples, after it went on from what it had kept.
    fn catch_up(&mut self, link: usize) {
        let behind = &mut self.gateways[link].restored;
        if !std::mem::take(behind) {
            return;
        }
        let truth = self.gateways[1 - link].alarms.clone();
        let held: Vec<_> = self.gateways[link].alarms.clone().into_iter().collect();
        for (condition, alarm) in held {
            let same = truth.get(&condition).filter(|it| it.occurrence == alarm.occurrence);
            if same.is_none() {
                let over = ended(&alarm);
                self.gateways[link].alarms.remove(&condition);
                self.gateways[link].ended.push((self.now_ms, over.clone()));
                self.tell(link, &Update::Alarm(over));
            }
        }
        for (condition, alarm) in truth {
            let held = self.gateways[link].alarms.get(&condition);
            let revision = held.map_or(0, |held| held.revision).max(alarm.revision) + 1;
            let on = |alarm: &v1::Alarm| alarm.signal() == v1::SignalPresence::On;
            let rank = |alarm: &v1::Alarm| (alarm.call, !on(alarm));
            if held.is_none_or(|held| rank(held) < rank(&alarm)) {
                let alarm = v1::Alarm { revision, ..alarm };
                if !on(&alarm) {
                    self.acknowledged.insert((link, alarm.occurrence.clone(), alarm.call));
                }
                self.gateways[link].alarms.insert(condition, alarm.clone());
                self.tell(link, &Update::Alarm(alarm));
            }
        }
    }

    fn restart(&mut self, link: usize) {
        self.gateways[link].restored |= self.gateways[link].down;
        self.gateways[link].down = false;
        self.gateways[link].epoch += 1;
        self.gateways[link].ahead += 100_000;
        self.tested.cut(link, self.now_ms);
        self.faithful.cut(link, self.now_ms);
        self.open(false, link);
    }

    /// Whether a gateway has only kept what another one that is heard has ended.
    fn is_over(&self, link: usize, alarm: &v1::Alarm) -> bool {
        let other = &self.gateways[1 - link];
        let began_ms =
            self.gateways[link].alarms.values().find(|one| one.occurrence == alarm.occurrence);
        let began_ms = began_ms.map_or(u64::MAX, |one| one.onset_mono_ns / 1_000_000);
        let named = |over: &v1::Alarm| over.occurrence == alarm.occurrence;
        let is_named = other.ended.iter().any(|(_, over)| named(over));
        // Under its own name for it.
        let renamed = |at: u64, over: &v1::Alarm| {
            !is_named && over.condition == alarm.condition && at > began_ms
        };
        let it = |(at, over): &(u64, v1::Alarm)| {
            (named(over) && over.call >= alarm.call) || renamed(*at, over)
        };
        let known = self.tested.screen.links()[1 - link].state.is_known();
        self.gateways[link].restored && known && other.ended.iter().any(it)
    }

    /// Whether the other gateway, which was there before this one lately started anew, holds the condition as acknowledged.
    fn is_acknowledged_at_the_elder(&self, link: usize, condition: &str) -> bool {
        let [this, other] = [self.heard_ms[link], self.heard_ms[1 - link]];
        let is_elder = other < this && self.now_ms - this < 15_000;
        let known = self.tested.screen.links()[1 - link].state.is_known();
        let mut told = self.tested.lines[1 - link].told.values();
        let covers = |alarm: &v1::Alarm| {
            alarm.condition == condition && alarm.signal() == v1::SignalPresence::Acknowledged
        };
        is_elder && known && told.any(covers)
    }

    /// What must hold at every step, whatever was lost.
    pub(crate) fn check(&self) {
        let Watcher { screen, lines } = &self.tested;
        let rows = screen.rows();
        for (link, (line, view)) in lines.iter().zip(screen.links()).enumerate() {
            if !view.state.is_known() {
                continue;
            }
            assert!(line.gapless, "a link with a gap counts as known");
            let signalling =
                line.told.values().filter(|alarm| alarm.signal() == v1::SignalPresence::On);
            for alarm in signalling.filter(|alarm| !self.is_over(link, alarm)) {
                let found: Vec<_> =
                    rows.iter().filter(|row| row.key.condition == alarm.condition).collect();
                assert_eq!(found.len(), 1, "{} hidden or doubled", alarm.occurrence);
                let covers = |(gateway, occurrence, call): &(usize, String, u32)| {
                    *gateway != link && *occurrence == alarm.occurrence && *call >= alarm.call
                };
                let elsewhere = self.acknowledged.iter().any(covers)
                    || self.is_acknowledged_at_the_elder(link, &alarm.condition);
                assert!(found[0].signals() || elsewhere, "{} is quiet", alarm.occurrence);
            }
        }
        for view in screen.pumps() {
            let world = self.now_ms + self.gateways[usize::from(view.link.0)].ahead;
            let sampled = view.pump.readings[0].sampled_mono_ns.unwrap() / 1_000_000;
            let true_age = world.saturating_sub(sampled);
            // The clocks of the model do not drift; the display allows for drift.
            let bound = match view.reading(&view.pump.readings[0]) {
                Freshness::Live => 1_500 + 50,
                Freshness::Late => 3_000 + 50,
                Freshness::Stale => continue,
            };
            assert!(view.known && true_age <= bound, "{true_age} ms old, and {view:?}");
        }
    }
}

/// An alarm, kept by the world's time, with the times of a gateway's own clock.
fn dated(alarm: &v1::Alarm, ahead: u64) -> v1::Alarm {
    v1::Alarm { onset_mono_ns: alarm.onset_mono_ns + ahead * 1_000_000, ..alarm.clone() }
}
