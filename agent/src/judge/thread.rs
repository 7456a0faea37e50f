//! The thread that judges: frames, time and the lease in; sound, status and records out.

use core::time::Duration;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};

use ecmo_core::alarm::action::{Action, Ask, Order};
use ecmo_core::alarm::condition::Priority;
use ecmo_core::alarm::profile::Profile;
use ecmo_core::pump::Pump;
use ecmo_core::time::{Instant, SampleTime};
use ecmo_decode::{Birth, Decoder, KeptFrame};
use ecmo_proto::v1::{self, LeasedTreatment};
use tokio::sync::watch;

use super::findings::Findings;
use super::treatment::{is_same, treatment};
use crate::clock;
use crate::config::LocalAlarmSettings;
use crate::counters::Counters;
use crate::frame::PreparedFrame;
use crate::lease::{Lease, Leased};
use crate::local_alarm::kept::{Keeper, Kept};
use crate::local_alarm::output::Outputs;
use crate::local_alarm::sound::{Reason, Sound, SoundRules, Sounder};
use crate::local_alarm::unleased::{Name, Unleased};

/// Longest time between two looks at lease and silence.
const LOOK: Duration = Duration::from_millis(50);

/// As in the gateway: a frame that overtook others waits this long for them.
const REORDER_WINDOW: Duration = Duration::from_millis(100);

/// What the thread is made of.
pub(super) struct Parts<'a> {
    pub(super) settings: &'a LocalAlarmSettings,
    pub(super) profile: Arc<Profile>,
    pub(super) pump: String,
    pub(super) birth: Birth,
    pub(super) lease: Arc<Lease>,
    pub(super) kept: Kept,
    pub(super) keeper: Option<Keeper>,
    pub(super) outputs: Outputs,
    pub(super) status: Arc<Mutex<v1::LocalAlarm>>,
    pub(super) counters: Arc<Counters>,
    pub(super) now: SampleTime,
}

/// The judge at work.
pub(super) struct Bench {
    name: String,
    profile_hash: u64,
    pump: Pump,
    birth: Birth,
    decoder: Decoder,
    findings: Findings,
    lease: Arc<Lease>,
    said: watch::Receiver<Option<Arc<Leased>>>,
    told: Option<LeasedTreatment>,
    gateways_hash: u64,
    sounder: Sounder,
    sound: Option<Sound>,
    unleased: Unleased,
    keeper: Option<Keeper>,
    outputs: Outputs,
    status: Arc<Mutex<v1::LocalAlarm>>,
    counters: Arc<Counters>,
}

/// The reader's clock of the local pump is the agent's own.
fn reader(now: SampleTime) -> Instant {
    Instant::from_nanos(now.as_nanos())
}

impl Bench {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let now = parts.now;
        let settings = parts.settings;
        let rules = SoundRules {
            grace: settings.grace,
            unattended: settings.unattended,
            unattended_for: settings.unattended_for,
        };
        let profile_hash = parts.profile.hash;
        // What was kept is told even if nothing happens.
        let mut findings = Findings { now, has_changed: true, ..Findings::default() };
        let mut pump = Pump::new(parts.profile, REORDER_WINDOW, reader(now));
        // Contexts soften rules and nobody is here who could end them: a restart forgets them, the next lease has them.
        let told =
            parts.kept.treatment.map(|told| LeasedTreatment { contexts: Vec::new(), ..told });
        if let Some(told) = &told {
            pump.restore_treatment(treatment(told, reader(now)), reader(now), &mut findings);
            let version = told.version;
            tracing::info!(pump = parts.pump, version, "the patient's limits are restored");
        }
        let birth = &parts.birth;
        let first = (birth.boot, birth.channels.as_slice(), birth.case_kind());
        pump.on_birth(first.0, first.1, first.2, false, reader(now), &mut findings)
            .expect("no run was before the first");
        Self {
            name: parts.pump,
            profile_hash,
            pump,
            birth: parts.birth,
            decoder: Decoder::default(),
            findings,
            said: parts.lease.said(),
            lease: parts.lease,
            told,
            gateways_hash: parts.kept.profile_hash,
            sounder: Sounder::new(rules, now),
            sound: None,
            unleased: Unleased::restored(parts.kept.unleased, parts.kept.mono_ns),
            keeper: parts.keeper,
            outputs: parts.outputs,
            status: parts.status,
            counters: parts.counters,
        }
    }

    /// Judges until nobody hands frames over any more.
    pub(super) fn run(mut self, frames: &Receiver<PreparedFrame>) {
        let mut next_look = clock::now();
        loop {
            let wait = next_look.since(clock::now());
            match frames.recv_timeout(wait) {
                Ok(frame) => self.on_frame(&frame, clock::now()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = clock::now();
            self.look(now, clock::wall_ns());
            next_look = now.plus(LOOK);
        }
    }

    pub(super) fn on_frame(&mut self, frame: &PreparedFrame, now: SampleTime) {
        self.findings.now = now;
        let now = reader(now);
        let kept = KeptFrame { body: frame.body(), finished: frame.finished(), received: now };
        let mut invalid = |_reason, _samples| {};
        let Ok(frame) = self.decoder.kept(kept, &self.birth, &mut invalid) else {
            // A frame of our own that cannot be read is a fault of this program; a gateway refuses it too.
            self.counters.frames_not_judged.add(1);
            return;
        };
        // It is of the one run that this pump knows.
        let _always_taken = self.pump.on_frame(frame, now, &mut self.findings);
    }

    pub(super) fn look(&mut self, now: SampleTime, wall_ns: i64) {
        self.findings.now = now;
        self.hear(now);
        self.pump.on_tick(reader(now), &mut self.findings);
        for (id, revision) in std::mem::take(&mut self.findings.latched) {
            // One that has ended or returned meanwhile needs no acknowledgement.
            let Ok(what) = self.pump.prepare(Ask::Acknowledge { id, revision }, "", reader(now))
            else {
                continue;
            };
            let (by, note, order) = (String::new(), String::new(), Order::default());
            let action = Action { order, by, note, what };
            let _always_taken = self.pump.apply(&action, reader(now), &mut self.findings);
        }
        let is_leased = self.lease.is_leased(now);
        self.findings.forget(is_leased);
        let sound = self.sounder.look(now, is_leased, self.findings.audible());
        if sound != self.sound {
            self.sound = sound;
            self.log(now);
            self.outputs.tell(sound);
        }
        let is_news = self.remember(is_leased, wall_ns);
        if is_news {
            self.keep(now);
        }
        self.tell(now, is_leased, is_news);
    }

    /// Takes over what the newest lease said.
    fn hear(&mut self, now: SampleTime) {
        if !self.said.has_changed().unwrap_or(false) {
            return;
        }
        let Some(said) = self.said.borrow_and_update().clone() else { return };
        if said.profile_hash != self.gateways_hash && said.profile_hash != self.profile_hash {
            let (gateway, agent) = (said.profile_hash, self.profile_hash);
            tracing::warn!(
                gateway,
                agent,
                "gateway and agent run different rules: give local_alarm.profile the gateway's profile"
            );
        }
        self.gateways_hash = said.profile_hash;
        let told = said.treatment.clone().unwrap_or_default();
        let new = treatment(&told, reader(now));
        if self.told.is_some() && is_same(&new, self.pump.treatment()) {
            return;
        }
        self.pump.set_treatment(new, reader(now), &mut self.findings);
        self.told = Some(told);
        self.keep(now);
    }

    /// Notes what is present while nobody listens, and what has ended; whether there is news.
    fn remember(&mut self, is_leased: bool, wall_ns: i64) -> bool {
        let boot_id = self.birth.boot.get();
        let mut is_news = false;
        if !is_leased {
            for found in self.findings.present() {
                let condition = found.id.condition;
                let sounds = self.sound.map(|sound| sound.reason);
                let sounds = sounds == Some(Reason::Condition(condition));
                let condition = condition.to_string();
                let onset = found.onset.as_nanos();
                let name = Name { condition: &condition, boot_id, onset };
                is_news |= self.unleased.note(name, word(found.priority), sounds, wall_ns);
            }
        }
        for gone in std::mem::take(&mut self.findings.gone) {
            let condition = gone.id.condition.to_string();
            let name = Name { condition: &condition, boot_id, onset: gone.onset.as_nanos() };
            is_news |= self.unleased.end(name, gone.at.as_nanos());
        }
        is_news | self.unleased.forget(wall_ns)
    }

    fn keep(&self, now: SampleTime) {
        let Some(keeper) = &self.keeper else { return };
        keeper.put(Kept {
            treatment: self.told.clone(),
            unleased: self.unleased.entries(),
            mono_ns: now.as_nanos(),
            profile_hash: self.gateways_hash,
            pump: self.name.clone(),
        });
    }

    fn log(&self, now: SampleTime) {
        let is_leased = self.lease.is_leased(now);
        match self.sound {
            Some(Sound { priority, reason }) => {
                tracing::warn!(pump = self.name, ?priority, %reason, "local alarm sounds");
            }
            None => tracing::info!(pump = self.name, is_leased, "local alarm is quiet"),
        }
    }

    /// Brings the status up to date; its lists only when they have changed.
    fn tell(&mut self, now: SampleTime, is_leased: bool, is_news: bool) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if is_news || std::mem::take(&mut self.findings.has_changed) {
            let present = self.findings.present().map(|found| v1::LocalCondition {
                condition: found.id.condition.to_string(),
                onset: found.onset.as_nanos(),
            });
            status.present = present.collect();
            status.unleased = self.unleased.told();
        }
        status.profile_hash = self.profile_hash;
        status.treatment_version = self.pump.treatment().version;
        status.leased = is_leased;
        status.sounding = self.sound.is_some();
        status.leases_lost = self.lease.lost(now);
        let has_keeper_failed = self.keeper.as_ref().is_some_and(Keeper::has_failed);
        status.failed = self.outputs.has_failed() || has_keeper_failed;
    }
}

/// The priority as the contract numbers it.
fn word(priority: Priority) -> u32 {
    let word = match priority {
        Priority::Low => v1::AlarmPriority::Low,
        Priority::Medium => v1::AlarmPriority::Medium,
        Priority::High => v1::AlarmPriority::High,
        Priority::Information => v1::AlarmPriority::Information,
    };
    u32::try_from(i32::from(word)).unwrap_or(0)
}
